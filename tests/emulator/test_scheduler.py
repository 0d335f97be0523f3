"""The central scheduler performs what can be done and refuses the rest with the task's story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from cluster_sim.emulator.emulator import Emulator
from cluster_sim.errors import DecisionError
from cluster_sim.model.readings import TieBreak
from cluster_sim.model.task import Task
from cluster_sim.policies import NO_QUEUE, SHARED, QueuePolicy, get
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY
from cluster_sim.randomness import Key
from cluster_sim.system import System, tie_break_code
from tests.emulator.cast import LOCAL, REMOTE, Recorder, ScriptedWorkload, play, two_servers

Answer = Callable[[int], object]


def answering(route: Answer, serve: Answer) -> QueuePolicy:
    """A policy that routes by the first replica and serves by the server, as told."""

    @dataclass(frozen=True)
    class Answering(QueuePolicy):
        name: ClassVar[str] = "answering"
        title: ClassVar[str] = "Answers as told"

        @staticmethod
        def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):  # type: ignore[no-untyped-def]
            return route(replicas[0])

        @staticmethod
        def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):  # type: ignore[no-untyped-def]
            return serve(server)

    return Answering()


def idle(server: int) -> int:
    return NO_QUEUE


def stay(server: int) -> int:
    return server


@pytest.mark.parametrize(
    ("returned", "told"),
    [(2, "2"), (-1, "-1"), (np.int64(7), "7"), ("0", "'0'"), (0.0, r"0\.0"), (None, "None")],
)
def test_a_queue_that_does_not_exist_cannot_be_joined(returned: object, told: str) -> None:
    """route() must return one of the queues; the error tells the story and what is allowed."""
    message = (
        r"^policy 'answering': route\(\) for task 1 \(chunk on servers \[1\]\) arrived in slot 3 "
        rf"returned {told}; it must return a queue from 0 to 1$"
    )
    policy = answering(lambda replica: returned if replica else 0, stay)
    with pytest.raises(DecisionError, match=message):
        play(two_servers(), policy, {0: [[0]], 3: [[1]]}, n_slots=5)


@pytest.mark.parametrize(
    ("returned", "told"),
    [(2, "2"), (-2, "-2"), (np.int64(7), "7"), ("1", "'1'"), (1.0, r"1\.0"), (None, "None")],
)
def test_a_queue_that_does_not_exist_cannot_be_served(returned: object, told: str) -> None:
    """serve() must return one of the queues or NO_QUEUE; the error tells slot and server."""
    message = (
        r"^slot 2: policy 'answering': serve\(\) for idle server 1 "
        rf"returned {told}; it must return a queue from 0 to 1, or NO_QUEUE \(-1\)$"
    )
    policy = answering(stay, lambda server: returned if server else NO_QUEUE)
    with pytest.raises(DecisionError, match=message):
        play(two_servers(), policy, {2: [[0]]}, n_slots=5)


def test_an_empty_queue_cannot_be_served() -> None:
    """serve() may not name a queue where nobody waits, though a task of it be in service."""
    # Slot 4: server 0 takes task 0; server 1, asked last, names the same queue, whose length is 1.
    message = (
        "^slot 4: policy 'answering' told idle server 1 to serve queue 0, where no task waits "
        r"\(length 1\); serve\(\) must return a queue with waiting > 0, or NO_QUEUE$"
    )
    policy = answering(stay, lambda server: 0)
    with pytest.raises(DecisionError, match=message):
        play(two_servers(), policy, {4: [[0], [1]]}, n_slots=5, dispatch_order="index")


@pytest.mark.parametrize("number", [np.int64, np.int32, np.uint8])
def test_other_kinds_of_whole_numbers_are_decisions_too(number: Callable[[int], object]) -> None:
    """A policy may return numpy's integers."""
    policy = answering(number, number)
    events = play(two_servers(), policy, {0: [[1]]}, n_slots=2, dispatch_order="locals-first")
    assert events == [
        (0, "arrival", 0, None, 1, None),
        (0, "start", 0, 1, 1, LOCAL),
        (1, "completion", 0, 1, 1, LOCAL),
    ]


def test_a_server_that_gets_nothing_asks_again_in_the_next_slot() -> None:
    """Two refusals later the task is still there, and the third answer starts it."""
    asked: list[int] = []

    def third_time(server: int) -> int:
        asked.append(server)
        return 0 if len(asked) == 3 else NO_QUEUE

    events = play(two_servers(), answering(stay, third_time), {0: [[0]]}, n_slots=3)
    # Each idle server asks once a slot: two in slot 0, the first of slot 1 gets the task.
    assert len(asked) == 3
    assert [event[:3] for event in events] == [
        (0, "arrival", 0),
        (1, "start", 0),
        (2, "completion", 0),
    ]


