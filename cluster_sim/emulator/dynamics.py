"""What happens besides the queues: breakdowns, tasks that come back, replicas that move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from cluster_sim.emulator.base import Scheduler
from cluster_sim.emulator.breakdowns import Breakdowns
from cluster_sim.emulator.chunks import ChunkStore
from cluster_sim.emulator.replicating import SchemeAtWork
from cluster_sim.model.task import Task, TrackedTask
from cluster_sim.policies.base import PolicyKind
from cluster_sim.randomness import Key, Stream, block, uniform
from cluster_sim.recording.disruptions import FailureRecord, ReplicationRecord
from cluster_sim.recording.observer import ObserverHub
from cluster_sim.system import System

__all__ = ["Dynamics"]


class Dynamics:
    """The part of a run that keeps track of chunks; it exists only where something can change.

    Within a slot: completions, then `slot_begins` (breakdowns and repairs, re-replication, the
    scheme), then the observation, arrivals (those that come back first), dispatch. It is also what
    observers are shown as the state: tasks that wait for a chunk count as waiting.

    Parameters
    ----------
    system : System
    key : Key
    scheduler : Scheduler
    observers : ObserverHub

    Attributes
    ----------
    n_aside : int
        Tasks that wait for a replica of their chunk.
    breakdowns : Breakdowns or None
    scheme : SchemeAtWork or None
    """

    def __init__(
        self, system: System, key: Key, scheduler: Scheduler, observers: ObserverHub
    ) -> None:
        self._system, self._key, self._scheduler = system, key, scheduler
        self._store = ChunkStore(system)
        self._replicas = self._store.replicas
        # Task policies are told of changes, so their tasks hold copies of the lists.
        self._shares = system.policy.kind is PolicyKind.QUEUE
        self.n_aside = 0
        self._aside: dict[int, list[Task]] = {}  # by chunk
        self._returning: list[Task] = []
        self._has_joined: set[int] = set()  # of the tasks aside and returning
        self._told_arrival = list(observers.arrival)
        self._told_rejoined = observers.rejoined
        self._observers = observers
        self._slot = 0
        self.breakdowns: Breakdowns | None = None
        if system.failures is not None:
            self.breakdowns = Breakdowns(system.failures, system.cluster, self._store, key)
        self.scheme: SchemeAtWork | None = None
        if not system.replication.is_static:
            self.scheme = SchemeAtWork(system, system.replication, self._store, key)
        observers.arrival[:] = [self._joined]
        observers.completion.append(self._completed)

    # --- the state that observers are shown -------------------------------------------------------

    @property
    def waiting(self) -> list[int]:
        """Waiting tasks of each queue; those aside are in none."""
        return self._scheduler.waiting

    @property
    def lengths(self) -> list[int]:
        """Lengths of the queues, as they are."""
        return self._scheduler.shown_lengths()

    @property
    def n_waiting(self) -> int:
        """Tasks that wait, for a server or for a chunk."""
        return self._scheduler.n_waiting + self.n_aside + len(self._returning)

    @property
    def n_in_service(self) -> int:
        """Tasks in service."""
        return sum(task is not None for task in self._scheduler.running)

    @property
    def running(self) -> list[Task | None]:
        """Who serves what, by server."""
        return self._scheduler.running

    @property
    def n_chunks(self) -> int:
        """Chunks that are kept track of."""
        return len(self._replicas)

    def apart(self) -> list[Task]:
        """Return the tasks that are in no queue: they wait for a chunk, or come back in this slot.

        Returns
        -------
        list of Task
        """
        return [*self._returning, *(task for tasks in self._aside.values() for task in tasks)]

    # --- a slot -----------------------------------------------------------------------------------

    def slot_begins(self, slot: int) -> tuple[list[int], list[int]]:
        """Let everything happen that comes before the observation.

        Parameters
        ----------
        slot : int

        Returns
        -------
        (list of int, list of int)
            Servers that cannot be reached any longer, and those that can be again.
        """
        self._slot = slot
        down: list[int] = []
        up: list[int] = []
        if self.breakdowns is not None:
            down, up = self._break_down(self.breakdowns, slot)
        if self.scheme is not None:
            self.scheme.slot_begins(slot)
        if self._replicas.changed:
            self._follow_chunks()
        return down, up

    def _break_down(self, breakdowns: Breakdowns, slot: int) -> tuple[list[int], list[int]]:
        change = breakdowns.step(slot)
        displaced: list[Task] = []
        for server in change.went_down:
            aborted, waited = self._scheduler.take_down(server)
            if aborted is not None:
                breakdowns.n_retried += 1
                breakdowns.redone_slots += slot - aborted.start
                displaced.append(aborted)
            breakdowns.n_rerouted += len(waited)
            displaced += waited
        for server in change.came_up:
            self._scheduler.bring_up(server)
        for server, chunks in change.wiped:
            if self.scheme is not None:
                self.scheme.wiped(server, chunks)
            for chunk in chunks:
                if chunk in self._aside and breakdowns.is_hopeless(chunk):
                    self._come_back(chunk)
        self._displace(displaced)
        breakdowns.make_copies()
        return change.went_down, change.came_up

    def _displace(self, tasks: Sequence[Task]) -> None:
        """Let tasks come back that have lost their place."""
        for task in tasks:
            for tell in self._observers.displaced:
                tell(task, self._slot)
            self._has_joined.add(task.number)
            self._returning.append(self._anew(task))

    def _anew(self, task: Task) -> Task:
        """Return a task for another attempt; if it has run, with another luck."""
        again = cast("TrackedTask", task.anew(()))  # all tasks of such a run are
        again.returns = getattr(task, "returns", 0) + 1
        if hasattr(task, "start"):
            words = block(self._key, Stream.TASK, task.number, again.returns)
            again.luck = uniform(words[0], words[1])
            if self._system.needs is not None:
                again.needs = self._system.needs.of(np.array([again.luck]))[0].tolist()
        return again

    def _come_back(self, chunk: int) -> None:
        """Let the tasks that wait for a chunk try again."""
        tasks = self._aside.pop(chunk)
        self.n_aside -= len(tasks)
        self._returning += tasks

    def _follow_chunks(self) -> None:
        """Put aside the tasks whose chunk cannot be read, and tell the policy of the others."""
        replicas, breakdowns = self._replicas, self.breakdowns
        dark = {chunk for chunk in replicas.changed if not replicas.live(chunk)}
        if dark and breakdowns is not None:
            stranded = [task for task in self._scheduler.waiting_tasks() if task.chunk in dark]
            if stranded:
                self._scheduler.withdraw(set(stranded))
                breakdowns.n_rerouted += len(stranded)
                self._displace(stranded)
        for chunk in sorted(replicas.changed & self._aside.keys()):
            if replicas.live(chunk):
                self._come_back(chunk)
        self._scheduler.refresh(replicas, self._tie)
        replicas.changed.clear()

    def _tie(self, task: Task) -> float:
        words = block(self._key, Stream.TASK, task.number, getattr(task, "returns", 0))
        return uniform(words[2], words[3])

    # --- arrivals ---------------------------------------------------------------------------------

    def joining(
        self, tasks: Sequence[Task], ties: Sequence[float]
    ) -> tuple[list[Task], list[float]]:
        """Return who joins a queue in this slot: those that come back, then the arrivals.

        Parameters
        ----------
        tasks : sequence of Task
            The arrivals.
        ties : sequence of float
            Theirs.

        Returns
        -------
        (list of Task, list of float)
        """
        back = sorted(self._returning, key=lambda task: task.number)
        self._returning.clear()
        joining, their_ties = [], []
        for task in back:
            if self._is_readable(task):
                joining.append(task)
                their_ties.append(self._tie(task))
        for task, tie in zip(tasks, ties, strict=True):
            if self._store.take_in(task) and self.breakdowns is not None:
                self.breakdowns.take_in(task.chunk)
            if self.scheme is not None:
                self.scheme.state.arrived(task)
            if self._is_readable(task):
                joining.append(task)
                their_ties.append(tie)
        return joining, their_ties

    def _is_readable(self, task: Task) -> bool:
        """Give a task the live replicas of its chunk; without any it goes aside, or fails."""
        live = self._replicas.live(task.chunk)
        if live:
            task.replicas = live if self._shares else list(live)
            return True
        assert self.breakdowns is not None  # a scheme does not take the last replica
        if self.breakdowns.is_hopeless(task.chunk):
            self._fail(task)
        else:
            self.breakdowns.n_waited += 1
            self._aside.setdefault(task.chunk, []).append(task)
            self.n_aside += 1
        return False

    def _fail(self, task: Task) -> None:
        if self.breakdowns is not None:
            self.breakdowns.n_failed += 1
        self._has_joined.discard(task.number)
        for tell in self._observers.failed:
            tell(task, self._slot)
        if self.scheme is not None:
            self.scheme.state.failed(task)
        self._store.let_go(task)

    # --- what the scheduler tells -----------------------------------------------------------------

    def _joined(self, task: Task) -> None:
        if task.number in self._has_joined:
            self._has_joined.remove(task.number)
            for again in self._told_rejoined:
                again(task, self._slot)
            return
        for tell in self._told_arrival:
            tell(task)

    def _completed(self, task: Task) -> None:
        if self.scheme is not None:
            self.scheme.has_read(task)
        self._store.let_go(task)

    # --- the end ----------------------------------------------------------------------------------

    def records(self) -> tuple[FailureRecord | None, ReplicationRecord | None]:
        """Return what the run says of its breakdowns, and of its replicas.

        Returns
        -------
        (FailureRecord or None, ReplicationRecord or None)
        """
        failures = None
        if self.breakdowns is not None:
            failures = self.breakdowns.record(self.n_aside)
        return failures, None if self.scheme is None else self.scheme.record()
