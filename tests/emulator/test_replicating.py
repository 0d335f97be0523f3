"""Replication schemes at work: locality, budgets and the formula, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from cluster_sim import policies
from cluster_sim.emulator.dynamics import Dynamics
from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.errors import DecisionError, ScenarioError
from cluster_sim.model.cluster import LOCAL, Cluster
from cluster_sim.model.failures import Failures, Outage
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.workload import ArrivalBatch
from cluster_sim.policies.replication import (
    Dare,
    Replicating,
    ReplicationScheme,
    Scarlett,
    SchemeSetting,
)
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System
from tests.emulator.breaking import system_of, watched
from tests.emulator.cast import ScriptedDraws, scripted

ZIPF: dict[str, Any] = {"kind": "zipf", "chunks": 24, "exponent": 1.0}  # 48 replicas on 6 servers


@dataclass(frozen=True)
class SharedChunks:
    """Tasks by slot, each given by the chunk that it reads."""

    placed: list[list[int]]
    arrivals: dict[int, list[int]]
    rate: float = 1.0
    bound: int | None = None

    def placed_chunks(self) -> npt.NDArray[np.int64]:
        return np.array(self.placed, dtype=np.int64)

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        by_slot = [self.arrivals.get(slot, []) for slot in range(n_slots)]
        chunks = np.array([chunk for row in by_slot for chunk in row], dtype=np.int64)
        counts = np.array([len(row) for row in by_slot], dtype=np.int64)
        yield ArrivalBatch(0, 0, counts, self.placed_chunks()[chunks], None, chunks)


class MostExtra(Observer):
    """The most replicas that a scheme has had, in all and on a server, by slot."""

    def __init__(self) -> None:
        self.in_all = self.on_one = self.total = 0
        self.by_slot: list[int] = []

    def observe(self, slot: int, state: StateView) -> None:
        assert isinstance(state, Dynamics)
        assert state.scheme is not None
        at: dict[int, int] = {}
        for chunk in state.scheme.chunks:
            for server in state.scheme.extra_on(chunk):
                assert state.scheme.holds(server, chunk)
                at[server] = at.get(server, 0) + 1
        assert sum(at.values()) == state.scheme.n_extra
        self.in_all = max(self.in_all, sum(at.values()))
        self.on_one = max(self.on_one, *at.values(), 0)
        self.by_slot.append(sum(at.values()))


@pytest.mark.parametrize("policy", ["fifo", "priority", "fair"])
def test_with_certainty_and_room_dare_makes_every_read_local(policy: str) -> None:
    """On a finite set of chunks each server meets each chunk once at most over the network."""
    scheme = Dare(probability=1.0, budget=float("inf"))
    traffic = {**ZIPF, "chunks": 8, "exponent": 0.0}
    found = simulate(
        system_of(policy, traffic, replication=scheme), Key.of(1), slots=1200, warmup=1000
    )
    assert found.replication is not None
    assert found.replication.n_created <= 8 * 6 - 16
    assert found.replication.n_evicted == found.replication.n_transfers == 0
    if policy == "fifo":  # the others leave some chunks unread at some servers
        assert found.locality.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("eviction", ["elephant-trap", "lru"])
@pytest.mark.parametrize("budget", [0.15, 0.5, 1.0])
@pytest.mark.parametrize("policy", ["fifo", "delay"])
def test_dare_never_exceeds_its_budget(policy: str, budget: float, eviction: Any) -> None:
    """No server keeps more than the budget says, and with it full each newcomer evicts one."""
    scheme = Dare(probability=0.7, budget=budget, eviction=eviction)
    most = MostExtra()
    watch = watched(system_of(policy, ZIPF, replication=scheme), 300, others=[most])
    bound = math.floor(budget * 48 / 6)
    assert most.on_one == bound if policy == "fifo" else most.on_one <= bound
    _, record = watch.emulator.records()
    assert record is not None
    assert record.n_created - record.n_evicted == most.by_slot[-1]
    assert record.n_evicted > 0 or policy == "delay"  # which reads little over the network
    assert record.extra_peak == most.in_all
    assert record.extra_sum == pytest.approx(sum(most.by_slot), abs=5 * 6 * 8)
    assert record.n_initial == 48


def test_dare_keeps_its_budget_through_breakdowns() -> None:
    """What a lost disk takes with it leaves room."""
    failures = Failures(
        events=tuple(Outage(10 + 9 * i, 4, server=i % 6) for i in range(30)),
        rereplication=float("inf"),
    )
    scheme, most = Dare(probability=1.0, budget=0.4), MostExtra()
    system = system_of("fifo", ZIPF, replication=scheme, failures=failures)
    watch = watched(system, 300, others=[most])
    failed, moved = watch.emulator.records()
    assert failed is not None
    assert moved is not None
    assert moved.n_lost > 0
    assert failed.n_chunks_lost == 0
    assert most.on_one == 3


def burst(scheme: ReplicationScheme, *, racks: int = 1) -> tuple[Dynamics, Emulator]:
    """Nine servers; in slot 1 come 5 tasks of chunk 0, 2 of chunk 1, 4 of chunk 2; no more."""
    topology = Topology.tree(9, {"rack": racks})
    cluster = Cluster.of(topology, {"local": 0.2, "remote": 0.1})
    placed = [[0, 1, 2], [3, 4, 5], [0, 4, 8], [1, 5, 7]]
    workload = SharedChunks(placed, {1: [0] * 5 + [1] * 2 + [2] * 4})
    system = System(cluster, workload, policies.get("fifo"), replication=scheme)
    emulator = Emulator(system, Key.of(0))
    return emulator.state, emulator  # type: ignore[return-value]


def n_replicas(state: Dynamics) -> list[int]:
    """Replicas of each chunk."""
    assert state.scheme is not None
    return [len(state.scheme.live(chunk)) for chunk in state.scheme.chunks]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"budget": 1.0}, [6, 3, 5, 3]),  # max(3, demand + 1)
        ({"budget": 1.0, "delta": 3}, [8, 5, 7, 3]),  # nobody wanted chunk 3
        ({"budget": 0.25}, [5, 3, 4, 3]),  # 3 of 12: one each in turn, then one more
        ({"budget": 0.25, "distribution": "priority"}, [6, 3, 3, 3]),
        ({"budget": 0.0}, [3, 3, 3, 3]),
        ({"budget": 9.0, "delta": 99}, [9, 9, 9, 3]),  # a server each, no more
    ],
)
def test_scarlett_gives_the_replicas_of_its_formula(
    fields: dict[str, Any], expected: list[int]
) -> None:
    """For a demand that is known: the tasks of one slot."""
    state, emulator = burst(Scarlett(epoch=3, **fields))
    emulator.run(4)
    assert n_replicas(state) == expected
    _, record = emulator.records()
    assert record is not None
    assert record.n_created == record.n_transfers == sum(expected) - 12


def test_scarlett_ages_out_what_nobody_wants() -> None:
    """When the window has passed and the tasks have gone, so do the replicas."""
    state, emulator = burst(Scarlett(epoch=50, window=2, budget=1.0))
    emulator.run(301)
    assert n_replicas(state) == [3, 3, 3, 3]
    _, record = emulator.records()
    assert record is not None
    assert record.n_created == record.n_evicted == 5
    assert record.extra_peak == 5


def test_scarlett_goes_where_the_load_is_least() -> None:
    """Three new replicas of chunk 0, each of load 5/6, are all in the third of three racks.

    Its load is 4/3 at first, that of chunk 2, which is shared by three; with two of the new ones it
    is 3, and the second rack has 2 + 4/3. Within it the two empty servers come first.
    """
    state, emulator = burst(Scarlett(epoch=3, budget=0.25, distribution="priority"), racks=3)
    emulator.run(4)
    assert state.scheme is not None
    assert list(state.scheme.extra_on(0)) == [6, 7, 8]


@dataclass(frozen=True)
class Clumsy(ReplicationScheme):
    """Asks for one thing that cannot be done."""

    name: ClassVar[str] = "clumsy"
    title: ClassVar[str] = "asks for the impossible"

    chunk: int = 0
    server: int = 0
    evicts: bool = False

    def begin(self, setting: SchemeSetting) -> Replicating:
        scheme = self

        class State(Replicating):
            def slot_begins(self, slot: int) -> None:
                if scheme.evicts:
                    setting.storage.evict(scheme.chunk, scheme.server)
                setting.storage.create(scheme.chunk, scheme.server, is_transfer=True)

        return State()


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        (Clumsy(server=0), r"create\(chunk 0, server 0\): the server holds it already"),
        (Clumsy(chunk=9), "there is no such chunk"),
        (Clumsy(server=9), "or no such server"),
        (Clumsy(evicts=True), r"evict\(chunk 0, server 0\): the scheme has no replica there"),
    ],
)
def test_what_a_scheme_cannot_do_is_refused(scheme: Clumsy, words: str) -> None:
    """With the scheme, the chunk, the server and what to ask first."""
    _, emulator = burst(scheme)
    with pytest.raises(DecisionError, match=words):
        emulator.run(4)


def test_a_dead_server_is_given_no_replica_and_none_is_made_of_nothing() -> None:
    """Creation on a server that is down, and from replicas out of reach, is refused."""
    placed = {"placed": [[0], [1]], "arrivals": {}}
    cluster = Cluster.of(Topology.tree(3), {"local": 0.5, "remote": 0.2})
    down = Failures(events=(Outage(0, 9, server=0),), disks="kept")
    for scheme, words in (
        (Clumsy(chunk=1, server=0), "the server is down"),
        (Clumsy(chunk=0, server=2), "no replica can be reached to copy from"),
    ):
        system = System(
            cluster,
            SharedChunks(**placed),  # type: ignore[arg-type]
            policies.get("fifo"),
            failures=down,
            replication=scheme,
        )
        with pytest.raises(DecisionError, match=words):
            Emulator(system, Key.of(0)).run(3)


def test_a_scheme_needs_chunks_that_tasks_share() -> None:
    """With a chunk for each task there is nothing to replicate; the remedy is named."""
    with pytest.raises(ScenarioError, match='use traffic whose tasks share chunks: kind = "zipf"'):
        system_of("fifo", {"kind": "even"}, replication=Dare())


def test_a_replica_that_is_needed_is_not_evicted() -> None:
    """The first went with its disk, so the copy stays, as one that the scheme has not made."""

    @dataclass(frozen=True)
    class Mover(Clumsy):
        """Copies the chunk away, and lets its copy go when it is the last."""

        def begin(self, setting: SchemeSetting) -> Replicating:
            class State(Replicating):
                def slot_begins(self, slot: int) -> None:
                    if slot == 0:
                        setting.storage.create(0, 1, is_transfer=True)
                    if slot == 2:
                        setting.storage.evict(0, 1)

            return State()

    cluster = Cluster.of(Topology.tree(2), {"local": 0.5, "remote": 0.2})
    system = System(
        cluster,
        SharedChunks([[0]], {}),
        policies.get("fifo"),
        failures=Failures(events=(Outage(1, 99, server=0),)),
        replication=Mover(),
    )
    emulator = Emulator(system, Key.of(0))
    emulator.run(4)
    state = emulator.state
    assert isinstance(state, Dynamics)
    assert state.scheme is not None
    assert list(state.scheme.live(0)) == [1]
    assert state.scheme.n_extra == 0


@dataclass(frozen=True)
class Once(Clumsy):
    """One replica of chunk 0 on server 1, in slot 2."""

    def begin(self, setting: SchemeSetting) -> Replicating:
        class State(Replicating):
            def slot_begins(self, slot: int) -> None:
                if slot == 2:
                    setting.storage.create(0, 1, is_transfer=True)

        return State()


ASK_EVERYBODY = ("fifo", "hadoop-fifo", "fair", "delay", "quincy", "sparrow", "maxweight-types")


@pytest.mark.parametrize("name", ASK_EVERYBODY)
def test_a_waiting_task_sees_the_replica_that_is_made(name: str) -> None:
    """Server 0 is busy for long; server 1, free from slot 4 on, has the chunk since slot 2."""
    seen: dict[int, tuple[int, int, int]] = {}

    class Starts(Observer):
        def start(self, task: Task) -> None:
            seen[task.number] = (task.start, task.server, task.tier)

    cluster = Cluster.of(Topology.tree(2), {"local": 0.5, "remote": 0.2})
    workload = SharedChunks([[0, -1], [0, 1]], {0: [1], 1: [1, 0]})
    system = System(cluster, workload, policies.get(name), replication=Once())
    # At rate 1/2: 14 slots, and three. With any tie of 0 the first task goes to server 0.
    with scripted(ScriptedDraws(luck={0: 0.9999, 1: 0.8})):
        Emulator(system, Key.of(0), [Starts()]).run(30)
    assert seen == {0: (0, 0, LOCAL), 1: (1, 1, LOCAL), 2: (4, 1, LOCAL)}