def test_nobody_is_asked_while_nothing_waits() -> None:
    """Without a waiting task no policy is bothered, and servers sleep."""

    def never(server: int) -> int:
        raise AssertionError("asked")

    assert play(two_servers(), answering(stay, never), {}, n_slots=50) == []


def test_tasks_of_a_queue_start_in_order_of_arrival() -> None:
    """Queues are first come, first served, whoever serves them."""
    events = play(
        two_servers(1.0, 1.0),
        answering(lambda replica: 0, lambda server: 0 if server == 1 else NO_QUEUE),
        {0: [[0], [1], [0]], 1: [[1]]},
        n_slots=4,
    )
    starts = [(slot, task) for slot, what, task, *_ in events if what == "start"]
    assert starts == [(0, 0), (1, 1), (2, 2), (3, 3)]


class Pairs(QueuePolicy):
    """Two queues a server and one shared: nothing ties the number of queues to that of servers."""

    name = "pairs"
    title = "Two queues a server"

    def owners(self, n_servers: int, n_tiers: int) -> list[int]:
        return [SHARED, *range(n_servers), *range(n_servers)]

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):  # type: ignore[no-untyped-def]
        return 3 + replicas[0]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):  # type: ignore[no-untyped-def]
        return 4 - server if waiting[4 - server] > 0 else NO_QUEUE


def test_a_policy_may_have_any_queues() -> None:
    """By queue, the tier is that of the queue's owner, also with several queues a server."""
    events = play(
        two_servers(),
        Pairs(),
        {0: [[0], [1]]},
        n_slots=1,
        dispatch_order="index",
        service_tier="queue",
    )
    assert events == [
        (0, "arrival", 0, None, 3, None),
        (0, "arrival", 1, None, 4, None),
        (0, "start", 1, 0, 4, REMOTE),
        (0, "start", 0, 1, 3, REMOTE),
    ]


def started(policy: QueuePolicy) -> tuple[Emulator, Recorder]:
    """An emulator of two servers that wait for work."""
    recorder = Recorder()
    emulator = Emulator(System(two_servers(), ScriptedWorkload({}), policy), Key.of(1), [recorder])
    recorder.emulator = emulator
    emulator.env.step()  # both server processes begin
    emulator.env.step()
    return emulator, recorder


def test_a_busy_server_cannot_start_another_task() -> None:
    """The scheduler refuses a second task for a server, and tells the task's story."""
    emulator, _ = started(get("priority"))
    scheduler = emulator.scheduler
    scheduler.ask_for_work(0)  # as a server must not: it asks already
    scheduler.accept([Task(0, 0, [0], 0.0), Task(1, 0, [0], 0.0)], [0.0, 0.0])
    message = (
        r"^slot 0: server 0 is busy, it cannot start task 1 \(chunk on servers \[0\]\) "
        "arrived in slot 0, joined queue 0, started in slot 0 on server 0 at tier 0, needs 1 slots$"
    )
    with pytest.raises(DecisionError, match=message):
        scheduler.dispatch(0)


def test_a_server_completes_only_what_it_runs() -> None:
    """The scheduler refuses a completion that is not that of the server's task."""
    emulator, _ = started(get("priority"))
    message = (
        r"^server 1 completed what it does not run: task 5 \(chunk on servers \[0\]\) "
        "arrived in slot 2$"
    )
    with pytest.raises(DecisionError, match=message):
        emulator.scheduler.complete(1, Task(5, 2, [0], 0.0))


def test_observers_are_closed_after_a_refusal() -> None:
    """A run that ends in an error still closes its observers, once."""
    recorder = Recorder()
    system = System(two_servers(), ScriptedWorkload({0: [[0]]}), answering(lambda _: 9, stay))
    recorder.emulator = Emulator(system, Key.of(1), [recorder])
    with pytest.raises(DecisionError, match="returned 9"):
        recorder.emulator.run(3)
    assert recorder.n_closed == 1


def test_readings_of_ties_have_their_codes() -> None:
    """Each value of the reading is one of the codes that policies are given."""
    codes = {tie_break: tie_break_code(tie_break) for tie_break in TieBreak}
    assert codes == {
        TieBreak.RANDOM: UNIFORMLY,
        TieBreak.LOCAL: LOCAL_FIRST,
        TieBreak.INDEX: BY_INDEX,
    }
