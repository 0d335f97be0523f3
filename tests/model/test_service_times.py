"""Service time distributions: exact means, the right law, and common random numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.errors import ScenarioError
from cluster_sim.model import service_times
from cluster_sim.model.service import service_time
from cluster_sim.model.service_times import (
    Deterministic,
    Empirical,
    Geometric,
    LogNormal,
    Pareto,
    ServiceTimes,
)
from cluster_sim.randomness import Key, Stream, blocks, uniforms

KINDS: tuple[ServiceTimes, ...] = (
    Geometric(),
    Deterministic(),
    LogNormal(0.05),
    LogNormal(1.0),
    LogNormal(2.0),
    Pareto(1.5),
    Pareto(2.1),
    Pareto(6.0),
    Empirical((5.0,)),
    Empirical((3.0, 1.0, 1.0, 40.0, 2.5)),
)
RATES = (1.0, 0.999, 0.9, 0.5, 0.3, 0.07)
kinds = st.sampled_from(KINDS)
lucks = st.floats(0.0, 1.0, exclude_max=True)


def words(kind: ServiceTimes) -> str:
    return kind.words.replace(" ", "")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", KINDS, ids=words)
def test_the_mean_is_one_over_the_rate(kind: ServiceTimes, rate: float) -> None:
    """The survival function sums to 1 / rate; what is beyond the sum lies between two integrals."""
    n = 200_000
    summed = float(kind.survival(np.arange(n), rate).sum())
    at, ratio, beyond = float(kind.survival([n], rate)[0]), 0.0, 0.0
    if isinstance(kind, Pareto):  # P(D > k) = C k**-a: the integral of it from n
        ratio = n / (kind.shape - 1.0)
        beyond = 2.0 ** (-53 * (1.0 - 1.0 / kind.shape))  # what 53 bits of luck cannot bring
    assert summed + at * ratio <= (1.0 + 1e-9 + 2 * beyond) / rate
    assert summed + at * (ratio + 1.0) >= (1.0 - 1e-9) / rate


@pytest.mark.parametrize("rate", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("kind", KINDS, ids=words)
def test_long_services_have_the_mean_too(kind: ServiceTimes, rate: float) -> None:
    """At low rates a whole slot is little, and the quantiles integrate to 1 / rate."""
    # By substitution u = 1 - v**4 the integral over the luck has no steep end.
    v = (np.arange(400_000) + 0.5) / 400_000
    slots = kind.times(np.minimum(1.0 - v**4, 1.0 - 2.0**-53), rate)
    mean = float((slots * 4 * v**3).mean())
    assert mean * rate == pytest.approx(1.0, rel=2e-2 if isinstance(kind, Pareto) else 2e-3)


@pytest.mark.parametrize("rate", [0.9, 0.5, 0.05])
@pytest.mark.parametrize("kind", KINDS, ids=words)
def test_draws_follow_the_law(kind: ServiceTimes, rate: float) -> None:
    """The distribution of 20,000 keyed draws is within the DKW bound of the survival function."""
    n = 20_000
    draw = blocks(Key.of(17), Stream.TASK, np.arange(n))
    slots = np.sort(kind.times(uniforms(draw[:, 0], draw[:, 1]), rate))
    values = np.unique(slots)
    above = 1.0 - np.searchsorted(slots, values, side="right") / n
    bound = math.sqrt(math.log(2 / 1e-6) / (2 * n))
    assert np.abs(above - kind.survival(values, rate)).max() < bound


@given(kinds, lucks, lucks, st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_no_task_is_slower_at_a_faster_server(
    kind: ServiceTimes, luck: float, other: float, rate: float, other_rate: float
) -> None:
    """A time does not fall with the luck and does not rise with the rate; it is at least a slot."""
    low, high = sorted((luck, other))
    slow, fast = sorted((rate, other_rate))
    (at_low, at_high), (fastest, _) = (
        kind.times(np.array([low, high]), r).tolist() for r in (slow, fast)
    )
    assert 1 <= fastest <= at_low <= at_high


@given(st.floats(0.0, 1.0, exclude_max=True, width=32), st.floats(0.01, 0.99))
def test_geometric_is_the_engines_own(luck: float, rate: float) -> None:
    """The vectorised geometric time is the one that both engines compute task by task."""
    assert Geometric().times(np.array([luck]), rate).tolist() == [service_time(luck, rate)]


@pytest.fixture
def coarse_luck(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Let luck have 12 bits only, so that all of it can be gone through."""
    monkeypatch.setattr(service_times, "GRID", 2.0**-12)
    service_times._pareto_scale.cache_clear()
    yield 2**12
    service_times._pareto_scale.cache_clear()


@pytest.mark.parametrize("shape", [1.05, 1.2, 1.5, 2.5])
def test_heavy_tails_have_their_mean_on_the_grid_of_luck(coarse_luck: int, shape: float) -> None:
    """Over every luck that there is, Pareto times average to the mean, also near shape 1."""
    luck = np.arange(coarse_luck) / coarse_luck
    mean = Pareto(shape).times(luck, 0.002).mean()
    assert mean == pytest.approx(500.0, rel=2e-3)


def test_empirical_times_keep_their_shape() -> None:
    """At a low rate the times are in proportion to the durations."""
    kind = Empirical((2.0, 1.0, 7.0))
    luck = (np.arange(3_000) + 0.5) / 3_000
    slots = kind.times(luck, 1e-4)
    assert np.unique(np.round(slots / slots.min(), 2)).tolist() == [1.0, 2.0, 7.0]


def test_empirical_durations_below_a_slot_take_one() -> None:
    """Where the short ones count one slot, the long ones carry what is left of the mean."""
    kind = Empirical((1.0, 100.0))
    assert kind.survival(np.arange(4), 0.5).tolist() == [1.0, 0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LogNormal(0.0), "cv = 0.0: must be above 0 and at most 100"),
        (lambda: LogNormal(float("nan")), "cv = nan: must be above 0"),
        (lambda: Pareto(1.0), "shape = 1.0: must be above 1, or the mean is infinite"),
        (lambda: Pareto(float("inf")), "shape = inf: must be above 1"),
        (lambda: Empirical(()), "durations: must hold at least one"),
        (lambda: Empirical((1.0, -2.0)), "durations: -2.0 is among them"),
    ],
)
def test_impossible_distributions_are_refused(make: object, words: str) -> None:
    """What has no mean, or no meaning, is refused with the remedy."""
    assert callable(make)
    with pytest.raises(ScenarioError, match=words):
        make()
