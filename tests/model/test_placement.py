"""Placements have exactly the distributions that they state."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import comb

import networkx as nx
import numpy as np
import pytest
from scipy import stats

from cluster_sim.errors import ScenarioError
from cluster_sim.model.placement import (
    HdfsPlacement,
    Placement,
    UniformPlacement,
    check_replica_sets,
)
from cluster_sim.model.topology import Topology
from cluster_sim.randomness import Key, Stream, words

Distribution = dict[tuple[int, ...], Fraction]


def every_word(*sizes: int) -> np.ndarray:
    """Rows of words, one for every combination of outcomes: word i has sizes[i] of them."""
    grids = [[(2 * i + 1) * 2**32 // (2 * n) for i in range(n)] for n in sizes]
    return np.array(list(itertools.product(*grids)), dtype=np.uint64)


def exact(
    placement: Placement, topology: Topology, servers: Sequence[int], *sizes: int
) -> Distribution:
    """The distribution of sets of len(sizes) replicas, by going through all outcomes of the words.

    A size is a common multiple of the numbers of choices that a placement may have with that word.
    """
    rows = placement.place(
        every_word(*sizes),
        servers=np.array(servers, dtype=np.int64),
        topology=topology,
        n_replicas=len(sizes),
    )
    counts = Counter(map(tuple, rows.tolist()))
    return {row: Fraction(count, len(rows)) for row, count in counts.items()}


def hdfs(rack_of: dict[int, int], n_replicas: int) -> Distribution:
    """The distribution that `HdfsPlacement` states, by enumeration."""
    racks: dict[int, list[int]] = {}
    for server, rack in rack_of.items():
        racks.setdefault(rack, []).append(server)
    roomy = {r: members for r, members in racks.items() if len(members) >= n_replicas - 1}
    result: Distribution = Counter()  # type: ignore[assignment]
    for first, own_rack in rack_of.items():
        others = {r: members for r, members in roomy.items() if r != own_rack}
        n_candidates = sum(map(len, others.values()))
        for members in others.values():
            p = Fraction(len(members), n_candidates * len(rack_of))
            for rest in itertools.combinations(members, n_replicas - 1):
                result[tuple(sorted((first, *rest)))] += p / comb(len(members), n_replicas - 1)
    return dict(result)


@pytest.mark.parametrize(
    ("n_servers", "n_replicas"), [(1, 1), (3, 1), (3, 2), (3, 3), (4, 2), (4, 3), (5, 3)]
)
def test_uniform_makes_every_set_equally_likely(n_servers: int, n_replicas: int) -> None:
    """Each of the C(M, k) sets has probability 1 / C(M, k), exactly."""
    sizes = range(n_servers, n_servers - n_replicas, -1)
    found = exact(UniformPlacement(), Topology.tree(n_servers), range(n_servers), *sizes)
    sets = itertools.combinations(range(n_servers), n_replicas)
    assert found == {row: Fraction(1, comb(n_servers, n_replicas)) for row in sets}


def test_uniform_under_keyed_words_fits_its_law() -> None:
    """The sets drawn from the package's own words are equally frequent, by a chi-squared test."""
    drawn = UniformPlacement().place(
        words(Key.of(3), Stream.PLACEMENT, np.arange(40_000), 3),
        servers=np.arange(7),
        topology=Topology.tree(7),
        n_replicas=3,
    )
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) == comb(7, 3)
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_uniform_takes_only_eligible_servers() -> None:
    """Placed on some of the servers, the replicas are uniform on these."""
    found = exact(UniformPlacement(), Topology.tree(9), [2, 5, 7], 3, 2)
    assert found == dict.fromkeys([(2, 5), (2, 7), (5, 7)], Fraction(1, 3))


def test_uniform_refuses_more_replicas_than_servers() -> None:
    """There are no more distinct servers than servers."""
    with pytest.raises(
        ScenarioError, match="replicas = 3: must be at most 2, the servers to choose"
    ):
        exact(UniformPlacement(), Topology.tree(5), [0, 1], 2, 1, 1)


@pytest.mark.parametrize(
    ("n_servers", "n_racks", "sizes"),
    [
        (6, 3, (6, 4, 1)),  # even racks of two
        (6, 2, (6, 3, 2)),  # two racks of three: the other rack is the only choice
        (7, 3, (7, 4 * 5, 2)),  # ragged: racks of 3, 2 and 2
        (5, 2, (5, 2 * 3, 2)),  # ragged: racks of 3 and 2
        (4, 4, (4, 3)),  # two replicas: racks of one have room
        (8, 2, (8, 4, 3, 2)),  # four replicas: three of them together
    ],
)
def test_hdfs_has_its_stated_distribution(
    n_servers: int, n_racks: int, sizes: tuple[int, ...]
) -> None:
    """The first replica is uniform, the rest are in the rack of a server drawn elsewhere."""
    topology = Topology.tree(n_servers, {"rack": n_racks})
    rack_of = dict(enumerate(topology.level("rack").tolist()))
    found = exact(HdfsPlacement(), topology, range(n_servers), *sizes)
    assert found == hdfs(rack_of, len(sizes))
    assert sum(found.values()) == 1


