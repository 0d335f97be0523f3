"""Random small systems: every policy, traffic, arrivals and reading that there is."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from cluster_sim import policies
from cluster_sim.model.arrivals import ArrivalProcess, Batch, Bernoulli, Binomial, Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.placement import HdfsPlacement, Placement, UniformPlacement
from cluster_sim.model.readings import (
    DispatchOrder,
    QueueLength,
    Reading,
    RoutingView,
    ServiceTier,
    TieBreak,
)
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import (
    NO_SERVER,
    Even,
    Hotspot,
    Traffic,
    Types,
    place_chunks,
    zipf_weights,
)
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.randomness import Key
from cluster_sim.system import System

TRAFFICS = ("even", "hotspot", "types", "zipf")
ARRIVALS = ("poisson", "bernoulli", "binomial", "batch")

readings = st.builds(
    Reading,
    queue_length=st.sampled_from(QueueLength),
    routing_view=st.sampled_from(RoutingView),
    dispatch_order=st.sampled_from(DispatchOrder),
    service_tier=st.sampled_from(ServiceTier),
    tie_break=st.sampled_from(TieBreak),
)
thresholds = st.sampled_from(["auto", 0, 0.5, 1, 2.5, 7, float("inf")])
keys = st.builds(Key.of, st.integers(0, 2**64 - 1), st.integers(0, 3))


def policies_named(name: str) -> st.SearchStrategy[QueuePolicy]:
    """Return policies of a name, over their parameters."""
    parameters = {"threshold": thresholds} if name == "priority" else {}
    if name in {"jsq-d", "balanced-pandas-pod", "jsq-maxweight-pod"}:
        parameters = {"d": st.integers(1, 4)}
    return st.builds(policies.get, st.just(name), **parameters)


@st.composite
def topologies(draw: st.DrawFn, max_servers: int = 9) -> Topology:
    """Return trees of two to four levels, also with racks of one server and of uneven size."""
    n_servers = draw(st.integers(1, max_servers))
    levels, below = {}, n_servers
    for name in draw(st.sampled_from([(), ("rack",), ("rack", "pod")])):
        below = levels[name] = draw(st.integers(1, below))
    return Topology.tree(n_servers, levels)


@st.composite
def clusters(draw: st.DrawFn, topology: Topology) -> Cluster:
    """Return clusters with a rate for some or all of the levels; rates may be equal or 1."""
    inner = [f"{name}_local" for name in topology.level_names[1:-1]]
    named = [name for name in inner if draw(st.booleans())]
    rate = st.sampled_from([1.0, 0.9, 0.6, 0.5, 0.3, 0.2, 0.05])
    rates = sorted((draw(rate) for _ in range(len(named) + 2)), reverse=True)
    return Cluster.of(topology, dict(zip(["local", *named, "remote"], rates, strict=True)))


@st.composite
def placements(draw: st.DrawFn, topology: Topology, n_replicas: int) -> Placement:
    """Return hdfs where the racks have room, else uniform."""
    if "rack" in topology.level_names:
        sizes = np.bincount(topology.level("rack"))
        if (sizes >= n_replicas - 1).sum() >= 2 and draw(st.booleans()):
            return HdfsPlacement()
    return UniformPlacement()


@st.composite
def traffics(draw: st.DrawFn, topology: Topology, kind: str) -> Traffic:
    """Return traffic of a kind; types differ in their number of replicas."""
    n_servers = topology.n_servers
    n_replicas = draw(st.integers(1, min(3, n_servers)))
    placement = draw(placements(topology, n_replicas))
    if kind == "even":
        return Even(topology, n_replicas, placement)
    if kind == "hotspot":
        if n_servers < 2 * n_replicas:
            return Hotspot(topology, n_servers, 1.0, n_replicas)
        n_hot = draw(st.integers(n_replicas, n_servers - n_replicas))
        return Hotspot(topology, n_hot, draw(st.floats(0, 1)), n_replicas)
    if kind == "zipf":
        n_chunks = draw(st.integers(1, 8))
        sets = place_chunks(
            draw(keys),
            np.arange(n_chunks),
            topology=topology,
            placement=placement,
            n_replicas=n_replicas,
        )
        return Types(sets, zipf_weights(n_chunks, draw(st.floats(0, 2))))
    servers = st.sets(st.integers(0, n_servers - 1), min_size=1, max_size=4).map(sorted)
    rows = draw(st.lists(servers, min_size=1, max_size=4))
    width = max(map(len, rows))
    sets = np.array([row + [NO_SERVER] * (width - len(row)) for row in rows], dtype=np.int64)
    weights = draw(st.lists(st.floats(0.1, 5), min_size=len(rows), max_size=len(rows)))
    return Types(sets, np.array(weights))


@st.composite
def arrival_processes(draw: st.DrawFn, kind: str, capacity: float) -> ArrivalProcess:
    """Return arrivals at a rate from far below to above what the servers could do."""
    rate = capacity * draw(st.sampled_from([0.1, 0.5, 0.8, 0.95, 1.2]))
    if kind == "bernoulli":
        return Bernoulli(min(rate, 1.0))
    if kind == "binomial":
        return Binomial(rate, int(rate) + draw(st.integers(1, 4)))
    if kind == "batch":
        return Batch(rate, draw(st.integers(1, 5)))
    return Poisson(rate, draw(st.sampled_from([None, int(rate) + 1])))


@st.composite
def systems(draw: st.DrawFn, policy: str, traffic: str | None = None) -> System:
    """Return random small systems under a policy, and of a kind of traffic if one is given."""
    topology = draw(topologies())
    cluster = draw(clusters(topology))
    kind = traffic or draw(st.sampled_from(TRAFFICS))
    arrivals = draw(
        arrival_processes(draw(st.sampled_from(ARRIVALS)), cluster.n_servers * cluster.rates[0])
    )
    workload = SyntheticWorkload(draw(traffics(topology, kind)), arrivals)
    return System(cluster, workload, draw(policies_named(policy)), draw(readings))
