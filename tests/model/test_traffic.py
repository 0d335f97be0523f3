"""Every kind of traffic draws replica sets with the probabilities that it states."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from cluster_sim.errors import ScenarioError
from cluster_sim.model import traffic as traffic_module
from cluster_sim.model.placement import HdfsPlacement, UniformPlacement
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import (
    NO_SERVER,
    Even,
    Hotspot,
    Traffic,
    Types,
    hot_word,
    place_chunks,
    zipf_weights,
)
from cluster_sim.randomness import Key, Words

KEY = Key.of(11)
N_TASKS = 40_000
LEAST_P = 1e-3
RACKS = Topology.tree(6, {"rack": 3})


def zipf(n_chunks: int, exponent: float) -> Types:
    placed = place_chunks(
        KEY,
        np.arange(n_chunks),
        topology=RACKS,
        placement=HdfsPlacement(),
        n_replicas=3,
    )
    return Types(placed, zipf_weights(n_chunks, exponent))


KINDS: dict[str, Traffic] = {
    "even": Even(RACKS, 3),
    "even, hdfs": Even(RACKS, 3, HdfsPlacement()),
    "hotspot": Hotspot(RACKS, 3, 0.8, n_replicas=2),
    "types": Types(np.array([[0, NO_SERVER], [1, 2], [4, 5]]), np.array([1.0, 2.0, 5.0])),
    "zipf": zipf(20, 1.1),
}


def frequencies_fit(rows: np.ndarray, law: dict[tuple[int, ...], float]) -> bool:
    counts = Counter(map(tuple, rows.tolist()))
    assert counts.keys() <= law.keys()
    found = [counts[row] for row in law]
    return bool(stats.chisquare(found, np.array(list(law.values())) * len(rows)).pvalue > LEAST_P)


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_has_its_replicas_whatever_the_window(kind: str) -> None:
    """Replica sets are a pure function of the task: any windows give the same tasks."""
    traffic = KINDS[kind]
    together = traffic.replicas(KEY, 0, 50)
    windows = [traffic.replicas(KEY, a, b - a) for a, b in ((0, 1), (1, 1), (1, 33), (33, 50))]
    assert np.array_equal(together, np.concatenate(windows))
    assert not np.array_equal(together, traffic.replicas(Key.of(12), 0, 50))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_ascending_servers_then_fill(kind: str) -> None:
    """A row lists distinct servers in order, then -1 up to the width."""
    rows = KINDS[kind].replicas(KEY, 0, 500)
    assert rows.dtype == np.int64
    for row in rows.tolist():
        servers = [server for server in row if server != NO_SERVER]
        assert servers
        assert servers == sorted(set(servers))
        assert 0 <= servers[0] <= servers[-1] < 6
        assert row == servers + [NO_SERVER] * (len(row) - len(servers))


def test_even_traffic_uses_every_set_alike() -> None:
    """Under even traffic the C(6, 3) replica sets are equally frequent."""
    law = dict.fromkeys(combinations(range(6), 3), 1 / comb(6, 3))
    assert frequencies_fit(Even(RACKS, 3).replicas(KEY, 0, N_TASKS), law)


def test_hotspot_traffic_splits_by_its_probability() -> None:
    """A task's set is among the hot servers with the stated probability, else among the others."""
    rows = Hotspot(RACKS, 4, 0.7, n_replicas=2).replicas(KEY, 0, N_TASKS)
    law = dict.fromkeys(combinations(range(4), 2), 0.7 / comb(4, 2)) | {(4, 5): 0.3}
    assert frequencies_fit(rows, law)


@pytest.mark.parametrize(("probability", "hot"), [(0.0, False), (1.0, True)])
def test_extreme_hot_probabilities_are_sure(probability: float, hot: bool) -> None:
    """With probability 0 no task is hot, with 1 every task is."""
    rows = Hotspot(RACKS, 3, probability, n_replicas=2).replicas(KEY, 0, 2_000)
    assert ((rows < 3) == hot).all()


def test_hot_words_are_the_probability_in_words() -> None:
    """The number of hot words is the probability times 2**32, both ends included."""
    assert [hot_word(p) for p in (0.0, 0.25, 0.5, 1.0)] == [0, 2**30, 2**31, 2**32]


def test_hotspot_with_all_servers_hot_is_even() -> None:
    """Where every server is hot, surely, the sets are those of even traffic."""
    rows = Hotspot(RACKS, 6, 1.0, n_replicas=3).replicas(KEY, 0, 200)
    assert np.array_equal(rows, Even(RACKS, 3).replicas(KEY, 0, 200))


