"""The kit passes every built-in policy, and names what is wrong with a broken policy or engine."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import PolicyError
from cluster_sim.model.readings import Reading
from cluster_sim.policies import NO_QUEUE, SHARED, QueuePolicy
from cluster_sim.policies.choices import shortest
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventRecorder
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from cluster_sim.testing import (
    Engine,
    Law,
    LawViolation,
    all_readings,
    check_policy,
    check_run,
    check_same_events,
    covering_readings,
    simulate_checked,
    small_systems,
)

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "priority": [{}, {"threshold": 0}, {"threshold": 1.5}, {"threshold": float("inf")}],
    "jsq-d": [{}, {"d": 1}, {"d": 9}],
    "balanced-pandas-pod": [{}, {"d": 5}],
    "jsq-maxweight-pod": [{}, {"d": 5}],
}


@pytest.mark.parametrize("name", policies.names())
def test_every_policy_keeps_the_laws(name: str) -> None:
    """Registry times laws, over every kind of traffic and arrivals and every pair of readings."""
    check_policy(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", policies.names())
def test_every_policy_keeps_the_laws_under_every_reading(name: str) -> None:
    """Registry times laws, over all readings, longer runs, and other parameters."""
    for parameters in PARAMETERS.get(name, [{}]):
        check_policy(policies.get(name, **parameters), n_slots=80, readings=all_readings())


@pytest.mark.slow
@pytest.mark.parametrize("name", policies.names())
def test_the_compiled_engine_keeps_the_laws(name: str) -> None:
    """The compiled engine keeps the laws too, with the same events as the SimPy engine."""
    engine = pytest.importorskip("cluster_sim.compiled.engine")
    for parameters in PARAMETERS.get(name, [{}]):
        check_policy(
            policies.get(name, **parameters),
            n_slots=80,
            engine=engine.simulate,
            tells_states=False,
        )


def test_readings_cover_every_pair() -> None:
    """Any two values of two fields occur together in one of the covering readings."""
    fields = [field.name for field in dataclasses.fields(all_readings()[0])]
    for one, other in itertools.combinations(fields, 2):

        def pairs(readings: Any, one: str = one, other: str = other) -> set[tuple[str, str]]:
            return {(getattr(reading, one), getattr(reading, other)) for reading in readings}

        assert pairs(covering_readings()) == pairs(all_readings())


# --- broken policies ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Sound(QueuePolicy):
    """Join the shortest local queue, serve the own: what the broken policies break."""

    name = "sound"
    title = "Sound"

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):  # type: ignore[no-untyped-def]
        return shortest(replicas, lengths, tie_break, tie)

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):  # type: ignore[no-untyped-def]
        return server if waiting[server] > 0 else NO_QUEUE


def with_route(decide: Callable[..., Any], **attributes: Any) -> QueuePolicy:
    """Return a policy that routes by ``decide(replicas, lengths, waiting, tie)``."""

    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):  # type: ignore[no-untyped-def]
        return decide(replicas, lengths, waiting, tie)

    return broken(route=staticmethod(route), **attributes)


def with_serve(decide: Callable[..., Any], **attributes: Any) -> QueuePolicy:
    """Return a policy that serves by ``decide(server, lengths, waiting, longest)``."""

    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):  # type: ignore[no-untyped-def]
        return decide(server, lengths, waiting, longest)

    return broken(serve=staticmethod(serve), **attributes)


def broken(**attributes: Any) -> QueuePolicy:
    policy: QueuePolicy = type("Broken", (Sound,), {"name": "broken", **attributes})()
    return policy


def with_weights(weigh: Callable[..., Any], **attributes: Any) -> QueuePolicy:
    """Return a policy that weighs servers by ``weigh(server, lengths, constants)``."""

    def weighed(server, lengths, constants):  # type: ignore[no-untyped-def]
        return weigh(server, lengths, constants)

    return broken(weigh=staticmethod(weighed), uses_least=True, **attributes)


def forget_least(  # type: ignore[no-untyped-def]
    replicas, lengths, waiting, least, weights, constants, tie_break, tie
):
    return least.pop()


def other_queue_first(server: int, lengths: list[int], waiting: list[int], _: Any) -> int:
    for queue in range(len(waiting) - 1, -1, -1):
        if waiting[queue] > 0:
            return queue
    return NO_QUEUE


def shorten(replicas: list[int], lengths: list[int], waiting: list[int], tie: float) -> int:
    lengths[replicas[0]] -= 1
    return replicas[0]


def forget(replicas: list[int], lengths: list[int], waiting: list[int], tie: float) -> int:
    return replicas.pop() if len(replicas) > 1 else replicas[0]


def clear(server: int, lengths: list[int], waiting: list[int], longest: list[int]) -> int:
    longest[0] = NO_QUEUE
    return server if waiting[server] > 0 else NO_QUEUE


_hidden_state = itertools.count()  # as a generator of one's own would have


def by_chance(replicas: list[int], *_: Any) -> int:
    return int(replicas[next(_hidden_state) % len(replicas)])


def in_turn(calls: Any, replicas: list[int], *_: Any) -> int:
    return replicas[next(calls) // 5 % len(replicas)]


def by_method(replicas: list[int], lengths: list[int], waiting: list[int], tie: float) -> int:
    return lengths.index(min(lengths))


def by_concatenation(replicas: list[int], lengths: Any, waiting: Any, tie: float) -> int:
    return replicas[0] if len(lengths + waiting) > len(lengths) else replicas[-1]


def all_at_once(replicas: list[int], lengths: Any, waiting: Any, tie: float) -> Any:
    return 0 if lengths == [0] * len(lengths) else replicas[-1]


BROKEN: dict[str, tuple[QueuePolicy, Law, str]] = {
    "routes out of range": (
        with_route(lambda replicas, lengths, *_: len(lengths)),
        Law.VALID_DECISION,
        r"route\(replicas=\[0\].*returned 1; it must return a queue from 0 to 0$",
    ),
    "routes nowhere": (
        with_route(lambda *_: NO_QUEUE),
        Law.VALID_DECISION,
        "returned -1; it must return a queue from 0 to 0$",
    ),
    "routes by a float": (
        with_route(lambda replicas, *_: float(replicas[0])),
        Law.VALID_DECISION,
        r"returned 0\.0; it must",
    ),
    "routes by a bool": (
        with_route(lambda *_: False),
        Law.VALID_DECISION,
        "returned False; it must",
    ),
    "forgets to return": (
        with_route(lambda *_: None),
        Law.VALID_DECISION,
        "returned None; it must",
    ),
    "raises": (
        with_route(lambda replicas, *_: replicas[1]),
        Law.VALID_DECISION,
        r"route\(.* raised IndexError: list index out of range",
    ),
    "serves out of range": (
        with_serve(lambda *_: -2),
        Law.VALID_DECISION,
        "returned -2; it must return a queue from 0 to 0, or NO_QUEUE",
    ),
    "serves an empty queue": (
        with_serve(lambda server, lengths, *_: server),
        Law.VALID_DECISION,
        "where no task waits; return a queue with waiting > 0, or NO_QUEUE",
    ),
    "serves by length": (
        with_serve(lambda server, lengths, *_: server if lengths[server] else NO_QUEUE),
        Law.VALID_DECISION,
        "where no task waits",
    ),
    "changes the lengths": (
        with_route(shorten),
        Law.NO_MUTATION,
        r"route changed lengths from \[\d+\] to \[-?\d+\]; copy",
    ),
    "changes the replicas": (
        with_route(forget),
        Law.NO_MUTATION,
        r"route changed replicas from \[\d, \d\] to \[\d\]",
    ),
    "changes the longest": (
        with_serve(clear, uses_longest=True),
        Law.NO_MUTATION,
        r"serve changed longest from \[0, 0\] to \[-1, 0\]",
    ),
    "uses other randomness": (
        with_route(by_chance),
        Law.PURE_DECISION,
        r"returned \d, and then \d; decide from the arguments alone",
    ),
    "counts its calls": (
        with_route(functools.partial(in_turn, itertools.count())),
        Law.PURE_DECISION,
        r"returned \d, and then \d",
    ),
    "calls methods of lists": (
        with_route(by_method),
        Law.PURE_DECISION,
        r"raises AttributeError: .* if its lists are arrays; use indices",
    ),
    "adds lists": (
        with_route(by_concatenation),
        Law.PURE_DECISION,
        r"returned 0, but \d if its lists are arrays; use indices",
    ),
    "compares whole lists": (
        with_route(all_at_once),
        Law.PURE_DECISION,
        "raises ValueError: .* if its lists are arrays; use indices",
    ),
    "breaks its promise": (
        with_serve(other_queue_first, takes_own_first=True),
        Law.OWN_FIRST,
        r"returned \d, though a task waits in the own queue \d; serve it first, or set",
    ),
    "has whole constants": (
        broken(constants=lambda self, rates: (1,)),
        Law.DECLARATION,
        r"constants\(\) returned \(1,\); it must return at least one float",
    ),
    "has no constants": (
        broken(constants=lambda self, rates: ()),
        Law.DECLARATION,
        r"constants\(\) returned \(\)",
    ),
    "has a negative threshold": (
        broken(longest_above=lambda self, rates: -1.0),
        Law.DECLARATION,
        r"longest_above\(\) returned -1.0; it must be 0 or more",
    ),
    "changes its constants": (
        broken(constants=lambda self, rates: (random.random(),)),
        Law.DECLARATION,
        "owners, constants and longest_above were .*, and then",
    ),
    "weighs by a word": (
        with_weights(lambda *_: "heavy"),
        Law.WEIGHTS,
        r"weigh\(0, .*\) gave heavy; it must return a finite number",
    ),
    "weighs without end": (
        with_weights(lambda *_: float("inf")),
        Law.WEIGHTS,
        "gave inf; it must return a finite number",
    ),
    "weighs by another's queue": (
        with_weights(lambda server, lengths, _: float(lengths[server - 1])),
        Law.WEIGHTS,
        r"weigh\(\d, .*\) gave \d+\.0, and .* gave \d+\.0; a weight may depend on the lengths of",
    ),
    "weighs a list": (
        with_weights(lambda server, lengths, _: float(lengths.index(lengths[server]))),
        Law.WEIGHTS,
        r"weigh\(.* raised AttributeError: .*index",
    ),
    "weighs by chance": (
        with_weights(lambda *_: random.random()),
        Law.WEIGHTS,
        "a weight may depend on the lengths of the server's own queues only, be they a list or an",
    ),
    "changes the least": (
        with_weights(lambda *_: 0.0, route=staticmethod(forget_least)),
        Law.NO_MUTATION,
        r"route changed least from \[0, 0\] to \[0\]",
    ),
}


def test_the_sound_policy_passes() -> None:
    """The policy that the broken ones are made from keeps the laws."""
    check_policy(Sound, n_slots=20, readings=[Reading()])
    check_policy(with_serve(other_queue_first), n_slots=20, readings=[Reading()])


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_policy_is_caught(case: str) -> None:
    """A policy that breaks one law is refused by that law's name, with the call that broke it."""
    policy, law, message = BROKEN[case]
    with pytest.raises(LawViolation, match=message) as caught:
        check_policy(policy)
    assert caught.value.law is law
    assert "policy 'broken'" in str(caught.value)


