"""Every law of a run is noticed when it is broken: true runs, changed in one place."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable

import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import DecisionError
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.randomness import Key
from cluster_sim.system import System
from cluster_sim.testing import (
    EventInvariants,
    InvariantObserver,
    Law,
    LawViolation,
    LittlesLaw,
    small_systems,
)
from cluster_sim.testing.systems import with_rates_halved
from laws.tape import Call, Tape


@pytest.fixture
def system() -> System:
    """Six servers in three racks under the priority policy, two of them far overloaded."""
    return list(small_systems(policies.get("priority")))[2]


@pytest.fixture
def tape(system: System) -> Tape:
    return Tape.of(system, 40)


def lose_the_last_arrival(tape: Tape) -> None:
    numbers = {call.task.number for call in tape.calls if call.method == "start"}
    last = max(
        i
        for i, call in enumerate(tape.calls)
        if call.method == "arrival" and call.task.number not in numbers
    )
    tape.calls = [
        call
        for i, call in enumerate(tape.calls)
        if i != last and (call.method != "arrival" or i < last)
    ]


def change_state(name: str) -> Callable[[Tape], None]:
    def change(tape: Tape) -> None:
        state = tape.calls[tape.find("observe", lambda call: call.slot == 9)].state
        value = getattr(state, name)
        if isinstance(value, int):
            setattr(state, name, value + 1)
        else:
            value[0] += 1

    return change


def empty_a_server(tape: Tape) -> None:
    running = tape.calls[tape.find("observe", lambda call: any(call.state.running))].state.running
    running[next(server for server, task in enumerate(running) if task is not None)] = None


def start_it_again(tape: Tape) -> None:
    i = tape.find("start")
    tape.calls.insert(i + 1, tape.calls[i])


def start_it_elsewhere_too(tape: Tape) -> None:
    i = tape.find("start")
    twin = copy.copy(tape.calls[i].task)
    twin.server = (twin.server + 1) % 6  # idle, as this is the first start of all
    tape.calls.insert(i + 1, Call("start", task=twin))


def overtake(tape: Tape) -> None:
    """Let the second of two tasks that wait in one queue start in place of the first."""
    waiting: dict[int, list[int]] = {}
    for i, call in enumerate(tape.calls):
        if call.method == "arrival":
            waiting.setdefault(call.task.queue, []).append(i)
        elif call.method == "start":
            arrivals = waiting[call.task.queue]
            if len(arrivals) > 1:
                second = tape.calls[arrivals[1]].task
                call.task.number, call.task.luck = second.number, second.luck
                call.task.arrival, call.task.replicas = second.arrival, second.replicas
                return
            arrivals.pop(0)
    raise AssertionError("nobody waited behind another")


def complete_late(tape: Tape) -> None:
    """Let a service end only after the first arrival of the slot of its end."""
    arrivals = {
        call.task.arrival: i
        for i, call in reversed([*enumerate(tape.calls)])
        if call.method == "arrival"
    }
    i = tape.find("completion", lambda call: call.task.start + call.task.service in arrivals)
    task = tape.calls[i].task
    tape.calls.insert(arrivals[task.start + task.service], tape.calls.pop(i))


def complete_early(tape: Tape) -> None:
    i = tape.find("completion", lambda call: call.task.service > 1)
    j = tape.find("observe", lambda call: call.slot == tape.calls[i].task.start + 1)
    tape.calls.insert(j, tape.calls.pop(i))


def change_task(method: str, **changes: Callable[[int], object]) -> Callable[[Tape], None]:
    def change(tape: Tape) -> None:
        i = tape.find(method, lambda call: call.task.number == 5)
        task = tape.calls[i].task = copy.copy(tape.calls[i].task)
        for name, function in changes.items():
            setattr(task, name, function(getattr(task, name)))

    return change


def arrive_after_dispatch(tape: Tape) -> None:
    """Let the last arrival of a slot follow the first start of that slot."""
    i = next(
        i
        for i, (before, call) in enumerate(itertools.pairwise(tape.calls), 1)
        if (before.method, call.method) == ("arrival", "start")
        and before.task.number != call.task.number
    )
    tape.calls[i - 1], tape.calls[i] = tape.calls[i], tape.calls[i - 1]


def skip_an_observation(tape: Tape) -> None:
    del tape.calls[tape.find("observe", lambda call: call.slot == 7)]


CHANGES: dict[str, tuple[Callable[[Tape], None], Law, str]] = {
    "an arrival is not told": (
        lose_the_last_arrival,
        Law.CONSERVATION,
        r"waiting tasks per queue: the state has",
    ),
    "a queue has one more": (change_state("waiting"), Law.CONSERVATION, "waiting tasks per queue"),
    "a length is off by one": (change_state("lengths"), Law.CONSERVATION, "queue lengths"),
    "a server is empty": (empty_a_server, Law.CONSERVATION, "tasks on servers"),
    "the sum of waiting is off": (change_state("n_waiting"), Law.CONSERVATION, "waiting tasks:"),
    "the sum in service is off": (
        change_state("n_in_service"),
        Law.CONSERVATION,
        "tasks in service",
    ),
    "a task starts twice": (
        start_it_again,
        Law.ONE_AT_A_TIME,
        r"its server is running task \d+; task",
    ),
    "a task runs on two servers": (
        start_it_elsewhere_too,
        Law.ONE_AT_A_TIME,
        r"no such task waits in queue \d",
    ),
    "a task overtakes": (overtake, Law.FIFO, r"it started before task \d+, which joined earlier"),
    "a completion comes late": (
        complete_late,
        Law.NON_PREEMPTION,
        r"in the observation of slot \d+ server \d still runs task \d+, whose service ended in",
    ),
    "a completion comes early": (
        complete_early,
        Law.NON_PREEMPTION,
        r"it completed before the observation point of slot \d+, its service ends in slot",
    ),
    "a service is cut short": (
        change_task("completion", service=lambda n: n - 1),
        Law.NON_PREEMPTION,
        r"it had started in slot \d+ at tier",
    ),
    "another server completes": (
        change_task("completion", server=lambda m: 6 + m),
        Law.ONE_AT_A_TIME,
        "its server was running nothing",
    ),
    "a tier is wrong": (change_task("start", tier=lambda t: 2 - t), Law.SERVICE, r"its tier is \d"),
    "a service time is wrong": (
        change_task("start", service=lambda n: n + 1),
        Law.SERVICE,
        r"its luck 0\.\d+ gives \d+ slots at tier",
    ),
    "the luck changes": (
        change_task("start", luck=lambda u: 1 - u),
        Law.ONE_AT_A_TIME,
        "no such task waits in queue",
    ),
    "there is no such server": (
        change_task("start", server=lambda _: 6),
        Law.ONE_AT_A_TIME,
        "there is no server 6",
    ),
    "there is no such queue": (
        change_task("arrival", queue=lambda _: 6),
        Law.CONSERVATION,
        "there is no queue 6",
    ),
    "a number is left out": (
        change_task("arrival", number=lambda n: n + 1),
        Law.SLOT_PROTOCOL,
        "task 5 was to arrive next, not this; task 6 ",
    ),
    "an arrival is of another slot": (
        change_task("arrival", arrival=lambda slot: slot + 1),
        Law.SLOT_PROTOCOL,
        r"slot \d+ was not observed; task 5 ",
    ),
    "an arrival follows a start": (
        arrive_after_dispatch,
        Law.SLOT_PROTOCOL,
        r"the arrivals of slot 5 came after the dispatch of slot 5; task 2 ",
    ),
    "a slot is not observed": (
        skip_an_observation,
        Law.SLOT_PROTOCOL,
        "slot 7 was not observed",
    ),
}


def test_a_true_tape_passes(system: System, tape: Tape) -> None:
    """Played back unchanged, a run keeps the laws; so the changes below are what is noticed."""
    tape.play(InvariantObserver(system))
    tape.play(EventInvariants(system))
    tape.play(LittlesLaw())


@pytest.mark.parametrize("change", CHANGES)
def test_a_broken_law_is_named(system: System, tape: Tape, change: str) -> None:
    """A run changed in one place breaks the law that is named, with the task's story."""
    alter, law, message = CHANGES[change]
    alter(tape)
    with pytest.raises(LawViolation, match=message) as caught:
        tape.play(InvariantObserver(system))
    assert caught.value.law is law
    assert str(caught.value).startswith(f"law broken: {law}: policy 'priority', slot ")


