"""Little's law, exactly and over a finite run."""

from __future__ import annotations

import sys

from cluster_sim.model.task import Task
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.testing.laws import Law, LawViolation

__all__ = ["LittlesLaw"]


class LittlesLaw(Observer):
    """Check Little's law as an identity over the whole run, in constant memory.

    Raises
    ------
    LawViolation
        At the end of the run, if a side differs.

    Notes
    -----
    Let a run start empty and have T observation points, in slots 0 to T - 1. The observation point
    of slot t lies after the completions of t and before its arrivals. So a task with arrival a,
    start s and completion c is seen in the slots a < t < c and in no others: waiting where
    a < t <= s, in service where s < t < c. Counting the same pairs of task and slot in two ways,

        sum over t of N(t) = sum over arrived tasks of (min(c, T) - a - 1),
        sum over t of W(t) = sum over arrived tasks of (min(s, T - 1) - a),

    where c (s) is infinite if the task has not completed (started) by the end. With a <= s <= T - 1
    for what has happened, the right-hand sides are

        sum over arrived of (T - 1 - a) - sum over completed of (T - c),
        sum over arrived of (T - 1 - a) - sum over started of (T - 1 - s).

    Divided by T this is L = lambda W: the mean number in the system at observation points is the
    arrival rate times the mean of the completion time less one. (A task that completes in the slot
    after its arrival is never seen.)

    References
    ----------
    Little, "A proof for the queuing formula L = lambda W", Operations Research 9, 1961.
    """

    def __init__(self) -> None:
        self._n_slots = 0
        self._in_system_sum = self._waiting_sum = 0
        # Number of tasks and sum of slots, of arrivals, starts and completions.
        self._n_arrived = self._arrival_sum = 0
        self._n_started = self._start_sum = 0
        self._n_completed = self._completion_sum = 0

    def arrival(self, task: Task) -> None:
        """Add an arrival."""
        self._n_arrived += 1
        self._arrival_sum += task.arrival

    def start(self, task: Task) -> None:
        """Add a start."""
        self._n_started += 1
        self._start_sum += task.start

    def completion(self, task: Task) -> None:
        """Add a completion."""
        self._n_completed += 1
        self._completion_sum += task.start + task.service

    def observe(self, slot: int, state: StateView) -> None:
        """Add what is seen."""
        self._n_slots = slot + 1
        self._waiting_sum += state.n_waiting
        self._in_system_sum += state.n_waiting + state.n_in_service

    def close(self, state: StateView) -> None:  # noqa: ARG002
        """Check, unless the run has failed already."""
        if sys.exception() is None:
            self.check()

    def check(self) -> None:
        """Raise unless both identities hold for what has happened so far.

        Raises
        ------
        LawViolation
        """
        n_slots = self._n_slots
        arrived = self._n_arrived * (n_slots - 1) - self._arrival_sum
        in_system = arrived - (self._n_completed * n_slots - self._completion_sum)
        waiting = arrived - (self._n_started * (n_slots - 1) - self._start_sum)
        for what, seen, lived in (
            ("in the system", self._in_system_sum, in_system),
            ("waiting", self._waiting_sum, waiting),
        ):
            if seen != lived:
                raise LawViolation(
                    Law.LITTLES_LAW,
                    f"over {n_slots} observation points {seen} tasks {what} were seen in all, but "
                    f"the tasks' own times add up to {lived}",
                )
