"""Tasks of a trace in slots: when they arrive, and how time is scaled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster_sim.errors import ScenarioError, TraceError
from cluster_sim.traces.tasks import TraceTasks
from cluster_sim.traces.trace import frozen_int64

__all__ = ["TraceSlots", "in_slots", "slot_seconds_for_rate"]

# Up to here a quotient in double precision is good to an eighth of a slot.
_MAX_SLOTS = 2**50


@dataclass(frozen=True, eq=False, repr=False)
class TraceSlots:
    """The tasks of a trace with the slots in which they arrive.

    Parameters
    ----------
    tasks : TraceTasks
        The tasks.
    slot_seconds : float, seconds
        Length of a slot.
    slot : int64 array, shape (n_jobs,)
        Slot in which each job arrives; the first is 0, and they never decrease.

    Notes
    -----
    All tasks of a job arrive in its slot. After the last job the trace is over: later slots
    have no arrivals.

    Examples
    --------
    >>> from cluster_sim.traces import Trace, split_jobs
    >>> mib = 2**20
    >>> trace = Trace("example", [3, 4, 9], [130 * mib, mib, 64 * mib], [0, 1, 0], ("a", "b"))
    >>> slots = in_slots(split_jobs(trace), 2.0)
    >>> slots
    <TraceSlots of 'example': 5 tasks in 4 slots of 2.0 seconds>
    >>> counts, chunks = slots.window(0, 4)
    >>> counts, chunks
    (array([4, 0, 0, 1]), array([0, 1, 2, 3, 0]))
    """

    tasks: TraceTasks
    slot_seconds: float
    slot: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "slot", frozen_int64(self.slot))

    @property
    def n_slots(self) -> int:
        """Number of slots: that of the last arrival, plus one."""
        return int(self.slot[-1]) + 1

    @property
    def rate(self) -> float:
        """Mean arrival rate, tasks per slot: the tasks over `n_slots`."""
        return self.tasks.n_tasks / self.n_slots

    @property
    def peak_rate(self) -> int:
        """Most tasks that arrive in one slot."""
        starts = np.flatnonzero(np.diff(self.slot, prepend=-1))
        return int(np.add.reduceat(self.tasks.n_job_tasks, starts).max())

    def counts(self, first_slot: int, n: int) -> NDArray[np.int64]:
        """Return the number of tasks that arrive in each of `n` slots.

        Parameters
        ----------
        first_slot : int
            The first slot, from 0; may lie after the end of the trace.
        n : int
            How many slots.

        Returns
        -------
        int64 array, shape (n,), tasks
            Zero after the end of the trace.

        Raises
        ------
        TraceError
            If `first_slot` or `n` is negative.
        """
        return np.diff(self._first_tasks(first_slot, n))

    def window(self, first_slot: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the arrivals of `n` slots.

        Parameters
        ----------
        first_slot : int
            The first slot, from 0; may lie after the end of the trace.
        n : int
            How many slots.

        Returns
        -------
        counts : int64 array, shape (n,), tasks
            Tasks that arrive in each slot.
        chunks : int64 array, shape (counts.sum(),)
            The chunk each reads, slot after slot in order of arrival.

        Raises
        ------
        TraceError
            If `first_slot` or `n` is negative.

        Notes
        -----
        Memory is that of the tasks in the window. One slot can hold a large job; where that is
        too much, take `counts` and expand by `TraceTasks.task_chunks`, whose windows are in
        tasks. `first_task` gives the number of the first one.
        """
        bounds = self._first_tasks(first_slot, n)
        first = int(bounds[0])
        return np.diff(bounds), self.tasks.task_chunks(first, int(bounds[-1]) - first)

    def first_task(self, slot: int) -> int:
        """Return the number of tasks that arrive before a slot: the number of its first task.

        Parameters
        ----------
        slot : int
            From 0; may lie after the end of the trace.

        Returns
        -------
        int
            From 0 to ``tasks.n_tasks``.

        Raises
        ------
        TraceError
            If `slot` is negative.
        """
        return int(self._first_tasks(slot, 0)[0])

    def _first_tasks(self, first_slot: int, n: int) -> NDArray[np.int64]:
        """Return the number of the first task of slots first_slot to first_slot + n."""
        if first_slot < 0 or n < 0:
            raise TraceError(
                f"{self.tasks.trace.source}: {n} slots from slot {first_slot} on: "
                "neither may be negative"
            )
        slots = np.arange(first_slot, first_slot + n + 1, dtype=np.int64)
        return self.tasks.first_task[np.searchsorted(self.slot, slots, side="left")]

    def __repr__(self) -> str:
        return (
            f"<TraceSlots of {self.tasks.trace.source!r}: {self.tasks.n_tasks} tasks in "
            f"{self.n_slots} slots of {self.slot_seconds} seconds>"
        )


