"""Task policies keep the laws of a run; a broken one breaks its law."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from cluster_sim import policies
from cluster_sim.compiled.engine import simulate as simulate_compiled
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import PolicyError
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import Fair, PolicyKind, Setting, TaskPolicy, TaskScheduling
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventKind, EventRecorder
from cluster_sim.system import System
from cluster_sim.testing import (
    EventInvariants,
    Law,
    LawViolation,
    TaskRecorder,
    Witness,
    check_policy,
    small_systems,
)


@pytest.mark.parametrize("name", policies.names(PolicyKind.TASK))
def test_every_task_policy_keeps_the_laws(name: str) -> None:
    """Conservation, one task a server, no task twice, Little's law, determinism, and the others."""
    check_policy(name, n_slots=25)


@pytest.mark.parametrize(
    "name",
    ["maxweight-types", "generalised-c-mu", "discrete-review", "bell-williams", "squillante"],
)
def test_a_type_is_first_in_first_out(name: str) -> None:
    """The affinity schedulers have a queue for each type: its tasks start in order of arrival."""
    for system in small_systems(policies.get(name)):
        tasks, events = TaskRecorder(), EventRecorder()
        simulate(system, Key.of(1), slots=60, observers=[tasks, events])
        kinds = {number: replicas for number, _, replicas, _ in tasks.tasks}
        started: dict[tuple[int, ...], list[int]] = {}
        for event in events.events:
            if event.kind is EventKind.START:
                started.setdefault(kinds[event.task], []).append(event.task)
        assert started
        assert all(numbers == sorted(numbers) for numbers in started.values())


@pytest.mark.parametrize("name", ["hadoop-fifo", "sparrow", "quincy"])
def test_tasks_of_one_type_start_in_order(name: str) -> None:
    """Where all tasks are of one type and jobs of one task, the oldest goes first."""
    everywhere = Types(np.array([[0, 1, 2]]), np.ones(1))
    cluster = Cluster.of(Topology.tree(3), {"local": 0.7, "remote": 0.5})
    events = EventRecorder()
    parameters = {"probes": 3} if name == "sparrow" else {}
    workload = SyntheticWorkload(everywhere, Poisson(1.9))
    system = System(cluster, workload, policies.get(name, **parameters))
    simulate(system, Key.of(2), slots=200, observers=[events])
    slots = {event.task: event.slot for event in events.events if event.kind is EventKind.ARRIVAL}
    started = [slots[event.task] for event in events.events if event.kind is EventKind.START]
    assert started == sorted(started)


class _Newest(TaskScheduling):
    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def accept(self, task: Task, tie: float) -> None:
        self.tasks.append(task)

    def propose(self, slot: int, idle: Iterable[int]) -> Iterable[Any]:
        for server in idle:
            if self.tasks:
                yield server, self.tasks.pop()


@dataclass(frozen=True)
class Newest(TaskPolicy):
    """Last in, first out."""

    name: ClassVar[str] = "newest"
    title: ClassVar[str] = "The newest task"

    def begin(self, setting: Setting) -> TaskScheduling:
        return _Newest()


def test_a_pool_need_not_be_first_in_first_out() -> None:
    """FIFO within a queue is a law of queue policies; a task policy may choose."""
    check_policy(Newest, n_slots=15)


@dataclass(frozen=True)
class Remembering(Newest):
    """Keeps its state from run to run."""

    name: ClassVar[str] = "remembering"
    runs: ClassVar[list[int]] = []

    def begin(self, setting: Setting) -> TaskScheduling:
        self.runs.append(1)
        return Fair().begin(setting) if len(self.runs) % 2 else _Newest()


def test_a_policy_with_a_memory_of_earlier_runs_is_caught() -> None:
    """The second run of the same key has other events."""
    with pytest.raises(LawViolation, match=r"law broken: (determinism|no foresight)"):
        check_policy(Remembering(), n_slots=40)


def test_a_task_that_runs_twice_is_caught() -> None:
    """The books of the observer hold task policies to one run a task, whatever the engine does."""
    (system, *_) = small_systems(Fair())
    watch = EventInvariants(system)
    task = Task(0, 0, [0], 0.0)
    task.queue = 0
    watch.arrival(task)
    task.server, task.start, task.tier, task.service = 0, 0, 0, 1
    watch.start(task)
    watch.completion(task)
    task.start = 1
    with pytest.raises(LawViolation, match="no such task waits in queue 0") as caught:
        watch.start(task)
    assert caught.value.law is Law.ONE_AT_A_TIME


def test_what_does_not_apply_is_said() -> None:
    """Neither the witness of exchanges nor the compiled engine has a task policy."""
    (system, *_) = small_systems(Fair())
    with pytest.raises(PolicyError, match=r"^policy 'fair' is a task policy: it decides over jobs"):
        Witness(system)
    with pytest.raises(PolicyError, match=r"^policy 'fair' is a task policy"):
        check_policy(Fair(), n_slots=5, engine=simulate_compiled)


def test_a_task_policy_must_begin() -> None:
    """A class without begin() is told so."""

    class Idle(TaskPolicy):
        name = "idle"
        title = "Idle"

    with pytest.raises(PolicyError, match=r":.*Idle: define begin$"):
        check_policy(Idle)
