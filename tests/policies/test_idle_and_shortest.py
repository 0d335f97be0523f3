"""JFSQ, JFIQ and JIQ over all servers: the limits in which they are known, and what they lose."""

from __future__ import annotations

import numpy as np
import pytest
from policies.stories import flat, offered, services

from cluster_sim.emulator.emulator import simulate as simulate_simpy
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading, RoutingView, TieBreak
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Types
from cluster_sim.policies import get
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView

EVERYWHERE = Types(np.arange(8)[None, :], np.array([1.0]))
RACKS = Topology.tree(8, {"rack": 4})


@pytest.mark.parametrize("routing_view", RoutingView)
@pytest.mark.parametrize("tie_break", [TieBreak.RANDOM, TieBreak.INDEX])
@pytest.mark.parametrize("topology", [Topology.tree(8), RACKS])
def test_jfsq_with_equal_rates_is_jsq_over_all_servers(
    topology: Topology, tie_break: TieBreak, routing_view: RoutingView
) -> None:
    """With alpha = gamma data is nowhere nearer: as if each chunk were everywhere, task by task."""
    rates = {"local": 0.5, "rack_local": 0.5, "remote": 0.5}
    if topology.n_levels == 2:
        del rates["rack_local"]
    cluster = Cluster.of(topology, rates)
    reading = Reading(tie_break=tie_break, routing_view=routing_view)
    scattered = offered(cluster, Even(topology, 2), get("jfsq"), 3.4, reading)
    everywhere = offered(cluster, EVERYWHERE, get("jsq-local"), 3.4, reading)
    assert services(scattered) == services(everywhere)


def test_where_every_server_holds_the_chunk_jfiq_is_jiq() -> None:
    """With a replica everywhere the fastest idle server is any, and so is the random one."""
    cluster = flat(8, 0.5, 0.2)
    jfiq, jiq = (offered(cluster, EVERYWHERE, get(name), 3.6) for name in ("jfiq", "jiq"))
    assert services(jfiq) == services(jiq)


class Joins(Observer):
    """Count the tasks by where they join: an idle local server, an idle other one, a busy one."""

    def __init__(self, tiers: Cluster) -> None:
        self._cluster = tiers
        self._lengths: list[int] = []
        self.found: set[tuple[bool, int, bool, int]] = set()

    def observe(self, slot: int, state: StateView) -> None:
        """Begin a slot with the lengths of its start."""
        self._lengths = list(state.lengths)

    def arrival(self, task: Task) -> None:
        """Take note of whom a task joined, and whom it might have."""
        tiers = [self._cluster.tier(m, task.replicas) for m in range(len(self._lengths))]
        idle = [tiers[m] for m, length in enumerate(self._lengths) if length == 0]
        is_idle = self._lengths[task.queue] == 0
        self.found.add((is_idle, tiers[task.queue], bool(idle), min(idle, default=-1)))
        self._lengths[task.queue] += 1


@pytest.mark.parametrize("name", ["jfiq", "jiq"])
def test_an_idle_server_is_joined_while_there_is_one(name: str) -> None:
    """No task joins a busy server while one idles; JFIQ takes the fastest, else a replica."""
    cluster = Cluster.of(RACKS, {"local": 0.8, "rack_local": 0.6, "remote": 0.4})
    watch = Joins(cluster)
    system = offered(cluster, Even(RACKS, 2), get(name), 3.6)
    simulate_simpy(system, Key.of(1), slots=600, observers=[watch])
    assert {(idle, any_idle) for idle, _, any_idle, _ in watch.found} == {
        (True, True),
        (False, False),
    }
    tiers = {tier for idle, tier, _, _ in watch.found if not idle}
    if name == "jfiq":
        assert all(tier == nearest for idle, tier, _, nearest in watch.found if idle)
        assert tiers == {0}
    else:
        assert tiers == {0, 1, 2}


@pytest.mark.parametrize("name", ["jiq", "jfiq", "jfsq"])
def test_nobody_waits_in_a_large_cluster_with_equal_rates(name: str) -> None:
    """With alpha = gamma and load below 1 an idle server is always found: E[T] = 1 / alpha.

    The limit M to infinity of Lu et al. 2011 and of Weng, Zhou, Srikant 2020, here at M = 1000.
    """
    simulate = pytest.importorskip("cluster_sim.compiled.engine").simulate
    cluster = flat(1000, 0.5, 0.5)
    system = offered(cluster, Even(cluster.topology, 3), get(name), 350.0)
    result = simulate(system, Key.of(3), slots=1500, warmup=200)
    assert result.mean_waiting_time == 0.0
    error = (2.0 / result.completion_times.total) ** 0.5  # (1 - alpha) / alpha^2 is the variance
    assert result.mean_completion_time == pytest.approx(2.0, abs=4 * error)


def growth(name: str, local: float, remote: float, load: float) -> float:
    """Tasks in the system at the end of a run of even traffic, over the arrivals."""
    simulate = pytest.importorskip("cluster_sim.compiled.engine").simulate
    cluster = flat(100, local, remote)
    system = offered(cluster, Even(cluster.topology, 3), get(name), load * local * 100)
    result = simulate(system, Key.of(2), slots=4000)
    return float(result.n_in_system / result.n_arrivals)


@pytest.mark.parametrize(("name", "load"), [("jfsq", 0.8), ("jiq", 0.6)])
def test_capacity_is_lost_to_distance(name: str, load: float) -> None:
    """Blind to the price of distance, both overload a cluster in which all could be local.

    The capacity of even traffic is alpha M, and Balanced-PANDAS carries this load. JIQ runs nearly
    all tasks remotely, so it carries gamma M at most: half of it here.
    """
    assert growth(name, 1.0, 0.5, load) > 0.01
    assert growth("balanced-pandas", 1.0, 0.5, load) < 0.001
