"""Nothing is cut off: long services, long times, long queues, wide replica sets, many events."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from cluster_sim import policies
from cluster_sim.compiled import engine, state
from cluster_sim.compiled.engine import OutOfMemoryError, simulate
from cluster_sim.model.arrivals import Batch, Bernoulli, Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import NO_SERVER, Even
from cluster_sim.model.workload import ArrivalBatch, SyntheticWorkload, Workload
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from compiled.both import Story, check_same


def system(
    policy: str, *, n_servers: int, rate: float, local: float, remote: float, replicas: int = 2
) -> System:
    """Return a cluster of one rack with even traffic."""
    topology = Topology.tree(n_servers)
    return System(
        Cluster.of(topology, {"local": local, "remote": remote}),
        SyntheticWorkload(Even(topology, replicas), Poisson(rate)),
        policies.get(policy),
    )


def test_services_longer_than_the_timing_wheel_run_to_their_end() -> None:
    """A service of several turns of the wheel ends when it should, in the order of starts."""
    slow = system("priority", n_servers=6, rate=0.004, local=1e-3, remote=1e-4)
    check_same(slow, Key.of(2), 40_000, warmup=500)
    story = Story()
    simulate(slow, Key.of(2), slots=40_000, observers=[story])
    ended = [seen.service or 0 for seen in story.events if seen.kind == "completion"]
    assert max(ended) > 5 * state.N_WHEEL


def test_ends_in_the_same_slot_stay_in_the_order_of_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a wheel of two slots nearly every service takes several turns; nothing changes."""
    monkeypatch.setattr(state, "N_WHEEL", 2)
    for name in policies.names():
        busy = system(name, n_servers=9, rate=1.5, local=0.3, remote=0.1)
        check_same(busy, Key.of(3), 400)


def test_times_beyond_the_dense_histogram_are_counted() -> None:
    """Completion times above 16384 slots are counted exactly, however many."""
    slow = system("jsq-maxweight", n_servers=8, rate=0.03, local=2e-4, remote=1e-4)
    result = check_same(slow, Key.of(4), 70_000, warmup=100, is_observed=False)
    times = result.completion_times
    assert times.counts[times.values >= state.N_TIMES].sum() > 20
    assert result.waiting_times.values[-1] >= state.N_TIMES


def test_the_list_of_long_times_is_emptied_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a short dense histogram the list overflows again and again; nothing is lost."""
    monkeypatch.setattr(state, "N_TIMES", 2)
    for name in policies.names():
        busy = system(name, n_servers=40, rate=14.0, local=0.4, remote=0.2)
        result = check_same(busy, Key.of(5), 300, is_observed=False)
        assert result.completion_times.counts[2:].sum() > 4 * 40 + 1024


def test_times_at_the_border_of_the_dense_histogram(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the border, a time is counted once, as itself."""
    busy = system("maxweight", n_servers=5, rate=1.6, local=0.5, remote=0.2)
    for n_times in (1, 3, 7, 20):
        monkeypatch.setattr(state, "N_TIMES", n_times)
        check_same(busy, Key.of(6), 200, is_observed=False)


@pytest.mark.parametrize("name", ["fifo", "priority", "jsq-maxweight"])
def test_the_backlog_grows_without_limit(name: str) -> None:
    """At twice the capacity the pool of waiting tasks grows many times over."""
    overloaded = system(name, n_servers=20, rate=40.0, local=1.0, remote=0.5)
    result = check_same(overloaded, Key.of(7), 1_000, warmup=200, is_observed=False)
    assert result.n_in_system > 3 * state.N_TASKS


def test_a_slot_with_more_arrivals_than_the_pool_holds() -> None:
    """A burst far beyond the pool and the event buffer is taken in one slot."""
    topology = Topology.tree(3)
    cluster = Cluster.of(topology, {"local": 1.0, "remote": 0.5})
    workload = SyntheticWorkload(Even(topology, 2), Batch(300.0, 3 * state.N_TASKS))
    bursts = System(cluster, workload, policies.get("priority"))
    result = check_same(bursts, Key.of(8), 60)
    assert result.n_arrivals >= 3 * state.N_TASKS


@dataclass(frozen=True)
class Widening:
    """A workload of one's own: each batch has wider replica sets than the one before."""

    n_servers: int
    dtype: str = "int64"
    rate: float = 3.0
    bound: None = None

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        first_task = 0
        for first, width in zip(range(0, n_slots, 20), itertools.cycle((1, 2, 5, 3, 0, 8))):
            n = min(20, n_slots - first)
            rng = np.random.default_rng(key.low + first)
            counts = rng.poisson(self.rate, n) if width else np.zeros(n)
            rows = np.full((int(counts.sum()), width), NO_SERVER)
            for row in rows:
                size = rng.integers(1, width + 1)
                row[:size] = np.sort(rng.choice(self.n_servers, size, replace=False))
            rows = rows.astype(self.dtype)
            rows.flags.writeable = False  # as of a file mapped into memory
            yield ArrivalBatch(first, first_task, counts.astype(self.dtype), rows)
            first_task += len(rows)


@pytest.mark.parametrize("name", policies.names())
def test_wider_replica_sets_than_before(name: str) -> None:
    """Replica sets may grow and shrink from batch to batch while tasks wait."""
    cluster = Cluster.of(
        Topology.tree(9, {"rack": 3}), {"local": 0.5, "rack_local": 0.4, "remote": 0.2}
    )
    widening: Workload = Widening(9)
    check_same(System(cluster, widening, policies.get(name)), Key.of(9), 333)


