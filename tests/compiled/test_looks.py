"""Observers that look at the state see the same on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim import policies
from cluster_sim.compiled import engine as compiled
from cluster_sim.compiled import state
from cluster_sim.emulator import emulator
from cluster_sim.errors import ScenarioError
from cluster_sim.model.task import Task
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System
from cluster_sim.testing import small_systems

SYSTEMS = [used for name in policies.names() for used in small_systems(policies.get(name))]


class Looker(Observer):
    """Writes down what it is shown, and nothing else."""

    def __init__(self, every: int) -> None:
        self.look_every = every
        self.seen: list[tuple[Any, ...]] = []

    def observe(self, slot: int, state: StateView) -> None:
        waiting, lengths = list(state.waiting), list(state.lengths)
        self.seen.append((slot, waiting, lengths, state.n_waiting, state.n_in_service))


class Reporter(Looker):
    """Writes down the events as well, in the order in which it is told."""

    def observe(self, slot: int, state: StateView) -> None:
        super().observe(slot, state)
        self.seen.append((slot, [task and task.number for task in state.running]))

    def arrival(self, task: Task) -> None:
        self.seen.append(("arrival", task.number))

    def start(self, task: Task) -> None:
        self.seen.append(("start", task.number, task.server))

    def completion(self, task: Task) -> None:
        self.seen.append(("completion", task.number))


def seen(engine: Any, system: System, *lookers: Looker, slots: int = 60) -> list[Any]:
    result = engine.simulate(system, Key.of(3), slots=slots, observers=lookers)
    return [result, *(looker.seen for looker in lookers)]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.policy.name)
@pytest.mark.parametrize("kind", [Looker, Reporter])
def test_the_state_shown_is_the_same_on_both_engines(system: System, kind: type[Looker]) -> None:
    """Each observer looks in the slots that are its multiples, at the same queues and tasks."""
    one = seen(emulator, system, kind(4), kind(6))
    assert [look[0] for look in one[1] if isinstance(look[0], int)][0 :: 2 - (kind is Looker)] == [
        *range(0, 60, 4)
    ]
    assert one == seen(compiled, system, kind(4), kind(6))


def test_more_looks_than_the_buffer_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop stops for its driver when the buffer of looks is full, and none is lost."""
    monkeypatch.setattr(state, "LOOK_NUMBERS", 20)
    for system in small_systems(policies.get("priority")):
        for kind in (Looker, Reporter):
            expected = seen(emulator, system, kind(1), slots=300)
            assert seen(compiled, system, kind(1), slots=300) == expected


def test_who_serves_what_is_known_to_those_who_follow_events() -> None:
    """The compiled engine refuses to show tasks to an observer that is told of no event."""

    class Curious(Observer):
        def observe(self, slot: int, state: StateView) -> None:
            list(state.running)

    system = SYSTEMS[0]
    emulator.simulate(system, Key.of(1), slots=2, observers=[Curious()])
    with pytest.raises(ScenarioError, match=r"define one of them, or use engine = \"simpy\""):
        compiled.simulate(system, Key.of(1), slots=2, observers=[Curious()])


@pytest.mark.parametrize("engine", [emulator, compiled])
def test_an_observer_looks_at_positive_intervals(engine: Any) -> None:
    """An interval of no slots is refused."""
    with pytest.raises(ScenarioError, match="observer Looker: look_every = 0; it must be at least"):
        seen(engine, SYSTEMS[0], Looker(0))
