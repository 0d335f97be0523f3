"""The tree of switches: heights are half the distances in the graph, and splits are even."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.errors import ScenarioError
from cluster_sim.model.topology import Topology


@st.composite
def trees(draw: st.DrawFn) -> Topology:
    n_servers = draw(st.integers(1, 30))
    levels, below = {}, n_servers
    for name in draw(st.sampled_from([(), ("rack",), ("rack", "pod"), ("rack", "pod", "hall")])):
        below = levels[name] = draw(st.integers(1, below))
    return Topology.tree(n_servers, levels)


@given(trees())
def test_heights_are_half_the_distances_in_the_graph(topology: Topology) -> None:
    """Two servers are at the height of half their shortest path, as networkx finds it."""
    distance = dict(nx.all_pairs_shortest_path_length(topology.graph()))
    for server in range(topology.n_servers):
        for other in range(topology.n_servers):
            hops = distance["server", server]["server", other]
            assert 2 * topology.height(server, other) == hops


@given(trees())
def test_a_topology_read_from_its_own_graph_is_the_same(topology: Topology) -> None:
    """Drawing the tree and reading it back gives the same ancestors."""
    again = Topology.from_graph(topology.graph(), ("core", 0))
    assert np.array_equal(again.ancestors, topology.ancestors)
    assert again.n_levels == len(again.level_names) == topology.n_levels


@given(trees())
def test_switches_take_nodes_in_order_and_evenly(topology: Topology) -> None:
    """At every level the nodes below hang on the switches in order, in sizes that differ by one."""
    for height in range(1, topology.n_levels - 1):
        below, row = topology.ancestors[height - 1], topology.ancestors[height]
        parent = dict(zip(below.tolist(), row.tolist(), strict=True))
        assert list(parent.values()) == sorted(parent.values())
        sizes = Counter(parent.values())
        assert sorted(sizes) == list(range(max(sizes) + 1))
        assert max(sizes.values()) - min(sizes.values()) <= 1


@given(trees())
def test_the_outermost_level_is_the_core(topology: Topology) -> None:
    """Row 0 numbers the servers, the last row is the one core, and the graph is a tree on both."""
    assert topology.ancestors[0].tolist() == list(range(topology.n_servers))
    assert not topology.ancestors[-1].any()
    assert topology.level_names[0] == "server"
    assert topology.level_names[-1] == "core"
    assert nx.is_tree(topology.graph())


@pytest.mark.parametrize(
    ("n_servers", "n_racks", "racks"),
    [
        (3, 2, [0, 0, 1]),
        (6, 3, [0, 0, 1, 1, 2, 2]),
        (7, 3, [0, 0, 0, 1, 1, 2, 2]),
        (4, 4, [0, 1, 2, 3]),
        (4, 1, [0, 0, 0, 0]),
    ],
)
def test_racks_split_the_servers_evenly(n_servers: int, n_racks: int, racks: list[int]) -> None:
    """Servers fill the racks in order, the sizes differing by at most one."""
    assert Topology.tree(n_servers, {"rack": n_racks}).level("rack").tolist() == racks


def test_two_levels_nest() -> None:
    """Eight servers in four racks in two pods: heights 0 to 3 by hand."""
    topology = Topology.tree(8, {"rack": 4, "pod": 2})
    assert topology.level("pod").tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [topology.height(0, other) for other in range(8)] == [0, 1, 2, 2, 3, 3, 3, 3]
    assert topology.level_names == ("server", "rack", "pod", "core")


def test_node_heights_are_attributes_of_the_graph() -> None:
    """Every node of the graph carries its height above the servers."""
    heights = nx.get_node_attributes(Topology.tree(4, {"rack": 2}).graph(), "height")
    assert heights == {
        **{("server", server): 0 for server in range(4)},
        ("rack", 0): 1,
        ("rack", 1): 1,
        ("core", 0): 2,
    }


def test_servers_of_a_graph_are_numbered_in_its_order() -> None:
    """A rack's servers need not be neighbours in number: the graph's order of nodes decides."""
    graph = nx.Graph([("a", "x"), ("b", "y"), ("c", "x"), ("x", "root"), ("y", "root")])
    graph_order = [node for node in graph if node in "abc"]
    topology = Topology.from_graph(graph, "root")
    assert graph_order == ["a", "b", "c"]
    assert topology.level("rack").tolist() == [0, 1, 0]
    assert topology.height(0, 2) == 1


def test_levels_of_a_deep_graph_get_names() -> None:
    """Levels beyond the rack are named by their height."""
    deep = nx.balanced_tree(2, 3)
    topology = Topology.from_graph(deep, 0)
    assert topology.level_names == ("server", "rack", "level2", "core")
    assert topology.n_servers == 8


@pytest.mark.parametrize("graph", [nx.empty_graph(1), nx.star_graph(5)])
def test_small_graphs_have_two_levels(graph: nx.Graph) -> None:
    """A single node is one server, a star is servers under the core."""
    topology = Topology.from_graph(graph, 0)
    assert topology.level_names == ("server", "core")
    assert topology.n_servers == max(graph.number_of_nodes() - 1, 1)


@pytest.mark.parametrize("n_servers", [0, -3])
def test_a_cluster_needs_a_server(n_servers: int) -> None:
    """No servers is refused."""
    with pytest.raises(ScenarioError, match=f"servers = {n_servers}: must be at least 1"):
        Topology.tree(n_servers)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"rack": 0}, "rack: 0 of them: must be from 1 to 4, the number of nodes below"),
        ({"rack": 5}, "rack: 5 of them: must be from 1 to 4, the number of nodes below"),
        ({"rack": 2, "pod": 3}, "pod: 3 of them: must be from 1 to 2, the number of nodes below"),
    ],
)
def test_switches_without_nodes_are_refused(levels: dict[str, int], message: str) -> None:
    """A level may not have more switches than there are nodes below it, nor none."""
    with pytest.raises(ScenarioError, match=message):
        Topology.tree(4, levels)


@pytest.mark.parametrize(
    ("edges", "core", "message"),
    [
        ([(0, 1)], 7, "core = 7: is not a node of the graph"),
        ([(0, 1), (1, 2), (2, 0)], 0, "the graph must be a tree"),
        ([(0, 1), (2, 3)], 0, r"the graph must be a tree \(connected, without cycles\)"),
        (
            [(0, 1), (0, 2), (2, 3)],
            0,
            (
                "server 3 is 2 hops from the core, 1 is 1: every server must be equally far; "
                "add the missing switches"
            ),
        ),
    ],
)
def test_graphs_that_are_no_tree_of_equal_depth_are_refused(
    edges: list[tuple[int, int]], core: int, message: str
) -> None:
    """The graph must be a tree with all its leaves equally far from the core."""
    with pytest.raises(ScenarioError, match=message):
        Topology.from_graph(nx.Graph(edges), core)


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    """Asking for a level that is not there names those that are and how to declare it."""
    message = r"level 'pod': the topology has server, rack, core; .*levels = \{ pod = 2 \}"
    with pytest.raises(ScenarioError, match=message):
        Topology.tree(4, {"rack": 2}).level("pod")
