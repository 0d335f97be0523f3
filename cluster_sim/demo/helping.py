"""Priority, but its helpers take from any queue above the threshold: what a lesson compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality, QueuePolicy, ratio
from cluster_sim.policies.choices import NO_QUEUE, shortest

__all__ = ["HelpAnyone"]


@final
@dataclass(frozen=True)
class HelpAnyone(QueuePolicy):
    """Join the shortest local queue; serve the own queue, else a random one above alpha / gamma.

    All but the choice of whom to help is as in `cluster_sim.policies.priority.Priority`.
    """

    name: ClassVar[str] = "help-anyone"
    title: ClassVar[str] = "Priority with a random queue above the threshold, not the longest"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.UNKNOWN, Optimality.UNKNOWN, "for a lesson only"
    )

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the threshold."""
        return (ratio(rates[0], rates[-1]),)

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
        """Return the own queue if a task waits there, else a random one above the threshold."""
        if waiting[server] > 0:
            return server
        n_long = 0
        for queue in range(len(waiting)):
            if waiting[queue] > 0 and lengths[queue] > constants[0]:
                n_long += 1
        skip = int(tie * n_long)
        for queue in range(len(waiting)):
            if waiting[queue] > 0 and lengths[queue] > constants[0]:
                if skip == 0:
                    return queue
                skip -= 1
        return NO_QUEUE
