"""The central scheduler for task policies: it checks every proposed start and performs it."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence

import simpy

from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.emulator.phases import Bell
from cluster_sim.emulator.scheduler import shuffled
from cluster_sim.errors import DecisionError
from cluster_sim.model.readings import DispatchOrder, QueueLength
from cluster_sim.model.service import service_time
from cluster_sim.model.task import Task
from cluster_sim.policies.jobs import tier_of
from cluster_sim.policies.task_base import Setting, TaskPolicy, TaskScheduling
from cluster_sim.recording.observer import ObserverHub
from cluster_sim.system import System, tie_break_code

__all__ = ["TaskScheduler"]


class TaskScheduler:
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
    waiting, lengths : list of int, length 1
        Waiting tasks of the pool, and its length under the reading `queue_length`.
    n_waiting : int
    running : list of (Task or None), length n_servers
    """

    def __init__(
        self,
        env: simpy.Environment,
        system: System,
        policy: TaskPolicy,
        draws: DispatchDraws,
        observers: ObserverHub,
    ) -> None:
        self.system = system
        cluster = system.cluster
        self.n_waiting = 0
        self.waiting = [0]
        self._counts_service = system.reading.queue_length is QueueLength.IN_SYSTEM
        self.lengths = [0] if self._counts_service else self.waiting
        self.running: list[Task | None] = [None] * cluster.n_servers
        self._pool: set[Task] = set()
        self._bells = [Bell(env) for _ in range(cluster.n_servers)]
        self._idle: list[int] = []
        self._draws = draws
        self._told_arrival = observers.arrival
        self._told_start = observers.start
        self._told_completion = observers.completion
        self._groups: list[list[int]] = cluster.groups.tolist()
        self._rates = cluster.rates
        self._order = system.reading.dispatch_order
        # Waiting tasks with a replica at each server; only locals-first asks.
        self._n_local = [0] * cluster.n_servers
        tie_break = tie_break_code(system.reading.tie_break)
        setting = Setting(cluster, self._pool, draws.tie, tie_break)
        self.scheduling: TaskScheduling = policy.begin(setting)
        self._tells_completion = type(self.scheduling).completed is not TaskScheduling.completed

    @property
    def n_in_service(self) -> int:
        """Tasks in service."""
        return len(self.running) - len(self._idle)

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

    def ask_for_work(self, server: int) -> Bell:
        """Let an idle server sleep until there is work for it.

        Parameters
        ----------
        server : int

        Returns
        -------
        Bell
            Rung with the task when there is one.
        """
        self._idle.append(server)
        return self._bells[server]

    def dispatch(self, slot: int) -> None:
        """Let the policy propose starts for the idle servers of a slot, and perform them.

        Parameters
        ----------
        slot : int

        Raises
        ------
        DecisionError
            If a proposal cannot be performed.
        """
        if not self._pool:
            return
        idle, self._idle = sorted(self._idle), []
        running, pool = self.running, self._pool
        try:
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
                is_task = task.__class__ is Task
                if not is_task or running[server] is not None or task not in pool:
                    self._refuse(server, task, slot)
                self._start(server, task, slot)
        finally:  # observers are shown the state also if a proposal is refused
            self._idle.extend([server for server in idle if running[server] is None])

    def _in_order(self, slot: int, idle: list[int]) -> Iterable[int]:
        if self._order is DispatchOrder.INDEX:
            return idle
        order = shuffled(idle, self._draws.order_words(slot))
        return self._locals_first(order) if self._order is DispatchOrder.LOCALS_FIRST else order

    def _locals_first(self, order: Iterable[int]) -> Iterator[int]:
        """Yield the servers that hold the chunk of a waiting task before the others."""
        deferred = []
        for server in order:
            if self._n_local[server]:
                yield server
            else:
                deferred.append(server)
        yield from deferred

    def _start(self, server: int, task: Task, slot: int) -> None:
        self._pool.remove(task)
        self.waiting[0] -= 1
        self.n_waiting -= 1
        self._count_local(task, -1)
        tier = tier_of(server, task.replicas, self._groups)
        rate = self._rates[tier]
        task.tier = tier
        task.server = server
        task.start = slot
        task.service = 1 if rate == 1.0 else service_time(task.luck, rate)
        self.running[server] = task
        for tell in self._told_start:
            tell(task)
        self._bells[server].ring(task)

    # --- completions ------------------------------------------------------------------------------

    def complete(self, server: int, task: Task) -> None:
        """Take note that the server has completed its task.

        Parameters
        ----------
        server : int
        task : Task
        """
        if self.running[server] is not task:
            raise DecisionError(f"server {server} completed what it does not run: {task.story()}")
        self.running[server] = None
        if self._counts_service:
            self.lengths[0] -= 1
        if self._tells_completion:
            self.scheduling.completed(task)
        for tell in self._told_completion:
            tell(task)

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
        if task.__class__ is not Task:
            raise DecisionError(f"{who}: {task!r}; it must name a task that accept() was given")
        if task not in self._pool:
            raise DecisionError(f"{who} what does not wait: {task.story()}")
        busy_with = self.running[server]
        number = "" if busy_with is None else f" {busy_with.number}"
        raise DecisionError(f"{who}, which is busy with task{number}: {task.story()}")
