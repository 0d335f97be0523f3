"""The index of least weights agrees with a search through all servers, after any changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cluster_sim.emulator.least import LeastWeights
from cluster_sim.errors import DecisionError
from cluster_sim.model.topology import Topology
from cluster_sim.policies import JFSQ
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY
from cluster_sim.policies.least import join_groups, least_within, reweigh
from laws.systems import topologies

WEIGHTS = st.one_of(st.integers(0, 3).map(float), st.floats(0, 1e12))


@st.composite
def scattered(draw: st.DrawFn) -> Topology:
    """Return trees in which the servers of a rack are numbered in any way."""
    topology = draw(topologies())
    order = draw(st.permutations(range(topology.n_servers)))
    graph = topology.graph()
    leaves = [("server", server) for server in order]
    inner = [node for node in graph if node not in leaves]
    renamed: nx.Graph[Any] = nx.Graph()
    renamed.add_nodes_from([*leaves, *inner])
    renamed.add_edges_from(graph.edges)
    return Topology.from_graph(renamed, ("core", 0))


def searched(near: Sequence[int], replicas: Sequence[int], weights: Sequence[float]) -> list[int]:
    """The servers that share a group with a replica and have the least weight, one by one."""
    within = [m for m in range(len(near)) if any(near[m] == near[r] for r in replicas)]
    return [m for m in within if all(weights[m] <= weights[n] for n in within)]


class LeastMachine(RuleBasedStateMachine):
    """The index on lists and on arrays, against a plain list of weights."""

    @initialize(topology=st.one_of(topologies(), scattered()))
    def set_up(self, topology: Topology) -> None:
        n = topology.n_servers
        self.groups = topology.ancestors.tolist()
        self.weights = [0.0] * n
        parents, children, nodes = join_groups(self.groups)
        lists: list[Any] = [[float("inf")] * len(parents), [1] * len(parents)]
        lists += [[*range(len(parents))], parents, children]
        self.nodes = nodes
        self.on_lists = lists
        self.on_arrays = [np.array(kept) for kept in lists]
        for server in range(n):
            self.change(server, 0.0)

    def change(self, server: int, weight: float) -> None:
        self.weights[server] = weight
        reweigh(*self.on_lists, server, weight)
        reweigh(*self.on_arrays, server, weight)

    @rule(where=st.integers(0), weight=WEIGHTS)
    def reweigh(self, where: int, weight: float) -> None:
        self.change(where % len(self.weights), weight)

    @rule(where=st.integers(0), other=st.integers(0))
    def level_with(self, where: int, other: int) -> None:
        self.change(where % len(self.weights), self.weights[other % len(self.weights)])

    @rule(
        where=st.sets(st.integers(0, 8), min_size=1, max_size=4),
        tie=st.one_of(st.just(0.0), st.just(1 - 2**-53), st.floats(0, 1, exclude_max=True)),
        tie_break=st.sampled_from([UNIFORMLY, LOCAL_FIRST, BY_INDEX]),
    )
    def ask(self, where: set[int], tie: float, tie_break: int) -> None:
        replicas = sorted({server % len(self.weights) for server in where})
        for tier, near in enumerate(self.groups):
            tied = searched(near, replicas, self.weights)
            found = self.within(tier, replicas, tie_break, tie)
            assert found in tied
            if tie_break == BY_INDEX:
                assert found == tied[0]

    @rule(where=st.sets(st.integers(0, 8), min_size=1, max_size=4))
    def share(self, where: set[int]) -> None:
        """A uniform tie gives each of k servers, in however many groups, 1/k of the interval."""
        replicas = sorted({server % len(self.weights) for server in where})
        for tier, near in enumerate(self.groups):
            tied = searched(near, replicas, self.weights)
            k = len(tied)
            found = [self.within(tier, replicas, UNIFORMLY, (i + 0.5) / k) for i in range(k)]
            assert sorted(found) == tied

    def within(self, tier: int, replicas: list[int], tie_break: int, tie: float) -> int:
        answers = [
            int(least_within(*state[:3], state[4], self.nodes, tier, replicas, tie_break, tie))
            for state in (self.on_lists, self.on_arrays)
        ]
        assert answers[0] == answers[1]
        return answers[0]

    @invariant()
    def lists_and_arrays_agree(self) -> None:
        for kept, array in zip(self.on_lists, self.on_arrays, strict=True):
            assert kept == array.tolist()


TestLeast = LeastMachine.TestCase


@pytest.mark.slow
def test_long_histories_agree() -> None:
    """The same agreement after many more changes."""
    case = LeastMachine.TestCase("runTest")
    case.settings = settings(max_examples=200, stateful_step_count=100, deadline=None)
    case.runTest()


@given(st.one_of(topologies(), scattered()))
def test_every_group_is_a_node(topology: Topology) -> None:
    """Below the node of a group are its servers and no others; the last node is above all."""
    parents, children, nodes = join_groups(topology.ancestors.tolist())
    n = topology.n_servers
    assert len(parents) == 2 * n - 1
    below = [{server} for server in range(n)]
    for joint in range(n, 2 * n - 1):
        left, right = children[2 * (joint - n) : 2 * (joint - n) + 2]
        assert parents[left] == parents[right] == joint
        assert not below[left] & below[right]
        below.append(below[left] | below[right])
    assert below[-1] == set(range(n))
    for tier, near in enumerate(topology.ancestors.tolist()):
        for server in range(n):
            group = {m for m in range(n) if near[m] == near[server]}
            assert below[nodes[tier * n + server]] == group


@pytest.mark.parametrize("levels", [{}, {"rack": 50}, {"rack": 50, "pod": 7}])
def test_the_tree_is_shallow(levels: dict[str, int]) -> None:
    """A change goes up log2 M steps, and one more a tier at most."""
    n = 1000
    parents, _, _ = join_groups(Topology.tree(n, levels).ancestors.tolist())
    for server in range(n):
        node, depth = server, 0
        while parents[node] != node:
            node, depth = parents[node], depth + 1
        assert depth <= np.log2(n) + 1 + len(levels)


def test_ascending_servers_are_counted_in_order() -> None:
    """Where racks are numbered one after another, the n-th of the tied is the n-th by number."""
    groups = Topology.tree(10, {"rack": 4}).ancestors
    index = LeastWeights(groups, JFSQ(), (0.0,), 10)
    for server in (1, 4, 7, 8):
        index.update(server, [2] * 10)
    free = [0, 2, 3, 5, 6, 9]
    assert [index.within([4], UNIFORMLY, (i + 0.5) / 6)[-1] for i in range(6)] == free
    assert index.weights == [2.0 if server in (1, 4, 7, 8) else 0.0 for server in range(10)]


@pytest.mark.parametrize("answer", [None, "heavy", float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_refused(answer: object) -> None:
    """The policy is named, with what its weigh() returned."""
    policy = JFSQ()
    object.__setattr__(policy, "weigh", lambda *_: answer)
    with pytest.raises(DecisionError, match=r"weigh\(\) for server 0 returned .*a finite number"):
        LeastWeights(Topology.tree(2).ancestors, policy, (0.0,), 2)
