"""What the policies without stealing share: a server serves its own queue and no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.choices import NO_QUEUE

__all__ = ["OwnQueuePolicy", "ShortestOfAllPolicy"]


@dataclass(frozen=True)
class OwnQueuePolicy(QueuePolicy):
    """One queue a server, and each server serves its own only; a subclass says who joins where."""

    takes_own_first: ClassVar[bool] = True

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


@dataclass(frozen=True)
class ShortestOfAllPolicy(OwnQueuePolicy):
    """The same, where a task looks at all servers; each weighs as much as its queue is long."""

    uses_least: ClassVar[bool] = True

    @staticmethod
    def weigh(server: int, lengths: Sequence[int], constants: Sequence[float]) -> float:
        """Return the length of the server's queue."""
        return float(lengths[server])
