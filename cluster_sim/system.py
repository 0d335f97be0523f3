"""The system that an engine runs: cluster, workload, policy and reading."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_sim.errors import PolicyError, ScenarioError
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading, ServiceTier, TieBreak
from cluster_sim.model.workload import Workload
from cluster_sim.policies.base import SHARED, Policy, QueuePolicy
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY

__all__ = ["System", "tie_break_code"]


@dataclass(frozen=True)
class System:
    """Everything that decides a trajectory, but for the key of its draws and its length.

    Parameters
    ----------
    cluster : Cluster
    workload : Workload
    policy : Policy
        Of either kind; a task policy runs on the SimPy engine only.
    reading : Reading
    """

    cluster: Cluster
    workload: Workload
    policy: Policy
    reading: Reading = Reading()

    def __post_init__(self) -> None:
        """Check that the policy's queues belong to servers that exist."""
        n_servers, policy = self.cluster.n_servers, self.policy
        owners = list(policy.owners(n_servers, self.cluster.n_tiers))
        if not owners:
            raise PolicyError(f"policy {policy.name!r}: owners() must name at least one queue")
        wrong = [owner for owner in owners if not SHARED <= owner < n_servers]
        if wrong:
            raise PolicyError(
                f"policy {policy.name!r}: owners() names server {wrong[0]}; "
                f"it must name servers from 0 to {n_servers - 1}, or SHARED (-1)"
            )
        if not isinstance(policy, QueuePolicy):
            if self.reading.service_tier is ServiceTier.QUEUE:
                raise ScenarioError(
                    f'service_tier = "queue": the tasks of policy {policy.name!r} wait in one pool '
                    'of nobody, so every service would be remote; use service_tier = "replica"'
                )
            return
        if policy.uses_least and policy.weigh is QueuePolicy.weigh:
            raise PolicyError(
                f"policy {policy.name!r}: uses_least needs weigh(server, lengths, constants), a "
                "static method that returns a server's weight; define it, or do without `least`"
            )
        if policy.uses_longest and owners != list(range(n_servers)):
            raise PolicyError(
                f"policy {policy.name!r}: uses_longest needs one queue a server, queue m being "
                "server m's; leave owners() as it is, or do without `longest`"
            )

    @property
    def queue_policy(self) -> QueuePolicy:
        """The policy, for those who know queue policies only: the compiled engine, the theory.

        Raises
        ------
        PolicyError
            If it is a task policy.
        """
        if isinstance(self.policy, QueuePolicy):
            return self.policy
        raise PolicyError(
            f"policy {self.policy.name!r} is a task policy: it decides over jobs or whole "
            "assignments, not over queues, and only the SimPy engine runs it; use "
            'engine = "simpy" or "auto", or a queue policy'
        )


def tie_break_code(tie_break: TieBreak) -> int:
    """Return a reading of `tie_break` as the number that policies are given.

    Parameters
    ----------
    tie_break : TieBreak

    Returns
    -------
    int
    """
    codes = {TieBreak.RANDOM: UNIFORMLY, TieBreak.LOCAL: LOCAL_FIRST, TieBreak.INDEX: BY_INDEX}
    return codes[tie_break]