@pytest.mark.parametrize(
    "change", [name for name, (_, law, _) in CHANGES.items() if law is not Law.CONSERVATION]
)
def test_most_laws_need_no_states(system: System, tape: Tape, change: str) -> None:
    """Events alone show all but lost tasks and missed observation points."""
    alter, law, _ = CHANGES[change]
    alter(tape)
    tape.calls = [call for call in tape.calls if call.method not in {"observe", "close"}]
    if change == "a slot is not observed":
        tape.play(EventInvariants(system))
        return
    with pytest.raises(LawViolation) as caught:
        tape.play(EventInvariants(system))
    assert caught.value.law in {law, Law.SLOT_PROTOCOL}


def test_slots_are_observed_one_by_one(system: System) -> None:
    """Where nothing happens in a slot, its observation point is still missed."""
    idle = Tape.of(system, 1)
    observation = idle.calls[idle.find("observe")]
    watch = InvariantObserver(system)
    watch.observe(0, observation.state)
    with pytest.raises(LawViolation, match="slot 2 was observed, slot 1 was due"):
        watch.observe(2, observation.state)


def test_the_final_state_is_checked(system: System, tape: Tape) -> None:
    """A task lost in the last slot is noticed at the end."""
    tape.calls[-1].state.n_waiting -= 1
    with pytest.raises(LawViolation, match="waiting tasks: the state has"):
        tape.play(InvariantObserver(system))


