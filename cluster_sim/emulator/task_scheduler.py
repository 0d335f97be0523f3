"""The central scheduler for task policies: it checks every proposed start and performs it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence

import simpy

from cluster_sim.emulator.base import Scheduler
from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.errors import DecisionError
from cluster_sim.model.readings import DispatchOrder
from cluster_sim.model.replicas import ReplicaMap
from cluster_sim.model.task import Task
from cluster_sim.policies.task_base import Setting, TaskPolicy, TaskScheduling
from cluster_sim.recording.observer import ObserverHub
from cluster_sim.system import System, tie_break_code

__all__ = ["TaskScheduler"]

WITHDRAWN = -2  # the queue of a task that waits no longer under this object


class TaskScheduler(Scheduler):
    """One pool of waiting tasks, and the proposals of a task policy.

    Parameters
    ----------
    env : simpy.Environment
    system : System
    policy : TaskPolicy
        The system's.
    draws : DispatchDraws
    observers : ObserverHub

    Attributes
    ----------
    scheduling : TaskScheduling
        The policy's state.
    """

    def __init__(
        self,
        env: simpy.Environment,
        system: System,
        policy: TaskPolicy,
        draws: DispatchDraws,
        observers: ObserverHub,
    ) -> None:
        super().__init__(env, system, draws, observers)
        self._pool: set[Task] = set()
        # Waiting tasks with a replica at each server; only locals-first asks.
        self._n_local = [0] * system.cluster.n_servers
        tie_break = tie_break_code(system.reading.tie_break)
        setting = Setting(system.told_cluster, self._pool, draws.tie, tie_break)
        self.scheduling: TaskScheduling = policy.begin(setting)
        self._tells_completion = type(self.scheduling).completed is not TaskScheduling.completed

    # --- arrivals ---------------------------------------------------------------------------------

    def accept(self, tasks: Sequence[Task], ties: Sequence[float]) -> None:
        """Hand the arrivals of a slot to the policy, one after another.

        Parameters
        ----------
        tasks : sequence of Task
        ties : sequence of float
            A tie of each task.
        """
        accept, pool, waiting = self.scheduling.accept, self._pool, self.waiting
        for task, tie in zip(tasks, ties, strict=True):
            task.queue = 0
            pool.add(task)
            waiting[0] += 1
            self.n_waiting += 1
            if self._counts_service:
                self.lengths[0] += 1
            self._count_local(task, 1)
            accept(task, tie)
            for tell in self._told_arrival:
                tell(task)

    def _count_local(self, task: Task, change: int) -> None:
        if self._order is DispatchOrder.LOCALS_FIRST:
            for replica in task.replicas:
                self._n_local[replica] += change

    # --- dispatch ---------------------------------------------------------------------------------

    def _assign(self, slot: int, idle: list[int]) -> None:
        """Perform what the policy proposes, one start after another."""
        running, pool, waiting = self.running, self._pool, self.waiting
        for proposal in self.scheduling.propose(slot, self._in_order(slot, list(idle))):
            try:
                server, task = proposal
            except (TypeError, ValueError):
                raise DecisionError(
                    f"{self._who(slot)} proposed {proposal!r}; propose() must yield pairs of "
                    "an idle server and a waiting task"
                ) from None
            if server.__class__ is not int or not 0 <= server < len(running):
                server = self._checked_server(server, slot)
            is_task = isinstance(task, Task)
            if not is_task or running[server] is not None or task not in pool:
                if is_task and getattr(task, "queue", 0) == WITHDRAWN:
                    continue  # the policy has not met it since
                self._refuse(server, task, slot)
            pool.remove(task)
            waiting[0] -= 1
            self.n_waiting -= 1
            self._count_local(task, -1)
            self._start(server, task, slot)

    def _has_local_work(self, server: int) -> bool:
        return self._n_local[server] > 0

    # --- completions ------------------------------------------------------------------------------

    def complete(self, server: int, task: Task) -> None:
        """Take note that the server has completed its task; see `Scheduler.complete`."""
        if self.running[server] is not task:
            self._refuse_completion(server, task)
        self.running[server] = None
        if self._counts_service:
            self.lengths[0] -= 1
        if self._tells_completion:
            self.scheduling.completed(task)
        for tell in self._told_completion:
            tell(task)

    # --- breakdowns -------------------------------------------------------------------------------

    def take_down(self, server: int) -> tuple[Task | None, list[Task]]:
        """Tell the policy of a run that was broken off; see `Scheduler`."""
        aborted, displaced = super().take_down(server)
        if aborted is not None:
            self.scheduling.aborted(aborted)
        return aborted, displaced

    def bring_up(self, server: int) -> None:
        """Do nothing: the pool belongs to nobody."""

    def waiting_tasks(self) -> Iterator[Task]:
        """Yield every waiting task, in order of arrival."""
        yield from sorted(self._pool, key=lambda task: task.number)

    def withdraw(self, tasks: set[Task]) -> None:
        """Take waiting tasks out of the pool, and tell the policy."""
        for task in sorted(tasks, key=lambda task: task.number):
            self._pool.remove(task)
            self.waiting[0] -= 1
            self.n_waiting -= 1
            if self._counts_service:
                self.lengths[0] -= 1
            self._count_local(task, -1)
            task.queue = WITHDRAWN
            self.scheduling.withdrawn(task)

    def refresh(self, replicas: ReplicaMap, tie: Callable[[Task], float]) -> None:
        """Hand the policy each waiting task anew whose chunk is elsewhere now.

        A policy may keep what it likes by replica sets, so the tasks that it is given do not share
        the lists of the map: they hold what it was when they were given.
        """
        stale = [task for task in self.waiting_tasks() if task.chunk in replicas.changed]
        if not stale:
            return
        self.withdraw(set(stale))
        told, self._told_arrival = self._told_arrival, []
        fresh = [task.anew(list(replicas.live(task.chunk))) for task in stale]
        self.accept(fresh, [tie(task) for task in fresh])
        self._told_arrival = told

    # --- checks -----------------------------------------------------------------------------------

    def _who(self, slot: int) -> str:
        return f"slot {slot}: policy {self.system.policy.name!r}"

    def _checked_server(self, server: object, slot: int) -> int:
        """Return the server as an int, or raise."""
        allowed = f"it must name a server from 0 to {len(self.running) - 1}"
        try:
            number = operator.index(server)  # type: ignore[arg-type]
        except TypeError:
            raise DecisionError(
                f"{self._who(slot)} proposed a start on {server!r}; {allowed}"
            ) from None
        if not 0 <= number < len(self.running):
            raise DecisionError(f"{self._who(slot)} proposed a start on server {number}; {allowed}")
        return number

    def _refuse(self, server: int, task: Task, slot: int) -> None:
        """Raise, with the story of the task."""
        who = f"{self._who(slot)} proposed to start on server {server}"
        if not isinstance(task, Task):
            raise DecisionError(f"{who}: {task!r}; it must name a task that accept() was given")
        if task not in self._pool:
            raise DecisionError(f"{who} what does not wait: {task.story()}")
        busy_with = self.running[server]
        number = "" if busy_with is None else f" {busy_with.number}"
        raise DecisionError(f"{who}, which is busy with task{number}: {task.story()}")
