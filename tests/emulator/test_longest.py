"""The index of the longest queues is right after any changes, and breaks ties by the reading."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.emulator.longest import LongestQueues
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.policies import NO_QUEUE
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY

GRID = 60
TIES = [(2 * i + 1) / (2 * GRID) for i in range(GRID)]
RATES = {"local": 1.0, "rack_local": 0.5, "remote": 0.25}
INTERLEAVED = Topology(
    np.array([[0, 1, 2, 3, 4], [0, 1, 0, 1, 2], [0] * 5]), ("server", "rack", "core")
)
CLUSTERS = {
    "one rack": Cluster.of(Topology.tree(4), {"local": 1.0, "remote": 0.5}),
    "two racks": Cluster.of(Topology.tree(5, {"rack": 2}), RATES),
    "interleaved": Cluster.of(INTERLEAVED, RATES),
    "one server": Cluster.of(Topology.tree(1), {"local": 1.0, "remote": 0.5}),
}


def candidates(
    cluster: Cluster, state: dict[int, tuple[int, int]], above: float, server: int, tier: int
) -> list[int]:
    """The longest queues within a tier of the server that have a waiting task and count."""
    lengths = {
        queue: length
        for queue, (length, n_waiting) in state.items()
        if n_waiting and length > above and cluster.tier(server, [queue]) <= tier
    }
    return [queue for queue, length in lengths.items() if length == max(lengths.values())]


changes = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.booleans()), min_size=0, max_size=40
)


@pytest.mark.parametrize("name", CLUSTERS)
@pytest.mark.parametrize("above", [0.0, 2.0, 2.5])
def test_the_index_knows_the_longest_after_any_changes(name: str, above: float) -> None:
    """After any changes, by one or by many, each tier offers exactly the longest, counted right."""
    cluster = CLUSTERS[name]

    @given(changes)
    def holds(steps: list[tuple[int, int, bool]]) -> None:
        index = LongestQueues(cluster.groups, above)
        state = dict.fromkeys(range(cluster.n_servers), (0, 0))
        for queue, length, all_in_service in steps:
            queue %= cluster.n_servers  # noqa: PLW2901
            state[queue] = (length, 0 if all_in_service else length)
            index.update(queue, *state[queue])
            for server in range(cluster.n_servers):
                expected = [
                    candidates(cluster, state, above, server, tier)
                    for tier in range(cluster.n_tiers)
                ]
                longest, n_longest = index.within(server, UNIFORMLY, lambda: 0.0)
                assert len(longest) == len(n_longest) == cluster.n_tiers
                for tied, found, n_found in zip(expected, longest, n_longest, strict=True):
                    if not tied:
                        assert found == NO_QUEUE
                    else:
                        assert found in tied
                        assert n_found == len(tied)

    holds()


@pytest.mark.parametrize("tie_break", [UNIFORMLY, LOCAL_FIRST, BY_INDEX])
@pytest.mark.parametrize("name", CLUSTERS)
def test_the_longest_are_told_apart_as_the_reading_says(name: str, tie_break: int) -> None:
    """Uniform gives equal shares, local takes the nearest of the tied, index the lowest."""
    cluster = CLUSTERS[name]

    @given(st.lists(st.integers(0, 2), min_size=cluster.n_servers, max_size=cluster.n_servers))
    def holds(lengths: list[int]) -> None:
        index = LongestQueues(cluster.groups, 0.0)
        state = {queue: (length, length) for queue, length in enumerate(lengths)}
        for queue, (length, n_waiting) in state.items():
            index.update(queue, length, n_waiting)
        for server in range(cluster.n_servers):
            for tier in range(cluster.n_tiers):
                tied = candidates(cluster, state, 0.0, server, tier)
                found = Counter(
                    index.within(server, tie_break, lambda tie=tie: tie)[0][tier] for tie in TIES
                )
                assert found == shares(cluster, server, tied, tie_break)

    holds()


def shares(cluster: Cluster, server: int, tied: list[int], tie_break: int) -> dict[int, int]:
    if not tied:
        return {NO_QUEUE: GRID}
    if tie_break == BY_INDEX:
        return {min(tied): GRID}
    if tie_break == LOCAL_FIRST:
        nearest = min(cluster.tier(server, [queue]) for queue in tied)
        tied = [queue for queue in tied if cluster.tier(server, [queue]) == nearest]
    return dict.fromkeys(tied, GRID // len(tied))


def test_a_length_may_be_huge() -> None:
    """No length is too long, and a long way up or down is one change."""
    index = LongestQueues(CLUSTERS["two racks"].groups, 0.0)
    index.update(3, 10**12, 1)
    index.update(1, 10**12 - 1, 1)
    assert index.within(0, UNIFORMLY, lambda: 0.0)[0] == [NO_QUEUE, 1, 3]
    index.update(3, 1, 1)
    assert index.within(4, UNIFORMLY, lambda: 0.0)[0] == [NO_QUEUE, 3, 1]
