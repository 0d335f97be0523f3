"""A histogram is exact: it counts, adds and orders whole numbers without rounding."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.recording.histogram import Histogram

samples = st.lists(st.integers(0, 30), max_size=60)
fractions = st.integers(1, 1000).map(lambda n: Fraction(n, 1000))


def histogram(sample: list[int]) -> Histogram:
    return Histogram.of(Counter(sample))


@given(samples)
def test_total_sum_and_mean_are_those_of_the_sample(sample: list[int]) -> None:
    """Nothing is rounded: totals, sums and means are the sample's."""
    made = histogram(sample)
    assert made.total == len(sample)
    assert made.sum == sum(sample)
    if sample:
        assert made.mean == sum(sample) / len(sample)
    else:
        assert math.isnan(made.mean)


@given(samples, fractions)
def test_a_quantile_is_the_smallest_value_that_covers(sample: list[int], p: Fraction) -> None:
    """The p-quantile is the ceil(p n)-th smallest observation; p n is taken exactly."""
    if not sample:
        assert histogram(sample).quantile(float(p)) is None
    else:
        rank = math.ceil(p * len(sample))
        assert histogram(sample).quantile(float(p)) == sorted(sample)[rank - 1]


@pytest.mark.parametrize(("p", "n", "rank"), [(0.07, 100, 7), (0.14, 50, 7), (0.55, 100, 55)])
def test_a_quantile_is_not_pushed_up_by_rounding(p: float, n: int, rank: int) -> None:
    """In floating point 0.07 * 100 exceeds 7; the quantile is still the seventh value."""
    assert p * n > rank
    assert histogram(list(range(1, n + 1))).quantile(p) == rank


@given(samples, samples)
def test_histograms_add_like_their_samples(one: list[int], other: list[int]) -> None:
    """The sum of two histograms is the histogram of both samples, whatever values they share."""
    together = histogram(one) + histogram(other)
    assert together == histogram(one + other)
    assert together == histogram(other) + histogram(one)
    assert together.total == len(one) + len(other)


@given(samples)
def test_a_histogram_from_dense_counts_is_the_same(sample: list[int]) -> None:
    """Counts by position and counts by value make equal histograms."""
    assert Histogram.of_dense(np.bincount(sample, minlength=40)) == histogram(sample)


@given(samples)
def test_values_ascend_and_counts_are_positive(sample: list[int]) -> None:
    """Values are kept once, in order, and only if they occurred."""
    made = histogram(sample)
    assert made.values.tolist() == sorted(set(sample))
    assert made.counts.tolist() == [sample.count(value) for value in sorted(set(sample))]
    assert made.values.dtype == made.counts.dtype == np.int64


def test_values_that_never_occurred_are_left_out() -> None:
    """A count of 0 is no value."""
    assert Histogram.of({3: 0, 5: 2}) == Histogram.of({5: 2})


def test_adding_leaves_both_as_they_were() -> None:
    """Addition makes a new histogram."""
    one, other = Histogram.of({1: 1}), Histogram.of({1: 2, 4: 1})
    assert one + other == Histogram.of({1: 3, 4: 1})
    assert one == Histogram.of({1: 1})
    assert other == Histogram.of({1: 2, 4: 1})


@pytest.mark.parametrize(
    "different", [Histogram.of({1: 2}), Histogram.of({2: 1}), Histogram.of({})]
)
def test_different_histograms_are_unequal(different: Histogram) -> None:
    """Other counts, other values, or none: not the same."""
    assert Histogram.of({1: 1}) != different
    assert Histogram.of({1: 1}) != "a histogram"


def test_large_counts_are_exact() -> None:
    """A billion observations are counted to the last."""
    made = Histogram.of({1: 999_999_999, 50: 1})
    assert made.quantile(1.0) == 50
    assert made.quantile(0.999999999) == 1
    assert (made + made).total == 2_000_000_000
    assert made.sum == 1_000_000_049
