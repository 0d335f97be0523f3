"""Blind GB-PANDAS learns the rates, and with them is Balanced-PANDAS."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cluster_sim import Scenario, prepare
from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import BalancedPandas, BlindGBPandas, Policy
from cluster_sim.policies.blind_gb_pandas import LearntWorkloads
from cluster_sim.randomness import Key
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from tests.policies.literal import CLUSTERS, RACKS, TWO_TIERS, single_tasks, trajectory


@pytest.mark.parametrize("tie_break", ["random", "local", "index"])
@pytest.mark.parametrize("dispatch_order", ["random", "index"])
@pytest.mark.parametrize("name", CLUSTERS)
def test_told_the_rates_and_not_exploring_it_is_balanced_pandas(
    name: str, dispatch_order: str, tie_break: str
) -> None:
    """With exact estimates and no exploration the same tasks start at the same time and place."""
    cluster = CLUSTERS[name]
    reading = {"dispatch_order": dispatch_order, "tie_break": tie_break}
    for seed, load in ((1, 0.7), (2, 0.95)):
        run = (cluster, single_tasks(cluster, load * cluster.rates[0] * cluster.n_servers))

        def found(policy: Policy, seed: int = seed, run=run) -> list[tuple[object, ...]]:  # type: ignore[no-untyped-def]
            events = trajectory(*run, policy, Key.of(seed), slots=120, **reading)
            return [(e.slot, e.kind, e.task, e.server, e.tier) for e in events]

        assert found(BlindGBPandas(told=True, exploration=0)) == found(BalancedPandas())


def learnt(policy: BlindGBPandas, slots: int) -> LearntWorkloads:
    """What is known after a run on racks, at 0.8 of their local capacity."""
    workload = SyntheticWorkload(Even(RACKS.topology, 2), Poisson(0.8 * 0.8 * 8))
    emulator = Emulator(System(RACKS, workload, policy), Key.of(11))
    emulator.run(slots)
    scheduling = emulator.scheduler.scheduling  # type: ignore[union-attr]
    assert isinstance(scheduling, LearntWorkloads)
    return scheduling


def test_estimates_converge_to_the_true_service_times() -> None:
    """A service takes 1/mu slots on average with variance (1 - mu)/mu^2: each estimate is as near.

    Of the 24 estimates (8 servers, 3 tiers), scaled by their standard errors, the sum of squares is
    about chi-squared with 24 degrees of freedom: below 24 + 4 sqrt(48). The tiers as a whole are
    within four standard errors.
    """
    found = learnt(BlindGBPandas(exploration=4.0), 8_000)
    rates = np.array(RACKS.rates)
    n = found.n_observed
    assert n.min() > 100
    assert np.allclose(found.times, found.observed / n)
    deviation = (found.observed / n - 1 / rates) / (np.sqrt((1 - rates) / n) / rates)
    assert (deviation**2).sum() < 24 + 4 * math.sqrt(48)
    by_tier = (found.observed.sum(axis=0) - n.sum(axis=0) / rates) / (
        np.sqrt(n.sum(axis=0) * (1 - rates)) / rates
    )
    assert (np.abs(by_tier) < 4).all()


def test_exploring_sends_a_task_to_any_server() -> None:
    """Always exploring, the tiers have the shares of a server drawn at random.

    With two replicas of 8 servers: 2/8 local; the rest by the number of racks that they are in.
    """
    found = learnt(BlindGBPandas(exploration=1e12, decay=1.0, told=True), 3)
    assert not found.n_observed.any()
    workload = SyntheticWorkload(Even(TWO_TIERS.topology, 2), Poisson(0.3))
    system = System(TWO_TIERS, workload, BlindGBPandas(exploration=1e12))
    starts = simulate(system, Key.of(3), slots=20_000).starts
    error = math.sqrt(1 / 3 * 2 / 3 / starts.sum())
    assert starts[0] / starts.sum() == pytest.approx(2 / 6, abs=4 * error)


def run(policy: str, kind: str, **parameters: object) -> RunResult:
    """Run 30 servers at 0.9 of the capacity, and measure after a time of learning."""
    traffic: dict[str, object] = {"kind": kind, "load": 0.9}
    if kind == "hotspot":
        traffic |= {"hot_servers": 15, "hot_probability": 0.8}
    prepared = prepare(
        Scenario(
            cluster={"servers": 30},
            service={"local": 0.5, "remote": 0.25},
            traffic=traffic,
            scheduler={"policy": policy, **parameters},
            run={"slots": 4_000},
        )
    )
    return simulate(prepared.system, prepared.key(), slots=4_000, warmup=2_000)


@pytest.mark.parametrize("kind", ["hotspot", pytest.param("even", marks=pytest.mark.slow)])
def test_blindness_costs_delay_but_no_capacity(kind: str) -> None:
    """Yekkehkhany and Nagi 2020: throughput-optimal. At 0.9 it serves what Balanced-PANDAS does.

    The tasks in the system stay at a few a server; the delay is above that of Balanced-PANDAS,
    which is told the rates, and within a third of it.
    """
    blind, known = run("blind-gb-pandas", kind), run("balanced-pandas", kind)
    assert blind.n_in_system < 0.003 * blind.n_arrivals
    assert known.mean_completion_time < blind.mean_completion_time
    assert blind.mean_completion_time < 4 / 3 * known.mean_completion_time


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"exploration": -1}, "^exploration = -1: must be a number from 0 on; 0 never explores$"),
        ({"exploration": math.inf}, "^exploration = inf: must be"),
        ({"decay": 0}, "^decay = 0: must be a number above 0 and at most 1; above 1 exploring"),
        ({"decay": 1.5}, "^decay = 1.5: must be"),
        ({"told": 1}, "^told = 1: must be true or false$"),
    ],
)
def test_the_parameters_are_checked(parameters: dict[str, float], message: str) -> None:
    """Exploring falls, and never ends."""
    with pytest.raises(ScenarioError, match=message):
        BlindGBPandas(**parameters)  # type: ignore[arg-type]
