"""The system that an engine runs: cluster, workload, policy and reading."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.workload import Workload
from cluster_sim.policies.base import QueuePolicy

__all__ = ["System"]


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