@pytest.mark.parametrize("name", ["n_waiting", "n_in_service"])
def test_littles_law_is_exact(tape: Tape, name: str) -> None:
    """One task more, seen at one of forty observation points, breaks the identity."""
    change_state(name)(tape)
    with pytest.raises(LawViolation, match=r"over 40 observation points \d+ tasks") as caught:
        tape.play(LittlesLaw())
    assert caught.value.law is Law.LITTLES_LAW


def test_littles_law_counts_unfinished_tasks(system: System, tape: Tape) -> None:
    """The identity holds at every slot of an overloaded run, with tasks waiting and in service."""
    little = LittlesLaw()
    for call in tape.calls:
        call.play(little)
        little.check()
    assert tape.calls[-1].state.n_waiting > 0
    assert tape.calls[-1].state.n_in_service > 0


def test_a_violation_stops_the_run(system: System) -> None:
    """From within a run the violation arrives with law and story, through SimPy's own raising."""
    with pytest.raises(LawViolation, match=r"policy 'priority', slot \d+: its luck") as caught:
        simulate(
            system,
            Key.of(1),
            slots=40,
            observers=[InvariantObserver(with_rates_halved(system))],
        )
    assert caught.value.law is Law.SERVICE


def test_a_failing_run_is_not_talked_over(system: System) -> None:
    """The checks at the end keep silent where the run has failed, so its own error is seen."""

    class Refused(policies.Priority):  # type: ignore[misc]
        @staticmethod
        def serve(server, lengths, waiting, *others):  # type: ignore[no-untyped-def]
            return next((q for q in range(len(waiting)) if not waiting[q]), NO_QUEUE)

    failing = dataclasses.replace(system, policy=Refused())
    with pytest.raises(DecisionError, match="no task waits"):
        simulate(
            failing,
            Key.of(1),
            slots=40,
            observers=[InvariantObserver(failing), LittlesLaw()],
        )
