"""The way to the boundary keeps what the paper keeps, and measures what its theorems speak of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cluster_sim import Scenario, prepare
from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.reproductions.approach import (
    Distance,
    at_distance,
    growth_exponents,
    intercepts,
    measure,
    plan,
    queue_parts,
)
from cluster_sim.experiments.reproductions.bases import base
from cluster_sim.scenario.task_types import decomposition_of
from cluster_sim.theory.bounds import HeavyTraffic


def rates(scenario: Scenario) -> dict[tuple[int, ...], float]:
    """Return the arrival rate of each listed type."""
    types = scenario.traffic.types
    whole = sum(float(t.weight) for t in types)
    rate = prepare(scenario).system.workload.rate
    return {tuple(sorted(t.replicas_on)): rate * float(t.weight) / whole for t in types}


def test_only_the_beneficiaries_own_types_grow() -> None:
    """On the ring, what is local to a helper keeps its rate; the rest meets Eq. (10) by hand."""
    scenario = base("locally-overloaded")
    near = at_distance(scenario, 0.1)
    before, after = rates(scenario), rates(near)
    inner = {(i, i + 1) for i in range(4)}  # local to servers 0 to 4 only
    for kind, rate in after.items():
        if kind not in inner:
            assert rate == pytest.approx(before[kind])
    phi_alpha = sum(before[kind] for kind in before if kind not in inner)
    boundary = 5 * 0.8 + phi_alpha + 0.4 * (5 - phi_alpha / 0.8)
    assert sum(after.values()) == pytest.approx(boundary - 0.1)


def test_evenly_loaded_traffic_meets_its_equation() -> None:
    """Without beneficiaries the total rate is M alpha - epsilon (Eq. 20)."""
    near = at_distance(base("evenly-loaded"), 0.25)
    assert prepare(near).system.workload.rate == pytest.approx(10 * 0.8 - 0.25)


def test_hot_spot_is_scaled_by_its_probability() -> None:
    """The cold servers' arrivals stay as they are; epsilon is what was asked for."""
    scenario = base("hotspot-boundary")
    near = at_distance(scenario, 0.5)
    cold = [
        prepare(s).system.workload.rate * (1 - s.traffic.hot_probability) for s in (scenario, near)
    ]
    assert cold[1] == pytest.approx(cold[0])
    assert decomposition_of(prepare(near)).epsilon == pytest.approx(0.5)


def test_too_far_from_the_boundary_nobody_needs_help() -> None:
    """A distance at which the overloaded set would be another is refused."""
    with pytest.raises(ScenarioError, match=r"epsilon = 3: .* other servers are overloaded"):
        at_distance(base("locally-overloaded"), 3.0)


def test_skewed_placed_traffic_cannot_be_scaled_by_parts() -> None:
    """Zipf traffic has no knob for the beneficiaries' own types."""
    scenario = base("locally-overloaded").with_values(
        {"traffic.kind": "zipf", "traffic.chunks": 40, "traffic.exponent": 1.2}
    )
    with pytest.raises(ScenarioError, match=r"traffic.kind = 'zipf': .* cannot be scaled"):
        at_distance(scenario, 0.1)


def test_parts_of_a_queue_vector_by_hand() -> None:
    """B = {1, 2} and Q = (2, 1, 5): sums 6 and 2, parts of norm 6 / sqrt 2 and sqrt 12."""
    parts = queue_parts(np.array([[2, 1, 5]]), np.array([False, True, True]))
    assert parts["bounded"] == 6
    assert parts["helpers"] == 2
    assert parts["parallel"] == pytest.approx(6 / 2**0.5)
    assert parts["perpendicular"] == pytest.approx(12**0.5)
    assert parts["perpendicular_squared"] == pytest.approx(12)


@given(
    arrays(np.int64, (3, 5), elements=st.integers(0, 50)),
    arrays(np.bool_, 4),
)
def test_parts_are_at_right_angles(lengths: np.ndarray, is_beneficiary: np.ndarray) -> None:
    """The squares of both parts add up to that of the queues; a fifth queue of nobody is out."""
    for row in lengths:
        parts = queue_parts(row[None], is_beneficiary)
        whole = float((row[:4] ** 2).sum())
        assert parts["parallel"] ** 2 + parts["perpendicular_squared"] == pytest.approx(whole)
        if is_beneficiary.any():
            assert parts["bounded"] + parts["helpers"] == row[:4].sum()
        else:
            assert parts["bounded"] == row[:4].sum()


def at(epsilon: float, **values: list[float]) -> Distance:
    return Distance(base("evenly-loaded"), HeavyTraffic(2, 2, epsilon, 1.0, 1.0, 1.0), values)


def test_intercept_of_a_straight_line() -> None:
    """If epsilon times the mean is c + b epsilon, what is extrapolated is c, per replication."""
    distances = [at(e, bounded=[3 / e + 7, 5 / e - 2]) for e in (0.4, 0.2, 0.1, 0.05)]
    found = intercepts(distances, "bounded")
    assert found.mean == pytest.approx(4.0)
    assert found.half_width == pytest.approx(12.7062, rel=1e-4), "t(1) times sqrt(2) / sqrt(2)"


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_growth_exponent_of_a_power(power: float) -> None:
    """What grows like epsilon^-p between the nearest two distances has exponent p."""
    distances = [at(0.8, x=[99.0]), *(at(e, x=[5 * e**-power]) for e in (0.1, 0.4))]
    assert growth_exponents(distances, "x").mean == pytest.approx(power)


def test_one_server_has_its_known_mean() -> None:
    """Geo/Geo/1: E[Q] at the observation point is a (1 - p) / (p - a), which Theorem 6 meets."""
    scenario = Scenario(
        cluster={"servers": 1},
        service={"local": 0.5, "remote": 0.25},
        traffic={"kind": "even", "replicas": 1, "rate": 0.3, "arrivals": "bernoulli"},
        scheduler={"policy": "priority"},
        run={"slots": 1},
    )
    planned = plan(scenario, 0.1, precision=0.1, replications=8)
    a, p = 0.4, 0.5
    exact = a * (1 - p) / (p - a)
    assert planned.bounds.lower_bound == pytest.approx(exact), "with one server it is an equality"
    found = measure(planned, workers=1).estimate("bounded")
    assert abs(found.mean - exact) < 2 * found.half_width
    assert found.half_width < 0.5 * exact
