"""Service times, speeds and told rates on the SimPy engine: laws of runs, and what is unchanged."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import Bernoulli, Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.needs import needs_of
from cluster_sim.model.phased_workload import PhasedTraffic, PhasedWorkload
from cluster_sim.model.phases import Phase, Phases
from cluster_sim.model.service_times import (
    Deterministic,
    Empirical,
    Geometric,
    LogNormal,
    Pareto,
    ServiceTimes,
)
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Hotspot
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import names
from cluster_sim.policies.priority import Priority
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventRecorder
from cluster_sim.system import System
from cluster_sim.testing.invariants import InvariantObserver

RACKS = Topology.tree(6, {"rack": 3})
RATES = {"local": 0.9, "rack_local": 0.7, "remote": 0.4}
SLOW = (1.0, 0.5, 1.0, 1.1, 0.3, 1.0)
KINDS: tuple[ServiceTimes, ...] = (
    Geometric(),
    Deterministic(),
    LogNormal(2.0),
    Pareto(2.1),
    Empirical((1.0, 5.0)),
)


def system_of(name: str, service: ServiceTimes, **changes: object) -> System:
    phases = Phases((Phase(8.0, 2.0), Phase(20.0, 0.5)), move=2)
    traffic = PhasedTraffic(phases, Hotspot(RACKS, 3, 0.7, 2))
    workload = PhasedWorkload(traffic, tuple(Poisson(3.0 * r) for r in phases.relative_rates))
    cluster = Cluster.of(RACKS, RATES, SLOW)
    told = (0.5, 0.8, 0.7)
    system = System(cluster, workload, policies.get(name), service=service, told_rates=told)
    return dataclasses.replace(system, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", names())
def test_every_policy_keeps_the_laws(name: str) -> None:
    """Under slow servers, heavy tails, wrong rates and moving bursts, all laws of runs hold."""
    for service in (Geometric(), Pareto(1.5)):
        system = system_of(name, service)
        watch = InvariantObserver(system)
        simulate(system, Key.of(3), slots=150, observers=[watch])


@pytest.mark.parametrize("told", [(0.9, 0.7, 0.4), (0.2, 0.9, 1.0), (0.5, 0.5, 0.5)])
@pytest.mark.parametrize("name", names())
def test_every_policy_takes_any_order_of_rates(name: str, told: tuple[float, ...]) -> None:
    """Also where remote service is believed to be the fastest, a run goes through."""
    result = simulate(system_of(name, Geometric(), told_rates=told), Key.of(1), slots=80)
    assert result.n_completed > 0


def events_of(system: System, slots: int = 400) -> list[object]:
    recorder = EventRecorder()
    simulate(system, Key.of(7), slots=slots, observers=[recorder])
    return list(recorder.events)


def test_priority_uses_the_told_rates_for_its_threshold_only() -> None:
    """With told rates the trajectory is that of the threshold which they give."""
    for told, threshold in (((0.8, 0.5, 0.2), 4.0), ((0.9, 0.9, 0.6), 1.5)):
        base = system_of("priority", LogNormal(1.0), told_rates=None)
        asked = dataclasses.replace(base, policy=Priority(threshold=threshold))
        assert events_of(dataclasses.replace(base, told_rates=told)) == events_of(asked)
    assert events_of(base) != events_of(asked), "the threshold matters here"


def test_the_truth_told_changes_nothing() -> None:
    """Told the true rates, a policy decides as if it were told none; speeds of 1 are no speeds."""
    plain = system_of("balanced-pandas", Geometric(), told_rates=None)
    plain = dataclasses.replace(plain, cluster=Cluster.of(RACKS, RATES))
    told = dataclasses.replace(plain, told_rates=plain.cluster.rates)
    alike = dataclasses.replace(plain, cluster=Cluster.of(RACKS, RATES, [1.0] * 6))
    assert events_of(plain) == events_of(told) == events_of(alike)
    assert plain.needs is None
    assert alike.needs is None


def test_needs_worked_out_ahead_are_those_of_the_engine() -> None:
    """Geometric servers of equal speed run the same, whether needs are tabled or computed."""
    system = system_of("priority", Geometric(), cluster=Cluster.of(RACKS, RATES))
    halved = Cluster.of(RACKS, {name: rate / 2 for name, rate in RATES.items()})
    slow = dataclasses.replace(system, cluster=Cluster.of(RACKS, RATES, [0.5] * 6))
    assert slow.needs is not None
    assert slow.needs.n_columns == 3
    assert events_of(slow) == events_of(dataclasses.replace(system, cluster=halved))


def test_a_faster_server_is_never_slower() -> None:
    """Columns of faster speeds and of nearer tiers hold no longer times."""
    for service in KINDS:
        needs = needs_of(Cluster.of(RACKS, RATES, SLOW), service)
        assert needs is not None
        table = needs.of(np.random.default_rng(1).random(200))
        order = np.argsort(needs.rates)
        assert (np.diff(table[:, order], axis=1) <= 0).all()


# --- one server, exactly --------------------------------------------------------------------------


def mean_wait(service: ServiceTimes, rate: float, arrival_rate: float) -> float:
    """Mean wait of a single server with Bernoulli arrivals (Pollaczek and Khinchine, in slots).

    With U the unfinished work at the observation point and B what a slot brings,
    U' = max(U + B - 1, 0). Squares in balance give E[U] = E[B (B - 1)] / (2 (1 - rho)), and an
    arrival that comes alone waits for U.
    """
    slots = np.arange(1, 200_000)
    twice = 2.0 * float(slots @ service.survival(slots, rate))  # E[D (D - 1)]
    return arrival_rate * twice / (2.0 * (1.0 - arrival_rate / rate))


def single_server(service: ServiceTimes, rate: float, arrival_rate: float, speed: float) -> System:
    alone = Topology.tree(1)
    cluster = Cluster.of(alone, {"local": rate, "remote": rate}, [speed])
    workload = SyntheticWorkload(Even(alone, 1), Bernoulli(arrival_rate))
    return System(cluster, workload, policies.get("fifo"), service=service)


@pytest.mark.parametrize(
    ("service", "speed"),
    [
        (Geometric(), 0.5),
        (Deterministic(), 1.0),
        (LogNormal(1.0), 0.5),
        (Pareto(5.0), 1.0),
        (Empirical((1.0, 9.0)), 0.5),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_one_server_waits_as_long_as_the_formula_says(service: ServiceTimes, speed: float) -> None:
    """Mean wait and utilisation of one server are the closed forms (5 standard errors)."""
    rate, load, n = 0.4 / speed, 0.7, 6
    system = single_server(service, rate, load * 0.4, speed)
    runs = [simulate(system, Key.of(5, i), slots=5_000, warmup=500) for i in range(n)]
    waits = [run.waiting_times.mean for run in runs]
    error = np.std(waits, ddof=1) / math.sqrt(n)
    assert abs(np.mean(waits) - mean_wait(service, 0.4, load * 0.4)) < 5 * error
    busy = [run.busy[0] / 4_500 for run in runs]
    assert abs(np.mean(busy) - load) < 5 * np.std(busy, ddof=1) / math.sqrt(n)


def test_deterministic_service_in_closed_form() -> None:
    """For D slots exactly, the wait is lambda D (D - 1) / (2 (1 - lambda D))."""
    assert mean_wait(Deterministic(), 0.25, 0.2) == pytest.approx(0.2 * 4 * 3 / (2 * (1 - 0.8)))


def test_slow_servers_are_as_busy_as_their_rates_say() -> None:
    """Servers that serve only their own data: utilisation is arrivals over rate times speed."""
    topology = Topology.tree(3)
    cluster = Cluster.of(topology, {"local": 0.8, "remote": 0.1}, [1.0, 0.5, 0.75])
    workload = SyntheticWorkload(Even(topology, 1), Poisson(0.9))
    policy = policies.get("priority", threshold=math.inf)
    runs = [
        simulate(System(cluster, workload, policy), Key.of(2, i), slots=6_000, warmup=500)
        for i in range(6)
    ]
    busy = np.array([run.busy / 5_500 for run in runs])
    expected = 0.3 / (0.8 * np.array([1.0, 0.5, 0.75]))
    errors = busy.std(axis=0, ddof=1) / math.sqrt(len(runs))
    assert (np.abs(busy.mean(axis=0) - expected) < 6 * errors).all()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((0.5, 0.5), r"told_rates: 2 of them for 3 tiers \(local, rack_local, remote\)"),
        ((0.5, 1.5, 0.5), "told rate rack_local = 1.5: must be above 0 and at most 1"),
    ],
)
def test_told_rates_are_probabilities_of_the_tiers(told: tuple[float, ...], words: str) -> None:
    """There is one for each tier, and none above 1."""
    with pytest.raises(ScenarioError, match=words):
        system_of("priority", Geometric(), told_rates=told)


@pytest.mark.parametrize(
    ("speeds", "words"),
    [
        ([1.0], "speeds: 1 of them for 6 servers; give one for each"),
        ([2.0] * 6, "speed 2 of server 0: its rates would be from 0.8 to 1.8"),
        ([1.0, 0.0, 1.0, 1.0, 1.0, 1.0], "speed 0 of server 1: its rates would be from 0 to 0"),
    ],
)
def test_speeds_keep_rates_in_their_range(speeds: list[float], words: str) -> None:
    """No server's rate leaves (0, 1]."""
    with pytest.raises(ScenarioError, match=words):
        Cluster.of(RACKS, RATES, speeds)
