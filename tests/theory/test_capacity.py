"""The capacity region agrees with closed forms, plain linear programs and its own proof."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import inf

import numpy as np
import pytest
from hypothesis import given

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
from cluster_sim.theory.linear_program import minimise
from cluster_sim.theory.symmetric import server_orbits
from tests.theory.brute_force import System, capacity_by_full_program, systems

TWO = {"n_servers": 4, "rates": (1.0, 0.5)}


def hotspot_types(
    n_servers: int, n_hot: int, sigma: float, *, n_replicas: int = 3
) -> tuple[list[tuple[int, ...]], list[float]]:
    """Every type of hot-spot traffic, with unit total rate."""
    hot = list(combinations(range(n_hot), n_replicas))
    cold = list(combinations(range(n_hot, n_servers), n_replicas))
    rates = [sigma / len(hot)] * len(hot) + [(1.0 - sigma) / len(cold)] * len(cold)
    return hot + cold, rates


def two_racks(n_servers: int, size: int) -> np.ndarray:
    return np.stack(
        [np.arange(n_servers), np.arange(n_servers) // size, np.zeros(n_servers, dtype=int)]
    )


@given(systems())
def test_flow_equals_the_plain_linear_program(system: System) -> None:
    """The flow's factor is the optimum of Eq. (1) written with one variable per type and server."""
    factor = largest_load_factor(system.types, system.arrival_rates, **system.keywords)
    assert factor == pytest.approx(capacity_by_full_program(system), rel=1e-9)


@pytest.mark.parametrize("n_tiers", [2, 3, 4])
def test_grouped_program_equals_the_plain_linear_program(n_tiers: int) -> None:
    """Assigning tasks to groups of servers loses nothing against assigning them to servers."""

    @given(systems(n_tiers=n_tiers, most_servers=7))
    def holds(system: System) -> None:
        factor = largest_load_factor(
            system.types,
            system.arrival_rates,
            **system.keywords,
            ancestors=system.ancestors,
            method="lp",
        )
        assert factor == pytest.approx(capacity_by_full_program(system), rel=1e-9)

    holds()


@pytest.mark.parametrize("n_tiers", [2, 3])
def test_every_certificate_proves_its_factor(n_tiers: int) -> None:
    """The flow achieves the factor and the prices forbid more, to nine digits."""

    @given(systems(n_tiers=n_tiers, most_servers=6))
    def holds(system: System) -> None:
        where = {**system.keywords, "ancestors": system.ancestors}
        certificate = capacity_certificate(system.types, system.arrival_rates, **where)
        lower, upper = check_certificate(certificate, system.types, system.arrival_rates, **where)
        assert lower <= upper * (1 + 1e-12)

    holds()


def test_large_random_system_is_proved_by_its_certificate() -> None:
    """At 200 servers and 5000 types flow and prices still meet to nine digits."""
    rng = np.random.default_rng(7)
    types = np.stack([rng.choice(200, 3, replace=False) for _ in range(5000)])
    arrival_rates = 1.0 / np.arange(1, 5001)
    where = {"n_servers": 200, "rates": (1.0, 0.5)}
    certificate = capacity_certificate(types, arrival_rates, **where)
    lower, upper = check_certificate(certificate, types, arrival_rates, **where)
    assert lower == pytest.approx(upper, rel=1e-9)


def test_load_scales_with_the_rates() -> None:
    """Load is linear in the rates, and 1 at the largest factor."""
    types, rates = [(0, 1), (1, 2), (3,)], np.array([0.9, 0.4, 0.1])
    factor = largest_load_factor(types, rates, **TWO)
    assert load(types, rates * factor, **TWO) == pytest.approx(1.0, rel=1e-12)
    assert load(types, rates / 2, **TWO) == pytest.approx(load(types, rates, **TWO) / 2, rel=1e-12)


