"""The kernels draw the numbers that the package draws, compiled and as plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws.systems import keys

from cluster_sim.compiled.assembly import compiled_fill
from cluster_sim.compiled.batches import SLOTS_DRAWN, fast_batches
from cluster_sim.errors import ScenarioError
from cluster_sim.kernels import philox as kernel
from cluster_sim.kernels import traffic as plain
from cluster_sim.model.arrivals import Batch, Bernoulli, Poisson
from cluster_sim.model.placement import HdfsPlacement, UniformPlacement
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import (
    NO_SERVER,
    Even,
    Hotspot,
    Traffic,
    Types,
    hot_word,
)
from cluster_sim.model.workload import ArrivalBatch, SyntheticWorkload, Workload
from cluster_sim.randomness import Key, Stream, block, blocks, uniforms

Words = tuple[np.uint64, np.uint64]
slow_enough = settings(max_examples=10)  # as plain Python a row takes a millisecond


def words_of(key: Key) -> Words:
    return np.uint64(key.low), np.uint64(key.high)


def function(name: str, engine: str) -> Callable[..., None]:
    """Return a fill as numba compiles it, or as the plain Python that it is."""
    found: Callable[..., None] = (
        compiled_fill(name) if engine == "compiled" else getattr(plain, name)
    )
    return found


both = pytest.mark.parametrize("engine", ["compiled", "plain"])


@given(
    low=st.integers(0, 2**32 - 1),
    high=st.integers(0, 2**32 - 1),
    stream=st.sampled_from(Stream),
    index=st.integers(0, 2**63 - 1),
    sub=st.integers(0, 2**32 - 1),
)
def test_plain_philox_is_philox(low: int, high: int, stream: Stream, index: int, sub: int) -> None:
    """A block of the kernel is the reference's block, for any key, stream and place."""
    key = Key(low, high)
    found = kernel.philox(*words_of(key), int(stream), index, sub)
    assert tuple(map(int, found)) == block(key, stream, index, sub)
    high_word, low_word = found[:2]
    expected = uniforms(np.array([high_word], np.uint64), np.array([low_word], np.uint64))[0]
    assert kernel.uniform(high_word, low_word) == expected


@given(key=keys, first=st.sampled_from([0, 1, 2**31 - 3, 2**32 - 3, 2**53, 2**62]))
@both
@slow_enough
def test_task_draws(engine: str, key: Key, first: int) -> None:
    """Service luck and routing tie of a task are those of the block that bears its number."""
    lucks, ties = np.empty(7), np.empty(7)
    function("fill_tasks", engine)(*words_of(key), first, lucks, ties)
    draw = blocks(key, Stream.TASK, np.arange(first, first + 7, dtype=np.uint64))
    assert lucks.tolist() == uniforms(draw[:, 0], draw[:, 1]).tolist()
    assert ties.tolist() == uniforms(draw[:, 2], draw[:, 3]).tolist()
    assert 0 <= min(lucks.min(), ties.min()) <= max(lucks.max(), ties.max()) < 1


def filled(
    engine: str, key: Key, traffic: Even | Hotspot, first_task: int, n: int
) -> npt.NDArray[np.int32]:
    n_servers, n_hot, hot = traffic.topology.n_servers, traffic.topology.n_servers, 2**32
    if isinstance(traffic, Hotspot):
        n_hot, hot = traffic.n_hot, hot_word(traffic.hot_probability)
    rows = np.full((n, traffic.n_replicas), -7, dtype=np.int32)
    fill = function("fill_uniform", engine)
    fill(*words_of(key), first_task, np.uint64(hot), n_hot, n_servers, rows)
    return rows


@both
@pytest.mark.parametrize("n_replicas", range(1, 10))
def test_even_replica_sets(n_replicas: int, engine: str) -> None:
    """Compiled replica sets of even traffic are the package's, for one to nine replicas."""
    for n_servers in (n_replicas, n_replicas + 1, 50, 100_000):
        traffic = Even(Topology.tree(n_servers), n_replicas)
        n = 2_000 if engine == "compiled" else 20
        for key, first in ((Key.of(n_servers), 0), (Key.of(7, 3), 2**33)):
            rows = filled(engine, key, traffic, first, n)
            assert rows.tolist() == traffic.replicas(key, first, n).tolist()


@both
@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.3, 0.8, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("n_replicas", range(1, 10))
def test_hot_and_cold_replica_sets(n_replicas: int, probability: float, engine: str) -> None:
    """Compiled replica sets of hotspot traffic are the package's, hot and cold."""
    for n_hot, n_servers in ((n_replicas, 2 * n_replicas), (30, 40), (60, 1_000)):
        traffic = Hotspot(Topology.tree(n_servers), n_hot, probability, n_replicas)
        n = 2_000 if engine == "compiled" else 8
        rows = filled(engine, Key.of(2, n_hot), traffic, 5, n)
        assert rows.tolist() == traffic.replicas(Key.of(2, n_hot), 5, n).tolist()


@given(
    key=keys,
    first=st.integers(0, 2**40),
    weights=st.lists(st.floats(0, 9), min_size=1, max_size=9).filter(lambda w: sum(w) > 1e-3),
)
@both
@slow_enough
def test_listed_types(engine: str, key: Key, first: int, weights: list[float]) -> None:
    """Compiled types are the package's, also with weights of zero."""
    rng = np.random.default_rng(len(weights))
    sets = np.sort(rng.permuted(np.tile(np.arange(12), (len(weights), 1)), axis=1)[:, :4])
    sets[::2, 2:] = NO_SERVER
    traffic = Types(sets.astype(np.int64), np.array(weights))
    rows = np.full((40, 4), -7, dtype=np.int32)
    cdf, listed = traffic.cdf, traffic.replica_sets.astype(np.int32)
    function("fill_listed", engine)(*words_of(key), first, cdf, listed, rows)
    assert rows.tolist() == traffic.replicas(key, first, 40).tolist()


