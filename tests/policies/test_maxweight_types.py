"""MaxWeight over task types is its formula, and with one type it is FIFO."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cluster_sim.emulator.emulator import Emulator
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.readings import Reading
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import BellWilliams, Fifo, GeneralisedCMu, MaxWeightTypes, TaskPolicy
from cluster_sim.randomness import Key
from cluster_sim.system import System
from tests.policies.literal import CLUSTERS, RACKS, at_most_one, single_tasks, trajectory


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CLUSTERS)
def test_it_is_the_generalised_c_mu_rule_of_quadratic_costs(name: str, seed: int) -> None:
    """Mandelbaum and Stolyar 2004: with C(Q) = Q^2 the rule weighs Q mu, which is MaxWeight."""
    cluster = CLUSTERS[name]
    run = (cluster, single_tasks(cluster, 0.9 * cluster.rates[-1] * cluster.n_servers))
    maxweight, c_mu = (
        trajectory(*run, policy, Key.of(seed), slots=200)
        for policy in (MaxWeightTypes(), GeneralisedCMu(cost_of="queue", exponent=2))
    )
    assert maxweight == c_mu


@pytest.mark.parametrize("seed", range(3))
def test_with_one_type_it_is_fifo(seed: int) -> None:
    """One type has one queue."""
    one = SyntheticWorkload(Types(np.array([[0, 3]]), np.ones(1)), Poisson(2.5))
    fifo = trajectory(RACKS, one, Fifo(), Key.of(seed), slots=200)
    assert trajectory(RACKS, one, MaxWeightTypes(), Key.of(seed), slots=200) == fifo


@pytest.mark.parametrize("policy", [MaxWeightTypes(), BellWilliams(threshold=0)], ids=repr)
def test_memory_stays_with_the_waiting_tasks(policy: TaskPolicy) -> None:
    """Heaps of servers that are never asked drop what has started elsewhere."""
    workload = at_most_one(RACKS, 1.0)
    system = System(RACKS, workload, policy, Reading(dispatch_order="index"))
    emulator = Emulator(system, Key.of(1))
    emulator.run(9_000)
    scheduling = emulator.scheduler.scheduling  # type: ignore[union-attr]
    n_entries = sum(map(len, scheduling._heaps))
    assert n_entries < 6_000 + 16 * scheduling.n_types
    assert scheduling.n_types <= scheduling.most_types <= math.comb(8, 3)