def test_boundary_belongs_to_the_closed_region_only() -> None:
    """Eq. (1) is strict: the boundary is outside, its closure inside, beyond is outside both."""
    types, rates = [(0, 1), (1, 2), (3,)], np.array([0.9, 0.4, 0.1])
    boundary = rates * largest_load_factor(types, rates, **TWO)
    assert not is_in_capacity_region(types, boundary, **TWO)
    assert is_in_capacity_region(types, boundary, **TWO, closed=True)
    assert is_in_capacity_region(types, boundary * 0.999, **TWO)
    assert not is_in_capacity_region(types, boundary * 1.001, **TWO, closed=True)


@pytest.mark.parametrize("alpha", [1.0, 0.7])
def test_even_traffic_closed_form(alpha: float) -> None:
    """Even traffic over all triples can use every server locally: M alpha."""
    types = list(combinations(range(7), 3))
    factor = largest_load_factor(
        types, np.full(len(types), 1 / len(types)), n_servers=7, rates=(alpha, 0.3)
    )
    assert factor == pytest.approx(even_capacity(7, (alpha, 0.3)), rel=1e-9)
    assert factor == pytest.approx(7 * alpha, rel=1e-12)


@pytest.mark.parametrize("sigma", [0.0, 0.2, 4 / 9, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("rates", [(1.0, 0.5), (0.8, 0.3), (0.6, 0.6)])
@pytest.mark.parametrize("method", ["flow", "lp"])
def test_hotspot_closed_form(sigma: float, rates: tuple[float, float], method: str) -> None:
    """Hot set overloaded, cold set overloaded and neither: the closed form is flow and LP."""
    types, arrival_rates = hotspot_types(9, 4, sigma)
    factor = largest_load_factor(types, arrival_rates, n_servers=9, rates=rates, method=method)
    closed = hotspot_capacity(9, 4, hot_probability=sigma, rates=rates)
    assert factor == pytest.approx(closed, rel=1e-9)


def test_hotspot_formula_where_the_hot_set_is_overloaded() -> None:
    """The paper's evaluation: (N alpha + gamma (M - N)) / (sigma + gamma (1 - sigma) / alpha)."""
    expected = (500 * 1.0 + 0.5 * 500) / (0.8 + 0.5 * 0.2 / 1.0)
    assert hotspot_capacity(1000, 500, hot_probability=0.8, rates=(1.0, 0.5)) == expected


@pytest.mark.parametrize("hot_servers", [4, (0, 1, 3, 4, 8), (2, 5, 7)])
@pytest.mark.parametrize("rates", [(1.0, 0.8, 0.4), (0.9, 0.5, 0.5), (1.0, 1.0, 0.2)])
def test_hotspot_with_racks_equals_the_program_over_all_types(
    hot_servers: int | tuple[int, ...], rates: tuple[float, ...]
) -> None:
    """One price for each orbit of servers is enough: same optimum as with every type listed."""
    racks = two_racks(9, 3)
    hot = range(hot_servers) if isinstance(hot_servers, int) else hot_servers
    cold = [m for m in range(9) if m not in hot]
    groups = [(list(combinations(hot, 2)), 0.85), (list(combinations(cold, 2)), 0.15)]
    types = [kind for kinds, _ in groups for kind in kinds]
    arrival_rates = [share / len(kinds) for kinds, share in groups for _ in kinds]
    where = {"n_servers": 9, "rates": rates, "ancestors": racks}
    capacity = hotspot_capacity(
        9, hot_servers, hot_probability=0.85, rates=rates, ancestors=racks, n_replicas=2
    )
    assert largest_load_factor(types, arrival_rates, **where) == pytest.approx(capacity, rel=1e-9)


def test_hotspot_with_pods_equals_the_program_over_all_types() -> None:
    """Four tiers: server, rack, pod, core."""
    servers = np.arange(12)
    levels = np.stack([servers, servers // 2, servers // 6, servers * 0])
    rates = (1.0, 0.9, 0.6, 0.3)
    hot, cold = list(combinations(range(5), 2)), list(combinations(range(5, 12), 2))
    arrival_rates = [0.9 / len(hot)] * len(hot) + [0.1 / len(cold)] * len(cold)
    capacity = hotspot_capacity(
        12, 5, hot_probability=0.9, rates=rates, ancestors=levels, n_replicas=2
    )
    factor = largest_load_factor(
        hot + cold, arrival_rates, n_servers=12, rates=rates, ancestors=levels
    )
    assert factor == pytest.approx(capacity, rel=1e-9)


def test_a_middle_tier_adds_capacity_between_its_extremes() -> None:
    """Rack-local service at the remote rate adds nothing; at the local rate, a rack is a server."""
    racks = two_racks(1000, 50)

    def capacity(beta: float) -> float:
        return hotspot_capacity(
            1000, 480, hot_probability=0.8, rates=(1.0, beta, 0.5), ancestors=racks
        )

    plain = hotspot_capacity(1000, 480, hot_probability=0.8, rates=(1.0, 0.5))
    assert capacity(0.5) == pytest.approx(plain, rel=1e-9)
    values = [capacity(beta) for beta in (0.5, 0.7, 0.9, 1.0)]
    assert values == sorted(values)
    assert values[-1] > values[0]


def test_orbits_are_the_servers_that_symmetry_exchanges() -> None:
    """Racks with the same number of hot servers are alike, others are not."""
    orbits = server_orbits(two_racks(6, 2), np.array([1, 0, 0, 1, 1, 1]))
    assert orbits[0] == orbits[3]
    assert orbits[1] == orbits[2]
    assert orbits[4] == orbits[5]
    assert len(set(orbits.tolist())) == 3


def test_one_server() -> None:
    """M = 1: the region is the rates below alpha."""
    assert largest_load_factor([(0,)], [0.2], n_servers=1, rates=(0.8, 0.3)) == pytest.approx(4.0)
    assert even_capacity(1, (0.8, 0.3)) == 0.8


def test_equal_rates_make_one_pool() -> None:
    """With alpha = gamma locality is nothing: the capacity is M alpha for any traffic."""
    types, rates = [(0,), (0, 1), (3,)], [0.7, 0.1, 0.3]
    factor = largest_load_factor(types, rates, n_servers=4, rates=(0.6, 0.6))
    assert factor == pytest.approx(4 * 0.6 / sum(rates), rel=1e-12)


def test_disconnected_servers_share_remote_service() -> None:
    """Servers without common types still help: the bound is over the whole cluster."""
    factor = largest_load_factor([(0,), (1,)], [1.0, 0.0], n_servers=2, rates=(1.0, 0.5))
    assert factor == pytest.approx(1.5, rel=1e-12)


def test_nothing_arrives() -> None:
    """Without arrivals every multiple is inside, the load is 0, and there is nothing to prove."""
    assert largest_load_factor([(0,)], [0.0], **TWO) == inf
    assert largest_load_factor([], [], **TWO) == inf
    assert load([(0,)], [0.0], **TWO) == 0.0
    with pytest.raises(ScenarioError, match="no task arrives"):
        capacity_certificate([(0,)], [0.0], **TWO)


def test_merged_padded_and_repeated_types_are_the_same_system() -> None:
    """Order, repetition, padding and splitting of types change nothing."""
    plain = largest_load_factor([(0, 1), (2,)], [0.7, 0.4], **TWO)
    padded = np.array([[1, 0, -1], [0, 1, 1], [2, -1, -1]])
    assert largest_load_factor(padded, [0.3, 0.4, 0.4], **TWO) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"types": [(9,)]}, "type 0 names server 9: servers are 0 to 3"),
        ({"types": [()]}, "type 0 has no local server and rate 0.5"),
        ({"types": np.array([[0.0]])}, "dtype float64: server indices are integers"),
        ({"arrival_rates": [-1.0]}, "arrival rate of type 0 = -1.0: must be finite"),
        ({"arrival_rates": [0.1, 0.1]}, "must have one rate for each of the 1 types"),
        ({"n_servers": 0}, "n_servers = 0: must be at least 1"),
        ({"rates": (1.0,)}, "at least two are needed"),
        ({"rates": (0.5, 1.0)}, "must be descending"),
        ({"rates": (1.0, 0.0)}, "must be descending"),
        ({"rates": (1.0, 0.8, 0.5)}, "ancestors is missing: 3 tiers"),
        ({"rates": (1.0, 0.8, 0.5), "ancestors": two_racks(4, 2), "method": "flow"}, "for two"),
        ({"ancestors": [[0, 1, 2, 3]]}, "must be \\(2, 4\\)"),
        ({"ancestors": [[0, 1, 2, 2], [0, 0, 0, 0]]}, "row 0 must be the server itself"),
        (
            {
                "rates": (1.0, 0.9, 0.8, 0.5),
                "ancestors": [[0, 1, 2, 3], [0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]],
            },
            "groups must be nested",
        ),
    ],
)
def test_unusable_input_is_refused(change: dict[str, object], message: str) -> None:
    """Each mistake is named with its value and what is allowed."""
    arguments = {"types": [(0,)], "arrival_rates": [0.5], **TWO, **change}
    with pytest.raises(ScenarioError, match=message):
        largest_load_factor(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 11, 0.5, (1.0, 0.5), 3), "hot_servers = 11: must be within 0 to n_servers"),
        ((10, (3, 12), 0.5, (1.0, 0.5), 1), "hot_servers names server 12"),
        ((10, 5, 1.5, (1.0, 0.5), 3), "hot_probability = 1.5"),
        ((10, 2, 0.5, (1.0, 0.5), 3), "2 hot servers with probability 0.5"),
        ((10, 8, 0.5, (1.0, 0.5), 3), "2 other servers with probability 0.5"),
        ((10, 5, 0.5, (1.0, 0.5), 0), "n_replicas = 0"),
    ],
)
def test_impossible_hotspot_is_refused(arguments: tuple, message: str) -> None:
    """A hot spot that cannot hold its replicas is named."""
    n_servers, hot_servers, sigma, rates, n_replicas = arguments
    with pytest.raises(ScenarioError, match=message):
        hotspot_capacity(
            n_servers, hot_servers, hot_probability=sigma, rates=rates, n_replicas=n_replicas
        )


