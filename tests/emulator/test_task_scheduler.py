"""The scheduler of task policies performs what can be done and refuses the rest with the story."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from cluster_sim.emulator.emulator import Emulator
from cluster_sim.errors import DecisionError, PolicyError, ScenarioError
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.model.readings import Reading
from cluster_sim.model.task import Task
from cluster_sim.policies import Delay, Quincy, Setting, TaskPolicy, TaskScheduling
from cluster_sim.policies.choices import BY_INDEX
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventRecorder
from cluster_sim.system import System
from cluster_sim.theory.chain import solve_chain
from tests.emulator.cast import (
    LAST,
    LOCAL,
    REMOTE,
    ScriptedDraws,
    ScriptedWorkload,
    play,
    record,
    three_servers,
    two_servers,
)

Answer = Callable[[int, list[int], list[Task]], Iterable[Any]]
"""From the slot, the idle servers in order and all tasks so far to proposals."""


class _Scripted(TaskScheduling):
    def __init__(self, setting: Setting, answer: Answer) -> None:
        self.setting, self._answer = setting, answer
        self.tasks: list[Task] = []
        self.done: list[int] = []

    def accept(self, task: Task, tie: float) -> None:
        assert task in self.setting.waiting
        self.tasks.append(task)

    def propose(self, slot: int, idle: Iterable[int]) -> Iterable[Any]:
        return self._answer(slot, list(idle), self.tasks)

    def completed(self, task: Task) -> None:
        self.done.append(task.number)


@dataclass(frozen=True)
class Proposing(TaskPolicy):
    """Proposes what a script says."""

    answer: Answer

    name: ClassVar[str] = "proposing"
    title: ClassVar[str] = "Proposes as told"

    def begin(self, setting: Setting) -> TaskScheduling:
        return _Scripted(setting, self.answer)


def test_a_trajectory_by_hand() -> None:
    """Starts happen as proposed: any task of the pool, local or not, one a server."""

    def answer(slot: int, idle: list[int], tasks: list[Task]) -> Iterable[Any]:
        if slot == 0:
            return [(0, tasks[1]), (np.int64(1), tasks[0])]  # both remote, the younger first
        return [(idle[0], tasks[2])] if slot == 3 else []

    cast = record(two_servers(), Proposing(answer), {0: [[0], [1]], 1: [[1]]}, n_slots=6)
    assert cast.events == [
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "start", 1, 0, 0, REMOTE),
        (0, "start", 0, 1, 0, REMOTE),
        (1, "completion", 1, 0, 0, REMOTE),
        (1, "completion", 0, 1, 0, REMOTE),
        (1, "arrival", 2, None, 0, None),
        (3, "start", 2, 0, 0, REMOTE),
        (4, "completion", 2, 0, 0, REMOTE),
    ]
    assert cast.waiting == [[0], [0], [1], [1], [0], [0]]
    assert cast.emulator.scheduler.scheduling.done == [1, 0, 2]  # type: ignore[union-attr]


@pytest.mark.parametrize("queue_length", ["in-system", "waiting"])
def test_the_pool_is_one_queue_of_nobody(queue_length: str) -> None:
    """Its length counts the tasks in service or not, as the reading says."""
    answer = lambda slot, idle, tasks: [(1, tasks[0])] if slot == 0 else []  # noqa: E731
    draws = ScriptedDraws(luck={0: 0.8})  # 3 slots at rate 0.5
    cast = record(
        two_servers(),
        Proposing(answer),
        {0: [[0], [0]]},
        n_slots=4,
        draws=draws,
        queue_length=queue_length,
    )
    assert cast.waiting == [[0], [1], [1], [1]]
    assert cast.lengths == ([[0], [2], [2], [1]] if queue_length == "in-system" else cast.waiting)


@pytest.mark.parametrize(
    ("order", "expected"),
    [("random", [2, 1, 0]), ("index", [0, 1, 2]), ("locals-first", [1, 2, 0])],
)
def test_idle_servers_come_in_the_dispatch_order(order: str, expected: list[int]) -> None:
    """Shuffled by the slot's words, by index, or those with a local task first."""
    seen: list[list[int]] = []

    def answer(slot: int, idle: list[int], tasks: list[Task]) -> Iterable[Any]:
        seen.append(idle)
        return []

    draws = ScriptedDraws(order={0: [LAST]})
    policy, arrivals = Proposing(answer), {0: [[1]]}
    play(three_servers(), policy, arrivals, n_slots=1, draws=draws, dispatch_order=order)
    assert seen == [expected]


