"""Whatever breaks down and whatever moves: no task is lost, none is in two places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim import policies
from cluster_sim.model.failures import Disks, Failures, LostChunks, Outage
from cluster_sim.model.readings import Reading
from cluster_sim.model.service_times import Deterministic, Geometric, Pareto
from cluster_sim.policies.replication import Dare, Scarlett, Static
from cluster_sim.recording.events import EventRecorder
from cluster_sim.testing import covering_readings
from tests.emulator.breaking import system_of, watched

ALL = policies.names(None)
EVEN: dict[str, Any] = {"kind": "even"}
ZIPF: dict[str, Any] = {"kind": "zipf", "chunks": 15, "exponent": 1.0}
SCHEMES = (Static(), Dare(probability=1.0), Scarlett(epoch=7, budget=0.5, window=1))


@st.composite
def outages(draw: st.DrawFn) -> Outage:
    """A planned breakdown within forty slots."""
    slot, down = draw(st.integers(0, 35)), draw(st.integers(1, 12))
    if draw(st.integers(0, 3)) == 0:
        return Outage(slot, down, rack=draw(st.integers(0, 2)))
    return Outage(slot, down, server=draw(st.integers(0, 5)))


def readings(name: str) -> tuple[Reading, ...]:
    """The readings that a policy allows."""
    is_task = policies.find(name).kind is policies.PolicyKind.TASK
    return tuple(r for r in covering_readings() if not (is_task and r.service_tier == "queue"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_script_of_breakdowns_loses_a_task(data: st.DataObject) -> None:
    """For every policy, reading, traffic and scheme, at every observation point."""
    hold_to_the_laws(data)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_no_script_among_many_loses_a_task(data: st.DataObject) -> None:
    """The same, searched for longer."""
    hold_to_the_laws(data)


def hold_to_the_laws(data: st.DataObject) -> None:
    """Run a script of breakdowns, watched; the books must be what was seen."""
    name = data.draw(st.sampled_from(ALL))
    traffic = data.draw(st.sampled_from([EVEN, ZIPF]))
    failures = Failures(
        events=tuple(data.draw(st.lists(outages(), max_size=8))),
        disks=data.draw(st.sampled_from(Disks)),
        lost_chunks=data.draw(st.sampled_from(LostChunks)),
        rereplication=data.draw(st.sampled_from([0.0, 0.3, 2.0, float("inf")])),
    )
    system = system_of(
        name,
        traffic,
        failures=failures,
        reading=data.draw(st.sampled_from(readings(name))),
        service=data.draw(st.sampled_from([Geometric(), Deterministic(), Pareto(1.5)])),
        replication=data.draw(st.sampled_from(SCHEMES if traffic is ZIPF else SCHEMES[:1])),
    )
    watch = watched(system, 40, seed=data.draw(st.integers(0, 99)))
    record, _ = watch.emulator.records()
    assert record is not None
    assert record.n_retried == watch.n_broken_off
    assert record.n_failed == len(watch.failed_ones)
    assert record.n_retried + record.n_rerouted == watch.n_displaced


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("traffic", [EVEN, ZIPF], ids=["even", "zipf"])
def test_every_policy_outlives_a_storm(name: str, traffic: dict[str, Any]) -> None:
    """Random breakdowns of servers and racks; when they are over, every task that can is done."""
    failures = Failures(12, 6, 40, 5, disks="kept")
    watch = watched(system_of(name, traffic, failures=failures), 120, seed=1)
    record, _ = watch.emulator.records()
    assert record is not None
    assert record.n_breakdowns > 20
    assert record.n_retried > 0
    assert not watch.failed_ones
    assert len(watch.completed) > 0.5 * watch.emulator.n_arrivals


@pytest.mark.parametrize("name", ALL)
def test_every_task_is_done_once_the_servers_are_back(name: str) -> None:
    """A storm of planned breakdowns ends, so does the work: the books are empty but for a few."""
    events = tuple(Outage(slot, 9, server=slot % 6) for slot in range(3, 40, 2))
    system = system_of(name, {**ZIPF, "load": 0.25}, failures=Failures(events=events, disks="kept"))
    watch = watched(system, 400, seed=2)
    late = [n for n in range(watch.emulator.n_arrivals) if n not in watch.completed]
    assert len(watch.completed) + len(late) == watch.emulator.n_arrivals
    assert all(number > 0.9 * watch.emulator.n_arrivals for number in late)


@pytest.mark.parametrize("name", ALL)
def test_breakdowns_that_never_come_change_nothing(name: str) -> None:
    """With failures after the end of a run, it is event for event the run without any."""
    is_even = ALL.index(name) % 2 == 0
    traffic, reading = (EVEN, Reading()) if is_even else (ZIPF, Reading(queue_length="waiting"))
    plain, armed = EventRecorder(), EventRecorder()
    system = system_of(name, traffic, reading=reading)
    watched(system, 60, others=[plain])
    never = Failures(events=(Outage(1000, 1, server=0),))
    watched(replace(system, failures=never), 60, others=[armed])
    assert plain.events == armed.events
    assert len(plain.events) > 100


@pytest.mark.parametrize("name", ALL)
def test_a_scheme_that_may_do_nothing_is_static(name: str) -> None:
    """DARE without chance or budget, and Scarlett without budget, leave the run as it was."""
    idle = (Dare(probability=0.0), Dare(budget=0.0), Scarlett(budget=0.0))
    static, moving = EventRecorder(), EventRecorder()
    system = system_of(name, ZIPF)
    watched(system, 50, others=[static])
    scheme = idle[ALL.index(name) % len(idle)]
    watched(replace(system, replication=scheme), 50, others=[moving])
    assert static.events == moving.events


def test_breakdowns_are_the_same_under_every_policy() -> None:
    """They are drawn by server and spell, so policies meet the same ones."""
    failures = Failures(15, 5, 60, 4)
    seen = []
    for name in ("fifo", "priority", "delay"):
        watch = watched(system_of(name, EVEN, failures=failures), 100, seed=3)
        record, _ = watch.emulator.records()
        assert record is not None
        seen.append((record.n_breakdowns, record.n_rack_breakdowns, record.down_slots))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] > 10
