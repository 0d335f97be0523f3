"""Join the fastest idle queue, over all servers; if none is idle, a random local one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality, QueuePolicy, in_proportion
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.policies.jfsq import fastest_of_least

__all__ = ["JFIQ"]


@final
@dataclass(frozen=True)
class JFIQ(QueuePolicy):
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
    uses_least: ClassVar[bool] = True
    takes_own_first: ClassVar[bool] = True

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the rate of each tier, in proportion."""
        return in_proportion(rates)

    @staticmethod
    def weigh(server: int, lengths: Sequence[int], constants: Sequence[float]) -> float:
        """Return the length of the server's queue."""
        return float(lengths[server])

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
        """Return the own queue if a task waits there."""
        return server if waiting[server] > 0 else NO_QUEUE