def test_a_policy_that_remembers_runs_is_caught() -> None:
    """A decision that depends on how many runs there were is pure within each, not across."""
    runs = itertools.count()
    now = [0]

    def owners(self: QueuePolicy, n_servers: int, n_tiers: int) -> range:
        now[0] = next(runs)
        return range(n_servers)

    policy = with_route(lambda replicas, *_: replicas[now[0] % len(replicas)], owners=owners)
    with pytest.raises(
        LawViolation, match=r"runs differ from event \d|has another result"
    ) as caught:
        check_policy(policy)
    assert caught.value.law is Law.DETERMINISM


def test_what_is_no_policy_is_refused() -> None:
    """A class that is no policy is a PolicyError, not a broken law."""
    with pytest.raises(PolicyError, match="must be a class derived from"):
        check_policy(int)  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match="must be a class derived from"):
        check_policy(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"owners": lambda self, n, _: []}, "must name at least one queue"),
        (
            {"owners": lambda self, n, _: range(n + 1)},
            "it must name servers from 0 to 0, or SHARED",
        ),
        (
            {"owners": lambda self, n, _: [*range(n), SHARED], "uses_longest": True},
            "queue m being server m's",
        ),
        ({"uses_least": True}, r"uses_least needs weigh\(server, lengths, constants\), a static"),
    ],
)
def test_queues_of_nobody_known_are_refused(attributes: dict[str, Any], message: str) -> None:
    """A policy whose queues do not fit the servers is refused before anything runs."""
    with pytest.raises(PolicyError, match=message):
        check_policy(broken(**attributes))


