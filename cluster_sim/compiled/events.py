"""Tell observers of a compiled run what happened, from the loop's event buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.kernels.codes import Counter, Event
from cluster_sim.kernels.parts import Batch, Log, Queues
from cluster_sim.model.task import Task
from cluster_sim.recording.observer import Observer, ObserverHub

__all__ = ["EventFeed"]


class EventFeed:
    """The observers of a compiled run, and the tasks in the system as they know them.

    Parameters
    ----------
    observers : sequence of Observer
    n_servers : int

    Attributes
    ----------
    wants_events : bool
        Whether some observer is to be told of events, not only shown the state.
    look_every : int
        Slots from one look at the state to the next; 0 for none.
    """

    def __init__(self, observers: Sequence[Observer], n_servers: int) -> None:
        self._hub = ObserverHub(observers)
        self.wants_events, self.look_every = self._hub.wants_events, self._hub.look_every
        self._tasks: dict[int, Task] = {}
        self._running: list[Task | None] = [None] * n_servers
        self._batch: Batch | None = None

    def take_batch(self, batch: Batch) -> None:
        """Remember the batch that the next events belong to.

        Parameters
        ----------
        batch : Batch
        """
        self._batch = batch

    def tell(self, events: npt.NDArray[np.int64], buffers: Log) -> None:
        """Tell the observers of the events in the buffer.

        Parameters
        ----------
        events : int64 array, shape (n, 7)
            Slot, `Event`, task, server, queue, tier, service.
        buffers : Log
            With the looks.
        """
        for slot, kind, number, server, queue, tier, service in events.tolist():
            if kind == Event.ARRIVAL:
                task = self._tasks[number] = self._arrived(number, slot)
                task.queue = queue
                for tell in self._hub.arrival:
                    tell(task)
            elif kind == Event.START:
                task = self._running[server] = self._tasks.pop(number)
                task.server, task.start, task.tier, task.service = server, slot, tier, service
                for tell in self._hub.start:
                    tell(task)
            elif kind == Event.COMPLETION:
                completed, self._running[server] = self._running[server], None
                for tell in self._hub.completion:
                    tell(cast("Task", completed))
            else:
                self._show(slot, number, buffers)

    def _show(self, slot: int, row: int, buffers: Log) -> None:
        """Show a look that the loop took to those whose turn it is."""
        batch = cast("Batch", self._batch)
        offset = slot - batch.first_slot
        n_waiting = int(batch.waiting_at[offset])
        n_in_service = int(batch.in_system_at[offset]) - n_waiting
        queues = buffers.look_waiting[row], buffers.look_lengths[row]
        state = _State(*queues, n_waiting, n_in_service, self._known_running)
        for every, look in self._hub.observe:
            if slot % every == 0:
                look(slot, state)

    def _arrived(self, number: int, slot: int) -> Task:
        batch = cast("Batch", self._batch)
        at = number - batch.first_task
        replicas = [server for server in batch.replicas[at].tolist() if server >= 0]
        return Task(number, slot, replicas, float(batch.lucks[at]))

    @property
    def _known_running(self) -> list[Task | None] | None:
        return self._running if self.wants_events else None

    def close(self, queues: Queues, counters: npt.NDArray[np.int64]) -> None:
        """Close the observers.

        Parameters
        ----------
        queues : Queues
        counters : int64 array
            See `Counter`.
        """
        numbers = int(counters[Counter.N_WAITING]), int(counters[Counter.N_IN_SERVICE])
        self._hub.close(_State(queues.waiting, queues.lengths, *numbers, self._known_running))


class _State:
    """The state of a compiled run, as observers may look at it."""

    def __init__(
        self,
        waiting: npt.NDArray[np.int32],
        lengths: npt.NDArray[np.int32],
        n_waiting: int,
        n_in_service: int,
        running: list[Task | None] | None,
    ) -> None:
        self.waiting: list[int] = waiting.tolist()
        self.lengths: list[int] = lengths.tolist()
        self.n_waiting, self.n_in_service = n_waiting, n_in_service
        self._running = running

    @property
    def running(self) -> list[Task | None]:
        if self._running is None:
            raise ScenarioError(
                "an observer asks who serves what (state.running), which the compiled engine "
                "follows only for observers that define arrival(), start(), completion() or "
                'close(); define one of them, or use engine = "simpy"'
            )
        return self._running
