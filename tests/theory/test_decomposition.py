"""The ideal load decomposition meets every condition, and the checker sees each break."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from scipy.optimize import linprog

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.capacity import hotspot_capacity, largest_load_factor, load
from cluster_sim.theory.decomposition import (
    Condition,
    Decomposition,
    Violation,
    check_decomposition,
    ideal_load_decomposition,
    overloaded_set,
)
from cluster_sim.theory.flows import balance
from cluster_sim.theory.spreading import even_local_split
from cluster_sim.theory.task_types import merge_types
from tests.theory.brute_force import System, overloaded_by_enumeration, systems


def at_load(system: System, fraction: float) -> tuple[np.ndarray, Decomposition]:
    """The system at a fraction of capacity, and its decomposition."""
    rates = np.asarray(system.arrival_rates)
    rates = rates * fraction * largest_load_factor(system.types, rates, **system.keywords)
    return rates, ideal_load_decomposition(system.types, rates, **system.keywords)


def hot_server() -> Decomposition:
    """Three servers: 0 is overloaded and helped, 1 shares a type with it, 2 has little to do.

    Its types in order: (0, 1), (0,), (2,).
    """
    types, rates = [(0,), (0, 1), (2,)], [1.2, 0.4, 0.1]
    return ideal_load_decomposition(types, rates, n_servers=3, rates=(1.0, 0.5))


@pytest.mark.parametrize("fraction", [0.3, 0.9, 0.999])
def test_construction_meets_eq_1_and_lemmas_2_and_3(fraction: float) -> None:
    """Inside the capacity region no condition is violated."""

    @given(systems())
    def holds(system: System) -> None:
        assert check_decomposition(at_load(system, fraction)[1]) == []

    holds()


@given(systems())
def test_overloaded_set_is_the_one_found_by_enumeration(system: System) -> None:
    """D is the largest minimiser of alpha |S| - lambda(L_S) among all 2^M sets."""
    found = overloaded_set(system.types, system.arrival_rates, **system.keywords)
    assert frozenset(np.flatnonzero(found).tolist()) == overloaded_by_enumeration(system)


@given(systems())
def test_epsilon_is_positive_exactly_inside_the_region(system: System) -> None:
    """Eqs. (10) and (20): epsilon > 0 iff the load is below 1; outside, it is refused."""
    fraction = load(system.types, system.arrival_rates, **system.keywords)
    assume(abs(fraction - 1.0) > 1e-6)
    if fraction < 1.0:
        ideal = ideal_load_decomposition(system.types, system.arrival_rates, **system.keywords)
        assert ideal.epsilon > 0.0
    else:
        with pytest.raises(ScenarioError, match="not strictly inside the capacity region"):
            ideal_load_decomposition(system.types, system.arrival_rates, **system.keywords)


@given(systems())
def test_rates_add_up_to_eq_10(system: System) -> None:
    """Lambda = M_b alpha + Phi alpha + gamma (M_h - Phi) - epsilon with beneficiaries."""
    rates, ideal = at_load(system, 0.95)
    alpha, gamma = system.rates
    assert ideal.n_helpers + ideal.n_beneficiaries == system.n_servers
    assert ideal.phi * alpha == pytest.approx(
        float(ideal.types.arrival_rates[~ideal.is_beneficiary_type].sum()), abs=1e-12
    )
    if ideal.n_beneficiaries:
        most = ideal.n_beneficiaries * alpha + ideal.phi * alpha
        most += gamma * (ideal.n_helpers - ideal.phi)
        assert rates.sum() == pytest.approx(most - ideal.epsilon, rel=1e-9)
    else:
        assert rates.sum() == pytest.approx(system.n_servers * alpha - ideal.epsilon, rel=1e-9)


@given(systems())
def test_lemma_9_is_met_where_it_can_be(system: System) -> None:
    """Equal loads hold unless a helper's unavoidable local load exceeds 1 - epsilon_0."""
    _, ideal = at_load(system, 0.98)
    assume(ideal.n_beneficiaries > 0)
    broken = {found.condition for found in check_decomposition(ideal, lemma_9=True)}
    too_busy = ideal.local_loads[ideal.helpers].max() > 1.0 - ideal.epsilon_0 + 1e-9
    assert (Condition.EQUAL_LOADS in broken) == too_busy


