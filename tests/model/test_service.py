"""Service times are geometric by inversion, and never longer at a higher rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cluster_sim.model.service import service_time
from cluster_sim.randomness import Key, Stream, blocks, uniforms

LARGEST = 1.0 - 2.0**-53
RATES = [1.0, 0.9, 0.5, 1 / 3, 0.1, 0.01]
luck = st.integers(0, 2**53 - 1).map(lambda bits: bits * 2.0**-53)


@given(luck, st.floats(1e-6, 1.0), st.floats(1e-6, 1.0))
def test_a_higher_rate_is_never_slower(u: float, rate: float, other: float) -> None:
    """With the same luck, service at the higher rate takes no longer."""
    low, high = sorted((rate, other))
    assert 1 <= service_time(u, high) <= service_time(u, low)


@given(luck, luck, st.floats(1e-6, 1.0))
def test_more_luck_is_a_longer_service(u: float, v: float, rate: float) -> None:
    """Service time grows with the uniform, as inversion has it."""
    low, high = sorted((u, v))
    assert service_time(low, rate) <= service_time(high, rate)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("d", [1, 2, 3, 10])
def test_the_border_between_times_is_where_the_law_has_it(rate: float, d: int) -> None:
    """D exceeds d exactly for the uniforms from 1 - (1 - p)**d on, to within rounding."""
    beyond = (1.0 - rate) ** d  # P(D > d)
    assert service_time(1.0 - min(1.001 * beyond, 1.0), rate) <= d
    if beyond:
        assert service_time(1.0 - 0.999 * beyond, rate) == d + 1


@pytest.mark.parametrize("rate", [0.9, 0.5, 0.1])
def test_drawn_times_are_geometric(rate: float) -> None:
    """Times from keyed uniforms fit the geometric law, by a chi-squared test."""
    draw = blocks(Key.of(2), Stream.TASK, np.arange(20_000))
    times = np.array([service_time(u, rate) for u in uniforms(draw[:, 0], draw[:, 1]).tolist()])
    last = math.ceil(math.log(1e-3) / math.log1p(-rate))  # times beyond are taken together
    found = np.bincount(np.minimum(times, last), minlength=last + 1)[1:]
    law = stats.geom(rate)
    expected = np.append(law.pmf(np.arange(1, last)), law.sf(last - 1)) * len(times)
    assert stats.chisquare(found, expected).pvalue > 1e-3


@given(luck)
def test_rate_one_takes_one_slot(u: float) -> None:
    """A sure completion takes one slot whatever the luck."""
    assert service_time(u, 1.0) == 1


def test_the_worst_luck_is_finite() -> None:
    """The largest uniform below 1 is 53 halvings away from certainty: 54 slots at rate 1/2."""
    assert service_time(LARGEST, 0.5) == 54
    assert service_time(0.0, 1e-6) == 1
