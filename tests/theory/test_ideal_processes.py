"""The ideal processes dominate a run as the paper says, slot by slot and in law."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.bounds import heavy_traffic_bounds
from cluster_sim.theory.decomposition import Decomposition, ideal_load_decomposition
from cluster_sim.theory.ideal_processes import IdealProcesses, ideal_processes
from cluster_sim.theory.run_record import RunRecord, check_record
from cluster_sim.theory.single_server import (
    coupled_queue,
    dominance_gap,
    independent_queue,
    queue_path,
    summed_queues,
)

ALPHA, GAMMA = 0.8, 0.4
TRAFFIC = {
    "hot": ([(0,), (0, 1), (1, 2), (2, 3)], [1.15, 0.2, 0.2, 0.2]),
    "even": ([(0, 1), (1, 2), (2, 3), (3, 0)], [0.7, 0.7, 0.7, 0.7]),
}


def priority_run(decomposition: Decomposition, n_slots: int, seed: int) -> RunRecord:
    """Run the paper's algorithm with all service rates by queue, as plainly as possible."""
    rng = np.random.default_rng(seed)
    types, n_servers = decomposition.types, decomposition.types.n_servers
    length, busy = np.zeros(n_servers, dtype=int), np.full(n_servers, -1)
    queues, serving, completed = [length.copy()], [], []
    arrivals: list[tuple[int, int, int]] = []
    for slot in range(n_slots):
        for kind in np.repeat(np.arange(types.n_types), rng.poisson(types.arrival_rates)):
            local = np.array(types.replicas(int(kind)))
            queue = rng.choice(local[length[local] == length[local].min()])
            length[queue] += 1
            arrivals.append((slot, int(kind), int(queue)))
        for server in rng.permutation(np.flatnonzero(busy < 0)):
            waiting = length - np.bincount(busy[busy >= 0], minlength=n_servers)
            if waiting[server]:
                busy[server] = server
            else:
                offered = np.where((waiting > 0) & (length > ALPHA / GAMMA), length, 0)
                if offered.any():
                    busy[server] = int(np.argmax(offered))
        rate = np.where(busy == np.arange(n_servers), ALPHA, GAMMA) * (busy >= 0)
        done = rng.random(n_servers) < rate
        serving.append(busy.copy())
        completed.append(done)
        np.subtract.at(length, busy[done], 1)
        busy[done] = -1
        queues.append(length.copy())
    columns = np.array(arrivals).T
    return RunRecord(np.array(queues), np.array(serving), np.array(completed), *columns)


@cache
def run(traffic: str, n_slots: int = 10_000) -> tuple[Decomposition, RunRecord]:
    """One run of the given traffic on four servers, with its decomposition."""
    ideal = ideal_load_decomposition(*TRAFFIC[traffic], n_servers=4, rates=(ALPHA, GAMMA))
    return ideal, priority_run(ideal, n_slots, seed=11)


@pytest.fixture(scope="module", params=["hot", "even"])
def coupled(request: pytest.FixtureRequest) -> tuple[Decomposition, IdealProcesses]:
    decomposition, record = run(request.param)
    return decomposition, ideal_processes(record, decomposition, rng=np.random.default_rng(5))


def test_queue_recursion_holds_with_the_ideal_processes(coupled) -> None:
    """Q(t+1) = Q(t) + A - S + U with ideal A and S; the summed U is never negative."""
    _, ideal = coupled
    record = ideal.record
    following = record.queues[:-1] + ideal.arrivals - ideal.departures + ideal.unused
    np.testing.assert_allclose(following, record.queues[1:], atol=1e-9)
    assert ideal.unused[:, ideal.is_summed].sum(axis=1).min() >= -1e-9


def test_ideal_service_is_at_least_the_real_one(coupled) -> None:
    """Slot by slot the summed queues are offered no less service, and get no more arrivals."""
    _, ideal = coupled
    inside = ideal.is_summed
    real = ideal.record.departures[:, inside].sum(axis=1)
    assert np.all(ideal.departures[:, inside].sum(axis=1) >= real)
    assert np.all(ideal.arrivals[:, inside] <= ideal.record.arrivals[:, inside])
    np.testing.assert_allclose(ideal.arrivals.sum(axis=1), ideal.record.arrivals.sum(axis=1))


def test_ideal_local_service_is_bernoulli_alpha(coupled) -> None:
    """Mean alpha, and no memory from slot to slot, within four standard errors."""
    _, ideal = coupled
    service = ideal.local_service[:, ideal.is_summed].astype(float)
    error = 4 * np.sqrt(ALPHA * (1 - ALPHA) / service.shape[0])
    assert np.all(np.abs(service.mean(axis=0) - ALPHA) < error)
    centred = service - ALPHA
    memory = (centred[1:] * centred[:-1]).mean(axis=0) / (ALPHA * (1 - ALPHA))
    assert np.all(np.abs(memory) < 4 / np.sqrt(service.shape[0]))


