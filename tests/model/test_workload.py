"""A synthetic workload yields all slots and tasks once, in order, however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.model import workload as workload_module
from cluster_sim.model.arrivals import ArrivalProcess, Batch, Bernoulli, Poisson
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import TASKS_PER_BATCH, SyntheticWorkload, window
from cluster_sim.randomness import Key

KEY = Key.of(5)
PROCESSES = [Poisson(3.0), Poisson(0.05), Bernoulli(0.5), Batch(4.0, 8)]


def workload(arrivals: ArrivalProcess) -> SyntheticWorkload:
    return SyntheticWorkload(Even(Topology.tree(9), 3), arrivals)


@pytest.mark.parametrize("arrivals", PROCESSES, ids=repr)
def test_batches_leave_no_gap(arrivals: ArrivalProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches follow one another in slots and in tasks, and end with the last slot asked for."""
    monkeypatch.setattr(workload_module, "TASKS_PER_BATCH", 20)
    n_slots, next_slot, next_task = 101, 0, 0
    for batch in workload(arrivals).batches(KEY, n_slots):
        assert (batch.first_slot, batch.first_task) == (next_slot, next_task)
        assert batch.n_tasks == batch.counts.sum() == len(batch.replicas)
        next_slot += batch.n_slots
        next_task += batch.n_tasks
    assert next_slot == n_slots


@pytest.mark.parametrize("arrivals", PROCESSES, ids=repr)
@pytest.mark.parametrize("tasks_per_batch", [1, 7, 50])
def test_the_size_of_batches_changes_nothing(
    arrivals: ArrivalProcess, tasks_per_batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts and replica sets are the same whatever the windows."""

    def everything() -> tuple[list[int], list[list[int]]]:
        batches = list(workload(arrivals).batches(KEY, 60))
        counts = np.concatenate([batch.counts for batch in batches])
        replicas = np.concatenate([batch.replicas for batch in batches])
        return counts.tolist(), replicas.tolist()

    whole = everything()
    monkeypatch.setattr(workload_module, "TASKS_PER_BATCH", tasks_per_batch)
    assert everything() == whole


def test_a_longer_run_begins_like_the_shorter() -> None:
    """Asking for more slots changes none of the first ones."""
    (short,) = workload(Poisson(2.0)).batches(KEY, 30)
    (long,) = workload(Poisson(2.0)).batches(KEY, 90)
    assert np.array_equal(long.counts[:30], short.counts)
    assert np.array_equal(long.replicas[: short.n_tasks], short.replicas)


def test_counts_and_types_are_those_of_its_parts() -> None:
    """The workload adds nothing of its own to arrivals and traffic."""
    arrivals, traffic = Poisson(2.0), Even(Topology.tree(9), 3)
    (batch,) = SyntheticWorkload(traffic, arrivals).batches(KEY, 40)
    assert np.array_equal(batch.counts, arrivals.counts(KEY, 0, 40))
    assert np.array_equal(batch.replicas, traffic.replicas(KEY, 0, batch.n_tasks))


def test_rate_and_bound_are_those_of_the_arrivals() -> None:
    """The rate is the mean with the bound, not the rate asked for."""
    cut = workload(Poisson(2.0, max_arrivals=2))
    assert cut.rate == Poisson(2.0, max_arrivals=2).mean < 2.0
    assert cut.bound == 2


def test_no_slots_bring_no_batches() -> None:
    """A run of no slots is empty."""
    assert list(workload(Poisson(2.0)).batches(KEY, 0)) == []


@given(st.floats(0.0, 1e9))
def test_windows_hold_a_bounded_number_of_tasks_and_slots(rate: float) -> None:
    """A window is at least one slot, else of no more tasks than a batch, and of bounded length."""
    n_slots = window(rate)
    assert n_slots == 1 or n_slots * rate <= TASKS_PER_BATCH
    assert 1 <= n_slots <= 4 * TASKS_PER_BATCH
    assert window(2 * rate) <= n_slots


@pytest.mark.parametrize("tasks_per_batch", [1, 7, 50])
def test_a_batch_of_tasks_is_a_job(tasks_per_batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that arrive together as a batch are one job; single arrivals are jobs of their own."""
    monkeypatch.setattr(workload_module, "TASKS_PER_BATCH", tasks_per_batch)
    jobs: list[int] = []
    for batch in workload(Batch(4.0, 8)).batches(KEY, 60):
        assert batch.jobs is not None
        ends = np.cumsum(batch.counts)
        for first, end in zip(ends - batch.counts, ends, strict=True):
            of_slot = batch.jobs[first:end].tolist()
            assert not set(of_slot) & set(jobs)  # a job arrives in one slot
            jobs += of_slot
    assert jobs == [i // 8 for i in range(len(jobs))]
    assert all(batch.jobs is None for batch in workload(Poisson(4.0)).batches(KEY, 60))
