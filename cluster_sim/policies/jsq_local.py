"""Join the shortest local queue, and nobody serves remotely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality, QueuePolicy
from cluster_sim.policies.choices import NO_QUEUE, shortest

__all__ = ["JSQLocal"]


@final
@dataclass(frozen=True)
class JSQLocal(QueuePolicy):
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
    takes_own_first: ClassVar[bool] = True

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
        """Return the own queue if a task waits there."""
        return server if waiting[server] > 0 else NO_QUEUE
