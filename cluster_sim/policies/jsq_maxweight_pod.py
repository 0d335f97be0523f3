"""JSQ-MaxWeight-Pod: serve the largest weight of the own queue and a few others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality, QueuePolicy, in_proportion
from cluster_sim.policies.choices import BY_INDEX, NO_QUEUE, shortest
from cluster_sim.policies.sampling import check_samples, check_samples_of

__all__ = ["JSQMaxWeightPod"]


@final
@dataclass(frozen=True)
class JSQMaxWeightPod(QueuePolicy):
    """Join the shortest local queue; serve the heaviest of the own queue and d random ones.

    An idle server weighs its own queue by alpha and the d others by gamma times length, as
    `MaxWeight` does over all of them. The d queues are drawn from all, with replacement.

    Parameters
    ----------
    d : int
        Queues to look at besides the own, from 1 on; M^d may be 2^46 at most, for they are drawn
        from one uniform.

    Notes
    -----
    Two kinds of service are known, local and remote, as in `JSQMaxWeight`: with racks a queue of
    the same rack is weighed as remote.

    The own queue wins ties, whatever the reading `tie_break` says; among the others ``index`` takes
    the lowest, else the first drawn.

    References
    ----------
    Moaddeli, Nabati Ahmadi, Abhar, "The power of d choices in scheduling for data centers with
    heterogeneous servers", 2019 (arXiv:1904.00447).
    """

    name: ClassVar[str] = "jsq-maxweight-pod"
    title: ClassVar[str] = "JSQ-MaxWeight-Pod: the own queue and d random ones"
    paper: ClassVar[str] = "Moaddeli, Nabati Ahmadi, Abhar, 2019"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.UNKNOWN,
        Optimality.UNKNOWN,
        "simulated in the source; more sensitive to d than balanced-pandas-pod",
    )

    d: int = 2

    def __post_init__(self) -> None:
        check_samples(self.d)

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return one queue a server."""
        check_samples_of(self.d, n_servers)
        return range(n_servers)

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the weight of a local and of a remote task, and the number of samples."""
        return (*in_proportion((rates[0], rates[-1])), float(self.d))

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
        """Return the heaviest of the queues looked at in which a task waits."""
        best = NO_QUEUE
        best_weight = 0.0
        if waiting[server] > 0:
            best = server
            best_weight = constants[0] * lengths[server]
        for _ in range(int(constants[2])):
            # What is left of the uniform, scaled up, is uniform again.
            tie *= len(lengths)
            queue = int(tie)
            tie -= queue
            if waiting[queue] > 0 and queue != server:
                weight = constants[1] * lengths[queue]
                is_lower = tie_break == BY_INDEX and weight == best_weight and queue < best
                if weight > best_weight or (is_lower and best != server):
                    best = queue
                    best_weight = weight
        return best