def test_ideal_remote_service_is_bernoulli_gamma_on_helpers() -> None:
    """Mean gamma on every helper, nothing on a beneficiary."""
    decomposition, record = run("hot")
    ideal = ideal_processes(record, decomposition, rng=np.random.default_rng(6))
    means = ideal.remote_service.mean(axis=0)
    error = 4 * np.sqrt(GAMMA * (1 - GAMMA) / record.n_slots)
    assert means[0] == 0.0
    assert np.all(np.abs(means[1:] - GAMMA) < error)
    assert not ideal.local_service[:, 1:][~record.is_at_home[:, 1:]].any()


def test_coupled_single_server_is_below_the_queues_in_every_slot(coupled) -> None:
    """The coupling is path by path: never above the sum of the queues."""
    decomposition, ideal = coupled
    assert np.all(coupled_queue(ideal) <= summed_queues(ideal.record, decomposition))


def test_independent_single_server_is_stochastically_smaller(coupled) -> None:
    """Phi's tail lies below that of the queues, and its mean above the paper's lower bound."""
    decomposition, ideal = coupled
    phi = independent_queue(ideal.record, decomposition, rng=np.random.default_rng(8))
    queues = summed_queues(ideal.record, decomposition)
    assert dominance_gap(phi[1000:], queues[1000:]) < 0.02
    assert phi[1000:].mean() < queues[1000:].mean()
    assert phi[1000:].mean() > 0.9 * heavy_traffic_bounds(decomposition).lower_bound


def test_helpers_keep_an_ideal_decision_until_the_service_ends() -> None:
    """A helper away from home keeps its queue while busy; beneficiaries stay at home."""
    decomposition, record = run("hot", n_slots=500)
    ideal = ideal_processes(record, decomposition, rng=np.random.default_rng(9))
    assert np.all(ideal.decisions[:, 0] == 0)
    at_home = record.is_at_home
    assert np.all(ideal.decisions[at_home] == np.broadcast_to(np.arange(4), at_home.shape)[at_home])
    assert np.all(ideal.is_summed[ideal.decisions[:, 1:][~at_home[:, 1:]]])


def test_helper_is_coupled_to_the_queue_it_chose() -> None:
    """Two beneficiaries swap as the longest; a helper that is still busy keeps the first."""
    decomposition = ideal_load_decomposition(
        [(0,), (1,)], [0.9, 0.9], n_servers=4, rates=(ALPHA, GAMMA)
    )
    record = RunRecord(
        queues=np.array([[5, 4, 0, 0], [4, 5, 0, 0], [4, 5, 0, 0]]),
        serving=np.array([[0, 1, 0, -1], [0, 1, 0, -1]]),
        completed=np.array([[True, False, False, False], [False] * 4]),
        arrival_slot=np.array([0]),
        arrival_type=np.array([1]),
        arrival_queue=np.array([1]),
    )
    ideal = ideal_processes(record, decomposition, rng=np.random.default_rng(1))
    assert ideal.decisions.tolist() == [[0, 1, 0, 0], [0, 1, 0, 1]]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1), st.integers(0, 5))
def test_queue_path_is_the_recursion(steps: list[tuple[int, int]], start: int) -> None:
    """The closed form by running minimum equals the recursion step by step."""
    expected = [start]
    for joined, offered in steps:
        expected.append(max(expected[-1] + joined - offered, 0))
    arrivals, service = zip(*steps, strict=True)
    assert queue_path(arrivals, service, start=start).tolist() == expected


def test_given_local_shares_replace_the_measured_ones() -> None:
    """Helpers that are always at home offer nothing: the queue is larger."""
    decomposition, record = run("hot", n_slots=2000)
    none = independent_queue(
        record, decomposition, rng=np.random.default_rng(3), local_shares=np.ones(4)
    )
    some = independent_queue(record, decomposition, rng=np.random.default_rng(3))
    assert np.all(none >= some)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: {"queues": r.queues[:-1]}, r"must be \(n \+ 1, M\)"),
        (lambda r: {"queues": r.queues + np.arange(51)[:, None]}, "arrivals less departures are"),
        (lambda r: {"serving": r.serving * 0 - 1}, "is idle in slot .*, yet completes"),
        (lambda r: {"arrival_queue": r.arrival_queue * 0 + 3}, "which is not local to it"),
    ],
)
def test_impossible_records_are_refused(change, message: str) -> None:
    """A record that is not the run of the system is named with slot and queue."""
    decomposition, record = run("hot", n_slots=50)
    check_record(record, decomposition)
    with pytest.raises(ScenarioError, match=message):
        check_record(replace(record, **change(record)), decomposition)


def test_records_read_well() -> None:
    """The short forms name the sizes."""
    decomposition, record = run("hot", n_slots=50)
    assert repr(record).startswith("<RunRecord: 50 slots, 4 servers, ")
    ideal = ideal_processes(record, decomposition, rng=np.random.default_rng(1))
    assert repr(ideal) == "<IdealProcesses: 50 slots, 1 queues>"
