"""MaxWeight over task types is its formula, and with one type it is FIFO."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.emulator.emulator import Emulator
from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.readings import Reading
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import Fifo, MaxWeightTypes
from cluster_sim.randomness import Key
from cluster_sim.system import System
from tests.policies.literal import (
    CLUSTERS,
    RACKS,
    Literal,
    at_most_one,
    keys,
    literal_maxweight,
    trajectory,
    workloads,
)


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
@pytest.mark.parametrize("name", CLUSTERS)
@settings(max_examples=8)
@given(data=st.data(), key=keys)
def test_the_type_of_the_largest_weight_is_served(
    name: str, power: float, data: st.DataObject, key: Key
) -> None:
    """The heaps give the events of the formula over all types, event by event."""
    cluster = CLUSTERS[name]
    run = (cluster, data.draw(workloads(cluster)))
    fast = trajectory(*run, MaxWeightTypes(power=power), key, slots=50)
    assert fast == trajectory(*run, Literal(literal_maxweight(power)), key, slots=50)


@pytest.mark.parametrize("power", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_with_one_type_it_is_fifo(power: float, seed: int) -> None:
    """One type has one queue."""
    one = SyntheticWorkload(Types(np.array([[0, 3]]), np.ones(1)), Poisson(2.5))
    fifo = trajectory(RACKS, one, Fifo(), Key.of(seed), slots=200)
    assert trajectory(RACKS, one, MaxWeightTypes(power=power), Key.of(seed), slots=200) == fifo


def test_memory_stays_with_the_waiting_tasks() -> None:
    """Heaps of servers that are never asked drop what has started elsewhere."""
    workload = at_most_one(RACKS, 1.0)
    system = System(RACKS, workload, MaxWeightTypes(), Reading(dispatch_order="index"))
    emulator = Emulator(system, Key.of(1))
    emulator.run(12_000)
    scheduling = emulator.scheduler.scheduling  # type: ignore[union-attr]
    assert sum(len(heap) for heaps in scheduling._heaps for heap in heaps) < 6_000
    assert scheduling.n_types <= scheduling.most_types <= math.comb(8, 3)


@pytest.mark.parametrize("power", [-0.5, math.inf, math.nan, "one", True])
def test_the_power_is_checked(power: object) -> None:
    """A power is a number, and costs grow with the queue."""
    message = rf"^power = {power!r}: must be a number from 0 on; 1 is MaxWeight$"
    with pytest.raises(ScenarioError, match=message):
        MaxWeightTypes(power=power)  # type: ignore[arg-type]
