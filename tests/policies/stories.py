"""What the tests of policies share: who served which task when, and one cluster in many loads."""

from __future__ import annotations

from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Traffic
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import QueuePolicy
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer
from cluster_sim.system import System

Story = list[tuple[int, int, int, int]]


class Services(Observer):
    """Keep the number, server, start and length of every service."""

    def __init__(self) -> None:
        self.found: Story = []

    def start(self, task: Task) -> None:
        """Take note of a service."""
        self.found.append((task.number, task.server, task.start, task.service))


def flat(n_servers: int, local: float, remote: float) -> Cluster:
    """Return a cluster of two tiers."""
    return Cluster.of(Topology.tree(n_servers), {"local": local, "remote": remote})


def offered(
    cluster: Cluster,
    traffic: Traffic,
    policy: QueuePolicy,
    rate: float,
    reading: Reading | None = None,
) -> System:
    """Return a system with so many Poisson arrivals a slot."""
    return System(cluster, SyntheticWorkload(traffic, Poisson(rate)), policy, reading or Reading())


def services(system: System, *, slots: int = 200) -> Story:
    """Return who served which task when, and for how long."""
    watch = Services()
    simulate(system, Key.of(20150426), slots=slots, observers=[watch])
    return watch.found
