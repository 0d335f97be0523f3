"""Tell observers of a compiled run what happened, from the loop's event buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.kernels.codes import Event
from cluster_sim.model.task import Task
from cluster_sim.model.workload import ArrivalBatch
from cluster_sim.randomness import Key, Stream, block
from cluster_sim.recording.observer import Observer, ObserverHub

__all__ = ["EventFeed"]


class EventFeed:
    """The observers of a compiled run, and the tasks in the system as they know them.

    Parameters
    ----------
    observers : sequence of Observer
    key : Key

    Attributes
    ----------
    is_needed : bool
        Whether there are observers.
    """

    def __init__(self, observers: Sequence[Observer], key: Key) -> None:
        self._hub = ObserverHub(observers)
        self.is_needed = len(observers) > 0
        self._key = key
        self._tasks: dict[int, Task] = {}
        self._batch: ArrivalBatch | None = None

    def take_batch(self, batch: ArrivalBatch) -> None:
        """Remember the batch that the next events belong to.

        Parameters
        ----------
        batch : ArrivalBatch
        """
        self._batch = batch

    def tell(self, events: npt.NDArray[np.int64]) -> None:
        """Tell the observers of the events in the buffer.

        Parameters
        ----------
        events : int64 array, shape (n, 7)
            Slot, `Event`, task, server, queue, tier, service.
        """
        for slot, kind, number, server, queue, tier, service in events.tolist():
            if kind == Event.ARRIVAL:
                task = self._tasks[number] = self._arrived(number, slot)
                task.queue = queue
                for tell in self._hub.arrival:
                    tell(task)
            elif kind == Event.START:
                task = self._tasks[number]
                task.server, task.start, task.tier, task.service = server, slot, tier, service
                for tell in self._hub.start:
                    tell(task)
            else:
                task = self._tasks.pop(number)
                for tell in self._hub.completion:
                    tell(task)

    def _arrived(self, number: int, slot: int) -> Task:
        batch: Any = self._batch
        row = batch.replicas[number - batch.first_task].tolist()
        w0, w1, _, _ = block(self._key, Stream.TASK, number)
        luck = (((w0 >> 5) << 26) | (w1 >> 6)) * 2.0**-53
        return Task(number, slot, [server for server in row if server >= 0], luck)

    def close(self, arrays: Mapping[str, Any]) -> None:
        """Close the observers.

        Parameters
        ----------
        arrays : mapping of str to array
            The loop's arguments ``waiting``, ``lengths``, ``serving`` and ``running``.
        """
        self._hub.close(_Final(arrays, self._tasks))


class _Final:
    """The state at the end of a run, as observers may look at it."""

    def __init__(self, arrays: Mapping[str, Any], tasks: Mapping[int, Task]) -> None:
        self.waiting: list[int] = arrays["waiting"].tolist()
        self.lengths: list[int] = arrays["lengths"].tolist()
        serving, running = arrays["serving"].tolist(), arrays["running"].tolist()
        self.running: list[Task | None] = [
            None if queue < 0 else tasks.get(number)
            for queue, number in zip(serving, running, strict=True)
        ]
        self.n_waiting = sum(self.waiting)
        self.n_in_service = sum(queue >= 0 for queue in serving)
