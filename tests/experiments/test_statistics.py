"""Means, ratios and quantiles over replications have the intervals that the formulas say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cluster_sim.experiments.quantiles import QuantileEstimate, quantile_estimate
from cluster_sim.experiments.statistics import Estimate, Method, estimate, ratio_estimate
from cluster_sim.recording.histogram import Histogram

SEED = np.random.default_rng(20261123)


def test_interval_is_students() -> None:
    """The interval of a mean is that of scipy's t distribution."""
    values = SEED.normal(3.0, 1.0, 12)
    found = estimate(values.tolist())
    low, high = stats.t.interval(0.95, 11, loc=values.mean(), scale=stats.sem(values))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.method is Method.REPLICATIONS
    assert found.relative == pytest.approx((high - low) / 2 / values.mean())


def test_nothing_and_one_value_have_no_interval() -> None:
    """Without two values there is no interval, and nan is left out."""
    assert math.isnan(estimate([]).mean)
    assert estimate([2.0, math.nan]) == Estimate(2.0, None, 1)
    assert estimate([2.0]).relative is None
    assert (Estimate(2.0, None, 1).low, Estimate(2.0, None, 1).high) == (None, None)


def test_ratio_is_that_of_the_means_and_its_spread_the_delta_method() -> None:
    """The ratio's variance is that of ``(y - R x) / mean(x)`` over the number of pairs."""
    x = SEED.gamma(4.0, 1.0, 30)
    y = 2.0 * x + SEED.normal(0.0, 0.1, 30)
    found = ratio_estimate(y.tolist(), x.tolist())
    ratio = y.mean() / x.mean()
    covariance = np.cov(y, x, ddof=1)
    variance = covariance[0, 0] - 2 * ratio * covariance[0, 1] + ratio**2 * covariance[1, 1]
    expected = stats.t.ppf(0.975, 29) * math.sqrt(variance / 30) / x.mean()
    assert found.mean == pytest.approx(ratio)
    assert found.half_width == pytest.approx(expected)


def test_ratio_of_nothing_is_nan() -> None:
    """Pairs with nan are left out; without any, or over a mean of 0, there is no ratio."""
    assert math.isnan(ratio_estimate([], []).mean)
    assert math.isnan(ratio_estimate([1.0], [0.0]).mean)
    assert ratio_estimate([2.0, math.nan], [1.0, 1.0]) == Estimate(2.0, None, 1)


def geometric(n: int, p: float) -> Histogram:
    values, counts = np.unique(SEED.geometric(p, n), return_counts=True)
    return Histogram(values, counts)


def test_quantile_interval_holds_the_true_value_at_least_as_often_as_it_says() -> None:
    """Of 400 intervals for the 90th percentile of a geometric law, 93 percent or more hold it."""
    true = int(stats.geom.ppf(0.9, 0.2))
    found = [quantile_estimate([geometric(200, 0.2) for _ in range(5)], 0.9) for _ in range(400)]
    held = sum(each.low <= true <= each.high for each in found)  # type: ignore[operator]
    assert held >= 0.93 * 400
    assert all(each.low <= each.value <= each.high for each in found)  # type: ignore[operator]


def test_quantile_between_two_values_is_uncertain() -> None:
    """Where the distribution function is p up to chance, both neighbours are in the interval."""
    runs = [Histogram.of({1: 500 + i, 2: 500 - i}) for i in (-10, -5, 0, 5, 10)]
    found = quantile_estimate(runs, 0.5)
    assert (found.low, found.value, found.high) == (1, 1, 2)
    assert str(found) == "1 (1 to 2)"


def test_quantile_without_enough_tasks_has_no_interval() -> None:
    """One replication, none, or fewer than fifty tasks above give a value and no interval."""
    runs = [Histogram.of({1: 98, 5: 2})] * 3
    assert quantile_estimate(runs, 0.99) == QuantileEstimate(0.99, 5, None, None)
    assert quantile_estimate(runs[:1], 0.5) == QuantileEstimate(0.5, 1, None, None)
    assert quantile_estimate([Histogram.of({})], 0.5) == QuantileEstimate(0.5, None, None, None)
    assert str(QuantileEstimate(0.5, None, None, None)) == "-"
