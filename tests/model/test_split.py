"""A batch of arrivals in parts is the same batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.errors import ScenarioError
from cluster_sim.model.workload import ArrivalBatch


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 40))
def test_parts_hold_the_slots_and_tasks_in_order(counts: list[int], n_tasks: int) -> None:
    """Parts follow each other, and together are the whole; a part is a slot at least."""
    replicas = np.arange(2 * sum(counts)).reshape(-1, 2)
    jobs = np.arange(sum(counts)) // 3
    whole = ArrivalBatch(7, 100, np.array(counts, dtype=np.int64), replicas, jobs)
    parts = list(whole.split(n_tasks))
    slot, task = 7, 100
    for part in parts:
        assert (part.first_slot, part.first_task) == (slot, task)
        assert part.n_slots > 0
        assert part.n_tasks == part.counts.sum()
        slot, task = slot + part.n_slots, task + part.n_tasks
    assert [count for part in parts for count in part.counts] == counts
    assert [row for part in parts for row in part.replicas.tolist()] == replicas.tolist()
    assert [job for part in parts for job in part.job_numbers()] == jobs.tolist()


def test_a_task_without_a_job_is_one() -> None:
    """Without jobs, in parts or not, each task's job has the task's number."""
    whole = ArrivalBatch(7, 100, np.array([2, 1, 3]), np.zeros((6, 1), dtype=np.int64))
    assert whole.job_numbers().tolist() == list(range(100, 106))
    parts = whole.split(2)
    assert [job for part in parts for job in part.job_numbers()] == list(range(100, 106))


def test_every_task_needs_a_job() -> None:
    """A batch that names jobs names one for each task."""
    batch = ArrivalBatch(4, 0, np.array([3]), np.zeros((3, 1), dtype=np.int64), np.array([1, 1]))
    message = "^the workload's batch from slot 4 names the jobs of 2 tasks and has 3; it must name"
    with pytest.raises(ScenarioError, match=message):
        batch.job_numbers()