def test_types_occur_in_proportion_to_their_weights() -> None:
    """Explicit types are as frequent as their weights, and tell their replica sets."""
    types = KINDS["types"]
    assert isinstance(types, Types)
    assert types.probabilities.tolist() == [0.125, 0.25, 0.625]
    law = {(0, NO_SERVER): 0.125, (1, 2): 0.25, (4, 5): 0.625}
    assert frequencies_fit(types.replicas(KEY, 0, N_TASKS), law)


def test_a_type_without_weight_never_occurs() -> None:
    """Weight 0 means never, wherever the type stands in the list."""
    types = Types(np.arange(4)[:, None], np.array([0.0, 1.0, 0.0, 1.0]))
    assert set(types.types(KEY, 0, 5_000).tolist()) == {1, 3}


def test_what_is_impossible_stays_so_at_the_smallest_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words of 0 give neither a type of weight 0 nor a hot task of probability 0."""
    zeros = np.zeros((2, 4), dtype=np.uint64)
    monkeypatch.setattr(traffic_module, "blocks", lambda *arguments: zeros)
    monkeypatch.setattr(traffic_module, "words", lambda *arguments: zeros)
    types = Types(np.arange(3)[:, None], np.array([0.0, 1.0, 1.0]))
    assert types.types(KEY, 0, 2).tolist() == [1, 1]
    assert Hotspot(RACKS, 3, 0.0, n_replicas=2).replicas(KEY, 0, 2).tolist() == [[3, 4], [3, 4]]


@pytest.mark.parametrize("exponent", [0.0, 1.1, 2.0])
def test_zipf_popularity_follows_the_rank(exponent: float) -> None:
    """The chunk of rank k is drawn in proportion to k**-exponent."""
    n_chunks = 20
    found = np.bincount(zipf(n_chunks, exponent).types(KEY, 0, N_TASKS), minlength=n_chunks)
    weights = np.array([1.0 / k**exponent for k in range(1, n_chunks + 1)])
    assert stats.chisquare(found, weights / weights.sum() * N_TASKS).pvalue > LEAST_P


def test_a_chunk_is_placed_once() -> None:
    """Where a chunk's replicas are depends on the key and its number, not on who else is placed."""
    arguments = {"topology": RACKS, "placement": UniformPlacement(), "n_replicas": 3}
    together = place_chunks(KEY, np.arange(100), **arguments)  # type: ignore[arg-type]
    some = place_chunks(KEY, np.array([97, 3, 3]), **arguments)  # type: ignore[arg-type]
    assert np.array_equal(some, together[[97, 3, 3]])


@pytest.mark.parametrize("n_replicas", [1, 4, 5, 6])
def test_any_number_of_replicas_up_to_all_servers(n_replicas: int) -> None:
    """Sets wider than one block of words are drawn as well."""
    rows = Even(RACKS, n_replicas).replicas(KEY, 0, 100)
    assert rows.shape == (100, n_replicas)
    assert (np.diff(rows, axis=1) > 0).all()


class Everywhere:
    """A placement of one's own that breaks the promise of distinct servers."""

    def place(
        self, words: Words, *, servers: np.ndarray, topology: Topology, n_replicas: int
    ) -> np.ndarray:
        return np.zeros((len(words), n_replicas), dtype=np.int64)


@pytest.mark.parametrize(
    "traffic", [Even(RACKS, 2, Everywhere()), Hotspot(RACKS, 3, 0.5, 2, Everywhere())]
)
def test_placements_of_ones_own_are_checked(traffic: Traffic) -> None:
    """What a user's placement returns is checked before it is used."""
    with pytest.raises(
        ScenarioError, match="placement Everywhere: the replicas of a row must be distinct"
    ):
        traffic.replicas(KEY, 0, 10)


def test_even_traffic_refuses_more_replicas_than_servers() -> None:
    """Seven replicas do not fit on six servers."""
    with pytest.raises(ScenarioError, match="replicas = 7: must be at most 6"):
        Even(RACKS, 7).replicas(KEY, 0, 1)


@pytest.mark.parametrize(
    ("n_hot", "probability", "message"),
    [
        (3, -0.1, r"hot_probability = -0\.1: must be from 0 to 1"),
        (3, 1.1, r"hot_probability = 1\.1: must be from 0 to 1"),
        (3, float("nan"), "hot_probability = nan: must be from 0 to 1"),
        (0, 0.5, r"hot_servers = 0: must be from 1 to cluster\.servers \(6\)"),
        (7, 0.5, r"hot_servers = 7: must be from 1 to cluster\.servers \(6\)"),
    ],
)
def test_impossible_hot_spots_are_refused(n_hot: int, probability: float, message: str) -> None:
    """The hot servers must exist and the probability be one."""
    with pytest.raises(ScenarioError, match=message):
        Hotspot(RACKS, n_hot, probability)
