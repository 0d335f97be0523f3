"""Threshold-based priority: the own class first, another's only from a queue above a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import Guarantee, Optimality, ratio
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.choices import BY_INDEX
from cluster_sim.policies.task_base import Setting, TaskPolicy
from cluster_sim.policies.type_queues import TypeQueue, TypeQueues

__all__ = ["Squillante", "ThresholdPriority", "check_threshold"]


@final
@dataclass(frozen=True)
class Squillante(TaskPolicy):
    """A server takes its oldest local task; without one, the longest type queue above a threshold.

    A task type is a replica set, and has a queue. The tiers are gone through from the nearest on:
    of the types that are near enough and above the threshold of the tier, the longest is served.

    Parameters
    ----------
    threshold : float or "auto"
        A type without a replica on the server is taken only from a queue of more waiting tasks than
        this (strictly, as in `Priority`). ``"auto"`` is alpha over the rate of the tier: alpha /
        gamma for remote ones. 0 always helps, ``inf`` never.

    Notes
    -----
    In the source an empty server takes class j if Q_j >= T_j, which is ``threshold = T_j - 1``. Its
    order among several such classes is not fixed here by its text; the longest is the paper's own
    choice. Ties go to the oldest head, and under ``tie_break = "index"`` to the type of the lowest
    servers.

    With one replica a chunk there is a type for each server, and this is `Priority`, if that counts
    waiting tasks only. With three, there are C(M, 3) types, and few queues ever hold two tasks: no
    threshold from 1 on is passed before the system is far beyond its capacity.

    References
    ----------
    Squillante, Xia, Yao, Zhang, "Threshold-based priority policies for parallel-server systems with
    affinity scheduling", American Control Conference, 2001.
    """

    name: ClassVar[str] = "squillante"
    title: ClassVar[str] = "Threshold-based priority over a queue per task type"
    paper: ClassVar[str] = "Squillante, Xia, Yao, Zhang, American Control Conference, 2001"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.CONDITIONAL,
        Optimality.UNKNOWN,
        "with one replica a chunk it is the priority algorithm; where types are many their queues "
        "stay below the threshold, and nobody helps",
    )

    threshold: float | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        """Check the threshold."""
        check_threshold(self.threshold)

    def thresholds(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the threshold of each tier.

        Parameters
        ----------
        rates : tuple of float

        Returns
        -------
        tuple of float
            0 for local.

        Examples
        --------
        >>> Squillante().thresholds((0.9, 0.6, 0.3))
        (0.0, 1.5, 3.0)
        """
        if self.threshold == "auto":
            return (0.0, *(ratio(rates[0], rate) for rate in rates[1:]))
        return (0.0, *[float(self.threshold)] * (len(rates) - 1))

    def begin(self, setting: Setting) -> ThresholdPriority:
        """Return the queues of a run."""
        return ThresholdPriority(setting, self.thresholds(setting.cluster.rates))


class ThresholdPriority(TypeQueues):
    """The queues of a run: near each server the local tasks by age, the others by length.

    Parameters
    ----------
    setting : Setting
    thresholds : tuple of float, length n_tiers
    """

    def __init__(self, setting: Setting, thresholds: tuple[float, ...]) -> None:
        super().__init__(setting, goes_by_length=True)
        self._thresholds = thresholds
        self._by_index = setting.tie_break == BY_INDEX

    def key(self, queue: TypeQueue, tier: int) -> float | None:
        """Return the age of the head for local tasks, minus the length for the others."""
        if tier == 0:
            return queue.tasks[0].number
        length = len(queue.tasks)
        return -length if length > self._thresholds[tier] else None

    def second(self, queue: TypeQueue) -> tuple[int, ...]:
        """Return by what equal keys are told apart: the age of the head, or the type."""
        return queue.replicas if self._by_index else super().second(queue)

    def choose(self, server: int, slot: int) -> TypeQueue | None:
        """Return the queue of the oldest local task, else the longest of the nearest tier."""
        for tier in range(len(self._thresholds)):
            found = self.first(server, tier)
            if found is not None:
                return found[1]
        return None


def check_threshold(threshold: object) -> None:
    """Raise unless a threshold on queue lengths is one.

    Parameters
    ----------
    threshold : object
        As a scenario gives it.

    Raises
    ------
    ScenarioError
    """
    if threshold == "auto" or (is_number(threshold) and threshold >= 0):  # type: ignore[operator]
        return
    raise ScenarioError(
        f'threshold = {threshold!r}: must be "auto", or a number from 0 to inf; use "auto" for '
        "alpha over the rate of the tier"
    )