@pytest.mark.parametrize("dtype", ["int32", "uint16", "float64"])
def test_arrays_of_any_kind_are_taken_without_compiling_anew(dtype: str) -> None:
    """A workload may give arrays of another type; the loop is compiled once for all."""
    from cluster_sim.compiled.assembly import compiled_loop

    policy = policies.get("jsq-local")
    cluster = Cluster.of(Topology.tree(9), {"local": 0.5, "remote": 0.2})
    usual: Workload = Widening(9)
    simulate(System(cluster, usual, policy), Key.of(1), slots=150)
    loop = compiled_loop(policy)
    n_compiled = len(loop.signatures)  # type: ignore[attr-defined]
    widening: Workload = Widening(9, "int64" if dtype == "uint16" else dtype)
    if dtype == "uint16":
        widening = Single(dtype)
    result = simulate(System(cluster, widening, policy), Key.of(1), slots=150)
    assert result.n_arrivals > 0
    assert len(loop.signatures) == n_compiled == 1  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Single:
    """A workload of one's own: one task a slot, on two servers."""

    dtype: str
    rate: float = 1.0
    bound: None = None

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        rows = np.tile([[0, 1]], (n_slots, 1)).astype(self.dtype)
        yield ArrivalBatch(0, 0, np.ones(n_slots, dtype=self.dtype), rows)


class Count(Observer):
    """Count the events."""

    def __init__(self) -> None:
        self.n = 0

    def arrival(self, task: object) -> None:
        self.n += 1

    start = completion = arrival


def test_the_event_buffer_is_emptied_in_time() -> None:
    """Far more events than the buffer holds all reach the observers."""
    count = Count()
    busy = system("fifo", n_servers=30, rate=20.0, local=1.0, remote=0.8)
    result = simulate(busy, Key.of(1), slots=2_000, observers=[count])
    n_started = result.n_arrivals - (result.n_in_system - in_service(result))
    assert count.n == result.n_arrivals + n_started + result.n_completed > 100_000


def in_service(result: RunResult) -> int:
    """Return how many services had begun, but not ended, when the run did."""
    return int(result.starts.sum()) - result.n_completed


def full_after(n: int) -> object:
    """Return a stand-in for `numpy.zeros` that finds no memory for `n` entries and more."""
    zeros = np.zeros

    def limited(shape: object, dtype: object = float) -> object:
        first = shape[0] if isinstance(shape, tuple) else shape
        if first >= n:
            raise MemoryError
        return zeros(shape, dtype=dtype)

    return limited


def test_running_out_of_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the backlog outgrows the memory, the error says how far the run came and what to do."""
    overloaded = system("fifo", n_servers=10, rate=100.0, local=1.0, remote=0.5)
    told: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(state.np, "zeros", full_after(16_386 * 64))  # a row of the pool: 64 bytes
        with pytest.raises(OutOfMemoryError) as caught:
            simulate(overloaded, Key.of(1), slots=5_000, progress=told.append)
    message = (
        r"slot \d+: [\d,]+ tasks wait, and there is no memory for more; .*lower the load, or run"
    )
    caught.match(message)
    assert isinstance(caught.value, MemoryError)
    slot = int(str(caught.value).split()[1].rstrip(":"))
    n_waiting = int(str(caught.value).split()[2].replace(",", ""))
    # The pool before was full: 16384 tasks, at a net gain of 90 to 95 a slot.
    assert 0.9 * 16_384 < n_waiting <= 16_384
    assert slot == pytest.approx(16_384 / 92, rel=0.1)
    assert simulate(overloaded, Key.of(1), slots=slot).n_in_system >= n_waiting


def test_more_tasks_than_numbers_for_them_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """More waiting tasks than can be numbered are an error of the same kind."""
    monkeypatch.setattr(state, "MOST_TASKS", 5_000)
    overloaded = system("fifo", n_servers=10, rate=100.0, local=1.0, remote=0.5)
    with pytest.raises(engine.OutOfMemoryError, match="there is no memory for more"):
        simulate(overloaded, Key.of(1), slots=5_000)


def test_a_workload_that_ends_early_is_told() -> None:
    """A workload that gives fewer slots than asked for is an error on the compiled engine."""
    from cluster_sim.errors import ScenarioError

    short: Workload = Short()
    cluster = Cluster.of(Topology.tree(2), {"local": 0.5, "remote": 0.2})
    with pytest.raises(ScenarioError, match="the workload ended after slot 39, 50 slots were"):
        simulate(System(cluster, short, policies.get("fifo")), Key.of(1), slots=50)


class Short(Single):
    """A workload that ends ten slots too early."""

    def __init__(self) -> None:
        super().__init__("int64")

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        return super().batches(key, n_slots - 10)


@pytest.mark.slow
def test_very_long_services() -> None:
    """At a rate of one in ten thousand, services of many turns of the wheel end as on SimPy."""
    topology = Topology.tree(5)
    cluster = Cluster.of(topology, {"local": 1e-4, "remote": 1e-5})
    slow = System(
        cluster, SyntheticWorkload(Even(topology, 2), Bernoulli(3e-4)), policies.get("priority")
    )
    result = check_same(slow, Key.of(1), 600_000)
    assert result.completion_times.values[-1] > 20 * state.N_WHEEL
