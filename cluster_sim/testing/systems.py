"""Small systems that between them meet every kind of traffic, arrivals and reading."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from cluster_sim.model.arrivals import Batch, Bernoulli, Binomial, Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.placement import HdfsPlacement
from cluster_sim.model.readings import (
    DispatchOrder,
    QueueLength,
    Reading,
    RoutingView,
    ServiceTier,
    TieBreak,
)
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import NO_SERVER, Even, Hotspot, Types, place_chunks, zipf_weights
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies.base import Policy
from cluster_sim.randomness import Key
from cluster_sim.system import System

__all__ = ["all_readings", "covering_readings", "small_systems"]

_FIELDS: dict[str, Any] = {
    "tie_break": TieBreak,
    "dispatch_order": DispatchOrder,
    "queue_length": QueueLength,
    "routing_view": RoutingView,
    "service_tier": ServiceTier,
}


def all_readings() -> tuple[Reading, ...]:
    """Return every reading there is.

    Returns
    -------
    tuple of Reading

    Examples
    --------
    >>> len(all_readings())
    72
    """
    return tuple(
        Reading(**dict(zip(_FIELDS, values, strict=True)))
        for values in itertools.product(*_FIELDS.values())
    )


def covering_readings() -> tuple[Reading, ...]:
    """Return a few readings in which every two values of two fields occur together.

    Returns
    -------
    tuple of Reading
        The default reading first.

    Examples
    --------
    >>> len(covering_readings()) < 15
    True
    """

    def pairs(reading: Reading) -> set[tuple[str, str]]:
        values = [f"{name}={getattr(reading, name)}" for name in _FIELDS]
        return set(itertools.combinations(values, 2))

    chosen = [Reading()]
    missing = set().union(*map(pairs, all_readings())) - pairs(Reading())
    while missing:
        best = max(all_readings(), key=lambda reading: len(pairs(reading) & missing))
        chosen.append(best)
        missing -= pairs(best)
    return tuple(chosen)


def small_systems(policy: Policy, reading: Reading | None = None) -> Iterator[System]:
    """Yield small systems under a policy: 1 to 8 servers, 2 to 4 tiers, light to overloaded.

    Parameters
    ----------
    policy : Policy
    reading : Reading, optional
        The default reading if left out.

    Yields
    ------
    System
    """
    for cluster, workload in _models():
        yield System(cluster, workload, policy, reading or Reading())


def _models() -> Iterator[tuple[Cluster, SyntheticWorkload]]:
    two_tiers = {"local": 0.6, "remote": 0.2}  # in proportion 3 : 1, so that weights can tie

    alone = Topology.tree(1)
    yield Cluster.of(alone, two_tiers), SyntheticWorkload(Even(alone, 1), Bernoulli(0.5))

    flat = Topology.tree(4)
    yield Cluster.of(flat, two_tiers), SyntheticWorkload(Even(flat, 2), Poisson(2.2))

    racks = Topology.tree(6, {"rack": 3})
    yield (
        Cluster.of(racks, {"local": 1.0, "rack_local": 0.8, "remote": 0.5}),
        SyntheticWorkload(Hotspot(racks, 2, 0.9, 2), Batch(3.3, 3)),  # the hot servers cannot cope
    )

    uneven = Topology.tree(5, {"rack": 2})
    sets = [[1, 3, 4], [0, NO_SERVER, NO_SERVER], [1, 2, NO_SERVER]]
    yield (
        Cluster.of(uneven, {"local": 0.9, "rack_local": 0.9, "remote": 0.3}),
        SyntheticWorkload(
            Types(np.array(sets, dtype=np.int64), np.array([1.0, 2.0, 3.0])), Binomial(2.5, 4)
        ),
    )

    pods = Topology.tree(8, {"rack": 4, "pod": 2})
    chunks = place_chunks(
        Key.of(5), np.arange(6), topology=pods, placement=HdfsPlacement(), n_replicas=3
    )
    yield (
        Cluster.of(pods, {"local": 0.5, "rack_local": 0.4, "pod_local": 0.3, "remote": 0.25}),
        SyntheticWorkload(Types(chunks, zipf_weights(6, 1.0)), Poisson(2.4)),
    )


def with_rates_halved(system: System) -> System:
    """Return a system whose servers are half as fast.

    Parameters
    ----------
    system : System

    Returns
    -------
    System
    """
    rates = tuple(rate / 2 for rate in system.cluster.rates)
    return dataclasses.replace(system, cluster=dataclasses.replace(system.cluster, rates=rates))
