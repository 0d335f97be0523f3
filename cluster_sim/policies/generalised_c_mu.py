"""The generalised c-mu rule: marginal cost of waiting times rate, with a queue per task type."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import Guarantee, Optimality, in_proportion
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.task_base import Setting, TaskPolicy
from cluster_sim.policies.type_queues import TypeQueue, TypeQueues

__all__ = ["CostOf", "GeneralisedCMu", "MarginalCosts"]

MOST_EXPONENT = 32  # the power of any queue length or delay is a finite number


class CostOf(enum.StrEnum):
    """What a cost is paid for."""

    DELAY = "delay"  # by each task, for the slots that it has waited
    QUEUE = "queue"  # by each type, for the number of its waiting tasks


@final
@dataclass(frozen=True)
class GeneralisedCMu(TaskPolicy):
    """An idle server takes the head of the type of the largest marginal cost times rate.

    The cost is a convex function C of what the head of a queue has waited, or of the length of the
    queue, the same for all types: ``C(x) = linear x + x^exponent``. Ties go to the nearer tier,
    then to the oldest head.

    Parameters
    ----------
    cost_of : str
        ``"delay"`` or ``"queue"``. With many more types than tasks nearly every queue has length 1,
        and only delays tell types apart.
    exponent : float
        1 to 32. 2, quadratic cost, over queues is MaxWeight, `MaxWeightTypes`. 1, linear cost, is
        the c-mu rule: nearest first, which the theorem does not cover. The larger it is, the more
        the rule is first come, first served, and the higher the load has to be for it to pay.
    linear : float
        From 0 on. What a task costs for each slot, or in the queue, besides.

    Notes
    -----
    The rule is ``argmax_L C'(x_L) mu(L, m)``, where mu is the rate of the tier of server m for type
    L. Delays are counted from the slot of arrival, in which they are 0; a queue counts its waiting
    tasks. As C is the same for all types, over delays only the oldest task near each tier matters.

    References
    ----------
    Mandelbaum and Stolyar, "Scheduling flexible servers with convex delay costs: heavy-traffic
    optimality of the generalized c-mu rule", Operations Research 52(6), 2004, which has both rules.
    """

    name: ClassVar[str] = "generalised-c-mu"
    title: ClassVar[str] = "Generalised c-mu: marginal cost of delay times rate, a queue per type"
    paper: ClassVar[str] = "Mandelbaum and Stolyar, Operations Research 52(6), 2004"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.CONDITIONAL,
        Optimality.CONDITIONAL,
        "in heavy traffic it minimises the cost that it is given, not the mean delay, for strictly "
        "convex costs and under complete resource pooling",
    )

    cost_of: str = CostOf.DELAY.value
    exponent: float = 2.0
    linear: float = 0.0

    def __post_init__(self) -> None:
        """Check the cost."""
        allowed = [each.value for each in CostOf]
        if self.cost_of not in allowed:
            raise ScenarioError(f"cost_of = {self.cost_of!r}: must be one of {', '.join(allowed)}")
        if not (is_number(self.exponent) and 1 <= self.exponent <= MOST_EXPONENT):
            raise ScenarioError(
                f"exponent = {self.exponent!r}: must be a number from 1 to {MOST_EXPONENT}, so "
                "that the cost is convex and finite; 2 over queues is MaxWeight"
            )
        if not (is_number(self.linear) and 0 <= self.linear < float("inf")):
            raise ScenarioError(f"linear = {self.linear!r}: must be a number from 0 on")

    def marginal(self, amount: int) -> float:
        """Return the marginal cost, up to a factor.

        Parameters
        ----------
        amount : int
            Slots waited, or tasks.

        Returns
        -------
        float

        Examples
        --------
        >>> GeneralisedCMu().marginal(3), GeneralisedCMu(exponent=3, linear=1).marginal(2)
        (3, 13.0)
        """
        if self.exponent == 2 and not self.linear:
            return amount  # exact, so that ties are seen
        rising: float = float(amount) ** (self.exponent - 1)
        return self.linear + self.exponent * rising if self.linear else rising

    def begin(self, setting: Setting) -> MarginalCosts:
        """Return the queues of a run."""
        return MarginalCosts(setting, self.marginal, of_delay=self.cost_of == CostOf.DELAY)


class MarginalCosts(TypeQueues):
    """The queues of a run, each weighed by its marginal cost times the rate of its tier.

    Parameters
    ----------
    setting : Setting
    marginal : callable
        From slots waited, or tasks, to the marginal cost; never decreasing.
    of_delay : bool
        Whether the cost is paid for the delay of the head, else for the length of the queue.
    """

    def __init__(
        self, setting: Setting, marginal: Callable[[int], float], *, of_delay: bool
    ) -> None:
        super().__init__(setting, goes_by_length=not of_delay)
        self._marginal = marginal
        self._of_delay = of_delay
        self._rates = in_proportion(setting.cluster.rates)

    def key(self, queue: TypeQueue, tier: int) -> float:
        """Return minus the marginal cost, or the age of the head: the rate is that of the tier."""
        return queue.tasks[0].number if self._of_delay else -self._marginal(len(queue.tasks))

    def choose(self, server: int, slot: int) -> TypeQueue | None:
        """Return the queue of the largest marginal cost times rate."""
        best, most = None, -1.0
        for tier, rate in enumerate(self._rates):
            found = self.first(server, tier)
            if found is not None:
                key, queue = found
                cost = self._marginal(slot - queue.tasks[0].arrival) if self._of_delay else -key
                # A type met at an outer tier may be near; the inner tier has offered more for it.
                if cost * rate > most:
                    best, most = queue, cost * rate
        return best
