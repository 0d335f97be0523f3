"""Breakdowns on two servers, slot by slot, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.failures import Failures, Outage
from cluster_sim.model.service import service_time
from cluster_sim.model.topology import Topology
from cluster_sim.randomness import Key, Stream, block, uniform
from cluster_sim.recording.disruptions import FailureRecord
from cluster_sim.recording.events import EventKind, EventRecorder
from cluster_sim.system import System
from tests.emulator.cast import ScriptedDraws, ScriptedWorkload, scripted

KEY = Key.of(0)
CLUSTER = Cluster.of(Topology.tree(2), {"local": 0.5, "remote": 0.25})
ARRIVAL, START, COMPLETION = EventKind


def play(
    arrivals: dict[int, list[list[int]]],
    failures: Failures,
    *,
    luck: dict[int, float],
    n_slots: int,
    policy: str = "random-local",
) -> tuple[list[tuple[int, str, int, int | None]], FailureRecord]:
    """Run it; return slot, what happened, task and server, and the record."""
    recorder = EventRecorder()
    system = System(CLUSTER, ScriptedWorkload(arrivals), policies.get(policy))
    with scripted(ScriptedDraws(luck=luck)):
        emulator = Emulator(replace(system, failures=failures), KEY, [recorder])
        emulator.run(n_slots)
    record, _ = emulator.records()
    assert record is not None
    return [(e.slot, e.kind, e.task, e.server) for e in recorder.events], record


def again(task: int, attempt: int) -> int:
    """Slots that a task takes locally at a further attempt: its luck is drawn anew by the key."""
    words = block(KEY, Stream.TASK, task, attempt)
    return service_time(uniform(words[0], words[1]), 0.5)


# Luck of 0.9 is four slots at rate 1/2: (1/2)**3 > 0.1 >= (1/2)**4.
LONG = {0: 0.9}
DOWN_2_TO_4 = (Outage(2, 3, server=0),)


def test_a_broken_run_begins_again_elsewhere() -> None:
    """Task 0 loses two slots on server 0; task 1 wants server 0 only, and waits till it is back."""
    events, record = play(
        {0: [[0, 1]], 1: [[0]]},
        Failures(events=DOWN_2_TO_4, disks="kept"),
        luck=LONG,
        n_slots=30,
    )
    first = [
        (0, ARRIVAL, 0, None),
        (0, START, 0, 0),
        (1, ARRIVAL, 1, None),
        (2, START, 0, 1),  # the task that ran, on the other replica
        (5, START, 1, 0),  # the task that waited, when its chunk is back
    ]
    ends = [(2 + again(0, 1), COMPLETION, 0, 1), (5 + 1, COMPLETION, 1, 0)]
    assert sorted(events) == sorted([*first, *ends])
    assert (record.n_breakdowns, record.down_slots, record.server_slots) == (1, 3, 60)
    assert (record.n_retried, record.redone_slots, record.n_rerouted) == (1, 2, 1)
    assert (record.n_waited, record.n_aside, record.n_failed) == (1, 0, 0)
    assert record.availability == 1 - 3 / 60


def test_a_broken_run_kept_its_server_busy() -> None:
    """Its slots are in the utilisation, those after the warm-up; its start is no start."""
    system = System(CLUSTER, ScriptedWorkload({0: [[0, 1]]}), policies.get("random-local"))
    failures = Failures(events=DOWN_2_TO_4, disks="kept")
    for warmup, busy in ((0, 2), (1, 1), (2, 0)):
        with scripted(ScriptedDraws(luck=LONG)):
            found = simulate(replace(system, failures=failures), KEY, slots=30, warmup=warmup)
        assert found.busy.tolist() == [busy, again(0, 1)]
        assert found.starts.tolist() == [1, 0]
        assert found.n_in_system == 0
        assert found.n_failed == 0


def test_a_lost_chunk_fails_its_tasks_or_lets_them_wait() -> None:
    """The only replica goes with the disk: the task that waits for it fails, or waits for ever."""
    arrivals = {0: [[0]], 1: [[0]]}
    events, record = play(
        arrivals, Failures(events=DOWN_2_TO_4, disks="lost"), luck=LONG, n_slots=30
    )
    assert [event for event in events if event[1] is not ARRIVAL] == [(0, START, 0, 0)]
    assert (record.n_failed, record.n_chunks_lost, record.n_replicas_lost) == (2, 2, 2)
    events, record = play(
        arrivals,
        Failures(events=DOWN_2_TO_4, disks="lost", lost_chunks="wait"),
        luck=LONG,
        n_slots=30,
    )
    assert [event for event in events if event[1] is COMPLETION] == []
    assert (record.n_failed, record.n_aside, record.n_waited) == (0, 2, 2)


def test_a_copy_saves_a_chunk_from_the_second_breakdown() -> None:
    """Server 0 loses its disk and is copied to as it is back; then server 1 goes, and no harm."""
    long = {0: 0.9999, 1: 0.9999}  # 14 slots
    twice = (Outage(2, 1, server=0), Outage(5, 1, server=1))
    arrivals = {0: [[0, 1], [0, 1]]}
    _, without = play(arrivals, Failures(events=twice), luck=long, n_slots=40)
    _, with_copies = play(arrivals, Failures(events=twice, rereplication=9), luck=long, n_slots=40)
    assert without.n_failed == without.n_chunks_lost > 0
    assert with_copies.n_failed == with_copies.n_chunks_lost == 0
    assert with_copies.n_copies > 0


def test_a_task_that_has_started_needs_its_chunk_no_more() -> None:
    """Task 0 runs on server 1 and reads from server 0, which dies: it runs to its end."""
    events, record = play(
        {0: [[0], [0]]},
        Failures(events=(Outage(1, 5, server=0),)),
        luck={0: 0.9, 1: 0.9},
        n_slots=40,
        policy="fifo",
    )
    ends = [event for event in events if event[1] is COMPLETION]
    # At rate 1/4: 1 + floor(log 0.1 / log 0.75) = 9 slots. The other one's run was broken off.
    assert [(slot, server) for slot, _, _, server in ends] == [(9, 1)]
    assert record.n_failed == 1


def test_a_rack_switch_takes_all_its_servers() -> None:
    """Their disks are kept, whatever disks says; a server that breaks meanwhile loses its own."""
    cluster = Cluster.of(Topology.tree(4, {"rack": 2}), {"local": 0.5, "remote": 0.25})
    system = System(cluster, ScriptedWorkload({0: [[0], [1]]}), policies.get("random-local"))
    events = (Outage(1, 4, rack=0), Outage(3, 1, server=1))
    with scripted(ScriptedDraws(luck={0: 0.9, 1: 0.9})):
        emulator = Emulator(replace(system, failures=Failures(events=events)), KEY)
        emulator.run(60)
    record, _ = emulator.records()
    assert record is not None
    assert (record.n_rack_breakdowns, record.n_breakdowns, record.down_slots) == (1, 1, 8)
    assert (record.n_retried, record.n_waited, record.n_failed) == (2, 2, 1)


def test_the_copies_of_a_slot_are_bounded() -> None:
    """With half a copy a slot, six chunks that lost a replica are whole again after 12 slots."""
    cluster = Cluster.of(Topology.tree(3), {"local": 0.5, "remote": 0.25})
    arrivals = {0: [[0, 1]] * 6}
    luck = dict.fromkeys(range(6), 1 - 1e-9)
    for n_slots, expected in ((1, 0), (2, 0), (3, 1), (12, 5), (13, 6), (40, 6)):
        system = System(cluster, ScriptedWorkload(arrivals), policies.get("fifo"))
        failures = Failures(events=(Outage(1, 100, server=0),), rereplication=0.5)
        with scripted(ScriptedDraws(luck=luck)):
            emulator = Emulator(replace(system, failures=failures), KEY)
            emulator.run(n_slots)
        record, _ = emulator.records()
        assert record is not None
        assert record.n_copies == expected


@pytest.mark.parametrize("policy", policies.names())
def test_a_dead_server_is_no_choice(policy: str) -> None:
    """While server 0 is down, every arriving task of both servers starts on server 1."""
    arrivals = {slot: [[0, 1]] for slot in range(3, 30, 10)}
    failures = Failures(events=(Outage(1, 60, server=0),), disks="kept")
    events, _ = play(arrivals, failures, luck={}, n_slots=60, policy=policy)
    starts = [event for event in events if event[1] is START]
    assert [(task, server) for _, _, task, server in starts] == [(0, 1), (1, 1), (2, 1)]
