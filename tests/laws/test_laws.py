"""The laws hold for every policy, traffic, arrival process, reading and number of tiers."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim import policies
from cluster_sim.emulator import draws
from cluster_sim.emulator.emulator import simulate
from cluster_sim.model import workload
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.task import Task
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventRecorder
from cluster_sim.recording.observer import Observer
from cluster_sim.system import System
from cluster_sim.testing import (
    TaskRecorder,
    check_exchanges,
    check_run,
    check_same_events,
    small_systems,
)
from cluster_sim.testing.states import check_decisions
from laws.systems import TRAFFICS, keys, readings, systems


def check_system(system: System, key: Key, n_slots: int) -> None:
    """Hold a system to every law: of its run, and of each decision in it."""
    check_run(system, key, n_slots=n_slots)
    check_exchanges(system, key, n_slots=n_slots)


@pytest.mark.parametrize("policy", policies.names())
@given(data=st.data(), key=keys)
def test_random_systems_keep_the_laws(policy: str, data: st.DataObject, key: Key) -> None:
    """Random small systems keep every law, whatever their traffic and reading."""
    check_system(data.draw(systems(policy)), key, n_slots=30)


@pytest.mark.slow
@pytest.mark.parametrize("traffic", TRAFFICS)
@pytest.mark.parametrize("policy", policies.names())
@given(data=st.data(), key=keys)
@settings(max_examples=50)
def test_random_systems_keep_the_laws_for_long(
    policy: str, traffic: str, data: st.DataObject, key: Key
) -> None:
    """The same, for each kind of traffic and in longer runs."""
    check_system(data.draw(systems(policy, traffic)), key, n_slots=80)


@pytest.mark.parametrize("policy", policies.names())
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_decisions_keep_the_laws_in_random_states(
    policy: str, data: st.DataObject, seed: int
) -> None:
    """Decisions are valid, pure, without side effect and as promised, also in rare states."""
    system = data.draw(systems(policy))
    check_decisions(system.policy, system.cluster, n_states=20, seed=seed)


class Lives(Observer):
    """Keep what befell each task."""

    def __init__(self) -> None:
        self.by_number: dict[int, Task] = {}

    def arrival(self, task: Task) -> None:
        self.by_number[task.number] = task


@given(data=st.data(), key=keys, reading=readings)
def test_draws_depend_on_nothing_else(data: st.DataObject, key: Key, reading: object) -> None:
    """Task k has its replicas and its luck whatever the rate of arrivals, policy and reading."""
    system = data.draw(systems("priority"))
    busier = SyntheticWorkload(system.workload.traffic, Poisson(system.workload.rate + 1.0))
    other = dataclasses.replace(
        system, workload=busier, policy=policies.get("random-local"), reading=reading
    )
    some, more = TaskRecorder(), TaskRecorder()
    simulate(system, key, slots=20, observers=[some])
    simulate(other, key, slots=40, observers=[more])
    for one, same in zip(some.tasks, more.tasks, strict=False):
        assert (one[0], *one[2:]) == (same[0], *same[2:])


@given(data=st.data(), key=keys)
def test_nearer_service_is_never_slower(data: st.DataObject, key: Key) -> None:
    """Service luck belongs to the task: at a nearer tier, under any policy, it takes no longer."""
    system = data.draw(systems("maxweight"))
    runs = []
    for name in ("maxweight", "fifo"):
        lives = Lives()
        simulate(
            dataclasses.replace(system, policy=policies.get(name)),
            key,
            slots=40,
            observers=[lives],
        )
        runs.append(lives.by_number)
    for number, task in runs[0].items():
        other = runs[1][number]
        if hasattr(task, "start") and hasattr(other, "start"):
            assert (task.tier - other.tier) * (task.service - other.service) >= 0


@given(data=st.data(), seed=st.integers(0, 2**64 - 1))
def test_replications_differ(data: st.DataObject, seed: int) -> None:
    """Two replications of a seed do not share their tasks' luck."""
    system = data.draw(systems("jsq-local"))
    lucks = []
    for replication in (0, 1):
        tasks = TaskRecorder()
        simulate(system, Key.of(seed, replication), slots=30, observers=[tasks])
        lucks.append({luck for *_, luck in tasks.tasks})
    assert not lucks[0] & lucks[1]


@pytest.mark.parametrize("n_draws", [1, 7, 10_000])
def test_windows_do_not_show(n_draws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many draws and arrivals are made ahead changes no event."""
    for system in small_systems(policies.get("maxweight")):
        runs = []
        for n in (100, n_draws):
            monkeypatch.setattr(draws, "DRAWS_PER_WINDOW", n)
            monkeypatch.setattr(workload, "TASKS_PER_BATCH", n)
            events = EventRecorder()
            simulate(system, Key.of(4), slots=60, observers=[events])
            runs.append(events)
        check_same_events(*runs)
