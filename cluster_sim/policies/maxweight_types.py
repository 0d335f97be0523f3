"""MaxWeight with a queue for each task type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.generalised_c_mu import MarginalCosts
from cluster_sim.policies.task_base import Setting, TaskPolicy

__all__ = ["MaxWeightTypes"]


@final
@dataclass(frozen=True)
class MaxWeightTypes(TaskPolicy):
    """An idle server takes the head of the type of the largest queue length times rate.

    A task type is a replica set. Ties go to the nearer tier, then to the oldest head. There are
    C(M, 3) types of three replicas in a cluster of M servers, which the paper calls impractical:
    ``scenarios/queue_per_type.py`` counts them. Here only types with a waiting task have a queue.

    Notes
    -----
    The rule is ``argmax_L Q_L mu(L, m)``, where mu is the rate of the tier of server m for type L.
    Q counts waiting tasks. It is `GeneralisedCMu` with the cost Q^2.

    References
    ----------
    Stolyar, "MaxWeight scheduling in a generalized switch: state space collapse and workload
    minimization in heavy traffic", Annals of Applied Probability 14(1), 2004. Mandelbaum and
    Stolyar, Operations Research 52(6), 2004, for servers in parallel. The paper, section 1, on
    queues per task type.
    """

    name: ClassVar[str] = "maxweight-types"
    title: ClassVar[str] = "MaxWeight over a queue per task type"
    paper: ClassVar[str] = "Stolyar, Annals of Applied Probability 14(1), 2004"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.YES,
        Optimality.CONDITIONAL,
        "in heavy traffic it minimises the sum of the squared queue lengths, not the mean delay, "
        "and under complete resource pooling",
    )

    def begin(self, setting: Setting) -> MarginalCosts:
        """Return the queues of a run."""
        return MarginalCosts(setting, lambda length: length, of_delay=False)