@given(systems(most_servers=4))
def test_least_remote_rate_is_the_largest_possible(system: System) -> None:
    """lambda_0 equals the optimum of a plain linear program over local and remote rates."""
    _, ideal = at_load(system, 0.97)
    assume(ideal.n_beneficiaries > 0)
    alpha = system.rates[0]
    part, _ = ideal.types.restrict(ideal.is_beneficiary_type, ideal.is_beneficiary)
    home = ideal.local_loads[ideal.beneficiaries] * alpha
    n_edges = len(part.servers)
    by_type, by_server = np.zeros((part.n_types, n_edges)), np.zeros((part.n_servers, n_edges))
    by_type[part.owners, np.arange(n_edges)] = 1.0
    by_server[part.servers, np.arange(n_edges)] = 1.0
    # Variables: local rates, remote rates, the least remote rate.
    column = np.zeros((part.n_servers, 1))
    equal = np.block(
        [
            [by_type, by_type, np.zeros((part.n_types, 1))],
            [by_server, np.zeros_like(by_server), column],
        ]
    )
    above = np.block(
        [
            [-by_server, -by_server, column],
            [np.zeros((n_edges, n_edges)), -np.eye(n_edges), np.ones((n_edges, 1))],
        ]
    )
    cost = np.zeros(2 * n_edges + 1)
    cost[-1] = -1.0
    best = linprog(
        cost,
        A_ub=above,
        b_ub=np.concatenate([np.full(part.n_servers, -alpha), np.zeros(n_edges)]),
        A_eq=equal,
        b_eq=np.concatenate([part.arrival_rates, home]),
    )
    assert ideal.lambda_0 == pytest.approx(best.x[-1], abs=1e-8)


def test_hand_solved_decomposition() -> None:
    """One hot server: type (0,) overloads it, the shared type goes to the helper entirely."""
    ideal = hot_server()
    assert ideal.beneficiaries.tolist() == [0]
    assert ideal.helpers.tolist() == [1, 2]
    assert [ideal.types.replicas(i) for i in np.flatnonzero(ideal.is_beneficiary_type)] == [(0,)]
    assert ideal.phi == pytest.approx(0.5)
    # Eq. (10): 1 + 0.5 + 0.5 * (2 - 0.5) - 1.7.
    assert ideal.epsilon == pytest.approx(0.55)
    assert ideal.epsilon_0 == pytest.approx(0.55 / 2.0)
    home = 1.0 - 0.275
    # Each helper is busy 0.725; what is left after 0.4 and 0.1 goes to queue 0 at rate 1/2.
    expected = [[home, 0.5 * (home - 0.4), 0.5 * (home - 0.1)], [0, 0.4, 0], [0, 0, 0.1]]
    np.testing.assert_allclose(ideal.nu.toarray(), expected, atol=1e-12)
    assert ideal.lambda_0 == pytest.approx(1.2 - home)
    assert check_decomposition(ideal, lemma_9=True) == []


