"""Capacity of servers of several speeds: plain linear programs, splitting, and its own proof."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.capacity import (
    capacity_certificate,
    check_certificate,
    even_capacity,
    hotspot_capacity,
    is_in_capacity_region,
    largest_load_factor,
    load,
    symmetric_capacity,
)
from cluster_sim.theory.report import theory_report
from tests.theory.brute_force import System, systems, tier_of


@st.composite
def systems_with_speeds(draw: st.DrawFn, n_tiers: int) -> tuple[System, list[float]]:
    """Random small systems whose servers have a few speeds."""
    system = draw(systems(n_tiers=n_tiers))
    speed = st.sampled_from([0.25, 0.5, 1.0, 0.7])
    speeds = draw(st.lists(speed, min_size=system.n_servers, max_size=system.n_servers))
    return system, speeds


def capacity_by_full_program(system: System, speeds: list[float]) -> float:
    """Largest load factor with a variable for each (type, server), at its own rate."""
    n_types, n = len(system.types), system.n_servers
    served = np.zeros((n_types, n_types * n + 1))
    slots = np.zeros((n, n_types * n + 1))
    for kind, replicas in enumerate(system.types):
        served[kind, -1] = -system.arrival_rates[kind]
        for server in range(n):
            rate = system.rates[tier_of(server, replicas, system.ancestors)] * speeds[server]
            served[kind, kind * n + server] = 1.0
            slots[server, kind * n + server] = 1.0 / rate
    cost = np.zeros(n_types * n + 1)
    cost[-1] = -1.0
    solution = linprog(cost, A_ub=slots, b_ub=np.ones(n), A_eq=served, b_eq=np.zeros(n_types))
    return float(solution.x[-1])


@pytest.mark.parametrize("n_tiers", [2, 3])
def test_capacity_equals_the_plain_linear_program(n_tiers: int) -> None:
    """By flow and by groups, a server of speed s counts as s servers; the proof agrees."""

    @given(systems_with_speeds(n_tiers))
    def holds(case: tuple[System, list[float]]) -> None:
        system, speeds = case
        given_ = {**system.keywords, "ancestors": system.ancestors, "speeds": speeds}
        certificate = capacity_certificate(system.types, system.arrival_rates, **given_)
        expected = capacity_by_full_program(system, speeds)
        assert certificate.factor == pytest.approx(expected, rel=1e-8)
        check_certificate(certificate, system.types, system.arrival_rates, **given_, tolerance=1e-7)

    holds()


def test_a_server_of_speed_one_half_is_half_a_server() -> None:
    """One server alone carries its rate times its speed; twins of half the speed make one."""
    alone = largest_load_factor([(0,)], [1.0], n_servers=1, rates=(0.8, 0.4), speeds=[0.5])
    assert alone == pytest.approx(0.4)
    twins = {"n_servers": 3, "rates": (1.0, 0.5), "speeds": [0.5, 0.5, 1.0]}
    one = {"n_servers": 2, "rates": (1.0, 0.5)}
    for shares in ([1.0, 0.0], [0.7, 0.3], [0.2, 0.8]):
        split = largest_load_factor([(0, 1), (2,)], shares, **twins)
        assert split == pytest.approx(largest_load_factor([(0,), (1,)], shares, **one))


@pytest.mark.parametrize("n_tiers", [2, 3])
@pytest.mark.parametrize(("n_hot", "sigma"), [(8, 1.0), (3, 0.9), (4, 0.3)])
def test_classes_of_servers_equal_all_task_types(n_tiers: int, n_hot: int, sigma: float) -> None:
    """The small program over classes of servers is the one over every replica set."""
    n, speeds = 8, [0.5, 1.0, 1.0, 0.5, 1.0, 0.5, 1.0, 1.0]
    racks = np.stack([np.arange(n), np.arange(n) // 4, np.zeros(n, dtype=int)])
    groups = racks[[0, 2]] if n_tiers == 2 else racks
    rates = (1.0, 0.4) if n_tiers == 2 else (1.0, 0.8, 0.4)
    hot, cold = (list(combinations(s, 2)) for s in (range(n_hot), range(n_hot, n)))
    shares = [sigma / len(hot)] * len(hot) + [(1 - sigma) / len(cold) for _ in cold if sigma < 1]
    types = hot + (cold if sigma < 1 else [])
    given_ = {"rates": rates, "ancestors": groups, "speeds": speeds}
    expected = largest_load_factor(types, shares, n_servers=n, **given_)
    found = hotspot_capacity(n, n_hot, hot_probability=sigma, n_replicas=2, **given_)
    assert found == pytest.approx(expected, rel=1e-8)


def test_equal_speeds_scale_the_capacity() -> None:
    """Servers that are all of speed s have s times the capacity; speed 1 changes nothing."""
    for speed in (1.0, 0.6):
        found = hotspot_capacity(10, 10, hot_probability=1.0, rates=(1.0, 0.5), speeds=[speed] * 10)
        assert found == pytest.approx(speed * even_capacity(10, (1.0, 0.5)))


def test_membership_knows_speeds() -> None:
    """A rate inside the region of fast servers is outside that of slow ones."""
    slow = {"n_servers": 2, "rates": (1.0, 0.5), "speeds": [0.25, 0.25]}
    assert load([(0,)], [0.375], **slow) == pytest.approx(1.0)
    assert not is_in_capacity_region([(0,)], [0.5], **slow)


def test_report_has_capacity_and_says_what_is_not_defined() -> None:
    """With several speeds the report has the load, no bounds, and the reason."""
    report = theory_report([(0,), (1,)], [0.3, 0.3], n_servers=2, rates=(1.0, 0.5), speeds=[1, 0.5])
    # At k times the rates: 0.3 k locally on server 0, and (0.3 k - 0.5) / 0.5 for the other.
    assert report.load == pytest.approx(0.9 / 2.0)
    assert report.heavy_traffic is None
    assert report.helpers is None
    assert any("one speed" in note for note in report.notes)


def test_report_leaves_bounds_out_for_a_reason() -> None:
    """Where the theorems do not hold, helpers stay and the bounds are not printed."""
    report = theory_report(
        [(0,), (0, 1)], [1.2, 0.2], n_servers=2, rates=(1.0, 0.5), without_bounds=["not geometric"]
    )
    assert report.helpers == (1,)
    assert report.heavy_traffic is None
    assert report.notes == ("not geometric",)


@pytest.mark.parametrize(
    ("speeds", "words"),
    [([1.0], r"speeds has shape \(1,\): must be \(2,\)"), ([1.0, 0.0], "speeds: the least is 0.0")],
)
def test_speeds_that_cannot_be_are_refused(speeds: list[float], words: str) -> None:
    """There is one for each server, above 0, also where no task arrives."""
    for shares in ([1.0], [0.0]):
        with pytest.raises(ScenarioError, match=words):
            largest_load_factor([(0,)], shares, n_servers=2, rates=(1.0, 0.5), speeds=speeds)
    with pytest.raises(ScenarioError, match=words):
        symmetric_capacity(np.array([0, 0]), {(0,): 1.0}, rates=(1.0, 0.5), speeds=speeds)