def test_ties_are_the_keyed_draws_of_slot_and_server() -> None:
    """A policy is given the same ties as a queue policy would be, and the reading's code."""
    seen: list[object] = []

    class Asking(Proposing):
        def begin(self, setting: Setting) -> TaskScheduling:
            def answer(slot: int, idle: list[int], tasks: list[Task]) -> Iterable[Any]:
                seen.append((setting.tie(slot, 1), setting.tie_break))
                return []

            return _Scripted(setting, answer)

    draws = ScriptedDraws(tie={(2, 1): 0.25})
    policy = Asking(lambda *_: [])
    play(two_servers(), policy, {2: [[0]]}, n_slots=3, draws=draws, tie_break="index")
    assert seen == [(0.25, BY_INDEX)]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda slot, idle, tasks: [3], r"proposed 3; propose\(\) must yield pairs of an idle"),
        (lambda slot, idle, tasks: [(0, tasks[0], 1)], r"proposed \(0, Task\(0, .*\), 1\); prop"),
        (
            lambda slot, idle, tasks: [("0", tasks[0])],
            "proposed a start on '0'; it must name a server from 0 to 1",
        ),
        (
            lambda slot, idle, tasks: [(np.int64(2), tasks[0])],
            "proposed a start on server 2; it must name a server from 0 to 1",
        ),
        (lambda slot, idle, tasks: [(-1, tasks[0])], "proposed a start on server -1; it must"),
        (
            lambda slot, idle, tasks: [(0, [7])],
            r"proposed to start on server 0: \[7\]; it must name a task that accept\(\) was given",
        ),
        (
            lambda slot, idle, tasks: [(0, tasks[0]), (0, tasks[1])],
            (
                r"proposed to start on server 0, which is busy with task 0: task 1 \(chunk on "
                r"servers \[1\]\) arrived in slot 4, joined queue 0"
            ),
        ),
        (
            lambda slot, idle, tasks: [(0, tasks[0]), (1, tasks[0])],
            (
                r"proposed to start on server 1 what does not wait: task 0 \(chunk on servers "
                r"\[0\]\) arrived in slot 4, joined queue 0, started in slot 4 on server 0 at tier "
                "0, needs 1 slots"
            ),
        ),
        (
            lambda slot, idle, tasks: [(0, Task(9, 4, [1], 0.5))],
            r"proposed to start on server 0 what does not wait: task 9 \(chunk on servers \[1\]\)",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(answer: Answer, message: str) -> None:
    """A busy server, a task that does not wait, or no proposal at all; observers are closed."""
    with pytest.raises(DecisionError, match=f"^slot 4: policy 'proposing' {message}"):
        play(two_servers(), Proposing(answer), {4: [[0], [1]]}, n_slots=6)


def test_a_refused_proposal_leaves_the_state_consistent() -> None:
    """What was performed before counts, what was refused does not."""
    policy = Proposing(lambda slot, idle, tasks: [(0, tasks[0]), (0, tasks[1])])
    system = System(two_servers(), ScriptedWorkload({0: [[0], [1]]}), policy)
    emulator = Emulator(system, Key.of(1))
    with pytest.raises(DecisionError, match="busy"):
        emulator.run(3)
    assert (emulator.scheduler.n_waiting, emulator.scheduler.n_in_service) == (1, 1)


def test_a_server_completes_only_what_it_runs() -> None:
    """A second completion is refused."""
    policy = Proposing(lambda slot, idle, tasks: [])
    emulator = Emulator(System(two_servers(), ScriptedWorkload({}), policy), Key.of(1))
    emulator.run(1)
    with pytest.raises(DecisionError, match=r"^server 1 completed what it does not run: task 5 "):
        emulator.scheduler.complete(1, Task(5, 2, [0], 0.0))


def test_the_compiled_engine_refuses_task_policies() -> None:
    """Asked for, it is an error that says why; "auto" takes SimPy with a note."""
    pytest.importorskip("numba")
    from cluster_sim.compiled.engine import simulate as simulate_compiled

    system = System(two_servers(), ScriptedWorkload({}), Delay())
    message = (
        r"^\[run\] engine = \"compiled\": policy 'delay' is a task policy, which decides over jobs "
        "or whole assignments; only the SimPy engine runs it$"
    )
    with pytest.raises(ScenarioError, match=message):
        choose_engine("compiled", system)
    engine = choose_engine("auto", system)
    assert engine.name == "simpy"
    assert engine.note == (
        "SimPy engine: policy 'delay' is a task policy, which decides over jobs or whole "
        "assignments; only the SimPy engine runs it"
    )
    assert choose_engine("simpy", system).note is None
    with pytest.raises(PolicyError, match=r"^policy .delay. is a task policy: .* a queue policy"):
        simulate_compiled(system, Key.of(1), slots=3)


def test_the_exact_chain_refuses_task_policies() -> None:
    """It is a chain over queues."""
    with pytest.raises(
        ScenarioError, match=r"^policy 'quincy': the exact chain is one over queues"
    ):
        solve_chain(
            Quincy(),  # type: ignore[arg-type]
            [(0,)],
            [1.0],
            arrivals=(0.5, 0.5),
            n_servers=1,
            rates=(1.0, 0.5),
        )


def test_a_pool_has_no_tier_of_its_own() -> None:
    """Under service_tier = "queue" every service of a pool would be remote: it is refused."""
    message = r"^service_tier = \"queue\": the tasks of policy 'delay' wait in one pool of nobody"
    with pytest.raises(ScenarioError, match=message):
        System(two_servers(), ScriptedWorkload({}), Delay(), Reading(service_tier="queue"))


def test_tasks_know_their_jobs_under_a_task_policy() -> None:
    """Without jobs each task is a job of its own."""
    recorder = EventRecorder()
    policy = Proposing(lambda slot, idle, tasks: [])
    system = System(two_servers(), ScriptedWorkload({0: [[0], [1]], 2: [[0]]}), policy)
    emulator = Emulator(system, Key.of(1), [recorder])
    emulator.run(3)
    tasks = emulator.scheduler.scheduling.tasks  # type: ignore[union-attr]
    assert [task.job for task in tasks] == [0, 1, 2]
    assert LOCAL == 0
