"""JSQ(d): join the shortest of d of the local queues, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.choices import BY_INDEX, shortest
from cluster_sim.policies.own_queues import OwnQueuePolicy
from cluster_sim.policies.sampling import check_samples

__all__ = ["JSQd"]


@final
@dataclass(frozen=True)
class JSQd(OwnQueuePolicy):
    """Join the shortest of d of the task's local queues; a server serves its own queue only.

    The d servers are drawn from the task's replicas, without replacement. With d from the number of
    replicas on this is `JSQLocal`, with d = 1 `RandomLocal`. Where replicas lie anywhere, d of them
    are d random servers of the cluster, and this is the supermarket model.

    Parameters
    ----------
    d : int
        Local queues to look at, from 1 on.

    Notes
    -----
    The sample is drawn from the task's one uniform: exact for replica sets of ordinary size, coarse
    where the number of possible samples nears 2^53.

    References
    ----------
    Mitzenmacher, "The power of two choices in randomized load balancing", IEEE Transactions on
    Parallel and Distributed Systems 12(10), 2001. Rutten, Mukherjee, "Load balancing under strict
    compatibility constraints", Mathematics of Operations Research 48(1), 2023.

    Examples
    --------
    >>> JSQd(d=1)
    JSQd(d=1)
    """

    name: ClassVar[str] = "jsq-d"
    title: ClassVar[str] = "JSQ(d): the shortest of d local queues, no remote service"
    paper: ClassVar[str] = "Rutten, Mukherjee, Mathematics of Operations Research 48(1), 2023"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "stable at most where local service alone suffices; in a large cluster the queues have the "
        "doubly exponential tail of the supermarket model",
    )

    d: int = 2

    def __post_init__(self) -> None:
        check_samples(self.d)

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the number of queues to look at."""
        return (float(self.d),)

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
        """Return the shortest of a sample of the local queues."""
        n_left = len(replicas)
        n_to_take = int(constants[0])
        if n_to_take >= n_left:
            return shortest(replicas, lengths, tie_break, tie)
        best = replicas[0]
        n_best = 0
        for i in range(len(replicas)):
            # Selection sampling; what is left of the uniform is uniform again.
            share = n_to_take / n_left
            n_left -= 1
            if tie >= share:
                tie = (tie - share) / (1 - share)
                continue
            tie /= share
            n_to_take -= 1
            queue = replicas[i]
            if n_best == 0 or lengths[queue] < lengths[best]:
                best = queue
                n_best = 1
            elif lengths[queue] == lengths[best] and tie_break != BY_INDEX:
                n_best += 1
                tie *= n_best
                if tie < 1:  # the k-th of the tied takes the place with probability 1 / k
                    best = queue
                tie -= int(tie)
        return best
