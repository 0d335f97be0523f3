"""Join-the-shortest-queue picks a shortest queue, ties broken as the reading says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.policies.choices import (
    BY_INDEX,
    LOCAL_FIRST,
    UNIFORMLY,
    count_shortest,
    nth_shortest,
    shortest,
)

GRID = 60  # divisible by 1 to 6, so that equal shares come out exactly
TIES = [(2 * i + 1) / (2 * GRID) for i in range(GRID)]
ALMOST_ONE = 1.0 - 2.0**-53


def shares(choose: Callable[[float], int]) -> dict[int, int]:
    """How often each answer is given over an even grid of ties, out of GRID."""
    return dict(Counter(choose(tie) for tie in TIES))


@st.composite
def queues_and_lengths(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    lengths = draw(st.lists(st.integers(0, 3), min_size=1, max_size=8))
    queues = draw(
        st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=6, unique=True).map(sorted)
    )
    return queues, lengths


def minima(queues: list[int], lengths: list[int]) -> list[int]:
    least = min(lengths[queue] for queue in queues)
    return [queue for queue in queues if lengths[queue] == least]


@given(queues_and_lengths())
def test_the_shortest_are_counted_and_numbered_in_order(case: tuple[list[int], list[int]]) -> None:
    """The count and the n-th name exactly the queues of least length, in the order given."""
    expected = minima(*case)
    assert count_shortest(*case) == len(expected)
    assert [nth_shortest(*case, n) for n in range(len(expected))] == expected


@given(queues_and_lengths(), st.sampled_from([UNIFORMLY, LOCAL_FIRST]))
def test_ties_are_broken_uniformly(case: tuple[list[int], list[int]], tie_break: int) -> None:
    """Every shortest queue gets the same share; queues of one kind are all as near."""
    expected = minima(*case)
    found = shares(lambda tie: shortest(*case, tie_break, tie))
    assert found == dict.fromkeys(expected, GRID // len(expected))


@given(queues_and_lengths())
def test_ties_by_index_take_the_lowest(case: tuple[list[int], list[int]]) -> None:
    """By index the tie plays no part."""
    assert shares(lambda tie: shortest(*case, BY_INDEX, tie)) == {minima(*case)[0]: GRID}


@pytest.mark.parametrize("n", range(1, 200))
def test_the_largest_tie_is_still_in_range(n: int) -> None:
    """The uniform just below 1 takes the last of n tied queues, never one beyond."""
    assert shortest(range(n), [0] * n, UNIFORMLY, ALMOST_ONE) == n - 1
