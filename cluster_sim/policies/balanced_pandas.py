"""Balanced-PANDAS: join the least weighted workload over all servers; GB-PANDAS with more tiers."""

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
from cluster_sim.policies.choices import NO_QUEUE

__all__ = ["BalancedPandas"]


@final
@dataclass(frozen=True)
class BalancedPandas(QueuePolicy):
    """Join the server where weighted workload over service rate is least; serve the own only.

    Each server has a sub-queue for each tier: queue ``t * M + m`` holds the tasks that came to
    server m though their data is t tiers away. The weighted workload of a server is the mean time
    that it needs for all of them, W_m = sum over t of Q_m^t / rate_t. An arriving task compares
    W_m / rate_t over all servers, t being the tier at which m would run it, and joins the
    sub-queue t of the least. An idle server takes from its own sub-queues, the local one first, and
    never from another server.

    Notes
    -----
    For two tiers and for three this is Balanced-PANDAS, for any number GB-PANDAS, with the same
    rates at all servers.

    Ties go to the faster tier, whatever the reading `tie_break` says; within a tier, ``random`` and
    ``local`` are uniform, ``index`` takes the lowest server. W is exact, in whole numbers in
    proportion to the service times.

    An idle server has W = 0, so it is preferred to any busy one, however slow it would be: at low
    load and with a small gamma some tasks go far that had better waited. Under the reading
    ``queue_length = "waiting"`` a server that works looks idle, and W misses its task.

    References
    ----------
    Xie, Yekkehkhany, Lu, "Scheduling with multi-level data locality: throughput and heavy-traffic
    optimality", INFOCOM 2016, for three tiers. Yekkehkhany, Hojjati, Hajiesmaili, "GB-PANDAS:
    throughput and heavy-traffic optimality analysis for affinity scheduling", 2017
    (arXiv:1709.08115).
    """

    name: ClassVar[str] = "balanced-pandas"
    title: ClassVar[str] = "Balanced-PANDAS: the least weighted workload of all servers"
    paper: ClassVar[str] = "Xie, Yekkehkhany, Lu, INFOCOM 2016"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.YES,
        Optimality.CONDITIONAL,
        "any number of tiers; heavy-traffic optimal with two tiers, and with three where "
        "beta^2 > alpha gamma (Xie, Yekkehkhany, Lu 2016)",
    )
    uses_least: ClassVar[bool] = True
    takes_own_first: ClassVar[bool] = True

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return one sub-queue a server and tier, tier by tier."""
        return [*range(n_servers)] * n_tiers

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the service time of each tier, in proportion."""
        return in_inverse_proportion(rates)

    @staticmethod
    def weigh(server: int, lengths: Sequence[int], constants: Sequence[float]) -> float:
        """Return the weighted workload: the time that the server needs for all its tasks."""
        n_servers = len(lengths) // len(constants)
        workload = 0.0
        for tier in range(len(constants)):
            workload += constants[tier] * lengths[tier * n_servers + server]
        return workload

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
        """Return the sub-queue where weighted workload over rate is least."""
        best = least[0]
        best_time = weights[best] * constants[0]
        for tier in range(1, len(least)):
            time = weights[least[tier]] * constants[tier]
            # A server nearer than this tier was less, or tied, at its own.
            if time < best_time:
                best = tier * len(weights) + least[tier]
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
        """Return the nearest of the own sub-queues with a waiting task."""
        n_servers = len(waiting) // len(constants)
        for tier in range(len(constants)):
            if waiting[tier * n_servers + server] > 0:
                return tier * n_servers + server
        return NO_QUEUE
