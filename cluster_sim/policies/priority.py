"""The paper's priority algorithm: local tasks first, else the longest queue above a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import Guarantee, Optimality, QueuePolicy, ratio
from cluster_sim.policies.choices import shortest

__all__ = ["Priority"]


@final
@dataclass(frozen=True)
class Priority(QueuePolicy):
    """Join the shortest local queue; serve the own queue first, else the longest above a threshold.

    Parameters
    ----------
    threshold : float or "auto"
        A remote task is taken only from a queue longer than this (strictly). ``"auto"`` is
        alpha / gamma, the paper's T_s; ``inf`` never serves remotely.

    References
    ----------
    Xie and Lu, INFOCOM 2015, section 2.1; Theorems 1, 5 and 8.

    Examples
    --------
    >>> Priority().longest_above((1.0, 0.5))
    2.0
    """

    name: ClassVar[str] = "priority"
    title: ClassVar[str] = "Priority: local tasks first, else the longest queue"
    paper: ClassVar[str] = "Xie and Lu, INFOCOM 2015, section 2.1"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.YES,
        Optimality.YES,
        "two tiers (Theorems 1, 5, 8); not throughput-optimal with three tiers "
        "(Xie, Yekkehkhany, Lu 2016)",
    )
    uses_longest: ClassVar[bool] = True
    takes_own_first: ClassVar[bool] = True

    threshold: float | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        if self.threshold == "auto":
            return
        threshold: object = self.threshold  # a user's Python may pass anything
        is_number = isinstance(threshold, (int, float)) and not isinstance(threshold, bool)
        if not (is_number and float(self.threshold) >= 0):
            raise ScenarioError(
                f'threshold = {self.threshold!r}: must be "auto", or a number from 0 to inf; '
                'use "auto" for the paper\'s alpha / gamma'
            )

    def longest_above(self, rates: tuple[float, ...]) -> float:
        """Return the threshold T_s (paper, section 2.1)."""
        if self.threshold == "auto":
            return ratio(rates[0], rates[-1])
        return float(self.threshold)

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
        """Return the own queue if a task waits there, else the longest above the threshold."""
        if waiting[server] > 0:
            return server
        return longest[-1]
