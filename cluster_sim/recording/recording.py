"""A stretch of a run kept whole, in columns: what a replay or a timeline is made of."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.task import Task
from cluster_sim.recording.observer import Observer

__all__ = ["MOST_TASKS", "UNKNOWN", "Recorder", "Recording"]

UNKNOWN = -1
"""What stands for a start, a server, a tier or an end that the recording has not seen."""

MOST_TASKS = 4_000_000
"""Tasks that a recording may hold: about 200 MB."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Recording:
    """The tasks that were in the system during consecutive slots, in the order of their numbers.

    Parameters
    ----------
    first_slot, n_slots : int
        The stretch: slots `first_slot` to `first_slot` + `n_slots` - 1.
    number, arrival, queue : int64 array, shape (n_tasks,)
        The task's number, the slot of its arrival, the queue that it joined.
    start, server, tier : int64 array, shape (n_tasks,)
        When, where and at which locality tier it started; `UNKNOWN` if not within the stretch or
        before.
    end : int64 array, shape (n_tasks,)
        The slot of its completion; `UNKNOWN` if not within the stretch.
    replicas : int64 array, shape (n_tasks, width)
        The servers that hold its chunk; -1 pads shorter rows. Width 0 if they are not known.
    """

    first_slot: int
    n_slots: int
    number: Ints
    arrival: Ints
    queue: Ints
    start: Ints
    server: Ints
    tier: Ints
    end: Ints
    replicas: Ints

    def __repr__(self) -> str:
        last = self.first_slot + self.n_slots - 1
        return f"<Recording: slots {self.first_slot} to {last}, {self.n_tasks} tasks>"

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return len(self.number)

    @property
    def end_slot(self) -> int:
        """The slot after the last one."""
        return self.first_slot + self.n_slots

    @property
    def is_fifo(self) -> bool:
        """Whether every queue was served in the order of arrival."""
        order = np.lexsort((self.number, self.queue))
        queue = self.queue[order]
        start = np.where(self.start == UNKNOWN, self.end_slot, self.start)[order]
        return not ((queue[1:] == queue[:-1]) & (start[1:] < start[:-1])).any()


class Recorder(Observer):
    """Keep every task of a stretch of slots.

    Parameters
    ----------
    first_slot, n_slots : int
        The stretch. What has left before it is forgotten.
    most_tasks : int
        More than that are refused, before memory runs out.

    Examples
    --------
    >>> task = Task(0, arrival=3, replicas=[1, 2], luck=0.5)
    >>> task.queue = 2
    >>> recorder = Recorder(0, 10)
    >>> recorder.arrival(task)
    >>> recorder.recording()
    <Recording: slots 0 to 9, 1 tasks>
    """

    def __init__(self, first_slot: int, n_slots: int, *, most_tasks: int = MOST_TASKS) -> None:
        self._first, self._end = first_slot, first_slot + n_slots
        self._most = most_tasks
        self._early: dict[int, Task] | None = {}  # in the system before the stretch; None within it
        self._rows: dict[int, int] = {}  # of the tasks in the system, by number
        self._columns = {name: array("q") for name in ("number", "arrival", "queue")}
        self._columns |= {name: array("q") for name in ("start", "server", "tier", "end")}
        self._replicas = array("q")
        self._widths = array("q")

    def arrival(self, task: Task) -> None:
        """Keep a task."""
        if task.arrival >= self._end:
            return
        if self._early is not None:
            if task.arrival < self._first:
                self._early[task.number] = task
                return
            self._open()
        self._add(task)

    def start(self, task: Task) -> None:
        """Keep where and when a task started."""
        if self._early is not None:
            if task.start < self._first:
                return
            self._open()
        if task.start < self._end:
            row, columns = self._rows[task.number], self._columns
            columns["start"][row] = task.start
            columns["server"][row] = task.server
            columns["tier"][row] = task.tier

    def completion(self, task: Task) -> None:
        """Keep when a task ended."""
        end = task.start + task.service
        if self._early is not None:
            if end < self._first:
                del self._early[task.number]
                return
            self._open()
        if end < self._end:
            self._columns["end"][self._rows.pop(task.number)] = end

    def recording(self) -> Recording:
        """Return what was kept.

        Returns
        -------
        Recording
        """
        if self._early is not None:
            self._open()
        columns = {name: np.array(kept, dtype=np.int64) for name, kept in self._columns.items()}
        widths = np.array(self._widths, dtype=np.int64)
        replicas = np.full((len(widths), int(widths.max(initial=0))), -1, dtype=np.int64)
        replicas[np.arange(replicas.shape[1]) < widths[:, None]] = self._replicas
        return Recording(self._first, self._end - self._first, **columns, replicas=replicas)

    def _open(self) -> None:
        """Take over the tasks that are in the system as the stretch begins."""
        early, self._early = self._early or {}, None
        for number in sorted(early):
            task = early[number]
            row = self._add(task)
            if hasattr(task, "start") and task.start < self._first:
                for name in ("start", "server", "tier"):
                    self._columns[name][row] = getattr(task, name)

    def _add(self, task: Task) -> int:
        row = self._rows[task.number] = len(self._widths)
        if row >= self._most:
            raise ScenarioError(
                f"a recording of slots {self._first} to {self._end - 1}: more than "
                f"{self._most:,} tasks, which is too much to keep; record fewer slots"
            )
        columns = self._columns
        columns["number"].append(task.number)
        columns["arrival"].append(task.arrival)
        columns["queue"].append(task.queue)
        for name in ("start", "server", "tier", "end"):
            columns[name].append(UNKNOWN)
        self._replicas.extend(task.replicas)
        self._widths.append(len(task.replicas))
        return row