def test_other_refusals() -> None:
    """No servers, probabilities that do not sum to 1, and a program without solution."""
    with pytest.raises(ScenarioError, match="n_servers = 0"):
        even_capacity(0, (1.0, 0.5))
    with pytest.raises(ScenarioError, match=r"total probability 0\.5: must be 1"):
        symmetric_capacity(np.array([0, 0]), {(0,): 0.5}, rates=(1.0, 0.5))
    with pytest.raises(ScenarioError, match="the example was not solved"):
        minimise(np.array([-1.0]), what="the example", bounds=[(0.0, None)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: {"factor": c.factor * 1.001}, "the flow achieves only"),
        (lambda c: {"factor": c.factor * 0.999}, "the prices prove"),
        (lambda c: {"prices": c.prices * 0.0}, "prices must be non-negative and not all 0"),
        (lambda c: {"prices": np.array([1.0, 2.0, 3.0, 4.0])}, "the prices prove"),
        (lambda c: {"flow_rate": c.flow_rate * -1.0}, "flows must be non-negative"),
        (lambda c: {"flow_rate": c.flow_rate * (c.flow_tier == 0)}, "the flow achieves only"),
        (lambda c: {"flow_group": np.where(c.flow_tier == 0, 3, 0)}, "where it has no replica"),
    ],
)
def test_a_wrong_certificate_is_refused(change, message: str) -> None:
    """Any change that breaks the proof is detected, and the message says how."""
    types, arrival_rates = [(0,), (0, 1), (2,)], [1.0, 0.2, 0.1]
    good = capacity_certificate(types, arrival_rates, **TWO)
    check_certificate(good, types, arrival_rates, **TWO)
    bad = replace(good, **change(good))
    with pytest.raises(ScenarioError, match=message):
        check_certificate(bad, types, arrival_rates, **TWO)


def test_records_say_what_they_hold() -> None:
    """The short form of a certificate names the factor."""
    assert "factor 3" in repr(capacity_certificate([(0,)], [0.5], n_servers=2, rates=(1.0, 0.5)))
