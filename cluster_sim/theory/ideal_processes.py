"""The ideal processes of section 5.1.3, coupled to what a run did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cluster_sim.theory.decomposition import Decomposition
from cluster_sim.theory.run_record import RunRecord, check_record
from cluster_sim.theory.task_types import BoolArray, FloatArray, IntArray

__all__ = ["IdealProcesses", "ideal_processes", "summed_servers"]


@dataclass(frozen=True, eq=False)
class IdealProcesses:
    """Ideal service, decisions and arrivals, next to the real ones of a run.

    Attributes
    ----------
    record : RunRecord
        The run.
    is_summed : bool array, shape (n_servers,)
        The servers whose queues are bounded: B, or all without beneficiaries.
    local_service : bool array, shape (n_slots, n_servers)
        Ideal local service; independent Bernoulli(alpha) on the summed servers.
    remote_service : bool array, shape (n_slots, n_servers)
        Ideal remote service; independent Bernoulli(gamma) on the other servers.
    decisions : int64 array, shape (n_slots, n_servers)
        Ideal scheduling decisions.
    arrivals : float64 array, shape (n_slots, n_servers)
        Ideal arrivals: shared tasks are divided among their helpers.
    """

    record: RunRecord
    is_summed: BoolArray
    local_service: BoolArray
    remote_service: BoolArray
    decisions: IntArray
    arrivals: FloatArray

    def __repr__(self) -> str:
        return f"<IdealProcesses: {self.record.n_slots} slots, {self.is_summed.sum()} queues>"

    @property
    def departures(self) -> IntArray:
        """Ideal departures of each queue: int64 array, (n_slots, n_servers)."""
        found = self.local_service.astype(np.int64)
        helping = self.remote_service & self.is_summed[self.decisions]
        slot, server = np.nonzero(helping)
        np.add.at(found, (slot, self.decisions[slot, server]), 1)
        return found

    @property
    def unused(self) -> FloatArray:
        """Unused ideal service, the part that closes the queues' recursion.

        float64 array, shape (n_slots, n_servers): ``Q(t+1) - Q(t) - A + S`` with the
        ideal A and S.
        """
        change = np.diff(self.record.queues, axis=0)
        return np.asarray(change - self.arrivals + self.departures, dtype=np.float64)


def summed_servers(decomposition: Decomposition) -> BoolArray:
    """Return the servers whose queues the bounds sum: B, or all without beneficiaries.

    Parameters
    ----------
    decomposition : Decomposition

    Returns
    -------
    bool array, shape (n_servers,)
    """
    if decomposition.n_beneficiaries:
        return decomposition.is_beneficiary
    return np.ones(decomposition.types.n_servers, dtype=np.bool_)


def _ideal_arrivals(
    record: RunRecord, decomposition: Decomposition, is_summed: BoolArray
) -> FloatArray:
    """Move the shared tasks that joined a beneficiary to their helpers, in equal parts."""
    types = decomposition.types
    arrivals = record.arrivals.astype(np.float64)
    shared = ~types.is_inside(is_summed)[record.arrival_type]
    moved = np.flatnonzero(shared & is_summed[record.arrival_queue])
    for arrival in moved:
        slot = record.arrival_slot[arrival]
        holders = np.array(types.replicas(int(record.arrival_type[arrival])))
        helpers = holders[~is_summed[holders]]
        arrivals[slot, record.arrival_queue[arrival]] -= 1.0
        arrivals[slot, helpers] += 1.0 / len(helpers)
    return arrivals


def _ideal_decisions(record: RunRecord, is_summed: BoolArray) -> IntArray:
    """Let the summed servers stay at home, and the others help the longest summed queue.

    A helper keeps the queue it chose until its service ends.
    """
    n_slots, n_servers = record.serving.shape
    decisions = np.tile(np.arange(n_servers), (n_slots, 1))
    summed = np.flatnonzero(is_summed)
    away = ~record.is_at_home & ~is_summed
    free = np.ones(n_servers, dtype=np.bool_)
    for slot in range(n_slots):
        longest = summed[int(np.argmax(record.queues[slot, summed]))]
        kept = decisions[slot - 1] if slot else np.full(n_servers, longest)
        decisions[slot] = np.where(away[slot], np.where(free, longest, kept), decisions[slot])
        free = record.completed[slot] | (record.serving[slot] < 0)
    return decisions


def ideal_processes(
    record: RunRecord, decomposition: Decomposition, *, rng: np.random.Generator
) -> IdealProcesses:
    """Couple the ideal processes to a run.

    Parameters
    ----------
    record : RunRecord
        What the run did; every service at a rate of alpha at home, gamma away (the
        reading ``service_tier = "queue"``).
    decomposition : Decomposition
        Of the system that ran.
    rng : numpy.random.Generator
        For what the coupling draws by itself.

    Returns
    -------
    IdealProcesses

    Raises
    ------
    ScenarioError
        If the record is not the run of such a system; see `check_record`.

    Notes
    -----
    On a summed server at work at home, the ideal local service is the real one; away,
    it is 1 if the remote service is, else Bernoulli((alpha - gamma) / (1 - gamma)).
    On a helper away, the ideal remote service is the real one; at home it is drawn.
    An idle server has no service to couple to, so both are drawn. Slot by slot the
    summed queues get at least the real service and at most the real arrivals.

    References
    ----------
    Section 5.1.3 of the paper; Appendix D without beneficiaries.
    """
    check_record(record, decomposition)
    alpha, gamma = decomposition.local_rate, decomposition.remote_rate
    is_summed = summed_servers(decomposition)
    shape = record.serving.shape
    home, idle = record.is_at_home, record.serving < 0
    extra = (alpha - gamma) / (1.0 - gamma) if gamma < 1.0 else 0.0
    lifted = record.completed | (rng.random(shape) < extra)
    drawn = rng.random(shape) < alpha
    ideal_local = np.where(home, record.completed, np.where(idle, drawn, lifted))
    ideal_remote = np.where(home | idle, rng.random(shape) < gamma, record.completed)
    return IdealProcesses(
        record=record,
        is_summed=is_summed,
        local_service=np.where(is_summed, ideal_local, home & record.completed),
        remote_service=ideal_remote & ~is_summed,
        decisions=_ideal_decisions(record, is_summed),
        arrivals=_ideal_arrivals(record, decomposition, is_summed),
    )
