"""A run led from outside: each decision is asked for, one after another."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import simpy

from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.emulator.emulator import TASKS_AT_ONCE, Emulator
from cluster_sim.emulator.scheduler import CentralScheduler
from cluster_sim.errors import ScenarioError
from cluster_sim.model.readings import RoutingView
from cluster_sim.model.task import Task
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, ObserverHub
from cluster_sim.system import System

__all__ = ["Decision", "Routing", "Serving", "SteppedEmulator"]


@dataclass(frozen=True)
class Routing:
    """An arriving task asks which queue to join.

    Parameters
    ----------
    slot : int
    task : Task
    arguments : tuple
        What the policy's ``route`` would be called with.
    """

    slot: int
    task: Task
    arguments: tuple[object, ...]


@dataclass(frozen=True)
class Serving:
    """An idle server asks which queue to take a task from; tasks wait somewhere.

    Parameters
    ----------
    slot, server : int
    arguments : tuple
        What the policy's ``serve`` would be called with.
    """

    slot: int
    server: int
    arguments: tuple[object, ...]


Decision = Routing | Serving


class SteppedScheduler(CentralScheduler):
    """The central scheduler, which performs and checks what it is told instead of a policy's word.

    Parameters
    ----------
    env, system, draws, observers
        As for `CentralScheduler`.
    """

    def __init__(
        self, env: simpy.Environment, system: System, draws: DispatchDraws, observers: ObserverHub
    ) -> None:
        super().__init__(env, system, draws, observers)
        self._told = NO_QUEUE
        self._seen: tuple[object, ...] = ()
        told: Any = self._as_told  # takes the arguments of either
        self._route, self._serve = told, told
        self._own_first = False  # who leads is asked for every idle server
        self._reads_tie = True

    def _as_told(self, *arguments: object) -> int:
        self._seen = arguments
        return self._told

    def routing(self, task: Task, tie: float) -> tuple[object, ...]:
        """Return what a policy's ``route`` would be called with for a task.

        Parameters
        ----------
        task : Task
        tie : float

        Returns
        -------
        tuple
        """
        least: Sequence[int] = ()
        weights: Sequence[float] = ()
        if self._weights is not None:
            least = self._weights.within(task.replicas, self._tie_break, tie)
            weights = self._weights.weights
        views = (task.replicas, self.lengths, self.waiting, least, weights)
        return (*views, self._constants, self._tie_break, tie)

    def serving(self, server: int, slot: int) -> tuple[object, ...]:
        """Return what a policy's ``serve`` would be called with for an idle server.

        Parameters
        ----------
        server, slot : int

        Returns
        -------
        tuple
        """
        self._told = NO_QUEUE
        self._decide(server, slot)
        return self._seen

    def join(self, task: Task, tie: float, queue: int) -> None:
        """Let an arriving task join a queue.

        Parameters
        ----------
        task : Task
        tie : float
        queue : int
        """
        self._told = queue
        self.accept([task], [tie])

    def take(self, server: int, slot: int, queue: int) -> None:
        """Let an idle server take the head of a queue, or nothing.

        Parameters
        ----------
        server, slot, queue : int
        """
        self._told = queue
        self._assign(slot, [server])

    def askers(self, slot: int) -> Iterator[int]:
        """Yield the idle servers of a slot as long as tasks wait; `take` between two of them.

        Parameters
        ----------
        slot : int

        Yields
        ------
        int
        """
        if not self.n_waiting:
            return
        idle, self._idle = sorted(self._idle), []
        try:
            for server in self._in_order(slot, idle):
                if not self.n_waiting:
                    break
                yield server
        finally:
            self._idle.extend([server for server in idle if self.running[server] is None])


class SteppedEmulator(Emulator):
    """A run of the SimPy engine in which somebody else than the policy decides.

    Parameters
    ----------
    system : System
        Its policy says what queues there are and what is offered to it; it decides nothing.
    key : Key
        Decides every draw.
    observers : sequence of Observer
        Who is told.

    Raises
    ------
    ScenarioError
        If arrivals do not see live lengths, or servers or chunks change during the run.
    PolicyError
        If the system's policy is a task policy.
    """

    scheduler: SteppedScheduler

    def __init__(self, system: System, key: Key, observers: Sequence[Observer] = ()) -> None:
        policy = system.queue_policy
        if system.reading.routing_view is not RoutingView.LIVE:
            raise ScenarioError(
                f'routing_view = "{system.reading.routing_view.value}": a run led from outside '
                'shows live lengths; use routing_view = "live"'
            )
        if system.is_dynamic:
            raise ScenarioError(
                f"a run of policy {policy.name!r} led from outside knows no breakdowns and no "
                "changing replicas; leave out these tables of the scenario"
            )
        super().__init__(system, key, observers)

    def _make_scheduler(self, draws: DispatchDraws) -> SteppedScheduler:
        return SteppedScheduler(self.env, self.system, draws, self.observers)

    @property
    def n_in_system(self) -> int:
        """Tasks waiting and in service, now."""
        scheduler = self.scheduler
        return scheduler.n_waiting + sum(task is not None for task in scheduler.running)

    def decisions(self, n_slots: int) -> Generator[Decision | int, int, None]:
        """Go through the slots; stop at each decision for its answer.

        Parameters
        ----------
        n_slots : int

        Yields
        ------
        Decision or int
            At the observation point of each slot, the tasks in the system; what is sent back is
            ignored. At each decision, the decision; a queue is to be sent back, or `NO_QUEUE` for
            a server.
        """
        scheduler, slot = self.scheduler, 0
        for batch in self.system.workload.batches(self._key, n_slots):
            for tasks, ties in chain.from_iterable(map(self._arrivals, batch.split(TASKS_AT_ONCE))):
                # Nothing but the ends of services is in SimPy's queue.
                while self.env.peek() <= slot:
                    self.env.step()
                for every, look in self.observers.observe:
                    if slot % every == 0:
                        look(slot, self.state)
                yield self.n_in_system
                for task, tie in zip(tasks, ties, strict=True):
                    queue = yield Routing(slot, task, scheduler.routing(task, tie))
                    scheduler.join(task, tie, queue)
                for server in scheduler.askers(slot):
                    queue = yield Serving(slot, server, scheduler.serving(server, slot))
                    scheduler.take(server, slot, queue)
                slot += 1
