"""Long runs with breakdowns against an exact chain, and against counts of placements."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.arrivals import Bernoulli
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.failures import Failures, Outage
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.randomness import Key
from cluster_sim.scenario.build import prepare
from cluster_sim.scenario.schema import Scenario
from cluster_sim.system import System


def exact_mean(arrival: float, service: float, up: float, down: float, most: int = 400) -> float:
    """Mean number at the observation point of Geo/Geo/1 whose server breaks down.

    The chain is (tasks, up or down) at the observation point: arrival, service where the server is
    up, completion, and then the server changes. A broken run begins again, which geometric service
    does not notice.
    """
    n = 2 * (most + 1)
    chain = np.zeros((n, n))
    change = np.array([[1 - 1 / down, 1 / down], [1 / up, 1 - 1 / up]])  # down is 0, up is 1
    for tasks in range(most + 1):
        for is_up in (0, 1):
            for extra, p_arrival in ((0, 1 - arrival), (1, arrival)):
                here = min(tasks + extra, most)
                p_done = service if is_up and here else 0.0
                for done, p in ((0, 1 - p_done), (1, p_done)):
                    for then in (0, 1):
                        weight = p_arrival * p * change[is_up, then]
                        chain[2 * tasks + is_up, 2 * (here - done) + then] += weight
    equations = np.vstack((chain.T - np.eye(n), np.ones(n)))
    law = np.linalg.lstsq(equations, np.append(np.zeros(n), 1.0), rcond=None)[0]
    assert law[-2:].sum() < 1e-9
    return float(law @ np.repeat(np.arange(most + 1), 2))


def test_one_server_that_breaks_down_has_the_mean_of_its_chain() -> None:
    """Geo/Geo/1 with breakdowns, its disk kept: the mean number at the observation point."""
    topology = Topology.tree(1)
    cluster = Cluster.of(topology, {"local": 0.5, "remote": 0.25})
    workload = SyntheticWorkload(Even(topology, n_replicas=1), Bernoulli(0.25))
    failures = Failures(20.0, 5.0, disks="kept")
    system = System(cluster, workload, policies.get("fifo"), failures=failures)
    n_slots = 40_000
    found = simulate(system, Key.of(1), slots=n_slots, series_points=40)
    sums = np.append(found.series.in_system_sum, found.in_system_sum)
    means = np.diff(sums) / np.diff(np.append(found.series.slots, n_slots))
    error = means.std(ddof=1) / math.sqrt(len(means))
    expected = exact_mean(0.25, 0.5, 20.0, 5.0, most=150)
    assert error < 0.1 * expected
    assert found.mean_in_system == pytest.approx(expected, abs=4 * error)
    assert found.failures is not None
    assert found.failures.availability == pytest.approx(0.8, abs=0.02)


def scenario(**traffic: Any) -> Scenario:
    """Eight servers in two racks."""
    return Scenario(
        cluster={"servers": 8, "racks": 2},
        service={"local": 1.0, "rack_local": 0.9, "remote": 0.5},
        traffic={"kind": "even", "load": 0.3, **traffic},
        scheduler={"policy": "jsq-maxweight"},
        run={"slots": 1},
    )


def test_a_failing_rack_takes_chunks_by_the_count_of_placements() -> None:
    """With uniform placement C(4,3) of the C(8,3) replica sets are within it; with hdfs none."""
    whole_run = Failures(events=(Outage(0, 10_000, rack=1),))
    waited = {}
    for placement in ("uniform", "hdfs"):
        system = prepare(scenario(placement=placement)).system
        found = simulate(replace(system, failures=whole_run), Key.of(2), slots=1500)
        assert found.failures is not None
        assert found.failures.n_failed == 0
        waited[placement] = (found.failures.n_waited, found.n_arrivals)
    n_waited, n = waited["uniform"]
    p = math.comb(4, 3) / math.comb(8, 3)
    assert n_waited / n == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / n))
    assert waited["hdfs"][0] == 0


def test_copies_make_up_for_every_replica_lost() -> None:
    """At a rate without bound each lost replica is copied in its slot, or as a server is back."""
    traffic = {"kind": "zipf", "chunks": 40, "exponent": 1.0}
    system = prepare(scenario(**traffic)).system
    failures = Failures(300.0, 30.0, rereplication=float("inf"))
    found = simulate(replace(system, failures=failures), Key.of(3), slots=3000)
    record = found.failures
    assert record is not None
    assert record.n_chunks_lost == record.n_failed == 0
    assert record.n_replicas_lost == record.n_copies
    # Three replicas of 40 chunks are on the servers that are up: those of one in 8 * 300 / 330.
    expected = 120 / (8 * 300 / 330)
    assert record.n_replicas_lost / record.n_breakdowns == pytest.approx(expected, rel=0.1)


def test_a_copy_goes_to_another_rack_where_the_placement_is_rack_aware() -> None:
    """A rack fails after many breakdowns: with hdfs no chunk is out of reach, copied or not."""
    traffic = {"kind": "zipf", "chunks": 60, "exponent": 0.5}
    breakdowns = tuple(Outage(10 + 5 * i, 2, server=i % 8) for i in range(32))
    failures = {
        name: Failures(
            events=(*breakdowns, Outage(400, 10_000, rack=1)),
            rereplication=float("inf"),
            placement=prepare(scenario(placement=name)).system.workload.traffic.placement,  # type: ignore[attr-defined]
        )
        for name in ("uniform", "hdfs")
    }
    n_waited = {}
    for name, each in failures.items():
        system = prepare(scenario(**traffic, placement=name)).system
        found = simulate(replace(system, failures=each), Key.of(4), slots=600)
        assert found.failures is not None
        assert found.failures.n_copies > 300
        n_waited[name] = found.failures.n_waited
    assert n_waited["hdfs"] == 0
    assert n_waited["uniform"] > 0


def test_memory_does_not_grow_with_completed_tasks() -> None:
    """Where each task has a chunk of its own, that is forgotten with it."""
    from cluster_sim.emulator.emulator import Emulator

    system = prepare(scenario()).system
    failures = Failures(50.0, 5.0, rereplication=1.0)
    emulator = Emulator(replace(system, failures=failures), Key.of(5))
    emulator.run(1500)
    in_system = emulator.state.n_waiting + emulator.state.n_in_service
    assert emulator.n_arrivals > 2000
    assert emulator.n_chunks == in_system < 100
