"""Full records on request, streamed to disk: one row an event, or one row a task."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cluster_sim.model.task import Task
from cluster_sim.recording.events import EventKind
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.recording.rows import RowFile

__all__ = ["EVENT_COLUMNS", "TASK_COLUMNS", "EventLog", "TaskLog"]

EVENT_COLUMNS = ("slot", "event", "task", "server", "queue", "tier")
TASK_COLUMNS = ("task", "arrival", "start", "completion", "queue", "server", "tier", "replicas")

_ARRIVAL, _START, _COMPLETION = (kind.value for kind in EventKind)


def _tier_labels(tier_names: Sequence[str]) -> Sequence[str | int]:
    """Return what to write for each tier: its name, or its number where there are no names."""
    return tuple(tier_names) or range(sys.maxsize)


class EventLog(Observer):
    """Write every event to a CSV file, in the order in which they happen.

    The columns are `EVENT_COLUMNS`; server and tier are blank on arrival. The file appears under
    its name at the end of the run. If the run is interrupted or fails, it holds what happened until
    then.

    Parameters
    ----------
    path : str or path-like
        Compressed with gzip if it ends in ``.gz``.
    tier_names : sequence of str
        Names for the column ``tier``, e.g. ``cluster.tier_names``; by default tiers are numbers.

    Raises
    ------
    ScenarioError
        If the file cannot be created there.
    """

    def __init__(self, path: str | os.PathLike[str], *, tier_names: Sequence[str] = ()) -> None:
        self._tiers = _tier_labels(tier_names)
        self._file = RowFile(path, EVENT_COLUMNS, what="event log")

    def arrival(self, task: Task) -> None:
        """Write an arrival."""
        self._file.write((task.arrival, _ARRIVAL, task.number, "", task.queue, ""))

    def start(self, task: Task) -> None:
        """Write a start."""
        tier = self._tiers[task.tier]
        self._file.write((task.start, _START, task.number, task.server, task.queue, tier))

    def completion(self, task: Task) -> None:
        """Write a completion."""
        end, tier = task.start + task.service, self._tiers[task.tier]
        self._file.write((end, _COMPLETION, task.number, task.server, task.queue, tier))

    def close(self, state: StateView) -> None:  # noqa: ARG002
        """Give the file its name."""
        self._file.close()


class TaskLog(Observer):
    """Write every completed task to a CSV file, in the order of completion.

    The columns are `TASK_COLUMNS`: arrival, start and completion are slots, the replicas are the
    servers that hold the chunk, separated by blanks. The file appears under its name at the end of
    the run. If the run is interrupted or fails, it holds the tasks completed until then.

    Parameters
    ----------
    path : str or path-like
        Compressed with gzip if it ends in ``.gz``.
    tier_names : sequence of str
        Names for the column ``tier``, e.g. ``cluster.tier_names``; by default tiers are numbers.

    Raises
    ------
    ScenarioError
        If the file cannot be created there.
    """

    def __init__(self, path: str | os.PathLike[str], *, tier_names: Sequence[str] = ()) -> None:
        self._tiers = _tier_labels(tier_names)
        self._file = RowFile(path, TASK_COLUMNS, what="task log")

    def completion(self, task: Task) -> None:
        """Write a task."""
        self._file.write(
            (
                task.number,
                task.arrival,
                task.start,
                task.start + task.service,
                task.queue,
                task.server,
                self._tiers[task.tier],
                " ".join(map(str, task.replicas)),
            )
        )

    def close(self, state: StateView) -> None:  # noqa: ARG002
        """Give the file its name."""
        self._file.close()
