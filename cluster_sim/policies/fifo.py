"""One global queue: first come, first served by whoever is idle, near the data or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import SHARED, Guarantee, Optimality, QueuePolicy
from cluster_sim.policies.choices import NO_QUEUE

__all__ = ["Fifo"]


@final
@dataclass(frozen=True)
class Fifo(QueuePolicy):
    """One queue of nobody; any idle server takes its head.

    Under the reading ``service_tier = "replica"`` a task is local where it happens to meet its
    chunk; under ``"queue"`` the global queue is nobody's, so every service is remote.
    """

    name: ClassVar[str] = "fifo"
    title: ClassVar[str] = "FIFO: one global queue, any idle server"
    paper: ClassVar[str] = "the default of early Hadoop, without its locality preference"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "blind to locality: most services are remote in a large cluster",
    )

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return the single queue of nobody."""
        return [SHARED]

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
        """Return the global queue."""
        return 0

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
        """Return the global queue if a task waits there."""
        return 0 if waiting[0] > 0 else NO_QUEUE
