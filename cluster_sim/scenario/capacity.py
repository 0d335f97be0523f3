"""The capacity in the direction of a traffic: closed form, else flow or linear program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.placement import HdfsPlacement, Placement, UniformPlacement
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Hotspot, Traffic, Types
from cluster_sim.randomness import Key
from cluster_sim.theory.capacity import largest_load_factor
from cluster_sim.theory.symmetric import even_capacity, hotspot_capacity
from cluster_sim.traces.tasks import TraceTasks

__all__ = ["Capacity", "capacity_of", "capacity_of_trace"]

IntArray = npt.NDArray[np.int64]

N_SAMPLED = 200_000  # task types drawn where a traffic has too many to list; two tiers, by flow
N_SAMPLED_TIERS = 5_000  # the same for more tiers, where a linear program is solved


@dataclass(frozen=True)
class Capacity:
    """The largest arrival rate of the closed capacity region in one direction (paper, Eq. 1).

    Parameters
    ----------
    rate : float
        Tasks per slot.
    is_exact : bool
        False where it was computed from a sample of task types.
    method : str
        How it was found, for people.
    """

    rate: float
    is_exact: bool
    method: str


def capacity_of(traffic: Traffic, cluster: Cluster) -> Capacity:
    """Return the capacity in the direction of a drawn traffic.

    Parameters
    ----------
    traffic : Traffic
    cluster : Cluster

    Returns
    -------
    Capacity

    Notes
    -----
    Even and hot-spot traffic with uniform placement have a closed form, or a small linear program
    with more than two tiers. Placed chunks are listed. Any other placement is sampled.
    """
    if isinstance(traffic, Types):
        return _listed(traffic.replica_sets, traffic.probabilities, cluster, "all task types")
    if isinstance(traffic, Even) and _is_symmetric(traffic.placement, cluster.topology):
        return Capacity(even_capacity(cluster.n_servers, cluster.rates), True, "closed form")
    if isinstance(traffic, Hotspot) and isinstance(traffic.placement, UniformPlacement):
        rate = hotspot_capacity(
            cluster.n_servers,
            traffic.n_hot,
            hot_probability=traffic.hot_probability,
            rates=cluster.rates,
            ancestors=cluster.groups,
            n_replicas=traffic.n_replicas,
        )
        return Capacity(rate, True, "closed form")
    n = N_SAMPLED if cluster.n_tiers == 2 else N_SAMPLED_TIERS
    sample = traffic.replicas(Key.of(0), 0, n)
    return _listed(sample, np.full(n, 1.0 / n), cluster, f"a sample of {n:,} task types", False)


def capacity_of_trace(
    tasks: TraceTasks, placed: Callable[[IntArray], IntArray], cluster: Cluster
) -> Capacity:
    """Return the capacity in the direction of a trace, whose tasks come in proportion to its own.

    Parameters
    ----------
    tasks : TraceTasks
    placed : callable
        From chunk numbers, int64 array, shape (n,), to replica sets, int64 array,
        shape (n, n_replicas).
    cluster : Cluster

    Returns
    -------
    Capacity
    """
    limit = N_SAMPLED if cluster.n_tiers == 2 else N_SAMPLED_TIERS
    step = -(-tasks.n_tasks // limit)
    chosen = [
        tasks.task_chunks(first, min(65_536, tasks.n_tasks - first))[(-first) % step :: step]
        for first in range(0, tasks.n_tasks, 65_536)
    ]
    chunks, counts = np.unique(np.concatenate(chosen), return_counts=True)
    how = "all tasks of the trace" if step == 1 else f"one task in {step} of the trace"
    return _listed(placed(chunks), counts / counts.sum(), cluster, how, step == 1)


def _is_symmetric(placement: Placement, topology: Topology) -> bool:
    """Return whether every server is as likely as any other to hold a chunk.

    Then all tasks can be local.
    """
    if isinstance(placement, UniformPlacement):
        return True
    if not isinstance(placement, HdfsPlacement):
        return False
    sizes = np.bincount(topology.level("rack"))
    return bool((sizes == sizes[0]).all())


def _listed(
    sets: IntArray,
    probabilities: npt.NDArray[np.float64],
    cluster: Cluster,
    source: str,
    is_exact: bool = True,
) -> Capacity:
    rate = largest_load_factor(
        sets,
        probabilities,
        n_servers=cluster.n_servers,
        rates=cluster.rates,
        ancestors=cluster.groups,
    )
    how = "maximum flow" if cluster.n_tiers == 2 else "linear program"
    return Capacity(rate, is_exact, f"{how} over {source}")
