"""The system that an engine runs: cluster, workload, policy and reading."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading, TieBreak
from cluster_sim.model.workload import Workload
from cluster_sim.policies.base import QueuePolicy
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
