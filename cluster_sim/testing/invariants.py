"""Observers that follow a run with books of their own and check every event against them."""

from __future__ import annotations

import enum
import sys
from collections import deque
from typing import NamedTuple

from cluster_sim.model.readings import QueueLength, ServiceTier
from cluster_sim.model.task import Task
from cluster_sim.policies.base import PolicyKind
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System
from cluster_sim.testing.laws import Law, LawViolation

__all__ = ["EventInvariants", "InvariantObserver"]


class _Phase(enum.IntEnum):
    COMPLETIONS = 0
    OBSERVATION = 1
    ARRIVALS = 2
    DISPATCH = 3


class _Identity(NamedTuple):
    """What a task has from its arrival on."""

    number: int
    arrival: int
    replicas: tuple[int, ...]
    luck: float
    queue: int

    @classmethod
    def of(cls, task: Task) -> _Identity:
        return cls(task.number, task.arrival, tuple(task.replicas), task.luck, task.queue)


class _Service(NamedTuple):
    """A task in service."""

    task: _Identity
    start: int
    tier: int
    service: int

    @classmethod
    def of(cls, task: Task, service: int) -> _Service:
        return cls(_Identity.of(task), task.start, task.tier, service)

    @property
    def end(self) -> int:
        return self.start + self.service


class EventInvariants(Observer):
    """Check the laws of a run at every event.

    It keeps its own queues and servers from what it is told, and looks at no engine's state, so it
    serves every engine. Its memory grows with the tasks in the system, not with those completed.
    It serves both kinds of policy. Under a task policy the pool of waiting tasks is one queue, from
    which any of them may start: FIFO is not asked of it, all other laws are.

    Parameters
    ----------
    system : System
        What is being run.

    Raises
    ------
    LawViolation
        From within the run, as soon as a law is broken: slot protocol, conservation, one task at a
        time, FIFO within a queue, non-preemption, service time.
    """

    def __init__(self, system: System) -> None:
        cluster, reading = system.cluster, system.reading
        self._system = system
        self._owners = list(system.policy.owners(cluster.n_servers, cluster.n_tiers))
        self._queues: list[deque[_Identity]] = [deque() for _ in self._owners]
        self._n_in_service = [0] * len(self._owners)  # by the queue that the tasks came from
        self._running: list[_Service | None] = [None] * cluster.n_servers
        self._is_fifo = system.policy.kind is PolicyKind.QUEUE
        self._counts_service = reading.queue_length is QueueLength.IN_SYSTEM
        self._by_replica = reading.service_tier is ServiceTier.REPLICA
        self._slot, self._phase = 0, _Phase.COMPLETIONS
        self._n_arrived = self._n_completed = 0

    @property
    def waiting(self) -> list[int]:
        """Waiting tasks per queue, by the events so far."""
        return [len(queue) for queue in self._queues]

    @property
    def lengths(self) -> list[int]:
        """Queue lengths under the reading `queue_length`, by the events so far."""
        if not self._counts_service:
            return self.waiting
        return [n + m for n, m in zip(self.waiting, self._n_in_service, strict=True)]

    # --- events ---------------------------------------------------------------------------------

    def arrival(self, task: Task) -> None:
        """Check a task that has joined its queue."""
        self._enter(task.arrival, _Phase.ARRIVALS, task)
        if task.number != self._n_arrived:
            raise self._broken(
                Law.SLOT_PROTOCOL, f"task {self._n_arrived} was to arrive next, not this", task
            )
        if not 0 <= task.queue < len(self._queues):
            raise self._broken(Law.CONSERVATION, f"there is no queue {task.queue}", task)
        self._n_arrived += 1
        self._queues[task.queue].append(_Identity.of(task))

    def start(self, task: Task) -> None:
        """Check a task that has started on its server."""
        self._enter(task.start, _Phase.DISPATCH, task)
        self._check_is_idle(task)
        self._check_may_start(task)
        service = self._checked_service_time(task)
        self._queues[task.queue].remove(_Identity.of(task))
        self._n_in_service[task.queue] += 1
        self._running[task.server] = _Service.of(task, service)

    def completion(self, task: Task) -> None:
        """Check a task that has completed."""
        is_server = 0 <= task.server < len(self._running)
        service = self._running[task.server] if is_server else None
        if service is None or service.task.number != task.number:
            runs = "nothing" if service is None else f"task {service.task.number}"
            raise self._broken(Law.ONE_AT_A_TIME, f"its server was running {runs}", task)
        if service != _Service.of(task, task.service):
            raise self._broken(
                Law.NON_PREEMPTION,
                f"it had started in slot {service.start} at tier {service.tier} for "
                f"{service.service} slots, as {service.task}",
                task,
            )
        self._enter(service.end, _Phase.COMPLETIONS, task)
        self._running[task.server] = None
        self._n_in_service[task.queue] -= 1
        self._n_completed += 1

    # --- laws -----------------------------------------------------------------------------------

    def _enter(self, slot: int, phase: _Phase, task: Task | None = None) -> None:
        """Go on to a phase of a slot, never back, and past no service that is yet to end."""
        if (slot, phase) < (self._slot, self._phase):
            raise self._broken(
                Law.SLOT_PROTOCOL,
                f"the {phase.name.lower()} of slot {slot} came after the "
                f"{self._phase.name.lower()} of slot {self._slot}",
                task,
            )
        if (slot, phase) > (self._slot, self._phase):
            due = slot - (phase is _Phase.COMPLETIONS)
            for server, service in enumerate(self._running):
                if service is not None and service.end <= due:
                    raise self._broken(
                        Law.NON_PREEMPTION,
                        f"in the {phase.name.lower()} of slot {slot} server {server} still runs "
                        f"task {service.task.number}, whose service ended in slot {service.end}",
                    )
        self._slot, self._phase = slot, phase

    def _check_is_idle(self, task: Task) -> None:
        if not 0 <= task.server < len(self._running):
            raise self._broken(Law.ONE_AT_A_TIME, f"there is no server {task.server}", task)
        busy_with = self._running[task.server]
        if busy_with is not None:
            raise self._broken(
                Law.ONE_AT_A_TIME, f"its server is running task {busy_with.task.number}", task
            )

    def _check_may_start(self, task: Task) -> None:
        is_queue = 0 <= task.queue < len(self._queues)
        queue = self._queues[task.queue] if is_queue else deque()
        mine = _Identity.of(task)
        if not queue or queue[0] != mine:
            if mine not in queue:
                raise self._broken(
                    Law.ONE_AT_A_TIME, f"no such task waits in queue {task.queue}", task
                )
            if not self._is_fifo:
                return
            raise self._broken(
                Law.FIFO, f"it started before task {queue[0].number}, which joined earlier", task
            )

    def _checked_service_time(self, task: Task) -> int:
        cluster, holders = self._system.cluster, list(task.replicas)
        if not self._by_replica:
            owner = self._owners[task.queue]
            if owner != task.server:  # at its own queue a server serves where the chunk is
                holders = [owner] if owner >= 0 else []
        tier = cluster.tier(task.server, holders)
        if task.tier != tier:
            raise self._broken(Law.SERVICE, f"its tier is {tier}", task)
        service = self._system.service_slots(task.luck, task.server, tier)
        # An engine may tell the service time at the end only; it is the task's own all the same.
        if getattr(task, "service", service) != service or service < 1:
            raise self._broken(
                Law.SERVICE, f"its luck {task.luck} gives {service} slots at tier {tier}", task
            )
        return service

    def _broken(self, law: Law, what: str, task: Task | None = None) -> LawViolation:
        story = "" if task is None else f"; {task.story()}"
        return LawViolation(
            law, f"policy {self._system.policy.name!r}, slot {self._slot}: {what}{story}"
        )


