"""The generalised c-mu rule is its formula, has the limits known, and keeps the capacity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import Fifo, GeneralisedCMu, TaskPolicy
from cluster_sim.randomness import Key
from cluster_sim.scenario.build import prepare
from tests.policies.literal import (
    CLUSTERS,
    RACKS,
    Literal,
    keys,
    literal_c_mu,
    trajectory,
    workloads,
)
from tests.policies.stories import flat
from tests.scenarios.shipped import scenario


@pytest.mark.parametrize("exponent", [1, 1.5, 2, 3])
@pytest.mark.parametrize("cost_of", ["delay", "queue"])
@pytest.mark.parametrize("name", CLUSTERS)
@settings(max_examples=5)
@given(data=st.data(), key=keys)
def test_the_type_of_the_largest_marginal_cost_times_rate_is_served(
    name: str, cost_of: str, exponent: float, data: st.DataObject, key: Key
) -> None:
    """The heaps give the events of the formula over all types, event by event."""
    cluster = CLUSTERS[name]
    run = (cluster, data.draw(workloads(cluster)))
    linear = data.draw(st.sampled_from([0.0, 0.5, 4.0]))
    policy = GeneralisedCMu(cost_of=cost_of, exponent=exponent, linear=linear)
    literal = Literal(literal_c_mu(cost_of, exponent, linear))
    assert trajectory(*run, policy, key, slots=50) == trajectory(*run, literal, key, slots=50)


@pytest.mark.parametrize("exponent", [1, 2, 7.5])
def test_with_one_type_it_is_fifo(exponent: float) -> None:
    """One type has one queue, whatever its cost."""
    one = SyntheticWorkload(Types(np.array([[0, 3]]), np.ones(1)), Poisson(2.5))
    fifo = trajectory(RACKS, one, Fifo(), Key.of(1), slots=200)
    for cost_of in ("delay", "queue"):
        policy = GeneralisedCMu(cost_of=cost_of, exponent=exponent)
        assert trajectory(RACKS, one, policy, Key.of(1), slots=200) == fifo


@pytest.mark.parametrize("exponent", [1.5, 2, 32])
def test_with_equal_rates_tasks_start_in_order_of_arrival(exponent: float) -> None:
    """Where all servers are as fast for a task, only age counts if the cost is strictly convex."""
    types = Types(np.array([[0, 1], [2, 3], [1, 4], [3, 5]]), np.ones(4))
    run = (flat(6, 0.5, 0.5), SyntheticWorkload(types, Poisson(2.8)))

    def arrivals_of_starts(policy: TaskPolicy) -> list[int]:
        events = trajectory(*run, policy, Key.of(2), slots=300)
        arrived = {event.task: event.slot for event in events if event.kind == "arrival"}
        return [arrived[event.task] for event in events if event.kind == "start"]

    found = arrivals_of_starts(GeneralisedCMu(exponent=exponent))
    assert found == sorted(found)
    found = arrivals_of_starts(GeneralisedCMu(exponent=1))  # nearest first
    assert found != sorted(found)


@pytest.mark.slow
def test_three_tiers_keep_the_capacity_that_priority_loses() -> None:
    """At load 0.9 of the shipped racks the tasks in the system stay; those of `priority` grow."""
    slots, in_system = 600, {}
    for name in ("generalised-c-mu", "priority"):
        system = prepare(scenario("rack-tier", policy=name)).system
        series = simulate(system, Key.of(1), slots=slots).series.in_system
        in_system[name] = np.asarray(series)[len(series) // 4 :]
    first, second = np.array_split(in_system["generalised-c-mu"], 2)
    assert second.mean() < 2 * first.mean() < 2 * 200  # about a task a server at most
    first, second = np.array_split(in_system["priority"], 2)
    assert second.mean() > 1.5 * first.mean() > 1.5 * 200


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cost_of": "length"}, r"^cost_of = 'length': must be one of delay, queue$"),
        ({"exponent": 0.5}, r"^exponent = 0.5: must be a number from 1 to 32, so that the cost"),
        ({"exponent": 33}, r"^exponent = 33: must be a number from 1 to 32"),
        ({"exponent": True}, "^exponent = True: must be"),
        ({"exponent": math.nan}, "^exponent = nan: must be"),
        ({"linear": -1}, "^linear = -1: must be a number from 0 on$"),
        ({"linear": math.inf}, "^linear = inf: must be"),
    ],
)
def test_the_cost_is_checked(parameters: dict[str, float], message: str) -> None:
    """A cost is convex and finite."""
    with pytest.raises(ScenarioError, match=message):
        GeneralisedCMu(**parameters)  # type: ignore[arg-type]
