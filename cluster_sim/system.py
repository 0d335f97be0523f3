"""The system that an engine runs: cluster, workload, policy and reading."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_sim.errors import PolicyError
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading, TieBreak
from cluster_sim.model.workload import Workload
from cluster_sim.policies.base import SHARED, QueuePolicy
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY

__all__ = ["System", "tie_break_code"]


@dataclass(frozen=True)
class System:
    """Everything that decides a trajectory, but for the key of its draws and its length.

    Parameters
    ----------
    cluster : Cluster
    workload : Workload
    policy : QueuePolicy
    reading : Reading
    """

    cluster: Cluster
    workload: Workload
    policy: QueuePolicy
    reading: Reading = Reading()

    def __post_init__(self) -> None:
        """Check that the policy's queues belong to servers that exist."""
        n_servers, policy = self.cluster.n_servers, self.policy
        owners = list(policy.owners(n_servers))
        if not owners:
            raise PolicyError(f"policy {policy.name!r}: owners() must name at least one queue")
        wrong = [owner for owner in owners if not SHARED <= owner < n_servers]
        if wrong:
            raise PolicyError(
                f"policy {policy.name!r}: owners() names server {wrong[0]}; "
                f"it must name servers from 0 to {n_servers - 1}, or SHARED (-1)"
            )
        if policy.uses_longest and owners != list(range(n_servers)):
            raise PolicyError(
                f"policy {policy.name!r}: uses_longest needs one queue a server, queue m being "
                "server m's; leave owners() as it is, or do without `longest`"
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
