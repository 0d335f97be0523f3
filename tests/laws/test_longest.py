"""The index of the longest queues agrees with a search through all queues, after any changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from cluster_sim.emulator.longest import LongestQueues
from cluster_sim.model.topology import Topology
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, NO_QUEUE, UNIFORMLY
from cluster_sim.policies.longest import move, pick
from cluster_sim.testing.states import longest_candidates
from laws.systems import topologies

LENGTHS = st.one_of(st.integers(0, 4), st.integers(0, 10**12))


class Index:
    """The arrays of `move` for one tier, set up anew from its documentation."""

    def __init__(self, groups: Sequence[int], kind: type) -> None:
        n, n_groups = len(groups), max(groups) + 1
        self.groups = groups
        by_group = sorted(range(n), key=lambda queue: groups[queue])
        self.runs = {}
        for group in range(n_groups):
            places = [i for i, queue in enumerate(by_group) if groups[queue] == group]
            self.runs[group] = places[0], places[-1]

        def make(values: Sequence[int]) -> Any:
            return np.array(values, dtype=np.int64) if kind is np.ndarray else list(values)

        firsts = [first for first, _ in self.runs.values()]
        lasts = [last for _, last in self.runs.values()]
        spare = [0] * (n + 2 - n_groups)
        self.order = make(by_group)
        self.position = make([by_group.index(queue) for queue in range(n)])
        self.bucket = make(groups)
        self.first, self.last = make(firsts + spare), make(lasts + spare)
        self.key = make([0] * (n + 2))
        self.free = make([len(spare), *range(n_groups, n + 2), *[0] * n_groups])

    def move(self, queue: int, key: int) -> None:
        move(
            self.order,
            self.position,
            self.bucket,
            self.first,
            self.last,
            self.key,
            self.free,
            *self.runs[self.groups[queue]],
            queue,
            key,
        )

    def lists(self) -> list[list[int]]:
        return [
            list(map(int, array))
            for array in (self.order, self.position, self.bucket, self.first, self.last, self.key)
        ]


class MoveMachine(RuleBasedStateMachine):
    """`move` on lists and on arrays, against a plain list of keys."""

    @initialize(topology=topologies(), level=st.integers(0, 3))
    def set_up(self, topology: Topology, level: int) -> None:
        groups = topology.ancestors[min(level, topology.n_levels - 1)].tolist()
        self.keys = [0] * len(groups)
        self.on_lists = Index(groups, list)
        self.on_arrays = Index(groups, np.ndarray)

    def change(self, queue: int, key: int) -> None:
        self.keys[queue] = key
        self.on_lists.move(queue, key)
        self.on_arrays.move(queue, key)

    @rule(where=st.integers(0), key=LENGTHS)
    def jump(self, where: int, key: int) -> None:
        self.change(where % len(self.keys), key)

    @rule(where=st.integers(0), step=st.sampled_from([-1, 1]))
    def step(self, where: int, step: int) -> None:
        queue = where % len(self.keys)
        self.change(queue, max(self.keys[queue] + step, 0))

    @rule(where=st.integers(0), other=st.integers(0))
    def level_with(self, where: int, other: int) -> None:
        self.change(where % len(self.keys), self.keys[other % len(self.keys)])

    @invariant()
    def lists_and_arrays_agree(self) -> None:
        """Ties are broken by place, so both engines must keep the same order."""
        assert self.on_lists.lists() == self.on_arrays.lists()

    @invariant()
    def order_is_sorted_within_each_group(self) -> None:
        index = self.on_lists
        assert sorted(index.order) == list(range(len(self.keys)))
        for group, (first, last) in index.runs.items():
            run = index.order[first : last + 1]
            assert {index.groups[queue] for queue in run} == {group}
            keys = [self.keys[queue] for queue in run]
            assert keys == sorted(keys)
        assert [index.position[queue] for queue in index.order] == list(range(len(self.keys)))

    @invariant()
    def buckets_are_the_runs_of_equal_keys(self) -> None:
        index = self.on_lists
        for queue, key in enumerate(self.keys):
            bucket = index.bucket[queue]
            group = index.groups[queue]
            alike = [
                index.position[other]
                for other, other_key in enumerate(self.keys)
                if other_key == key and index.groups[other] == group
            ]
            assert index.key[bucket] == key
            assert (index.first[bucket], index.last[bucket]) == (min(alike), max(alike))

    @invariant()
    def every_bucket_is_used_or_free_once(self) -> None:
        index = self.on_lists
        n_free = index.free[0]
        together = sorted({*index.bucket}) + sorted(index.free[1 : n_free + 1])
        assert sorted(together) == list(range(len(self.keys) + 2))


class LongestQueuesMachine(RuleBasedStateMachine):
    """`LongestQueues` against a search through all queues."""

    @initialize(topology=topologies(), above=st.sampled_from([0.0, 0.5, 1.0, 2.5, 100.0, math.inf]))
    def set_up(self, topology: Topology, above: float) -> None:
        self.groups, self.above = topology.ancestors, above
        self.longest = LongestQueues(topology.ancestors, above)
        self.lengths = [0] * topology.n_servers
        self.waiting = [0] * topology.n_servers

    @rule(where=st.integers(0), n_waiting=LENGTHS, n_in_service=st.integers(0, 2))
    def update(self, where: int, n_waiting: int, n_in_service: int) -> None:
        queue = where % len(self.lengths)
        self.waiting[queue] = n_waiting
        self.lengths[queue] = n_waiting + n_in_service
        self.longest.update(queue, self.lengths[queue], n_waiting)

    @rule(
        where=st.integers(0),
        tie_break=st.sampled_from([UNIFORMLY, LOCAL_FIRST, BY_INDEX]),
        tie=st.one_of(st.just(0.0), st.just(1 - 2**-53), st.floats(0, 1, exclude_max=True)),
    )
    def ask(self, where: int, tie_break: int, tie: float) -> None:
        server = where % len(self.lengths)
        longest, n_longest = self.longest.within(server, tie_break, lambda: tie)
        assert len(longest) == len(n_longest) == len(self.groups)
        for tier, near in enumerate(self.groups.tolist()):
            tied = self.tied(near, server)
            if not tied:
                assert longest[tier] == NO_QUEUE
                continue
            assert longest[tier] in self.nearest(tied, server) if tie_break == LOCAL_FIRST else tied
            assert n_longest[tier] == len(tied)
            if tie_break == BY_INDEX:
                assert longest[tier] == tied[0]

    @precondition(lambda self: any(self.waiting))
    @rule(where=st.integers(0), tie_break=st.sampled_from([UNIFORMLY, LOCAL_FIRST]))
    def share(self, where: int, tie_break: int) -> None:
        """A uniform tie gives each of k candidates exactly 1/k of the unit interval."""
        server = where % len(self.lengths)
        for tier, near in enumerate(self.groups.tolist()):
            tied = self.tied(near, server)
            if tie_break == LOCAL_FIRST:
                tied = self.nearest(tied, server)
            k = len(tied)
            midpoints = [(i + 0.5) / k for i in range(k)]
            picked = [
                self.longest.within(server, tie_break, lambda u=u: u)[0][tier] for u in midpoints
            ]
            assert sorted(picked) == tied

    def tied(self, near: Sequence[int], server: int) -> list[int]:
        return longest_candidates(near, server, self.lengths, self.waiting, self.above)

    def nearest(self, tied: list[int], server: int) -> list[int]:
        for near in self.groups.tolist():
            within = [queue for queue in tied if near[queue] == near[server]]
            if within:
                return within
        return tied


TestMove = MoveMachine.TestCase
TestLongestQueues = LongestQueuesMachine.TestCase


@pytest.mark.slow
@pytest.mark.parametrize("machine", [MoveMachine, LongestQueuesMachine])
def test_long_histories_agree(machine: type[RuleBasedStateMachine]) -> None:
    """The same agreement after many more changes."""
    case = machine.TestCase("runTest")
    case.settings = settings(max_examples=100, stateful_step_count=150, deadline=None)
    case.runTest()


@pytest.mark.parametrize("shift", [0, 10])
@pytest.mark.parametrize(
    ("tie_break", "expected"),
    [
        (UNIFORMLY, [4, 4, 1, 1, 3, 3, 0, 0]),  # in the order of the bucket
        (LOCAL_FIRST, [3, 3, 3, 3, 3, 3, 3, 3]),  # only queue 3 shares the rack of server 2
        (BY_INDEX, [0, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_pick_breaks_ties_as_told(tie_break: int, expected: list[int], shift: int) -> None:
    """Each way to break ties picks what it says, on queues and on entries shifted by a tier."""
    near = [0, 1, 2, 3, 4, *[0, 0, 1, 1, 2], *[0, 0, 0, 0, 0]]
    order = [queue + shift for queue in (2, 4, 1, 3, 0)]
    picked = [pick(order, 1, 4, near, 5, 2, tie_break, i / 8) for i in range(8)]
    assert picked == [queue + shift for queue in expected]
