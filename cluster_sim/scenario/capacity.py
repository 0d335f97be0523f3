"""The capacity in the direction of a traffic: closed form, else flow or linear program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.phased_workload import PhasedTraffic
from cluster_sim.model.placement import HdfsPlacement, Placement, UniformPlacement
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Hotspot, Traffic, Types
from cluster_sim.randomness import Key
from cluster_sim.theory.capacity import largest_load_factor
from cluster_sim.theory.symmetric import even_capacity, hotspot_capacity, hotspot_orbits
from cluster_sim.traces.tasks import TraceTasks

__all__ = ["Capacity", "capacity_of", "capacity_of_trace"]

IntArray = npt.NDArray[np.int64]

N_SAMPLED = 200_000  # task types drawn where a traffic has too many to list; two tiers, by flow
N_SAMPLED_TIERS = 5_000  # the same for more tiers, where a linear program is solved
MOST_ORBITS = 8  # classes of servers in the program of a hot spot: it grows with their cube


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
    with more than two tiers, or a few speeds. Placed chunks are listed. Any other placement is
    sampled. The capacity of traffic with phases is that of its long-run mean.
    """
    if isinstance(traffic, PhasedTraffic) and traffic.mean is not None:
        found = capacity_of(traffic.mean, cluster)
        return replace(found, method=f"{found.method}, long-run mean of the phases")
    if isinstance(traffic, PhasedTraffic) and traffic.is_even and cluster.speeds is None:
        rate = even_capacity(cluster.n_servers, cluster.rates)
        return Capacity(rate, True, "closed form, long-run mean of the phases")
    if isinstance(traffic, Types):
        return _listed(traffic.replica_sets, traffic.probabilities, cluster, "all task types")
    if (
        isinstance(traffic, Even)
        and cluster.speeds is None
        and _is_symmetric(traffic.placement, cluster.topology)
    ):
        return Capacity(even_capacity(cluster.n_servers, cluster.rates), True, "closed form")
    hotspot = _as_hotspot(traffic)
    if hotspot is not None and _has_small_program(hotspot, cluster):
        rate = hotspot_capacity(
            cluster.n_servers,
            hotspot.n_hot,
            hot_probability=hotspot.hot_probability,
            rates=cluster.rates,
            ancestors=cluster.groups,
            n_replicas=hotspot.n_replicas,
            speeds=cluster.speeds,
        )
        how = "closed form" if cluster.speeds is None else "linear program over classes of servers"
        return Capacity(rate, True, how)
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


def _as_hotspot(traffic: Traffic) -> Hotspot | None:
    """Return traffic with uniform placement as a hot spot: even traffic has all servers hot."""
    if isinstance(traffic, Even):
        topology, n = traffic.topology, traffic.topology.n_servers
        traffic = Hotspot(topology, n, 1.0, traffic.n_replicas, traffic.placement)
    is_one = isinstance(traffic, Hotspot) and isinstance(traffic.placement, UniformPlacement)
    return traffic if is_one and isinstance(traffic, Hotspot) else None


def _has_small_program(traffic: Hotspot, cluster: Cluster) -> bool:
    if cluster.speeds is None:
        return True
    is_hot = np.arange(cluster.n_servers) < traffic.n_hot
    orbits = hotspot_orbits(is_hot, cluster.groups, np.array(cluster.speeds))
    return int(orbits.max()) < MOST_ORBITS


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
        speeds=cluster.speeds,
    )
    how = "maximum flow" if cluster.n_tiers == 2 else "linear program"
    return Capacity(rate, is_exact, f"{how} over {source}")
