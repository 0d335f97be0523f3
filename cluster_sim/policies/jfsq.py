"""Join the fastest of the shortest queues, over all servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality, in_proportion
from cluster_sim.policies.choices import LOCAL_FIRST
from cluster_sim.policies.own_queues import ShortestOfAllPolicy

__all__ = ["JFSQ", "fastest_of_least"]


@final
@dataclass(frozen=True)
class JFSQ(ShortestOfAllPolicy):
    """Join a shortest queue of all servers, of those the one that is fastest for the task.

    A server serves its own queue only, whose tasks may be local, rack-local or remote to it.

    Notes
    -----
    In the source a task may join compatible servers only, and a server's speed is the same for all
    of them; there the rule is asymptotically optimal. Here every server is compatible, and its
    speed depends on the task. No theorem covers that, and the rule wastes capacity: a queue that is
    one task shorter is joined at any distance. See `BalancedPandas`, which weighs the one against
    the other.

    Equally fast are the servers of one tier, and tiers of equal rates. Among them the reading
    `tie_break` decides: ``random`` is uniform, ``local`` takes the nearest tier first, ``index``
    the lowest server.

    References
    ----------
    Weng, Zhou, Srikant, "Optimal load balancing with locality constraints", Proceedings of the ACM
    on Measurement and Analysis of Computing Systems 4(3), 2020 (arXiv:2008.08830).
    """

    name: ClassVar[str] = "jfsq"
    title: ClassVar[str] = "JFSQ: the fastest of the shortest queues of all servers"
    paper: ClassVar[str] = "Weng, Zhou, Srikant, POMACS 4(3), 2020"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "asymptotically optimal where the rate depends on the server alone; here it depends on the "
        "task: even traffic at 0.8 of capacity already overloads it in simulation",
    )

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the rate of each tier, in proportion."""
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
        """Return the fastest of the shortest queues."""
        return fastest_of_least(least, weights, constants, tie_break)


def fastest_of_least(
    least: Sequence[int], weights: Sequence[float], rates: Sequence[float], tie_break: int
) -> int:
    """Return a server of the least weight of all, the fastest among the tied.

    Parameters
    ----------
    least : sequence of int, length n_tiers
    weights : sequence of float, length n_servers
    rates : sequence of float, length n_tiers
        From the nearest tier to the farthest, never rising.
    tie_break : int
        Whether a nearer tier of equal rate is preferred: `LOCAL_FIRST`.

    Returns
    -------
    int

    Examples
    --------
    >>> fastest_of_least([2, 1, 0], [3.0, 3.0, 4.0], (1.0, 0.9, 0.5), 0)
    1
    """
    best = least[len(least) - 1]
    for tier in range(len(least) - 2, -1, -1):
        is_as_fast = rates[tier] == rates[tier + 1] and tie_break != LOCAL_FIRST
        if not is_as_fast and weights[least[tier]] == weights[best]:
            best = least[tier]
    return best