def in_slots(tasks: TraceTasks, slot_seconds: float) -> TraceSlots:
    """Return the tasks with the slots in which they arrive.

    Parameters
    ----------
    tasks : TraceTasks
        The tasks of the trace.
    slot_seconds : float, seconds
        Length of a slot, above 0.

    Returns
    -------
    TraceSlots
        Job ``j`` arrives in slot ``floor((submit[j] - submit[0]) / slot_seconds)``.

    Raises
    ------
    ScenarioError
        If the length is not a positive number, or so small that slots cannot be counted.
    """
    if not (math.isfinite(slot_seconds) and slot_seconds > 0):
        raise ScenarioError(f"slot_seconds = {slot_seconds}: must be a finite number above 0")
    if tasks.duration_seconds / slot_seconds >= _MAX_SLOTS:
        raise ScenarioError(
            f"slot_seconds = {slot_seconds}: gives more than 2**50 slots over "
            f"{tasks.duration_seconds} seconds; must be larger"
        )
    elapsed = tasks.submit_seconds - tasks.submit_seconds[0]
    return TraceSlots(tasks, float(slot_seconds), np.floor(elapsed / slot_seconds))


def slot_seconds_for_rate(tasks: TraceTasks, rate: float) -> float:
    """Return the slot length at which a trace has a given mean arrival rate.

    Parameters
    ----------
    tasks : TraceTasks
        The tasks of the trace.
    rate : float, tasks per slot
        The mean arrival rate wanted: above 0, at most the number of tasks.

    Returns
    -------
    float, seconds
        For `in_slots`.

    Raises
    ------
    ScenarioError
        If `rate` is not a number in that range.
    TraceError
        If all jobs are submitted in the same second and would need more than one slot.

    Notes
    -----
    The mean arrival rate is the number of tasks over the number of slots, and the number of slots
    is whole. The one nearest to the wanted rate is ``N = round(n_tasks / rate)``. A trace
    of ``D`` seconds from its first submission to its last has ``floor(D / s) + 1`` slots of length
    ``s``, which is ``N`` exactly for ``D / N < s <= D / (N - 1)``. The value returned is
    ``s = D / (N - 1/2)``: the last submission lies in the middle of the last slot, away from
    rounding on either side. So ``in_slots(tasks, s).n_slots == N``, and the rate reached is
    ``n_tasks / N``, with a relative error of at most ``rate / (2 n_tasks - rate)``.

    Examples
    --------
    >>> from cluster_sim.traces import Trace, split_jobs
    >>> trace = Trace("example", range(100), [1] * 100, range(100))
    >>> tasks = split_jobs(trace)
    >>> slots = in_slots(tasks, slot_seconds_for_rate(tasks, 4.0))
    >>> slots.n_slots, slots.rate
    (25, 4.0)
    """
    if not 0 < rate <= tasks.n_tasks:  # also false for NaN
        raise ScenarioError(
            f"rate = {rate} tasks per slot: must be above 0 and at most {tasks.n_tasks}, "
            f"the tasks of {tasks.trace.source}; repeat or merge traces for more"
        )
    if tasks.n_tasks / rate > _MAX_SLOTS:
        raise ScenarioError(
            f"rate = {rate} tasks per slot: gives more than 2**50 slots; must be larger"
        )
    n_slots = round(tasks.n_tasks / rate)
    duration = tasks.duration_seconds
    if duration == 0:
        if n_slots > 1:
            raise TraceError(
                f"{tasks.trace.source}: all jobs are submitted in the same second, so all "
                f"{tasks.n_tasks} tasks arrive in one slot; a rate of {rate} tasks per slot needs "
                "jobs at different times"
            )
        return 1.0
    return duration / (n_slots - 0.5)
