"""The Bell-Williams policy is its rule, and needs its threshold in the N-system."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import BellWilliams
from cluster_sim.randomness import Key
from cluster_sim.system import System
from tests.policies.literal import (
    CLUSTERS,
    Literal,
    keys,
    literal_bell_williams,
    trajectory,
    workloads,
)
from tests.policies.stories import flat


@pytest.mark.parametrize("threshold", [0, 1, 3.5])
@pytest.mark.parametrize("name", CLUSTERS)
@settings(max_examples=8)
@given(data=st.data(), key=keys)
def test_the_rule_is_the_literal_one(
    name: str, threshold: float, data: st.DataObject, key: Key
) -> None:
    """The tree of heaps gives the events of the rule over all types, event by event."""
    cluster = CLUSTERS[name]
    run = (cluster, data.draw(workloads(cluster)))
    policy = BellWilliams(threshold=threshold)
    literal = Literal(literal_bell_williams(threshold))
    assert trajectory(*run, policy, key, slots=50) == trajectory(*run, literal, key, slots=50)


ALPHA, GAMMA, SLOTS = 0.5, 0.25, 12_000
CLASS_1, CLASS_2 = 0.6, 0.27  # tasks a slot: server 0 leaves 0.1 of class 1 and more to server 1


def run_n_system(threshold: float, hot: int = 0):  # type: ignore[no-untyped-def]
    """Run the N-system: class 1 of a chunk on the hot server, class 2 of one on the other."""
    weights = np.array([CLASS_1, CLASS_2] if hot == 0 else [CLASS_2, CLASS_1])
    workload = SyntheticWorkload(Types(np.array([[0], [1]]), weights), Poisson(CLASS_1 + CLASS_2))
    system = System(flat(2, ALPHA, GAMMA), workload, BellWilliams(threshold=threshold))
    return simulate(system, Key.of(5), slots=SLOTS)


def test_in_the_n_system_the_threshold_saves_the_capacity() -> None:
    """Harrison's example: help that comes first starves the helped server, unless a stock is kept.

    Server 1 must give (0.6 - 0.5) / 0.25 = 0.4 of its time to class 1, which leaves 0.6 * 0.5 = 0.3
    for class 2: with 0.27 the load is below capacity. With the threshold all of it is served.
    Without, server 1 takes what server 0 would have done, and class 2 grows without bound.
    """
    assert (CLASS_1 - ALPHA) / GAMMA + CLASS_2 / ALPHA < 1
    with_stock, without = run_n_system(threshold=20), run_n_system(threshold=0)
    assert with_stock.n_in_system < 0.005 * with_stock.n_arrivals
    assert without.n_in_system > 0.05 * without.n_arrivals
    # Server 1 does no more of class 1 than it must, within four standard errors of the arrivals.
    needed = CLASS_1 - ALPHA
    error = 4 * np.sqrt((CLASS_1 + ALPHA) / SLOTS)
    assert with_stock.starts[1] / SLOTS == pytest.approx(needed, abs=error)
    assert without.starts[1] / SLOTS > needed + 2 * error


def test_help_goes_one_way() -> None:
    """Where the hot server has the higher number nobody helps it: it serves alpha a slot, as alone.

    Server 1 still helps class {0} when that is above the threshold, which is rare.
    """
    result = run_n_system(threshold=5, hot=1)
    assert result.starts[1] < 0.01 * result.n_arrivals
    growth = (CLASS_1 - ALPHA) * SLOTS
    assert result.n_in_system == pytest.approx(growth, abs=4 * np.sqrt(2 * CLASS_1 * SLOTS))
