"""Join the fastest idle queue, over all servers; if none is idle, a random local one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality, in_proportion
from cluster_sim.policies.jfsq import fastest_of_least
from cluster_sim.policies.own_queues import ShortestOfAllPolicy

__all__ = ["JFIQ"]


@final
@dataclass(frozen=True)
class JFIQ(ShortestOfAllPolicy):
    """Join the idle server that is fastest for the task; if all are busy, a random replica.

    A server is idle if its queue has length 0, and serves its own queue only.

    Notes
    -----
    In the source a task may join compatible servers only: idle or, if none is, a random one. Here
    an idle server may be anywhere, and the random one is one of the replicas.

    Ties among idle servers are broken as in `JFSQ`. The random replica is no tie: no reading of
    `tie_break` changes it. Under the reading ``queue_length = "waiting"`` a server that works and
    has nobody waiting looks idle.

    References
    ----------
    Weng, Zhou, Srikant, "Optimal load balancing with locality constraints", Proceedings of the ACM
    on Measurement and Analysis of Computing Systems 4(3), 2020 (arXiv:2008.08830).
    """

    name: ClassVar[str] = "jfiq"
    title: ClassVar[str] = "JFIQ: the fastest idle server, else a random local one"
    paper: ClassVar[str] = "Weng, Zhou, Srikant, POMACS 4(3), 2020"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.UNKNOWN,
        Optimality.NO,
        "asymptotically optimal where the rate depends on the server alone; with a replica "
        "on every server it is jiq, and shares its fate in heavy traffic",
    )

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the rate of each tier, in proportion."""
        return in_proportion(rates)

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
        """Return the fastest idle server, or a random replica."""
        best = fastest_of_least(least, weights, constants, tie_break)
        return best if weights[best] == 0 else replicas[int(tie * len(replicas))]