TOPOLOGY = Topology.tree(20, {"rack": 4})
WORKLOADS: dict[str, Workload] = {
    "even": SyntheticWorkload(Even(TOPOLOGY, 3), Poisson(9.0)),
    "even, slow": SyntheticWorkload(Even(TOPOLOGY, 3), Bernoulli(0.01)),
    "even, fast": SyntheticWorkload(Even(TOPOLOGY, 2), Batch(40_000.0, 7)),
    "even, hdfs": SyntheticWorkload(Even(TOPOLOGY, 3, HdfsPlacement()), Poisson(3.0)),
    "hotspot": SyntheticWorkload(Hotspot(TOPOLOGY, 6, 0.7, 4), Poisson(9.0)),
    "types": SyntheticWorkload(
        Types(np.array([[0, 3], [1, NO_SERVER]]), np.array([1.0, 2.0])), Poisson(0.4)
    ),
}


@pytest.mark.parametrize("name", WORKLOADS)
def test_batches_are_the_workloads_own(name: str) -> None:
    """The compiled engine is fed the arrivals that the SimPy engine is fed, slot by slot."""
    workload, key = WORKLOADS[name], Key.of(4, 1)
    n_slots = 4 if workload.rate > 1_000 else 2 * SLOTS_DRAWN + 17
    slots, tasks = 0, 0
    theirs = workload.batches(key, n_slots)
    counts, rows = map(np.concatenate, zip(*((b.counts, b.replicas) for b in theirs), strict=True))
    for batch in fast_batches(workload, key, n_slots, n_servers=20):
        assert (batch.first_slot, batch.first_task) == (slots, tasks)
        assert batch.replicas.dtype == np.int32
        assert batch.counts.tolist() == counts[slots : slots + batch.n_slots].tolist()
        assert batch.n_tasks == batch.counts.sum()
        assert (batch.replicas == rows[tasks : tasks + batch.n_tasks]).all()
        slots, tasks = slots + batch.n_slots, tasks + batch.n_tasks
    assert (slots, tasks) == (n_slots, len(rows))


@pytest.mark.parametrize(
    "traffic", [Even(Topology.tree(2), 3), Hotspot(Topology.tree(6), 2, 0.5, 3)]
)
def test_too_many_replicas_are_refused(traffic: Traffic) -> None:
    """More replicas than servers to choose among are refused, as by the SimPy engine."""
    workload = SyntheticWorkload(traffic, Poisson(5.0))
    for batches in (
        workload.batches(Key.of(1), 50),
        fast_batches(workload, Key.of(1), 50, n_servers=6),
    ):
        with pytest.raises(ScenarioError, match="replicas = 3: must be at most 2, the servers"):
            list(batches)


class Own(Even):
    """A traffic of the user's own, derived from one that is drawn by a compiled function."""

    def replicas(self, key: Key, first_task: int, n_tasks: int) -> npt.NDArray[np.int64]:
        return 5 - np.sort(5 - super().replicas(key, first_task, n_tasks), axis=1)[:, ::-1] % 4


class Backwards(UniformPlacement):
    """A placement of the user's own, derived from the package's."""

    def place(self, words: Any, **where: Any) -> npt.NDArray[np.int64]:
        return np.sort(5 - super().place(words, **where), axis=1)


@pytest.mark.parametrize(
    "traffic", [Own(Topology.tree(6), 1), Even(Topology.tree(6), 2, Backwards())]
)
def test_a_subclass_draws_for_itself(traffic: Traffic) -> None:
    """What a user's subclass draws is what the compiled engine is fed."""
    workload, key = SyntheticWorkload(traffic, Poisson(5.0)), Key.of(6)
    theirs = np.concatenate([batch.replicas for batch in workload.batches(key, 60)])
    ours = [b.replicas.copy() for b in fast_batches(workload, key, 60, n_servers=6)]
    assert (np.concatenate(ours) == theirs).all()
    plain = Even(Topology.tree(6), traffic.n_replicas)  # type: ignore[attr-defined]
    assert (theirs != plain.replicas(key, 0, len(theirs))).any()


@dataclass
class Fixed:
    """A workload of the user's own: the same batch, whatever was asked for."""

    counts: list[int]
    rows: list[list[int]]
    rate: float = 1.0
    bound: None = None

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        yield ArrivalBatch(0, 0, np.array(self.counts), np.array(self.rows))


@pytest.mark.parametrize(
    "row", [[6, NO_SERVER], [0, 6], [NO_SERVER, NO_SERVER], [NO_SERVER, 2]], ids=str
)
def test_impossible_replica_sets_are_refused(row: list[int]) -> None:
    """Compiled code is never given a row that leads out of an array, wherever it comes from."""
    types = SyntheticWorkload(Types(np.array([[0, 1], row]), np.ones(2)), Poisson(3.0))
    own: Workload = Fixed([1, 1], [[0, 1], row])
    for workload in (types, own):
        with pytest.raises(ScenarioError, match=r"must hold at least one server from 0 to 5, and"):
            list(fast_batches(workload, Key.of(1), 2, n_servers=6))


@pytest.mark.parametrize("counts", [[1, 2], [0, 1], [3, -1]], ids=str)
def test_batches_that_do_not_add_up_are_refused(counts: list[int]) -> None:
    """A workload must give one replica set for each arrival."""
    own: Workload = Fixed(counts, [[0, 1], [2, 3]])
    with pytest.raises(ScenarioError, match=r"slot 0 has 2 replica sets for \d arrivals; it"):
        list(fast_batches(own, Key.of(1), 2, n_servers=6))