def test_hdfs_leaves_racks_without_room_to_the_first_replica() -> None:
    """A rack of one server holds a single replica, never the pair."""
    ancestors = np.array([range(5), [0, 0, 1, 2, 2], [0] * 5])
    topology = Topology(ancestors, ("server", "rack", "core"))
    found = exact(HdfsPlacement(), topology, range(5), 5, 4, 1)
    assert found == hdfs({0: 0, 1: 0, 2: 1, 3: 2, 4: 2}, 3)
    # Server 2 is alone in its rack: first with 1/5, then either pair with 1/2.
    assert found[0, 1, 2] == found[2, 3, 4] == Fraction(1, 10)


def test_hdfs_takes_only_eligible_servers() -> None:
    """Placed on some of the servers, the racks are what is left of them."""
    topology = Topology.tree(9, {"rack": 3})
    servers = [0, 1, 3, 5, 6, 7, 8]
    found = exact(HdfsPlacement(), topology, servers, 7, 5 * 4, 2)
    assert found == hdfs({server: server // 3 for server in servers}, 3)


def test_hdfs_follows_racks_whose_servers_are_not_neighbours() -> None:
    """Racks read from a graph may interleave: the replicas go by rack, not by number."""
    graph = nx.Graph([(0, "x"), (1, "y"), (2, "x"), (3, "y"), ("x", "root"), ("y", "root")])
    topology = Topology.from_graph(graph, "root")
    assert topology.level("rack").tolist() == [0, 1, 0, 1]
    found = exact(HdfsPlacement(), topology, range(4), 4, 2, 1)
    assert found == hdfs({0: 0, 1: 1, 2: 0, 3: 1}, 3)


def test_hdfs_with_one_replica_is_uniform() -> None:
    """A single replica knows no rack."""
    topology = Topology.tree(4, {"rack": 2})
    found = exact(HdfsPlacement(), topology, range(4), 4)
    assert found == {(server,): Fraction(1, 4) for server in range(4)}


@pytest.mark.parametrize(
    ("n_servers", "n_racks", "message"),
    [
        (
            4,
            1,
            (
                "placement = 'hdfs' with replicas = 3: needs at least 2 racks with 2 "
                "servers each to choose among, there are 1; use fewer racks or "
                "placement = 'uniform'"
            ),
        ),
        (5, 4, "needs at least 2 racks with 2 servers each to choose among, there are 1"),
        (4, 4, "there are 0"),
    ],
)
def test_hdfs_refuses_where_there_is_no_other_rack(
    n_servers: int, n_racks: int, message: str
) -> None:
    """At least two racks must have room for the replicas that go together."""
    topology = Topology.tree(n_servers, {"rack": n_racks})
    with pytest.raises(ScenarioError, match=message):
        exact(HdfsPlacement(), topology, range(n_servers), 1, 1, 1)


def test_hdfs_refuses_a_topology_without_racks() -> None:
    """Rack-aware placement needs the level of racks."""
    with pytest.raises(ScenarioError, match="level 'rack': the topology has server, core"):
        exact(HdfsPlacement(), Topology.tree(4), range(4), 4, 2, 1)


@pytest.mark.parametrize("placement", [UniformPlacement(), HdfsPlacement()])
def test_placements_are_recognised_and_written_down(placement: Placement) -> None:
    """Both meet the protocol, and their repr makes them again."""
    assert isinstance(placement, Placement)
    assert eval(repr(placement)) == placement


class Mine:
    """Only its name matters."""


@pytest.mark.parametrize(
    ("replicas", "message"),
    [
        (np.zeros((2, 2), dtype=np.int64), r"placement Mine: place\(\) returned int64 \(2, 2\)"),
        (
            np.zeros((2, 3)),
            r"returned float64 \(2, 3\); it must return whole numbers of shape \(2, 3\)",
        ),
        (np.array([[0, 1, 2], [0, 1, 5]]), r"place\(\) returned a server outside 0\.\.4"),
        (np.array([[0, 1, 2], [-1, 1, 2]]), r"place\(\) returned a server outside 0\.\.4"),
        (np.array([[0, 1, 2], [0, 2, 2]]), "the replicas of a row must be distinct and ascending"),
        (np.array([[0, 1, 2], [2, 1, 0]]), "the replicas of a row must be distinct and ascending"),
    ],
)
def test_broken_placements_are_refused(replicas: np.ndarray, message: str) -> None:
    """A placement that returns what it may not is refused by name, with what it must return."""
    with pytest.raises(ScenarioError, match=message):
        check_replica_sets(replicas, shape=(2, 3), n_servers=5, who=Mine())


@pytest.mark.parametrize("n_rows", [0, 2])
def test_right_replica_sets_pass(n_rows: int) -> None:
    """Distinct, ascending, known servers are accepted, also none at all."""
    replicas = np.array([[0, 1, 2], [1, 3, 4]])[:n_rows]
    check_replica_sets(replicas, shape=(n_rows, 3), n_servers=5, who=Mine())
