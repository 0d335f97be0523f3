"""A series is equally spaced, begins with the run, and has a bounded number of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.recording.series import Series, Thinning


def thinned(n_points: int, n_slots: int) -> Series:
    thinning = Thinning(n_points)
    for slot in range(n_slots):
        thinning.offer(slot, 10 * slot, 7 * slot)
    return thinning.series()


@given(st.integers(1, 20), st.integers(0, 700))
def test_points_are_equally_spaced_from_the_first_slot(n_points: int, n_slots: int) -> None:
    """The slots kept are the multiples of a power of two, up to the end of the run."""
    slots = thinned(n_points, n_slots).slots
    if len(slots) < 2:
        assert slots.tolist() == [0][:n_slots]
        return
    stride = int(slots[1])
    assert stride & (stride - 1) == 0
    assert slots.tolist() == list(range(0, n_slots, stride))


@given(st.integers(1, 20), st.integers(0, 700))
def test_the_number_of_points_is_bounded(n_points: int, n_slots: int) -> None:
    """Never more than twice the points asked for, and not fewer than asked if there are slots."""
    kept = len(thinned(n_points, n_slots).slots)
    assert min(n_points, n_slots) <= kept <= 2 * n_points


@given(st.integers(1, 20), st.integers(0, 200))
def test_every_point_is_the_state_of_its_slot(n_points: int, n_slots: int) -> None:
    """What is kept is what was offered in that slot."""
    series = thinned(n_points, n_slots)
    assert np.array_equal(series.in_system, 10 * series.slots)
    assert np.array_equal(series.waiting, 7 * series.slots)


@given(st.integers(1, 8), st.integers(1, 300))
def test_offering_only_the_wanted_slots_is_the_same(n_points: int, n_slots: int) -> None:
    """Who asks `next_slot` first, to be quicker, gets the same series."""
    thinning = Thinning(n_points)
    for slot in range(n_slots):
        if slot == thinning.next_slot:
            thinning.offer(slot, 10 * slot, 7 * slot)
    assert thinning.series() == thinned(n_points, n_slots)


def test_a_short_run_is_kept_whole() -> None:
    """With room for every slot none is left out."""
    assert thinned(5, 10).slots.tolist() == list(range(10))


@pytest.mark.parametrize("n_points", [0, -1, 1])
def test_at_least_one_point_is_kept(n_points: int) -> None:
    """Fewer than one point is read as one: one or two are kept."""
    assert 1 <= len(thinned(n_points, 100).slots) <= 2


def test_series_are_equal_by_their_points() -> None:
    """Equality looks at all columns."""
    columns = [np.array([0, 2]), np.array([1, 1]), *(np.array([0, i]) for i in range(1, 5))]
    assert Series(*columns) == Series(*(column.copy() for column in columns))
    for i in range(len(columns)):
        other = [column + (j == i) for j, column in enumerate(columns)]
        assert Series(*columns) != Series(*other)
    assert Series(*columns) != "a series"