class InvariantObserver(EventInvariants):
    """Check the laws of a run at every event, and the engine's state at every observation point.

    Parameters
    ----------
    system : System
        What is being run.

    Raises
    ------
    LawViolation
        From within the run, as soon as a law is broken: those of `EventInvariants`, conservation
        and the slot protocol of the states among them.

    Examples
    --------
    >>> from cluster_sim import policies
    >>> from cluster_sim.emulator.emulator import simulate
    >>> from cluster_sim.randomness import Key
    >>> from cluster_sim.testing.systems import small_systems
    >>> for system in small_systems(policies.get("priority")):
    ...     watch = InvariantObserver(system)
    ...     result = simulate(system, Key.of(1), slots=20, observers=[watch])
    """

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._n_observed = 0

    def observe(self, slot: int, state: StateView) -> None:
        """Compare the state at the observation point with the books."""
        if slot != self._n_observed:
            raise self._broken(
                Law.SLOT_PROTOCOL, f"slot {slot} was observed, slot {self._n_observed} was due"
            )
        self._enter(slot, _Phase.OBSERVATION)
        self._n_observed += 1
        self.check_state(state)

    def arrival(self, task: Task) -> None:
        """Check a task that has joined its queue, after its slot was observed."""
        if task.arrival >= self._n_observed:
            raise self._broken(Law.SLOT_PROTOCOL, f"slot {self._n_observed} was not observed", task)
        super().arrival(task)

    def completion(self, task: Task) -> None:
        """Check a task that has completed, before the slot of its end was observed."""
        end = task.start + task.service
        if end > self._n_observed:
            raise self._broken(
                Law.NON_PREEMPTION,
                f"it completed before the observation point of slot {self._n_observed}, its "
                f"service ends in slot {end}",
                task,
            )
        super().completion(task)

    def close(self, state: StateView) -> None:
        """Compare the final state with the books, unless the run has failed already."""
        if sys.exception() is None:
            self.check_state(state)

    def check_state(self, state: StateView) -> None:
        """Raise unless a state holds exactly the tasks that the events so far put there.

        Parameters
        ----------
        state : StateView

        Raises
        ------
        LawViolation
        """
        waiting, lengths = self.waiting, self.lengths
        running = [None if service is None else service.task.number for service in self._running]
        for what, found, expected in (
            ("waiting tasks per queue", list(state.waiting), waiting),
            ("queue lengths", list(state.lengths), lengths),
            ("waiting tasks", state.n_waiting, sum(waiting)),
            ("tasks in service", state.n_in_service, sum(self._n_in_service)),
            (
                "tasks on servers",
                [None if task is None else task.number for task in state.running],
                running,
            ),
        ):
            if found != expected:
                raise self._broken(
                    Law.CONSERVATION, f"{what}: the state has {found}, the events say {expected}"
                )
        n_in_system = sum(waiting) + sum(self._n_in_service)
        if self._n_arrived != self._n_completed + n_in_system:
            raise self._broken(
                Law.CONSERVATION,
                f"{self._n_arrived} arrived, {self._n_completed} completed, {n_in_system} remain",
            )
