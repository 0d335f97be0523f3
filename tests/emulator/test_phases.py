"""The phases of a slot come in the order of the protocol, whoever asked first."""

from __future__ import annotations

from collections.abc import Generator
from itertools import permutations

import pytest
import simpy
from simpy.events import Event

from cluster_sim.emulator.phases import Alarm, Bell, Ends, Phase

Log = list[tuple[int, str]]


@pytest.mark.parametrize("order", list(permutations(Phase)))
def test_phases_of_a_slot_have_one_order(order: tuple[Phase, ...]) -> None:
    """However they are set, completions come before observation, arrivals and dispatch."""
    env = simpy.Environment()
    log: Log = []
    for phase in order:
        alarm = Alarm(env, phase).set(3)
        alarm.callbacks.append(lambda _, name=phase.name: log.append((int(env.now), name)))
    env.run()
    assert log == [(3, name) for name in ("COMPLETIONS", "OBSERVATION", "ARRIVALS", "DISPATCH")]


def test_a_phase_belongs_to_its_slot() -> None:
    """The last phase of a slot is before the first of the next."""
    env = simpy.Environment()
    log: Log = []
    for phase, delay in ((Phase.COMPLETIONS, 2), (Phase.DISPATCH, 1), (Phase.COMPLETIONS, 1)):
        alarm = Alarm(env, phase).set(delay)
        alarm.callbacks.append(lambda _, name=phase.name: log.append((int(env.now), name)))
    env.run()
    assert log == [(1, "COMPLETIONS"), (1, "DISPATCH"), (2, "COMPLETIONS")]


def test_an_alarm_can_be_set_again_and_again() -> None:
    """One alarm leads through many slots, in a phase of the same slot or of a later one."""
    env = simpy.Environment()
    log: Log = []

    def clock() -> Generator[Event, None, None]:
        observation, dispatch = Alarm(env, Phase.OBSERVATION), Alarm(env, Phase.DISPATCH)
        for delay in (0, 1, 1, 5):
            yield observation.set(delay)
            log.append((int(env.now), "observation"))
            yield dispatch.set(0)
            log.append((int(env.now), "dispatch"))

    env.process(clock())
    env.run()
    assert log == [(slot, what) for slot in (0, 1, 2, 7) for what in ("observation", "dispatch")]


def test_ends_of_a_slot_come_in_the_order_of_starts() -> None:
    """Services that end together are told in the order in which they began."""
    env = simpy.Environment()
    ends = Ends(env)
    log: Log = []

    def service(name: str, start: int, duration: int) -> Generator[Event, None, None]:
        yield env.timeout(start)
        yield ends.at(start + duration)
        log.append((int(env.now), name))

    for name, start, duration in (("c", 2, 1), ("a", 0, 3), ("d", 2, 2), ("b", 1, 2)):
        env.process(service(name, start, duration))
    env.run()
    assert log == [(3, "a"), (3, "b"), (3, "c"), (4, "d")]


def test_services_that_end_together_share_an_event() -> None:
    """One event a slot, however many services end; the next slot has its own."""
    env = simpy.Environment()
    ends = Ends(env)
    first = ends.at(2)
    assert ends.at(2) is first
    assert ends.at(3) is not first
    env.run(until=1)
    assert ends.at(2) is first


def test_an_end_is_forgotten_when_it_has_come() -> None:
    """A later slot has another event, which happens in its turn."""
    env = simpy.Environment()
    ends = Ends(env)
    times: list[int] = []

    def server() -> Generator[Event, None, None]:
        for slot in (2, 4, 6):
            yield ends.at(slot)
            times.append(int(env.now))

    env.process(server())
    env.run()
    assert times == [2, 4, 6]


def test_a_bell_wakes_at_once_with_what_it_brings() -> None:
    """Who waits goes on inside `ring`, with its value, and can wait again."""
    env = simpy.Environment()
    bell = Bell(env)
    heard: list[object] = []

    def sleeper() -> Generator[Event, object, None]:
        while True:
            heard.append((yield bell))

    env.process(sleeper())
    env.run()
    assert heard == []
    bell.ring("one")
    assert heard == ["one"]
    bell.ring("two")
    assert heard == ["one", "two"]


def test_a_bell_that_nobody_waits_for_rings_unheard() -> None:
    """Ringing does not last: who comes later waits for the next time."""
    env = simpy.Environment()
    bell = Bell(env)
    heard: list[object] = []
    bell.ring("nobody hears")

    def sleeper() -> Generator[Event, object, None]:
        heard.append((yield bell))

    env.process(sleeper())
    env.run()
    assert heard == []
    bell.ring("now")
    assert heard == ["now"]
