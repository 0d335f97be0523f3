"""From a scenario to the system that an engine runs, with its load as a fraction of capacity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from cluster_sim import policies, traces
from cluster_sim.errors import PolicyError, ScenarioError
from cluster_sim.model import arrivals as arrival
from cluster_sim.model import placement as place
from cluster_sim.model import traffic as kinds
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.workload import SyntheticWorkload, Workload
from cluster_sim.randomness import Key
from cluster_sim.scenario.capacity import Capacity, capacity_of, capacity_of_trace
from cluster_sim.scenario.conditions_build import (
    cluster_of,
    phased,
    phased_workload,
    service_of,
    told_rates,
)
from cluster_sim.scenario.disruptions_build import failures_of, scheme_of
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.traffic import (
    EvenTraffic,
    HotspotTraffic,
    TraceTraffic,
    TypesTraffic,
    ZipfTraffic,
)
from cluster_sim.system import System
from cluster_sim.traces.workload import TraceWorkload

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """A scenario made ready to run.

    Parameters
    ----------
    scenario : Scenario
        `slots` is a number. `warmup` may be ``"auto"``, which a pilot run decides; see
        `cluster_sim.experiments.warmup`.
    system : System
    capacity : Capacity
        The largest arrival rate in the direction of the traffic.
    """

    scenario: Scenario
    system: System
    capacity: Capacity

    @property
    def load(self) -> float:
        """The arrival rate as a fraction of capacity."""
        return self.system.workload.rate / self.capacity.rate

    @property
    def slots(self) -> int:
        """Slots a run takes."""
        return int(self.scenario.run.slots or 0)

    @property
    def warmup(self) -> int:
        """Slots at the start that the averages leave out.

        Raises
        ------
        ScenarioError
            If that is not decided yet.
        """
        if self.scenario.run.warmup == "auto":
            raise ScenarioError(
                '[run] warmup = "auto": not decided yet; give a number of slots, or let '
                "cluster_sim.experiments.warmup.find_warmup() find it"
            )
        return int(self.scenario.run.warmup)

    def key(self, replication: int = 0) -> Key:
        """Return the key of a replication.

        Parameters
        ----------
        replication : int

        Returns
        -------
        Key
        """
        return Key.of(self.scenario.run.seed, replication)


def prepare(scenario: Scenario) -> Prepared:
    """Build the system of a scenario.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    Prepared

    Raises
    ------
    ScenarioError
        If what the scenario asks for cannot be built: an arrival rate that the arrivals cannot
        have, a placement without room.
    UnknownNameError
        If a policy or placement is not found.
    TraceError
        If the trace cannot be read.
    """
    cluster = cluster_of(scenario)
    policy = policies.get(scenario.scheduler.policy, **scenario.scheduler.parameters)
    reading = Reading(**scenario.reading.model_dump())
    workload, capacity = _workload(scenario, cluster)
    slots = scenario.run.slots
    if slots is None and isinstance(workload, TraceWorkload):
        slots = workload.slots.n_slots
    if slots is None:
        raise ScenarioError("[run] slots: missing; add for example slots = 20000")
    resolved = scenario.without_sweep().with_values({"run.slots": slots})
    service, told = service_of(scenario), told_rates(scenario, cluster)
    named = getattr(scenario.traffic, "placement", "uniform")
    failures = failures_of(scenario, _placement(named))
    scheme = scheme_of(scenario)
    system = System(cluster, workload, policy, reading, service, told, failures, scheme)
    return Prepared(resolved, system, capacity)


def _workload(scenario: Scenario, cluster: Cluster) -> tuple[Workload, Capacity]:
    traffic = scenario.traffic
    if isinstance(traffic, TraceTraffic):
        return _trace_workload(scenario, traffic, cluster)
    drawn = _traffic(scenario, cluster)
    changing = phased(scenario, drawn)
    capacity = capacity_of(changing or drawn, cluster)
    rate = traffic.rate if traffic.load is None else traffic.load * capacity.rate
    if rate is None:
        raise ScenarioError("[traffic]: give load or rate")
    if changing is not None:
        return phased_workload(changing, rate, partial(_arrivals, traffic)), capacity
    return SyntheticWorkload(drawn, _arrivals(traffic, rate)), capacity


def _traffic(scenario: Scenario, cluster: Cluster) -> kinds.Traffic:
    traffic, topology = scenario.traffic, cluster.topology
    if isinstance(traffic, TypesTraffic):
        width = max(len(task_type.replicas_on) for task_type in traffic.types)
        rows = np.full((len(traffic.types), width), kinds.NO_SERVER, dtype=np.int64)
        for row, task_type in zip(rows, traffic.types, strict=True):
            row[: len(task_type.replicas_on)] = sorted(task_type.replicas_on)
        return kinds.Types(rows, np.array([float(t.weight) for t in traffic.types]))
    rule = _placement(traffic.placement)
    if isinstance(traffic, EvenTraffic):
        return kinds.Even(topology, traffic.replicas, rule)
    if isinstance(traffic, HotspotTraffic):
        return kinds.Hotspot(
            topology, traffic.hot_servers, traffic.hot_probability, traffic.replicas, rule
        )
    if isinstance(traffic, ZipfTraffic):
        placed = kinds.place_chunks(
            _placement_key(scenario),
            np.arange(traffic.chunks),
            topology=topology,
            placement=rule,
            n_replicas=traffic.replicas,
        )
        return kinds.Types(placed, kinds.zipf_weights(traffic.chunks, traffic.exponent))
    raise ScenarioError(f"[traffic] kind = {traffic.kind!r}: is not a kind of drawn traffic")


def _arrivals(
    traffic: EvenTraffic | HotspotTraffic | ZipfTraffic | TypesTraffic, rate: float
) -> arrival.ArrivalProcess:
    try:
        if traffic.arrivals == "bernoulli":
            return arrival.Bernoulli(rate)
        if traffic.arrivals == "binomial":
            return arrival.Binomial(rate, int(traffic.trials or 0))
        if traffic.arrivals == "batch":
            return arrival.Batch(rate, int(traffic.batch_size or 0))
        return arrival.Poisson(rate, traffic.max_arrivals)
    except ScenarioError as error:
        asked = f" (load = {traffic.load} of capacity)" if traffic.load is not None else ""
        raise ScenarioError(f"[traffic]{asked} {error}") from None


def _trace_workload(
    scenario: Scenario, traffic: TraceTraffic, cluster: Cluster
) -> tuple[TraceWorkload, Capacity]:
    trace = traces.read(traffic.path or traces.SMALL_TRACE, format=traffic.format)
    tasks = traces.split_jobs(trace, traffic.chunk_mib, max_tasks_per_job=traffic.max_tasks_per_job)
    rule, key = _placement(traffic.placement), _placement_key(scenario)

    def placed(chunks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return kinds.place_chunks(
            key, chunks, topology=cluster.topology, placement=rule, n_replicas=traffic.replicas
        )

    capacity = capacity_of_trace(tasks, placed, cluster)
    seconds = traffic.slot_seconds
    if seconds is None:
        if traffic.load is None:
            raise ScenarioError("[traffic]: give load or slot_seconds")
        seconds = traces.slot_seconds_for_rate(tasks, traffic.load * capacity.rate)
    return TraceWorkload(traces.in_slots(tasks, seconds), placed), capacity


def _placement(name: str) -> place.Placement:
    if name == "uniform":
        return place.UniformPlacement()
    if name == "hdfs":
        return place.HdfsPlacement()
    found = policies.import_name(name, "placement")
    rule = found() if isinstance(found, type) else found
    if not isinstance(rule, place.Placement):
        raise PolicyError(
            f"placement {name!r}: must have a method "
            "place(words, *, servers, topology, n_replicas); see "
            "cluster_sim.model.placement.Placement"
        )
    return rule


def _placement_key(scenario: Scenario) -> Key:
    """Return the key of the placement.

    Of the seed, not of the replication, so that capacity is the scenario's.
    """
    return Key.of(scenario.run.seed)