def test_hot_spot_decomposition_has_the_hot_set_as_beneficiaries() -> None:
    """At 0.9 of capacity the hot servers are the beneficiaries and epsilon is 0.1 of Eq. (10)."""
    rng = np.random.default_rng(3)
    n_servers, n_hot, sigma = 60, 30, 0.8
    hot = [tuple(rng.choice(n_hot, 3, replace=False)) for _ in range(4000)]
    cold = [tuple(n_hot + rng.choice(n_servers - n_hot, 3, replace=False)) for _ in range(1000)]
    capacity = hotspot_capacity(n_servers, n_hot, hot_probability=sigma, rates=(1.0, 0.5))
    rates = np.full(5000, 0.9 * capacity / 5000)
    ideal = ideal_load_decomposition(hot + cold, rates, n_servers=n_servers, rates=(1.0, 0.5))
    assert ideal.beneficiaries.tolist() == list(range(n_hot))
    # lambda(L_B) = sigma Lambda at the boundary is M_b + gamma (M_h - Phi): Eq. (10) with e = 0.
    assert ideal.phi == pytest.approx(0.2 * 0.9 * capacity)
    expected = n_hot + 0.5 * (30 - ideal.phi) - 0.8 * 0.9 * capacity
    assert ideal.epsilon == pytest.approx(expected)
    assert check_decomposition(ideal, lemma_9=True) == []


def test_even_traffic_has_helpers_only_and_equal_loads() -> None:
    """Without beneficiaries epsilon is that of Eq. (20) and all loads are equal (Lemma 24)."""
    types = [(0, 1), (1, 2), (2, 3), (3, 0)]
    ideal = ideal_load_decomposition(types, [0.6, 0.9, 0.6, 0.9], n_servers=4, rates=(1.0, 0.5))
    assert ideal.n_beneficiaries == 0
    assert ideal.epsilon == pytest.approx(1.0)
    assert ideal.epsilon_0 == pytest.approx(0.25)
    np.testing.assert_allclose(ideal.server_loads, 0.75)
    assert ideal.lambda_0 == np.inf


def test_even_split_leaves_out_no_server() -> None:
    """Lemma 24: the least local rate is as large as can be: here the common half."""
    types = merge_types([(0, 1), (1, 2), (0, 2)], [0.4, 0.4, 0.4], 3)
    np.testing.assert_allclose(even_local_split(types), 0.2, atol=1e-12)


@given(systems())
def test_balanced_loads_scale_and_add_up(system: System) -> None:
    """Doubling the rates doubles every load; the loads add up to the arrivals."""
    types = merge_types(system.types, system.arrival_rates, system.n_servers)
    loads = balance(types).loads
    assert loads.sum() == pytest.approx(types.total_rate, rel=1e-9)
    twice = balance(replace(types, arrival_rates=2 * types.arrival_rates)).loads
    np.testing.assert_allclose(twice, 2 * loads, atol=1e-9)


def test_a_load_of_exactly_alpha_is_overloaded() -> None:
    """The definition of D says 'at least': a server with load alpha belongs to it."""
    ideal = ideal_load_decomposition([(0,)], [0.8], n_servers=2, rates=(0.8, 0.4))
    assert ideal.beneficiaries.tolist() == [0]
    assert check_decomposition(ideal) == []


def test_equal_rates_still_have_helpers_and_beneficiaries() -> None:
    """Alpha = gamma: the decomposition exists, and epsilon is M alpha - Lambda."""
    ideal = ideal_load_decomposition([(0,), (1,)], [0.9, 0.1], n_servers=2, rates=(0.7, 0.7))
    assert ideal.beneficiaries.tolist() == [0]
    assert ideal.epsilon == pytest.approx(0.4)
    assert check_decomposition(ideal, lemma_9=True) == []


def test_one_server_is_a_helper() -> None:
    """M = 1 inside the region: nothing is overloaded."""
    ideal = ideal_load_decomposition([(0,)], [0.5], n_servers=1, rates=(0.8, 0.4))
    assert (ideal.n_helpers, ideal.n_beneficiaries) == (1, 0)
    assert ideal.epsilon == pytest.approx(0.3)


def test_nothing_arrives() -> None:
    """An idle cluster has helpers only and all its capacity left."""
    ideal = ideal_load_decomposition([], [], n_servers=3, rates=(0.8, 0.4))
    assert ideal.n_helpers == 3
    assert ideal.epsilon == pytest.approx(2.4)
    assert check_decomposition(ideal) == []


