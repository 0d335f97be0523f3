"""JSQ-MaxWeight with a common remote queue, the rival in the paper's evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import SHARED, Guarantee, Optimality, QueuePolicy, in_proportion
from cluster_sim.policies.choices import (
    BY_INDEX,
    NO_QUEUE,
    UNIFORMLY,
    count_shortest,
    nth_shortest,
)

__all__ = ["JSQMaxWeight"]


@final
@dataclass(frozen=True)
class JSQMaxWeight(QueuePolicy):
    """Join the shortest local or common queue; serve the larger of alpha Q_m, gamma Q_common.

    Queue m is server m's; queue M is common to all. If nothing waits in the chosen queue, the other
    is served.

    Notes
    -----
    Ties under the reading `tie_break`: ``random`` is uniform over all shortest queues, and over the
    two equal weights; ``local`` and ``index`` prefer local queues to the common one.

    References
    ----------
    Wang, Zhu, Ying, Tan, Zhang, "A throughput optimal algorithm for map task scheduling in
    MapReduce with data locality", SIGMETRICS Performance Evaluation Review 40(4), 2013; the paper,
    sections 1.2 and 6.
    """

    name: ClassVar[str] = "jsq-maxweight"
    title: ClassVar[str] = "JSQ-MaxWeight: local queues and one common remote queue"
    paper: ClassVar[str] = "Wang, Zhu, Ying, Tan, Zhang, SIGMETRICS PER 40(4), 2013"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.YES,
        Optimality.CONDITIONAL,
        "heavy-traffic optimal only where all traffic is local to overloaded servers "
        "(paper, section 1.2)",
    )

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return one queue a server and one of nobody."""
        return [*range(n_servers), SHARED]

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the weights of a local and of a common task."""
        return in_proportion((rates[0], rates[-1]))

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
        """Return the shortest of the local queues and the common queue."""
        common = len(lengths) - 1
        n_local = count_shortest(replicas, lengths)
        local = nth_shortest(replicas, lengths, 0)
        if lengths[common] < lengths[local]:
            return common
        if tie_break == BY_INDEX:
            return local
        n_tied = n_local
        if tie_break == UNIFORMLY and lengths[common] == lengths[local]:
            n_tied += 1
        n = int(tie * n_tied)
        if n == n_local:
            return common
        return nth_shortest(replicas, lengths, n)

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
        """Return the queue of the larger weight, or the other if nothing waits there."""
        common = len(lengths) - 1
        if waiting[server] == 0:
            return common if waiting[common] > 0 else NO_QUEUE
        if waiting[common] == 0:
            return server
        own_weight = constants[0] * lengths[server]
        common_weight = constants[1] * lengths[common]
        if own_weight > common_weight:
            return server
        if own_weight < common_weight:
            return common
        return common if tie_break == UNIFORMLY and tie >= 0.5 else server
