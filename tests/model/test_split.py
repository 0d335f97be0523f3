"""A batch of arrivals in parts is the same batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.model.workload import ArrivalBatch


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 40))
def test_parts_hold_the_slots_and_tasks_in_order(counts: list[int], n_tasks: int) -> None:
    """Parts follow each other, and together are the whole; a part is a slot at least."""
    replicas = np.arange(2 * sum(counts)).reshape(-1, 2)
    parts = list(ArrivalBatch(7, 100, np.array(counts, dtype=np.int64), replicas).split(n_tasks))
    slot, task = 7, 100
    for part in parts:
        assert (part.first_slot, part.first_task) == (slot, task)
        assert part.n_slots > 0
        assert part.n_tasks == part.counts.sum()
        slot, task = slot + part.n_slots, task + part.n_tasks
    assert [count for part in parts for count in part.counts] == counts
    assert [row for part in parts for row in part.replicas.tolist()] == replicas.tolist()
