"""The task types of a scenario, and what the theory says of them."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.phased_workload import PhasedWorkload
from cluster_sim.model.placement import UniformPlacement
from cluster_sim.model.service_times import Geometric
from cluster_sim.model.traffic import Even, Hotspot, Traffic, Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.randomness import Key
from cluster_sim.scenario.build import Prepared
from cluster_sim.theory.decomposition import Decomposition, ideal_load_decomposition
from cluster_sim.theory.report import TheoryReport, theory_report
from cluster_sim.traces.workload import TraceWorkload

__all__ = ["ListedTypes", "arrival_variance", "decomposition_of", "list_types", "report_of"]

_MOST_TYPES = 20_000  # flows over so many take seconds
_MOST_TYPES_TIERS = 5_000  # the same for linear programs, which three tiers need


@dataclass(frozen=True, eq=False)
class ListedTypes:
    """The task types of a traffic, or a sample of them.

    Parameters
    ----------
    replica_sets : int64 array, shape (n_types, width)
        -1 pads shorter rows.
    shares : float64 array, shape (n_types,)
        Share of each type in the arrivals.
    source : str
        What they are, for people.
    is_exact : bool
        False if they are a sample.
    """

    replica_sets: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    source: str
    is_exact: bool


def list_types(prepared: Prepared) -> ListedTypes:
    """Return the task types of a scenario: all of them where they can be listed, else a sample.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    ListedTypes
    """
    workload = prepared.system.workload
    limit = _MOST_TYPES if prepared.system.cluster.n_tiers == 2 else _MOST_TYPES_TIERS
    if isinstance(workload, TraceWorkload):
        return _of_trace(workload, limit)
    assert isinstance(workload, (SyntheticWorkload, PhasedWorkload))
    traffic: Traffic = workload.traffic
    if isinstance(workload, PhasedWorkload) and workload.traffic.mean is not None:
        traffic = workload.traffic.mean
    if isinstance(traffic, Types):
        return ListedTypes(traffic.replica_sets, traffic.probabilities, "all task types", True)
    n = prepared.system.cluster.n_servers
    if isinstance(traffic, Even) and isinstance(traffic.placement, UniformPlacement):
        # Even traffic is hot-spot traffic where every server is hot.
        traffic = Hotspot(traffic.topology, n, 1.0, traffic.n_replicas, traffic.placement)
    if isinstance(traffic, Hotspot) and isinstance(traffic.placement, UniformPlacement):
        listed = _of_hotspot(traffic, n, limit)
        if listed is not None:
            return listed
    sample = traffic.replicas(Key.of(0), 0, limit)
    shares = np.full(limit, 1.0 / limit)
    return ListedTypes(sample, shares, f"a sample of {limit:,} task types", False)


def _of_hotspot(traffic: Hotspot, n_servers: int, limit: int) -> ListedTypes | None:
    """Return every replica set that uniform placement can draw; None if they are too many."""
    groups = (
        (range(traffic.n_hot), traffic.hot_probability),
        (range(traffic.n_hot, n_servers), 1.0 - traffic.hot_probability),
    )
    drawn = [(servers, p) for servers, p in groups if p > 0]
    sizes = [math.comb(len(servers), traffic.n_replicas) for servers, _ in drawn]
    if sum(sizes) > limit:
        return None
    sets = [itertools.combinations(servers, traffic.n_replicas) for servers, _ in drawn]
    shares = np.concatenate([np.full(n, p / n) for n, (_, p) in zip(sizes, drawn, strict=True)])
    listed = np.array(list(itertools.chain(*sets)), dtype=np.int64)
    return ListedTypes(listed, shares, f"all {len(listed):,} task types", True)


def _of_trace(workload: TraceWorkload, limit: int) -> ListedTypes:
    tasks = workload.slots.tasks
    step = -(-tasks.n_tasks // limit)
    chosen = np.concatenate(
        [tasks.task_chunks(first, 1) for first in range(0, tasks.n_tasks, step)]
    )
    chunks, counts = np.unique(chosen, return_counts=True)
    source = "all tasks of the trace" if step == 1 else f"one task in {step} of the trace"
    return ListedTypes(workload.placed(chunks), counts / counts.sum(), source, step == 1)


def arrival_variance(prepared: Prepared) -> float | None:
    """Return the variance of all arrivals in a slot; None where slots are not independent.

    They are not in a trace, nor in traffic with phases.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    float or None
    """
    workload = prepared.system.workload
    return workload.arrivals.variance if isinstance(workload, SyntheticWorkload) else None


def report_of(prepared: Prepared, types: ListedTypes) -> TheoryReport:
    """Return what the theory says of a scenario.

    Parameters
    ----------
    prepared : Prepared
    types : ListedTypes
        Its task types.

    Returns
    -------
    TheoryReport
    """
    cluster = prepared.system.cluster
    return theory_report(
        types.replica_sets,
        types.shares * prepared.system.workload.rate,
        n_servers=cluster.n_servers,
        rates=cluster.rates,
        ancestors=cluster.groups,
        arrival_variance=arrival_variance(prepared),
        speeds=cluster.speeds,
        without_bounds=_why_no_bounds(prepared),
    )


def _why_no_bounds(prepared: Prepared) -> list[str]:
    """Return why the theorems on queues do not hold for a scenario."""
    found = []
    if not isinstance(prepared.system.service, Geometric):
        found.append(
            "no bounds: the theorems are for geometric service, and it is "
            f"{prepared.system.service.words}; capacity and decomposition need the mean only"
        )
    if isinstance(prepared.system.workload, PhasedWorkload):
        found.append(
            "no bounds: the theorems are for arrivals that are independent from slot to slot; "
            "capacity and decomposition are those of the long-run mean of the phases"
        )
    return found


def decomposition_of(prepared: Prepared, types: ListedTypes | None = None) -> Decomposition:
    """Return an ideal load decomposition of a scenario's traffic.

    Parameters
    ----------
    prepared : Prepared
    types : ListedTypes, optional
        Its task types, if they are listed already.

    Returns
    -------
    Decomposition

    Raises
    ------
    ScenarioError
        If the load is not below 1, there are more than two tiers, or several speeds.
    """
    if prepared.system.cluster.speeds is not None:
        raise ScenarioError(
            "[cluster] speeds: the ideal load decomposition is defined for servers of one speed; "
            "leave speeds out"
        )
    listed = list_types(prepared) if types is None else types
    cluster = prepared.system.cluster
    if prepared.load >= 1.0:
        raise ScenarioError(
            f"load = {prepared.load:.6g} of the capacity: there is no ideal load decomposition at "
            "or above 1; lower traffic.load"
        )
    return ideal_load_decomposition(
        listed.replica_sets,
        listed.shares * prepared.system.workload.rate,
        n_servers=cluster.n_servers,
        rates=cluster.rates,
    )
