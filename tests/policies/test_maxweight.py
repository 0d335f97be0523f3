"""MaxWeight serves a queue of the largest rate times length, ties broken as the reading says."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cluster_sim.emulator.longest import LongestQueues
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.policies import NO_QUEUE, MaxWeight
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY

GRID = 60
TIES = [(2 * i + 1) / (2 * GRID) for i in range(GRID)]
RACKS = Topology.tree(6, {"rack": 3})
CLUSTERS = {
    "distinct": Cluster.of(RACKS, {"local": 1.0, "rack_local": 0.5, "remote": 0.25}),
    "beta = gamma": Cluster.of(RACKS, {"local": 1.0, "rack_local": 0.5, "remote": 0.5}),
    "alpha = beta": Cluster.of(RACKS, {"local": 0.5, "rack_local": 0.5, "remote": 0.25}),
    "all equal": Cluster.of(RACKS, {"local": 0.5, "rack_local": 0.5, "remote": 0.5}),
    "two tiers": Cluster.of(RACKS, {"local": 0.6, "remote": 0.2}),
}


def largest_weight(
    cluster: Cluster, server: int, lengths: list[int], waiting: list[int]
) -> list[int]:
    """The queues with a waiting task that have the largest weight, in exact arithmetic."""
    rates = [Fraction(str(rate)) for rate in cluster.rates]
    weights = {
        queue: rates[cluster.tier(server, [queue])] * length
        for queue, length in enumerate(lengths)
        if waiting[queue]
    }
    return [queue for queue, weight in weights.items() if weight == max(weights.values())]


def served(
    cluster: Cluster, server: int, lengths: list[int], waiting: list[int], tie_break: int
) -> dict[int, Fraction]:
    """The probability with which each queue is served, over an even grid of both ties."""
    policy = MaxWeight()
    constants = policy.constants(cluster.rates)
    index = LongestQueues(cluster.groups, policy.longest_above(cluster.rates))
    for queue, length in enumerate(lengths):
        index.update(queue, length, waiting[queue])
    counts: Counter[int] = Counter()
    for among in TIES:
        longest, n_longest = index.within(server, tie_break, partial(float, among))
        for tie in TIES:
            counts[
                policy.serve(
                    server, lengths, waiting, longest, n_longest, constants, tie_break, tie
                )
            ] += 1
    return {queue: Fraction(count, GRID * GRID) for queue, count in counts.items()}


def law(cluster: Cluster, server: int, tied: list[int], tie_break: int) -> dict[int, Fraction]:
    """What the class states of ties."""
    if not tied:
        return {NO_QUEUE: Fraction(1)}
    if tie_break == BY_INDEX:
        return {min(tied): Fraction(1)}
    if tie_break == LOCAL_FIRST:
        nearest = min(cluster.tier(server, [queue]) for queue in tied)
        tied = [queue for queue in tied if cluster.tier(server, [queue]) == nearest]
    return dict.fromkeys(tied, Fraction(1, len(tied)))


@st.composite
def states(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Lengths, and waiting tasks among them."""
    lengths = draw(st.lists(st.sampled_from([0, 1, 1, 2, 2, 4]), min_size=6, max_size=6))
    waiting = [draw(st.sampled_from([length, max(length - 1, 0)])) for length in lengths]
    return lengths, waiting


@pytest.mark.parametrize("tie_break", [UNIFORMLY, LOCAL_FIRST, BY_INDEX])
@pytest.mark.parametrize("name", CLUSTERS)
def test_a_queue_of_the_largest_weight_is_served(name: str, tie_break: int) -> None:
    """All tied queues share as the reading says, whatever rates are equal and wherever they are."""
    cluster = CLUSTERS[name]

    @settings(max_examples=40)
    @example(([2, 0, 4, 0, 4, 4], [2, 0, 4, 0, 4, 4]), 0)
    @example(([2, 4, 4, 0, 0, 0], [2, 4, 4, 0, 0, 0]), 0)
    @example(([1, 2, 4, 0, 0, 4], [1, 2, 4, 0, 0, 4]), 0)
    @given(states(), st.integers(0, 5))
    def holds(state: tuple[list[int], list[int]], server: int) -> None:
        lengths, waiting = state
        tied = largest_weight(cluster, server, lengths, waiting)
        expected = law(cluster, server, tied, tie_break)
        assert served(cluster, server, lengths, waiting, tie_break) == expected

    holds()


# Rates 1, 1/2, 1/4 make weights 4, 2, 1. Entries of the table: the longest queue within each
# tier of server 0, how many are tied there, the lengths, and what server 0 then takes.
@pytest.mark.parametrize(
    ("longest", "n_longest", "lengths", "tie_break", "expected"),
    [
        # 4 * 1 < 2 * 3: the rack's longest queue beats the own one.
        ([0, 1, 1], [1, 1, 1], [1, 3, 0], UNIFORMLY, {1: 60}),
        # 4 * 1 > 1 * 3: a remote queue must be more than four times as long.
        ([0, 0, 2], [1, 1, 1], [1, 0, 3], UNIFORMLY, {0: 60}),
        # 4 * 1 = 1 * 4: a tie between the own queue and a remote one.
        ([0, 0, 2], [1, 1, 1], [1, 0, 4], UNIFORMLY, {0: 30, 2: 30}),
        ([0, 0, 2], [1, 1, 1], [1, 0, 4], LOCAL_FIRST, {0: 60}),
        ([0, 0, 2], [1, 1, 1], [1, 0, 4], BY_INDEX, {0: 60}),
        # Three remote queues of length 4 tie with the own queue: they have three shares of four.
        ([0, 0, 2], [1, 1, 3], [1, 0, 4, 4, 4], UNIFORMLY, {0: 15, 2: 45}),
        # Own, rack and remote all tie: 4 * 1 = 2 * 2 = 1 * 4.
        ([0, 1, 2], [1, 1, 1], [1, 2, 4], UNIFORMLY, {0: 20, 1: 20, 2: 20}),
        ([0, 1, 2], [1, 1, 1], [1, 2, 4], LOCAL_FIRST, {0: 60}),
        # Nothing waits anywhere.
        ([-1, -1, -1], [1, 0, 0], [0, 0, 0], UNIFORMLY, {NO_QUEUE: 60}),
    ],
)
def test_weights_decide_by_hand(
    longest: list[int],
    n_longest: list[int],
    lengths: list[int],
    tie_break: int,
    expected: dict[int, int],
) -> None:
    """Server 0 weighs its own queue by 4, its rack's by 2, others by 1."""
    found = Counter(
        MaxWeight.serve(0, lengths, lengths, longest, n_longest, (4.0, 2.0, 1.0), tie_break, tie)
        for tie in TIES
    )
    assert dict(found) == expected


def test_a_tie_is_seen_that_floating_point_would_miss() -> None:
    """At rates 0.6 and 0.2, three remote tasks weigh exactly one local one: the tie is split."""
    assert 0.2 * 3 != 0.6
    lengths = [1, 0, 3, 0, 0, 0]
    found = served(CLUSTERS["two tiers"], 0, lengths, lengths, UNIFORMLY)
    assert found == {0: Fraction(1, 2), 2: Fraction(1, 2)}


def test_the_groups_of_the_clusters_are_as_the_cases_assume() -> None:
    """Six servers stand in three racks of two."""
    assert np.array_equal(CLUSTERS["distinct"].groups[1], [0, 0, 1, 1, 2, 2])
