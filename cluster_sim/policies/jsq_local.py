"""Join the shortest local queue, and nobody serves remotely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.choices import shortest
from cluster_sim.policies.own_queues import OwnQueuePolicy

__all__ = ["JSQLocal"]


@final
@dataclass(frozen=True)
class JSQLocal(OwnQueuePolicy):
    """Join the shortest of the task's local queues; a server serves its own queue only.

    References
    ----------
    Cruise, Jonckheere, Shneer, "Stability of JSQ in queues with general server-job class
    compatibilities", Queueing Systems 95, 2020: stable if and only if some static routing to local
    servers is.
    """

    name: ClassVar[str] = "jsq-local"
    title: ClassVar[str] = "JSQ over the local queues, no remote service"
    paper: ClassVar[str] = "Cruise, Jonckheere, Shneer, Queueing Systems 95, 2020"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "stable exactly where local service alone suffices; loses the helpers' capacity",
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
        """Return the shortest of the task's local queues."""
        return shortest(replicas, lengths, tie_break, tie)
