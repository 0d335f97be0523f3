"""MaxWeight over the local queues, without a common queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality, QueuePolicy, in_proportion
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, NO_QUEUE, shortest

__all__ = ["MaxWeight"]


@final
@dataclass(frozen=True)
class MaxWeight(QueuePolicy):
    """Join the shortest local queue; serve the queue of the largest rate times length.

    An idle server weighs every queue by its length times the rate of the tier between the server
    and the queue's owner: alpha Q_m for its own, beta Q_n in its rack, gamma Q_n elsewhere.

    Notes
    -----
    Ties under the reading `tie_break`: ``random`` is uniform over all queues of the largest weight,
    ``local`` takes the nearest tier among them and is uniform within it, ``index`` takes the lowest
    queue of the tied.

    References
    ----------
    Xie, Yekkehkhany, Lu, "Scheduling with multi-level data locality: throughput and heavy-traffic
    optimality", INFOCOM 2016, which calls it the extension of JSQ-MaxWeight.
    """

    name: ClassVar[str] = "maxweight"
    title: ClassVar[str] = "MaxWeight: rate times length over all local queues"
    paper: ClassVar[str] = "Xie, Yekkehkhany, Lu, INFOCOM 2016"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.YES,
        Optimality.NO,
        "any number of tiers; not heavy-traffic optimal in general (Xie, Yekkehkhany, Lu 2016)",
    )
    uses_longest: ClassVar[bool] = True

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the weight of a task per tier."""
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
        """Return the shortest of the task's local queues."""
        return shortest(replicas, lengths, tie_break, tie)

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
        """Return a queue of the largest weight."""
        best, best_weight = NO_QUEUE, 0.0
        for tier in range(len(constants)):
            queue = longest[tier]
            if queue != NO_QUEUE and constants[tier] * lengths[queue] > best_weight:
                best, best_weight = queue, constants[tier] * lengths[queue]
        if best == NO_QUEUE or tie_break == LOCAL_FIRST:
            return best
        # Two tiers tie at the same length only if their rates are equal; then the wider one holds
        # the nearer, so outside in, a length that was seen is not counted again.
        n_tied, seen = 0, 0
        for tier in range(len(constants) - 1, -1, -1):
            queue = longest[tier]
            if queue != NO_QUEUE and constants[tier] * lengths[queue] == best_weight:
                if tie_break == BY_INDEX:
                    best = min(best, queue)
                elif lengths[queue] != seen:
                    n_tied += n_longest[tier]
                    seen = lengths[queue]
        if n_tied < 2:
            return best
        n, seen = int(tie * n_tied), 0
        for tier in range(len(constants) - 1, -1, -1):
            queue = longest[tier]
            if queue == NO_QUEUE or lengths[queue] == seen:
                continue
            if constants[tier] * lengths[queue] == best_weight:
                if n < n_longest[tier]:
                    return queue
                n -= n_longest[tier]
                seen = lengths[queue]
        return best
