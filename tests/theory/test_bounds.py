"""Bounds, variances, directions and groups follow their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.bounds import (
    HeavyTraffic,
    collapse_direction,
    connected_groups,
    group_bounds,
    heavy_traffic_bounds,
    service_variance,
    split_queues,
    thinned_variance,
)
from cluster_sim.theory.decomposition import Decomposition, ideal_load_decomposition
from cluster_sim.theory.task_types import merge_types


def hot(total: float = 1.2) -> Decomposition:
    """Server 0 is overloaded by type (0,); server 1 helps and has 0.2 of its own."""
    return ideal_load_decomposition([(0,), (1,)], [total, 0.2], n_servers=2, rates=(0.9, 0.5))


def test_bounds_of_a_hot_spot_by_hand() -> None:
    """Theorem 3 with every constant written out."""
    ideal = hot()
    rho = 0.2 / 0.9
    epsilon = 0.9 + 0.5 * (1 - rho) - 1.2
    away = 0.5 * (1 - rho)
    nu = 0.9 * 0.1 + away * (1 - away)
    bounds = heavy_traffic_bounds(ideal)
    assert bounds.n_queues == 1
    assert bounds.epsilon == pytest.approx(epsilon)
    assert service_variance(ideal) == pytest.approx(nu)
    assert bounds.lower_bound == pytest.approx((1.2 + nu + epsilon**2) / (2 * epsilon) - 1.0)
    assert bounds.limit == pytest.approx((1.2 + epsilon + nu) / 2)
    assert bounds.predicted == pytest.approx(bounds.limit / epsilon)


def test_bounds_of_even_traffic_by_hand() -> None:
    """Theorem 6: nu^2 = M alpha (1 - alpha), and Poisson arrivals have their rate as variance."""
    ideal = ideal_load_decomposition([(0, 1), (1, 2)], [0.8, 0.8], n_servers=3, rates=(0.7, 0.3))
    bounds = heavy_traffic_bounds(ideal)
    epsilon = 3 * 0.7 - 1.6
    assert bounds.n_queues == 3
    assert bounds.service_variance == pytest.approx(3 * 0.7 * 0.3)
    assert bounds.lower_bound == pytest.approx((1.6 + 0.63 + epsilon**2) / (2 * epsilon) - 1.5)
    assert bounds.limit == pytest.approx((2.1 + 0.63) / 2)


def test_scaled_bound_and_limit_meet_at_the_boundary() -> None:
    """As epsilon falls, epsilon times the lower bound tends to the limit."""
    gaps = []
    for total in (1.2, 1.28, 1.2888, 1.28888):
        bounds = heavy_traffic_bounds(hot(total))
        gaps.append(abs(bounds.epsilon * bounds.lower_bound - bounds.limit))
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-4


def test_given_variance_is_thinned_to_the_beneficiary_types() -> None:
    """At most one arrival a slot: Bernoulli arrivals stay Bernoulli when thinned."""
    total, rate = 0.9, 0.6
    assert thinned_variance(total, total * (1 - total), rate) == pytest.approx(rate * (1 - rate))
    assert thinned_variance(0.0, 0.0, 0.0) == 0.0
    bounds = heavy_traffic_bounds(hot(), arrival_variance=0.0)
    assert bounds.arrival_variance == pytest.approx(1.2 - 1.2**2 / 1.4)


def test_deterministic_local_service_has_no_variance_of_its_own() -> None:
    """Alpha = 1: only the helpers' remote service varies."""
    ideal = ideal_load_decomposition([(0,)], [1.2], n_servers=2, rates=(1.0, 0.5))
    assert service_variance(ideal) == pytest.approx(0.25)


def test_direction_has_norm_one_on_the_beneficiaries() -> None:
    """Eq. (13) with beneficiaries, c_u of Theorem 7 without."""
    direction = collapse_direction(np.array([True, False, True, True]))
    np.testing.assert_allclose(direction, np.array([1, 0, 1, 1]) / np.sqrt(3))
    np.testing.assert_allclose(collapse_direction(np.zeros(4, dtype=bool)), 0.5)


def test_parts_of_a_queue_vector_are_orthogonal_and_add_up() -> None:
    """Parallel along c, perpendicular to it, for one vector and for many."""
    queues = np.random.default_rng(2).integers(0, 50, size=(7, 4))
    direction = collapse_direction(np.array([False, True, True, True]))
    parallel, rest = split_queues(queues, direction)
    np.testing.assert_allclose(parallel + rest, queues)
    np.testing.assert_allclose(rest @ direction, 0.0, atol=1e-12)
    np.testing.assert_allclose(parallel[0], split_queues(queues[0], direction)[0])
    assert np.all(np.ptp(parallel[:, 1:], axis=1) < 1e-12)


def test_groups_are_the_connected_components() -> None:
    """Chains of shared types connect; a server without traffic is alone."""
    types = merge_types([(0, 4), (4, 2), (1,)], [0.1, 0.1, 0.1], 6)
    assert connected_groups(types).tolist() == [0, 1, 0, 2, 0, 3]


def test_bounds_by_group_add_up() -> None:
    """Two separate pairs: each has its own epsilon, and the parts sum to the whole."""
    types, rates = [(0, 1), (2, 3)], [1.5, 1.0]
    ideal = ideal_load_decomposition(types, rates, n_servers=4, rates=(0.9, 0.5))
    (one, first), (two, second) = group_bounds(ideal)
    assert (one, two) == ((0, 1), (2, 3))
    assert first.epsilon == pytest.approx(0.3)
    assert second.epsilon == pytest.approx(0.8)
    whole = heavy_traffic_bounds(ideal)
    assert first.epsilon + second.epsilon == pytest.approx(whole.epsilon)
    assert first.arrival_variance + second.arrival_variance == pytest.approx(2.5)
    assert first.limit == pytest.approx((1.8 + 0.18) / 2)


def test_refusals() -> None:
    """No steady state, negative variances, and groups of beneficiaries are named."""
    with pytest.raises(ScenarioError, match=r"epsilon = 0\.0: must be positive"):
        HeavyTraffic(2, 2, 0.0, 1.0, 1.0, 1.0)
    with pytest.raises(ScenarioError, match=r"variance = -1\.0: must be at least 0"):
        HeavyTraffic(2, 2, 0.1, -1.0, 1.0, 1.0)
    with pytest.raises(ScenarioError, match=r"arrival_variance = -2\.0"):
        heavy_traffic_bounds(hot(), arrival_variance=-2.0)
    with pytest.raises(ScenarioError, match="1 beneficiaries: the bounds by group"):
        group_bounds(hot())


def test_constants_survive_their_text() -> None:
    """The record reads back from its own text."""
    bounds = heavy_traffic_bounds(hot())
    assert eval(repr(bounds)) == bounds
    assert bounds.to_dict()["limit"] == bounds.limit
