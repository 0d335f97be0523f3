"""What the schedulers share: who is idle, who runs what, how a service starts and ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NoReturn

import simpy

from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.emulator.phases import Bell
from cluster_sim.errors import DecisionError
from cluster_sim.model.cluster import LOCAL, tier_of
from cluster_sim.model.readings import DispatchOrder, QueueLength, ServiceTier
from cluster_sim.model.replicas import ReplicaMap
from cluster_sim.model.service import service_time
from cluster_sim.model.task import Task
from cluster_sim.recording.observer import ObserverHub
from cluster_sim.system import System

__all__ = ["Scheduler", "shuffled"]


class Scheduler(ABC):
    """The servers and the books of a run; a subclass decides who serves what.

    Parameters
    ----------
    env : simpy.Environment
    system : System
    draws : DispatchDraws
    observers : ObserverHub

    Attributes
    ----------
    owners : list of int, length n_queues
        The server that each queue belongs to, or `SHARED`.
    waiting, lengths : list of int, length n_queues
        Waiting tasks, and the length under the reading `queue_length`.
    n_waiting : int
        Over all queues.
    running : list of (Task or None), length n_servers
    """

    def __init__(
        self, env: simpy.Environment, system: System, draws: DispatchDraws, observers: ObserverHub
    ) -> None:
        self.system = system
        cluster, reading = system.cluster, system.reading
        self.owners = list(system.policy.owners(cluster.n_servers, cluster.n_tiers))
        n_queues = len(self.owners)
        self.waiting = [0] * n_queues
        self._counts_service = reading.queue_length is QueueLength.IN_SYSTEM
        self.lengths = [0] * n_queues if self._counts_service else self.waiting
        self.n_waiting = 0
        self.running: list[Task | None] = [None] * cluster.n_servers
        self._bells = [Bell(env) for _ in range(cluster.n_servers)]
        self._idle: list[int] = []
        self._draws = draws
        self._told_arrival = observers.arrival
        self._told_start = observers.start
        self._told_completion = observers.completion
        self._order = reading.dispatch_order
        self._by_replica = reading.service_tier is ServiceTier.REPLICA
        self._groups: list[list[int]] = cluster.groups.tolist()
        self._rates = cluster.rates
        needs = system.needs
        self._first_column = None if needs is None else needs.first_column.tolist()

    @property
    def n_in_service(self) -> int:
        """Tasks in service."""
        return len(self.running) - len(self._idle)

    # --- arrivals ---------------------------------------------------------------------------------

    @abstractmethod
    def accept(self, tasks: Sequence[Task], ties: Sequence[float]) -> None:
        """Take in the arrivals of a slot, one after another.

        Parameters
        ----------
        tasks : sequence of Task
        ties : sequence of float
            Routing tie of each task.
        """

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
        """Give work to the idle servers of a slot, in the order of `dispatch_order`.

        Parameters
        ----------
        slot : int

        Raises
        ------
        DecisionError
            If the policy decides what cannot be done.
        """
        if not self.n_waiting:
            return
        idle, self._idle = sorted(self._idle), []
        running = self.running
        try:
            self._assign(slot, idle)
        finally:  # observers are shown the state also if a decision is refused
            self._idle.extend([server for server in idle if running[server] is None])

    @abstractmethod
    def _assign(self, slot: int, idle: list[int]) -> None:
        """Start what the policy decides; `idle` may be put out of order."""

    @abstractmethod
    def _has_local_work(self, server: int) -> bool:
        """Return whether a server is among the first under ``dispatch_order = "locals-first"``."""

    def _in_order(self, slot: int, idle: list[int]) -> Iterable[int]:
        if self._order is DispatchOrder.INDEX:
            return idle
        order = shuffled(idle, self._draws.order_words(slot))
        return self._locals_first(order) if self._order is DispatchOrder.LOCALS_FIRST else order

    def _locals_first(self, order: Iterable[int]) -> Iterator[int]:
        deferred = []
        for server in order:
            if self._has_local_work(server):
                yield server
            else:
                deferred.append(server)
        yield from deferred

    def _start(self, server: int, task: Task, slot: int) -> None:
        """Let a server serve a task that has left its queue."""
        replicas = task.replicas
        if not self._by_replica:
            tier = self._tier_by_queue(server, task)
        elif server in replicas:
            tier = LOCAL
        else:
            tier = tier_of(server, replicas, self._groups)
        task.tier = tier
        task.server = server
        task.start = slot
        if self._first_column is None:
            rate = self._rates[tier]
            task.service = 1 if rate == 1.0 else service_time(task.luck, rate)
        else:
            task.service = task.needs[self._first_column[server] + tier]
        if self.running[server] is not None:
            raise DecisionError(
                f"slot {slot}: server {server} is busy, it cannot start {task.story()}"
            )
        self.running[server] = task
        for tell in self._told_start:
            tell(task)
        self._bells[server].ring(task)

    def _tier_by_queue(self, server: int, task: Task) -> int:
        owner = self.owners[task.queue]
        if owner < 0:
            return len(self._groups) - 1
        return tier_of(server, task.replicas if owner == server else (owner,), self._groups)

    # --- completions ------------------------------------------------------------------------------

    # Written out in each subclass: a call more for each task costs the engine some percent.
    @abstractmethod
    def complete(self, server: int, task: Task) -> None:
        """Take note that the server has completed its task.

        Parameters
        ----------
        server : int
        task : Task
        """

    # --- breakdowns -------------------------------------------------------------------------------

    def take_down(self, server: int) -> tuple[Task | None, list[Task]]:
        """Take note that a server cannot be reached.

        Parameters
        ----------
        server : int

        Returns
        -------
        (Task or None, list of Task)
            The task that it ran, and those that waited in its queues: out of the books, to be
            accepted anew.
        """
        aborted = self.running[server]
        if aborted is None:
            self._idle.remove(server)
        else:
            self.running[server] = None
            if self._counts_service:
                self.lengths[aborted.queue] -= 1
        return aborted, []

    @abstractmethod
    def bring_up(self, server: int) -> None:
        """Take note that a server can be reached again; it will ask for work itself.

        Parameters
        ----------
        server : int
        """

    @abstractmethod
    def waiting_tasks(self) -> Iterator[Task]:
        """Yield every waiting task.

        Yields
        ------
        Task
        """

    @abstractmethod
    def withdraw(self, tasks: set[Task]) -> None:
        """Take waiting tasks out of the books.

        Parameters
        ----------
        tasks : set of Task
        """

    def refresh(  # noqa: B027
        self, replicas: ReplicaMap, tie: Callable[[Task], float]
    ) -> None:
        """Take note of the chunks whose replicas have changed.

        Waiting tasks share the lists of the map, so a rule over queues need not be told.

        Parameters
        ----------
        replicas : ReplicaMap
        tie : callable
            From a task to its routing tie.
        """

    def shown_lengths(self) -> list[int]:
        """Return the lengths as they are, whatever policies are shown for queues of dead servers.

        Returns
        -------
        list of int, length n_queues
        """
        return self.lengths

    def _refuse_completion(self, server: int, task: Task) -> NoReturn:
        raise DecisionError(f"server {server} completed what it does not run: {task.story()}")


def shuffled(idle: list[int], words: list[int]) -> Iterator[int]:
    """Yield the servers in random order, shuffled only as far as asked (Fisher-Yates).

    Parameters
    ----------
    idle : list of int
        Servers, ascending; put out of order.
    words : list of int
        32-bit words, one a step.

    Yields
    ------
    int

    Examples
    --------
    >>> list(shuffled([0, 1, 2], [2**31, 0, 0]))
    [1, 0, 2]
    """
    n = len(idle)
    for i in range(n):
        j = i + (words[i] * (n - i) >> 32)
        server = idle[j]
        idle[j] = idle[i]
        idle[i] = server
        yield server