# --- broken engines -----------------------------------------------------------------------------


def miscounting(system: System, key: Key, *, slots: int, **options: Any) -> RunResult:
    result = simulate(system, key, slots=slots, **options)
    return dataclasses.replace(result, n_completed=result.n_completed + 1)


class Forgetful:
    """An engine whose key depends on how often it was called."""

    def __init__(self) -> None:
        self._n_calls = 0

    def __call__(self, system: System, key: Key, **options: Any) -> RunResult:
        self._n_calls += 1
        return simulate(system, Key.of(self._n_calls), **options)


def foreseeing(system: System, key: Key, *, slots: int, **options: Any) -> RunResult:
    return simulate(system, Key.of(slots), slots=slots, **options)


def favouring(system: System, key: Key, **options: Any) -> RunResult:
    return simulate(system, Key.of(len(system.policy.name)), **options)


@pytest.mark.parametrize(
    ("engine", "law", "message"),
    [
        (miscounting, Law.RESULT, r"n_completed is \d+, the events say \d+"),
        (Forgetful(), Law.DETERMINISM, "the same run without observers has another result"),
        (foreseeing, Law.NO_FORESIGHT, "run of 40 slots:\n.*\n.*run of 20 slots:\n"),
        (
            favouring,
            Law.COMMON_RANDOM_NUMBERS,
            r"as task 0 .* policy 'maxweight' met \(0, .*, policy 'fifo' met \(0, ",
        ),
    ],
)
def test_a_broken_engine_is_caught(engine: Engine, law: Law, message: str) -> None:
    """An engine that breaks a law between runs, or between run and result, is caught by name."""
    system = list(small_systems(policies.get("maxweight")))[1]
    check_run(system, Key.of(1), n_slots=40)
    with pytest.raises(LawViolation, match=f"(?s){message}") as caught:
        check_run(system, Key.of(1), n_slots=40, engine=engine)
    assert caught.value.law is law


# --- comparing runs -----------------------------------------------------------------------------


def test_both_stories_are_told_around_a_difference() -> None:
    """Two different trajectories are shown side by side from just before the first difference."""
    runs = []
    for seed in (1, 2):
        recorder = EventRecorder()
        system = list(small_systems(Sound()))[1]
        simulate_checked(system, Key.of(seed), slots=10, observers=[recorder])
        runs.append(recorder)
    check_same_events(runs[0], runs[0])
    with pytest.raises(LawViolation, match="the runs differ from event 0 on") as caught:
        check_same_events(*runs, labels=("simpy", "compiled"))
    assert "simpy:\n> 0: slot 0 arrival of task 0, queue" in str(caught.value)
    assert "compiled:\n> 0: slot 0 arrival of task 0, queue" in str(caught.value)


def test_a_run_that_ends_early_is_different() -> None:
    """One trajectory that begins another is not equal to it."""
    recorder = EventRecorder()
    system = list(small_systems(Sound()))[1]
    simulate_checked(system, Key.of(1), slots=10, observers=[recorder])
    n = len(recorder.events)
    with pytest.raises(LawViolation, match=rf"> {n - 1}: \(the run has ended\)"):
        check_same_events(recorder, recorder.events[:-1])
