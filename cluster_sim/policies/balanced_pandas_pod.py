"""Balanced-PANDAS-Pod: the least weighted workload of the local servers and a few others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import (
    Guarantee,
    Optimality,
    QueuePolicy,
    in_inverse_proportion,
)
from cluster_sim.policies.choices import BY_INDEX, NO_QUEUE
from cluster_sim.policies.sampling import check_samples, check_samples_of

__all__ = ["BalancedPandasPod"]


@final
@dataclass(frozen=True)
class BalancedPandasPod(QueuePolicy):
    """Compare weighted workload over rate at the replicas and at d random servers; join the least.

    As `BalancedPandas`, but each server has two sub-queues, local and remote, and an arriving task
    looks at few of the servers. The d servers are drawn from all, with replacement; a replica among
    them is no news.

    Parameters
    ----------
    d : int
        Servers to look at besides the replicas, from 1 on; M^d may be 2^46 at most, for they are
        drawn from one uniform.

    Notes
    -----
    Two kinds of service are known, local and remote, as in `JSQMaxWeight`: with racks a sampled
    server is taken as remote although it may stand beside a replica. The source samples in each
    tier; for two tiers that is the same.

    Ties go to the replicas, whatever the reading `tie_break` says; within each kind ``random`` and
    ``local`` are uniform, ``index`` takes the lowest server.

    References
    ----------
    Moaddeli, Nabati Ahmadi, Abhar, "The power of d choices in scheduling for data centers with
    heterogeneous servers", 2019 (arXiv:1904.00447).
    """

    name: ClassVar[str] = "balanced-pandas-pod"
    title: ClassVar[str] = "Balanced-PANDAS-Pod: the replicas and d random servers"
    paper: ClassVar[str] = "Moaddeli, Nabati Ahmadi, Abhar, 2019"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.UNKNOWN,
        Optimality.UNKNOWN,
        "simulated in the source: better than balanced-pandas at low and medium load, almost the "
        "same at high load",
    )
    takes_own_first: ClassVar[bool] = True

    d: int = 2

    def __post_init__(self) -> None:
        check_samples(self.d)

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return a local and a remote sub-queue of each server, all local ones first."""
        check_samples_of(self.d, n_servers)
        return [*range(n_servers)] * 2

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the two service times, in proportion, and the number of samples."""
        return (*in_inverse_proportion((rates[0], rates[-1])), float(self.d))

    @staticmethod
    def route(
        replicas: Sequence[int],
        lengths: Sequence[int],
        waiting: Sequence[int],
        least: Sequence[int],
        weights: Sequence[float],
        constants: Sequence[float],
        tie_break: int,
        tie: float,
    ) -> int:
        """Return the sub-queue where weighted workload over rate is least, of those looked at."""
        n_servers = len(lengths) // 2
        best = replicas[0]
        best_load = workload(best, lengths, constants)
        n_best = 1
        for i in range(1, len(replicas)):
            load = workload(replicas[i], lengths, constants)
            if load < best_load:
                best = replicas[i]
                best_load = load
                n_best = 1
            elif load == best_load and tie_break != BY_INDEX:
                n_best += 1
                tie *= n_best
                if tie < 1:  # the k-th of the tied takes the place with probability 1 / k
                    best = replicas[i]
                tie -= int(tie)
        best_time = best_load * constants[0]
        for _ in range(int(constants[2])):
            # What is left of the uniform, scaled up, is uniform again.
            tie *= n_servers
            server = int(tie)
            tie -= server
            time = workload(server, lengths, constants) * constants[1]
            is_lower = tie_break == BY_INDEX and time == best_time and best > n_servers + server
            if time < best_time or is_lower:
                best = n_servers + server
                best_time = time
        return best

    @staticmethod
    def serve(
        server: int,
        lengths: Sequence[int],
        waiting: Sequence[int],
        longest: Sequence[int],
        n_longest: Sequence[int],
        constants: Sequence[float],
        tie_break: int,
        tie: float,
    ) -> int:
        """Return the own local sub-queue if a task waits there, else the own remote one."""
        if waiting[server] > 0:
            return server
        remote = len(waiting) // 2 + server
        return remote if waiting[remote] > 0 else NO_QUEUE


def workload(server: int, lengths: Sequence[int], times: Sequence[float]) -> float:
    """Return the time that a server needs for its local and remote tasks.

    Parameters
    ----------
    server : int
    lengths : sequence of int, length 2 n_servers
    times : sequence of float
        Of a local and of a remote task.

    Returns
    -------
    float

    Examples
    --------
    >>> workload(1, [0, 3, 0, 2], (1.0, 2.0))
    7.0
    """
    return times[0] * lengths[server] + times[1] * lengths[len(lengths) // 2 + server]
