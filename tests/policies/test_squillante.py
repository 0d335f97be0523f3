"""Threshold-based priority is its rule, and the paper's algorithm where types are servers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim import Scenario, prepare
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import BellWilliams, Policy, Priority, Sparrow, Squillante
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from tests.policies.literal import (
    CLUSTERS,
    Literal,
    keys,
    literal_squillante,
    trajectory,
    workloads,
)
from tests.policies.stories import flat

Service = tuple[int, str, int, int | None, int | None]


@pytest.mark.parametrize("threshold", ["auto", 0, 1, 2.5])
@pytest.mark.parametrize("name", CLUSTERS)
@settings(max_examples=6)
@given(data=st.data(), key=keys)
def test_the_rule_is_the_literal_one(
    name: str, threshold: float, data: st.DataObject, key: Key
) -> None:
    """The heaps give the events of the rule over all types, event by event."""
    cluster = CLUSTERS[name]
    run = (cluster, data.draw(workloads(cluster)))
    policy = Squillante(threshold=threshold)
    literal = Literal(literal_squillante(policy.thresholds(cluster.rates)))
    assert trajectory(*run, policy, key, slots=50) == trajectory(*run, literal, key, slots=50)


def one_replica_each(cluster: Cluster, load: float) -> SyntheticWorkload:
    """Return chunks of one replica, of which those on the first half of the servers are hot."""
    n = cluster.n_servers
    hot = np.where(np.arange(n) < n // 2, 4.0, 1.0)
    return SyntheticWorkload(Types(np.arange(n)[:, None], hot), Poisson(load))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("threshold", ["auto", 0, 1, 4, math.inf])
@pytest.mark.parametrize("rates", [(1.0, 0.5), (0.6, 0.2)])
def test_with_one_replica_a_chunk_it_is_priority(
    rates: tuple[float, float], threshold: float, seed: int
) -> None:
    """A type a server: the paper's algorithm, task by task, where that counts waiting tasks too.

    Both rules say "the longest"; under ``tie_break = "index"`` both mean the same of the longest.
    """
    cluster = flat(8, *rates)
    workload = one_replica_each(cluster, 0.85 * (rates[0] + rates[1]) * 4)

    def services(policy: Policy) -> list[Service]:
        reading = {"tie_break": "index", "queue_length": "waiting"}
        events = trajectory(cluster, workload, policy, Key.of(seed), slots=250, **reading)
        return [(e.slot, e.kind, e.task, e.server, e.tier) for e in events]

    found = services(Squillante(threshold=threshold))
    assert found == services(Priority(threshold=threshold))
    assert any(tier == 1 for *_, tier in found) or threshold == math.inf


@pytest.mark.parametrize("policy", [Squillante, BellWilliams])
@pytest.mark.parametrize("name", CLUSTERS)
def test_who_never_helps_takes_the_oldest_local_task(
    name: str, policy: type[Squillante | BellWilliams]
) -> None:
    """With an infinite threshold a task waits for its own servers, as Sparrow at all of them."""
    cluster = CLUSTERS[name]
    types = Types(np.array([[0, 1], [1, 3], [2, 3], [4, 5]]), np.array([1.0, 2.0, 3.0, 1.0]))
    run = (cluster, SyntheticWorkload(types, Poisson(2.0)))
    alone = trajectory(*run, policy(threshold=math.inf), Key.of(4), slots=300)
    assert alone == trajectory(*run, Sparrow(probes=2), Key.of(4), slots=300)


class _Longest(Observer):
    """The mean length of the queues of types."""

    def __init__(self) -> None:
        self.n_tasks = self.n_types = 0

    def observe(self, slot: int, state: StateView) -> None:
        self.n_tasks += state.n_waiting
        self.n_types += state.scheduling.n_types  # type: ignore[attr-defined]


@pytest.mark.parametrize("policy", ["squillante", "bell-williams"])
def test_with_many_types_nobody_helps(policy: str) -> None:
    """The paper, section 1: with a queue for each of C(M, 3) types such rules are of no use.

    A hot spot at 0.9 of the capacity, 34,220 hot types: nearly all queues are of one task, so none
    is above alpha / gamma = 2, and the hot servers are left alone with what they cannot serve.
    """
    scenario = Scenario(
        cluster={"servers": 120},
        service={"local": 1.0, "remote": 0.5},
        traffic={"kind": "hotspot", "hot_servers": 60, "hot_probability": 0.8, "load": 0.9},
        scheduler={"policy": policy},
        run={"slots": 200},
    )
    prepared, longest = prepare(scenario), _Longest()
    result = simulate(prepared.system, prepared.key(), slots=200, observers=[longest])
    assert longest.n_tasks / longest.n_types < 1.3
    assert result.starts[1] < 0.01 * result.n_arrivals
    # The hot servers complete 60 a slot of the 0.8 * 0.9 * 100 that arrive, or not many more.
    assert result.n_in_system > 0.8 * (0.8 * result.n_arrivals - 60 * 200)


@pytest.mark.parametrize("threshold", [-1, "some", True, math.nan])
@pytest.mark.parametrize("policy", [Squillante, BellWilliams])
def test_the_threshold_is_checked(
    policy: type[Squillante | BellWilliams], threshold: object
) -> None:
    """A threshold is a length."""
    message = rf'^threshold = {threshold!r}: must be "auto", or a number from 0 to inf; use "auto"'
    with pytest.raises(ScenarioError, match=message):
        policy(threshold=threshold)  # type: ignore[arg-type]
