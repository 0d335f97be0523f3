"""What the theory needs to know of a run, slot by slot, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.decomposition import Decomposition
from cluster_sim.theory.task_types import BoolArray, FloatArray, IntArray

__all__ = ["RunRecord", "check_record"]


@dataclass(frozen=True, eq=False)
class RunRecord:
    """Queues, decisions, completions and arrivals of consecutive slots.

    Queue m is the one of server m. Lengths count waiting tasks and tasks in service.

    Attributes
    ----------
    queues : int64 array, shape (n_slots + 1, n_servers)
        Q(t): lengths at the observation point of each slot, and after the last.
    serving : int64 array, shape (n_slots, n_servers)
        eta(t): the queue whose task each server works on after dispatch; -1 idle.
    completed : bool array, shape (n_slots, n_servers)
        Whether that service ends with the slot.
    arrival_slot, arrival_type, arrival_queue : int64 arrays, shape (n_arrivals,)
        Slot, merged type and queue of each arriving task.
    """

    queues: IntArray
    serving: IntArray
    completed: BoolArray
    arrival_slot: IntArray
    arrival_type: IntArray
    arrival_queue: IntArray

    def __repr__(self) -> str:
        return (
            f"<RunRecord: {self.n_slots} slots, {self.n_servers} servers, "
            f"{len(self.arrival_slot)} arrivals>"
        )

    @property
    def n_slots(self) -> int:
        """Number of slots."""
        return len(self.serving)

    @property
    def n_servers(self) -> int:
        """Number of servers."""
        return int(self.serving.shape[1])

    @property
    def is_at_home(self) -> BoolArray:
        """Whether each server works on its own queue: bool array, (n_slots, n_servers)."""
        return np.equal(self.serving, np.arange(self.n_servers))

    @property
    def arrivals(self) -> IntArray:
        """A(t): tasks that join each queue: int64 array, (n_slots, n_servers)."""
        return self.count(np.ones(len(self.arrival_slot), dtype=np.bool_))

    @property
    def departures(self) -> IntArray:
        """S(t): tasks that leave each queue: int64 array, (n_slots, n_servers)."""
        slot, server = np.nonzero(self.completed)
        return self._table(slot, self.serving[slot, server])

    def count(self, chosen: BoolArray) -> IntArray:
        """Count some of the arrivals by slot and queue.

        Parameters
        ----------
        chosen : bool array, shape (n_arrivals,)

        Returns
        -------
        int64 array, shape (n_slots, n_servers)
        """
        return self._table(self.arrival_slot[chosen], self.arrival_queue[chosen])

    def _table(self, slots: IntArray, queues: IntArray) -> IntArray:
        codes = slots * self.n_servers + queues
        counts = np.bincount(codes, minlength=self.n_slots * self.n_servers)
        return counts.reshape(self.n_slots, self.n_servers).astype(np.int64)

    def local_shares(self) -> FloatArray:
        """Return the share of the slots that each server spends on its own queue.

        Returns
        -------
        float64 array, shape (n_servers,)
            rho_j of section 5.1.1, for helpers.
        """
        return np.asarray(self.is_at_home.mean(axis=0), dtype=np.float64)


def check_record(record: RunRecord, decomposition: Decomposition) -> None:
    """Check that a record can be the run of a system.

    Parameters
    ----------
    record : RunRecord
        What a run did.
    decomposition : Decomposition
        Of the system that ran.

    Raises
    ------
    ScenarioError
        If shapes disagree, an idle server completes a task, a task joins a queue that
        is not local, or ``Q(t+1) = Q(t) + A(t) - S(t)`` fails in some slot.

    References
    ----------
    Section 2.2 of the paper.
    """
    n_slots, n_servers = record.serving.shape
    shapes = (record.queues.shape, record.completed.shape)
    if n_servers != decomposition.types.n_servers or shapes != (
        (n_slots + 1, n_servers),
        (n_slots, n_servers),
    ):
        raise ScenarioError(
            f"record: queues {record.queues.shape}, serving {record.serving.shape}, completed "
            f"{record.completed.shape}: must be (n + 1, M), (n, M), (n, M) with M = "
            f"{decomposition.types.n_servers}"
        )
    idle = np.argwhere(record.completed & (record.serving < 0))
    if idle.size:
        raise ScenarioError(
            f"record: server {idle[0][1]} is idle in slot {idle[0][0]}, yet completes"
        )
    types = decomposition.types
    edges = types.owners * n_servers + types.servers
    strange = ~np.isin(record.arrival_type * n_servers + record.arrival_queue, edges)
    if strange.any():
        first = int(np.flatnonzero(strange)[0])
        raise ScenarioError(
            f"record: arrival {first} of type {record.arrival_type[first]} joins queue "
            f"{record.arrival_queue[first]}, which is not local to it"
        )
    change = np.diff(record.queues, axis=0)
    wrong = np.argwhere(change != record.arrivals - record.departures)
    if wrong.size:
        slot, queue = (int(i) for i in wrong[0])
        raise ScenarioError(
            f"record: queue {queue} changes by {change[slot, queue]} in slot {slot}, but arrivals "
            f"less departures are {record.arrivals[slot, queue] - record.departures[slot, queue]}; "
            "lengths must count tasks in service"
        )