def _with_flow(ideal: Decomposition, kind: int, queue: int, server: int, rate: float):
    """The same decomposition with one more rate."""
    return replace(
        ideal,
        flow_type=np.append(ideal.flow_type, kind),
        flow_queue=np.append(ideal.flow_queue, queue),
        flow_server=np.append(ideal.flow_server, server),
        flow_rate=np.append(ideal.flow_rate, rate),
    )


def _move(ideal: Decomposition, kind: int, queue: int, server: int, rate: float):
    """Serve ``rate`` of a type elsewhere, taken from its other rates."""
    mine = ideal.flow_type == kind
    kept = 1.0 - rate / ideal.flow_rate[mine].sum()
    reduced = replace(ideal, flow_rate=np.where(mine, ideal.flow_rate * kept, ideal.flow_rate))
    return _with_flow(reduced, kind, queue, server, rate)


@pytest.mark.parametrize(
    ("mutate", "condition"),
    [
        (lambda d: _move(d, 0, 1, 2, -0.01), Condition.RATES_NONNEGATIVE),
        (lambda d: _move(d, 2, 1, 1, 0.01), Condition.LOCAL_QUEUES),
        (lambda d: _with_flow(d, 2, 2, 2, 0.01), Condition.RATES_ADD_UP),
        (lambda d: _move(d, 1, 0, 2, 0.5), Condition.LOADS_BELOW_ONE),
        (lambda d: _move(d, 0, 0, 0, 0.1), Condition.OVERLOADED_TYPES),
        (lambda d: _move(d, 0, 0, 0, 0.1), Condition.BENEFICIARY_TYPES),
        (lambda d: _move(d, 0, 1, 2, 0.01), Condition.HELPER_RECEIVES_NOTHING),
        (lambda d: _move(d, 2, 2, 0, 0.01), Condition.BENEFICIARY_PROVIDES_NOTHING),
        (
            lambda d: replace(d, is_beneficiary=np.array([True, True, False])),
            Condition.BENEFICIARY_OVERLOADED,
        ),
        (
            lambda d: replace(d, is_beneficiary=np.array([False, False, False])),
            Condition.HELPER_NOT_OVERLOADED,
        ),
        (lambda d: _move(d, 1, 0, 2, 0.1), Condition.EQUAL_LOADS),
        (
            lambda d: replace(d, flow_rate=d.flow_rate * (d.flow_queue == d.flow_server)),
            Condition.REMOTE_SHARE,
        ),
    ],
)
def test_checker_detects_each_violated_condition(mutate, condition: Condition) -> None:
    """Break one condition, and the checker names it, with the place."""
    found = check_decomposition(mutate(hot_server()), lemma_9=True)
    assert condition in [violation.condition for violation in found]


def test_every_condition_has_a_mutation() -> None:
    """The list above misses none."""
    marks = test_checker_detects_each_violated_condition.pytestmark[0].args[1]
    assert {condition for _, condition in marks} == set(Condition)


def test_violations_and_decompositions_read_well() -> None:
    """A violation names lemma, place and value; a decomposition its sets and constants."""
    found = check_decomposition(_move(hot_server(), 2, 2, 0, 0.01))
    assert str(found[-1]) == (
        "Lemma 3: a beneficiary provides no remote service; "
        "type (2,) in queue 2 served by server 0 at rate 0.01"
    )
    assert eval(
        repr(Violation(Condition.EQUAL_LOADS, "x")).replace(
            repr(Condition.EQUAL_LOADS), "Condition.EQUAL_LOADS"
        )
    ) == Violation(Condition.EQUAL_LOADS, "x")
    assert repr(hot_server()) == (
        "<Decomposition: 2 helpers, 1 beneficiaries, phi 0.5, epsilon 0.55>"
    )


def test_three_tiers_are_refused() -> None:
    """The lemmas know two rates."""
    with pytest.raises(ScenarioError, match="defined for two tiers"):
        ideal_load_decomposition([(0,)], [0.1], n_servers=1, rates=(1.0, 0.8, 0.5))
