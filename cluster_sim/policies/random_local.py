"""A random local queue, and nobody serves remotely: the baseline without any balancing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.own_queues import OwnQueuePolicy

__all__ = ["RandomLocal"]


@final
@dataclass(frozen=True)
class RandomLocal(OwnQueuePolicy):
    """Join one of the task's local queues, uniformly; a server serves its own queue only.

    The choice is the policy itself, not a tie: no reading of `tie_break` changes it.
    """

    name: ClassVar[str] = "random-local"
    title: ClassVar[str] = "A random local queue, no remote service"
    paper: ClassVar[str] = "the random server of Xie and Lu, ISIT 2012"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "stable exactly where an even split over each task's replicas overloads no server",
    )

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
        """Return a random local queue."""
        return replicas[int(tie * len(replicas))]
