"""The events of a run as plain records: what two engines must agree on, event by event."""

from __future__ import annotations

import enum
from typing import NamedTuple

from cluster_sim.model.task import Task
from cluster_sim.recording.observer import Observer

__all__ = ["Event", "EventKind", "EventRecorder"]


class EventKind(enum.StrEnum):
    """What can happen to a task."""

    ARRIVAL = "arrival"  # it arrives and joins a queue
    START = "start"  # a server takes it from the head of its queue
    COMPLETION = "completion"  # its server is free again


class Event(NamedTuple):
    """One event; two runs have the same trajectory if their events are equal, in order.

    Parameters
    ----------
    slot : int
    kind : EventKind
    task : int
        The task's number.
    server : int or None
        None on arrival.
    queue : int
        The queue that the task joined.
    tier : int or None
        None on arrival.
    """

    slot: int
    kind: EventKind
    task: int
    server: int | None
    queue: int
    tier: int | None

    @classmethod
    def of_arrival(cls, task: Task) -> Event:
        """Return the arrival of a task that has joined its queue."""
        return cls(task.arrival, EventKind.ARRIVAL, task.number, None, task.queue, None)

    @classmethod
    def of_start(cls, task: Task) -> Event:
        """Return the start of a task."""
        return cls(task.start, EventKind.START, task.number, task.server, task.queue, task.tier)

    @classmethod
    def of_completion(cls, task: Task) -> Event:
        """Return the completion of a task."""
        end = task.start + task.service
        return cls(end, EventKind.COMPLETION, task.number, task.server, task.queue, task.tier)


class EventRecorder(Observer):
    """Keep every event in memory; for short runs and tests. `EventLog` writes to disk instead.

    Attributes
    ----------
    events : list of Event
        In the order in which they happened.

    Examples
    --------
    >>> from cluster_sim.model.task import Task
    >>> task = Task(0, arrival=3, replicas=[1, 2], luck=0.5)
    >>> task.queue = 2
    >>> recorder = EventRecorder()
    >>> recorder.arrival(task)
    >>> recorder.events == [(3, "arrival", 0, None, 2, None)]
    True
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def arrival(self, task: Task) -> None:
        """Keep an arrival."""
        self.events.append(Event.of_arrival(task))

    def start(self, task: Task) -> None:
        """Keep a start."""
        self.events.append(Event.of_start(task))

    def completion(self, task: Task) -> None:
        """Keep a completion."""
        self.events.append(Event.of_completion(task))
