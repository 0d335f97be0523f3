"""A cluster has a rate for each locality tier, and the tier of a task follows from the topology."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.errors import ScenarioError
from cluster_sim.model.cluster import LOCAL, Cluster
from cluster_sim.model.topology import Topology

POD_TREE = Topology.tree(12, {"rack": 6, "pod": 3})
RATES = {"local": 0.9, "rack_local": 0.8, "pod_local": 0.6, "remote": 0.4}


@st.composite
def clusters(draw: st.DrawFn) -> tuple[Cluster, tuple[int, ...]]:
    """A cluster, and the heights at which its tiers end."""
    named = [name for name in ("rack_local", "pod_local") if draw(st.booleans())]
    rates = {name: RATES[name] for name in ("local", *named, "remote")}
    heights = {"rack_local": 1, "pod_local": 2}
    return Cluster.of(POD_TREE, rates), (0, *(heights[name] for name in named), 3)


@given(clusters(), st.integers(0, 11), st.sets(st.integers(0, 11), min_size=1, max_size=4))
def test_the_tier_is_the_first_that_reaches_the_nearest_replica(
    case: tuple[Cluster, tuple[int, ...]], server: int, replicas: set[int]
) -> None:
    """The tier is the innermost whose level is as high as the nearest replica is far."""
    cluster, heights = case
    nearest = min(cluster.topology.height(server, replica) for replica in replicas)
    expected = next(tier for tier, height in enumerate(heights) if nearest <= height)
    assert cluster.tier(server, sorted(replicas)) == expected


@given(clusters())
def test_groups_say_who_is_within_a_tier(case: tuple[Cluster, tuple[int, ...]]) -> None:
    """Two servers share a tier's group exactly if one's data is within that tier of the other."""
    cluster, _ = case
    for server in range(cluster.n_servers):
        for other in range(cluster.n_servers):
            together = cluster.groups[:, server] == cluster.groups[:, other]
            within = np.arange(cluster.n_tiers) >= cluster.tier(server, [other])
            assert np.array_equal(together, within)


def test_rates_and_names_go_from_local_to_remote() -> None:
    """Tiers are ordered inner to outer, whatever the order of the table."""
    cluster = Cluster.of(POD_TREE, dict(reversed(RATES.items())))
    assert cluster.tier_names == ("local", "rack_local", "pod_local", "remote")
    assert cluster.rates == (0.9, 0.8, 0.6, 0.4)
    assert (cluster.n_tiers, cluster.n_servers) == (4, 12)


@pytest.mark.parametrize(
    ("left_out", "tiers"),
    [
        # Server 0 asks for data on itself, in its rack (1), in its pod (2), elsewhere (4).
        ((), [0, 1, 2, 3]),
        (("rack_local",), [0, 1, 1, 2]),
        (("pod_local",), [0, 1, 2, 2]),
        (("rack_local", "pod_local"), [0, 1, 1, 1]),
    ],
)
def test_a_level_without_a_rate_counts_to_the_next_outward(
    left_out: tuple[str, ...], tiers: list[int]
) -> None:
    """Leaving out the rate of a level folds it into the tier outside."""
    rates = {name: rate for name, rate in RATES.items() if name not in left_out}
    cluster = Cluster.of(POD_TREE, rates)
    assert [cluster.tier(0, [other]) for other in (0, 1, 2, 4)] == tiers


def test_local_is_the_first_tier() -> None:
    """A server that holds the chunk is local, also if other replicas are far."""
    cluster = Cluster.of(POD_TREE, RATES)
    assert all(cluster.tier(server, [0, 5, 11]) == LOCAL for server in (0, 5, 11))


def test_equal_rates_and_rate_one_are_allowed() -> None:
    """The order of the rates is weak, and a rate may be 1."""
    flat = Cluster.of(Topology.tree(2), {"local": 1.0, "remote": 1.0})
    assert flat.rates == (1.0, 1.0)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"local": 1.0}, r"service rate 'remote' is missing; add e\.g\. remote = 0\.5"),
        ({"remote": 0.5}, "service rate 'local' is missing"),
        (
            {"local": 1.0, "rac_local": 0.9, "remote": 0.5},
            "service rate 'rac_local': Did you mean 'rack_local'",
        ),
        (
            {"local": 1.0, "hall_local": 0.9, "remote": 0.5},
            "service rate 'hall_local': .*Known: local, pod_local, rack_local, remote",
        ),
        (
            {"local": 1.2, "remote": 0.5},
            r"service rate local = 1\.2: must be above 0 and at most 1",
        ),
        ({"local": 1.0, "remote": 0.0}, r"service rate remote = 0\.0: must be above 0"),
        ({"local": float("nan"), "remote": 0.1}, "service rate local = nan: must be above 0"),
        (
            {"local": 0.4, "remote": 0.5},
            r"remote = 0\.5: must be at most local \(0\.4\): nearer data is never slower",
        ),
        (
            {"local": 1.0, "rack_local": 0.3, "remote": 0.5},
            r"service rate remote = 0\.5: must be at most rack_local \(0\.3\)",
        ),
    ],
)
def test_impossible_rates_are_refused(rates: dict[str, float], message: str) -> None:
    """Rates must be complete, known, in (0, 1] and not increase outward."""
    with pytest.raises(ScenarioError, match=message):
        Cluster.of(POD_TREE, rates)


def test_a_level_has_no_rate_where_the_topology_lacks_it() -> None:
    """Without racks there is no rate for them."""
    with pytest.raises(ScenarioError, match=r"service rate 'rack_local': .*Known: local, remote"):
        Cluster.of(Topology.tree(4), {"local": 1.0, "rack_local": 0.9, "remote": 0.5})
