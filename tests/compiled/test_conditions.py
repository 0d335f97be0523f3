"""The same trajectory under other service times, several speeds, told rates and phases."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim import policies
from cluster_sim.compiled.assembly import compiled_loop
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.phased_workload import PhasedTraffic, PhasedWorkload
from cluster_sim.model.phases import Phase, Phases, Stays
from cluster_sim.model.service_times import (
    Deterministic,
    Empirical,
    Geometric,
    LogNormal,
    Pareto,
    ServiceTimes,
)
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import NO_SERVER, Even, Hotspot, Traffic, Types
from cluster_sim.model.workload import ArrivalBatch, SyntheticWorkload, Workload
from cluster_sim.randomness import Key
from cluster_sim.system import System
from compiled.both import check_same

KINDS: tuple[ServiceTimes, ...] = (
    Geometric(),
    Deterministic(),
    LogNormal(2.0),
    Pareto(1.4),
    Empirical((1.0, 2.0, 30.0)),
)
SPEEDS = (None, (1.0, 0.5, 1.0, 1.0, 0.25, 0.5, 1.0, 1.1))
TOLD = (None, (0.3, 0.8, 0.6))
WITH_PHASES = (None, Stays.GEOMETRIC, Stays.FIXED)
# Between them they use both indices, queues of several to a server, and one queue for all. A loop
# with given times is compiled once more, so they are few.
NAMES = ("priority", "balanced-pandas", "fifo")
RACKS = Topology.tree(8, {"rack": 3})


def traffic_of(kind: int) -> Traffic:
    if kind == 0:
        return Hotspot(RACKS, 4, 0.8, 2)
    none = NO_SERVER
    sets = np.array([[0, none, none], [1, 4, 7], [2, 5, none]], dtype=np.int64)
    return Even(RACKS, 3) if kind == 1 else Types(sets, np.array([1.0, 2.0, 1.0]))


def system_of(
    name: str,
    service: ServiceTimes,
    *,
    speeds: tuple[float, ...] | None = None,
    told: tuple[float, ...] | None = None,
    stays: Stays | None = None,
    rate: float = 4.0,
    traffic: int = 0,
) -> System:
    cluster = Cluster.of(RACKS, {"local": 0.8, "rack_local": 0.6, "remote": 0.3}, speeds)
    drawn = traffic_of(traffic)
    workload: Workload = SyntheticWorkload(drawn, Poisson(rate))
    if stays is not None:
        phases = Phases((Phase(5.0, 3.0), Phase(30.0, 1.0)), stays, 3 if traffic == 0 else 0)
        arrivals = tuple(Poisson(rate * r) for r in phases.relative_rates)
        workload = PhasedWorkload(PhasedTraffic(phases, drawn), arrivals)
    return System(cluster, workload, policies.get(name), service=service, told_rates=told)


@pytest.mark.parametrize("service", KINDS, ids=lambda service: service.kind)
@pytest.mark.parametrize("name", NAMES)
def test_same_trajectory(name: str, service: ServiceTimes) -> None:
    """Every distribution, with speeds, told rates and phases each on and off, runs alike."""
    number = NAMES.index(name) + KINDS.index(service)
    for speeds in SPEEDS:
        for told in TOLD:
            number += 1
            stays = WITH_PHASES[number % 3]
            system = system_of(
                name, service, speeds=speeds, told=told, stays=stays, traffic=number % 2
            )
            check_same(system, Key.of(number, 1), 80, warmup=11)


@pytest.mark.parametrize("name", policies.names(policies.PolicyKind.QUEUE))
def test_told_rates_reach_every_policy_alike(name: str) -> None:
    """Told rates and phases need no loop of their own; both engines take them for every policy."""
    system = system_of(name, Geometric(), told=TOLD[1], stays=Stays.GEOMETRIC)
    check_same(system, Key.of(5), 60)


@given(data=st.data())
@settings(max_examples=25)
def test_random_conditions(data: st.DataObject) -> None:
    """A short search over combinations finds no difference, nor with long backlogs."""
    draw: Any = data.draw
    system = system_of(
        draw(st.sampled_from(NAMES)),
        draw(st.sampled_from(KINDS)),
        speeds=draw(st.sampled_from(SPEEDS)),
        told=draw(st.sampled_from(TOLD)),
        stays=draw(st.sampled_from(WITH_PHASES)),
        rate=draw(st.sampled_from([0.5, 4.0, 20.0])),
        traffic=draw(st.integers(0, 1)),
    )
    check_same(system, Key.of(draw(st.integers(0, 99))), 60, warmup=draw(st.integers(0, 30)))


class Widening:
    """Arrivals whose replica sets are wider from batch to batch, and ever more of them."""

    rate = 10.0
    bound = None

    def batches(self, key: Key, n_slots: int) -> Any:
        del key
        first_task = 0
        for slot in range(n_slots):
            n = 3 * slot
            rows = np.tile(np.arange(1 + slot // 8), (n, 1))
            yield ArrivalBatch(slot, first_task, np.array([n]), rows)
            first_task += n


@pytest.mark.parametrize("service", [Pareto(2.0), Geometric()], ids=lambda service: service.kind)
def test_times_stay_with_their_tasks_as_the_pool_grows(service: ServiceTimes) -> None:
    """Thousands of waiting tasks and wider replica sets move the times, and lose none."""
    system = system_of("priority", service, speeds=SPEEDS[1])
    system = dataclasses.replace(system, workload=Widening())  # type: ignore[arg-type]
    result = check_same(system, Key.of(1), 64)
    assert result.n_in_system > 4096, "the pool of tasks must grow"


def test_a_run_of_many_batches_agrees() -> None:
    """Over many batches of arrivals, with services longer than the timing wheel, counts agree."""
    slow = Cluster.of(RACKS, {"local": 0.02, "remote": 0.01}, SPEEDS[1])
    system = system_of("balanced-pandas", Pareto(1.2), rate=0.1, stays=Stays.GEOMETRIC)
    system = dataclasses.replace(system, cluster=slow)
    result = check_same(system, Key.of(3), 20_000, warmup=500, is_observed=False)
    assert result.completion_times.quantile(0.999) > 1024


def test_plain_systems_have_the_plain_loop() -> None:
    """Geometric service at one speed runs the loop without given times."""
    policy = policies.get("priority")
    assert system_of("priority", Geometric(), told=TOLD[1]).needs is None
    assert compiled_loop(policy) is compiled_loop(policy, given_times=False)
    assert compiled_loop(policy) is not compiled_loop(policy, given_times=True)
