"""The hypothetical single-server queue of section 5.1.1, next to a run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cluster_sim.theory.decomposition import Decomposition
from cluster_sim.theory.ideal_processes import IdealProcesses, summed_servers
from cluster_sim.theory.run_record import RunRecord, check_record
from cluster_sim.theory.task_types import FloatArray, IntArray

__all__ = ["coupled_queue", "dominance_gap", "independent_queue", "queue_path", "summed_queues"]


def queue_path(arrivals: npt.ArrayLike, service: npt.ArrayLike, *, start: int = 0) -> IntArray:
    """Return the queue that arrivals and offered service give.

    Parameters
    ----------
    arrivals, service : int64 arrays, shape (n_slots,)
        a(t) and beta(t), tasks.
    start : int
        Length before the first slot.

    Returns
    -------
    int64 array, shape (n_slots + 1,)
        ``q(t+1) = max(q(t) + a(t) - beta(t), 0)``.

    Examples
    --------
    >>> queue_path([2, 0, 0, 3], [1, 2, 1, 1]).tolist()
    [0, 1, 0, 0, 2]
    """
    net = np.cumsum(np.asarray(arrivals, dtype=np.int64) - np.asarray(service, dtype=np.int64))
    lowest = np.minimum(np.minimum.accumulate(net), -start)
    return np.concatenate([[start], net - lowest]).astype(np.int64)


def summed_queues(record: RunRecord, decomposition: Decomposition) -> IntArray:
    """Return the sum of the queues that the bounds concern.

    Parameters
    ----------
    record : RunRecord
        What the run did.
    decomposition : Decomposition
        Of the system that ran.

    Returns
    -------
    int64 array, shape (n_slots + 1,)
        Over the beneficiaries, or over all servers without them.
    """
    check_record(record, decomposition)
    summed = record.queues[:, summed_servers(decomposition)].sum(axis=1)
    return np.asarray(summed, dtype=np.int64)


def coupled_queue(ideal: IdealProcesses) -> IntArray:
    """Return the single-server queue driven by the ideal processes of a run.

    Parameters
    ----------
    ideal : IdealProcesses
        Coupled to the run.

    Returns
    -------
    int64 array, shape (n_slots + 1,)
        Never above the sum of the run's queues, slot by slot.

    Notes
    -----
    It starts where the run starts, gets the arrivals in L_B, and is offered the ideal
    service. Each slot brings it no more arrivals and no less service than the queues.

    References
    ----------
    Sections 5.1.1 and 5.1.3 of the paper.
    """
    inside = ideal.is_summed
    return queue_path(
        np.rint(ideal.arrivals[:, inside].sum(axis=1)).astype(np.int64),
        ideal.departures[:, inside].sum(axis=1),
        start=int(ideal.record.queues[0, inside].sum()),
    )


def independent_queue(
    record: RunRecord,
    decomposition: Decomposition,
    *,
    rng: np.random.Generator,
    local_shares: FloatArray | None = None,
) -> IntArray:
    """Return the single-server queue of the paper, driven by the arrivals of a run.

    Parameters
    ----------
    record : RunRecord
        What the run did.
    decomposition : Decomposition
        Of the system that ran.
    rng : numpy.random.Generator
        Draws the service.
    local_shares : float64 array, shape (n_servers,), optional
        rho of each helper; by default as measured in the run.

    Returns
    -------
    int64 array, shape (n_slots + 1,)
        Phi(t), from 0. In steady state stochastically smaller than the sum of the
        run's queues; compare with `dominance_gap`.

    Raises
    ------
    ScenarioError
        If the record is not the run of such a system.

    Notes
    -----
    Each summed server offers Bernoulli(alpha), each helper Bernoulli(gamma (1 - rho_j)).

    References
    ----------
    Section 5.1.1 of the paper; Appendix D without beneficiaries.
    """
    check_record(record, decomposition)
    inside = summed_servers(decomposition)
    shares = record.local_shares() if local_shares is None else local_shares
    chance = np.where(inside, decomposition.local_rate, decomposition.remote_rate * (1.0 - shares))
    service = (rng.random(record.serving.shape) < chance).sum(axis=1)
    own = decomposition.types.is_inside(inside)[record.arrival_type]
    return queue_path(record.count(own).sum(axis=1), service)


def dominance_gap(smaller: npt.ArrayLike, larger: npt.ArrayLike) -> float:
    """Return by how much one sample fails to be stochastically smaller than another.

    Parameters
    ----------
    smaller, larger : float64 arrays
        Samples, of any lengths.

    Returns
    -------
    float
        The largest, over x, of P(smaller > x) - P(larger > x); 0 if there is none above 0.

    Examples
    --------
    >>> dominance_gap([0, 1, 2], [1, 2, 3]), round(dominance_gap([1, 2, 3], [0, 1, 2]), 6)
    (0.0, 0.333333)
    """
    one, other = np.sort(np.asarray(smaller)), np.sort(np.asarray(larger))
    points = np.union1d(one, other)
    above_one = 1.0 - np.searchsorted(one, points, side="right") / len(one)
    above_other = 1.0 - np.searchsorted(other, points, side="right") / len(other)
    return max(float((above_one - above_other).max()), 0.0)
