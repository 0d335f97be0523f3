"""The chain against closed forms, hand computations, identities and brute force."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest

from exact.arrivals import Arrivals, batch, bernoulli, binomial, general, poisson
from exact.chain import ChainBuilder, ExactMeans, long_run_means, solve_chain
from exact.closed_forms import (
    batch_geo_1_completion_time,
    batch_geo_1_mean_in_system,
    geo_geo_1_completion_time,
    geo_geo_1_probabilities,
    slotted_deterministic_mean_in_system,
)
from exact.event_loop import estimates
from exact.protocol import SlotProtocol, State
from exact.system import Policy, TinySystem

ONE = (((0,), 1.0),)
HOT = (((0,), 0.6), ((0, 1), 0.4))
MIXED = (((0,), 0.3), ((1,), 0.3), ((0, 1), 0.4))
POLICIES = get_args(Policy)


def system(
    policy: Policy,
    *,
    n_servers: int = 2,
    types: Any = HOT,
    arrivals: Arrivals | None = None,
    rates: tuple[float, ...] = (0.8, 0.3),
    **more: Any,
) -> TinySystem:
    """Return a system with defaults that most tests share."""
    given = bernoulli(0.5) if arrivals is None else arrivals
    return TinySystem(policy, n_servers, types, given, rates, policy, **more)


def value(means: ExactMeans, name: str) -> float:
    """Return a mean by name; ``locality[0]`` is the first item of ``locality``."""
    field, _, index = name.partition("[")
    found = getattr(means, field)
    return float(found[int(index[:-1])] if index else found)


def assert_same_means(one: ExactMeans, other: ExactMeans, tolerance: float = 1e-7) -> None:
    for name in ("mean_completion_time", "mean_waiting_time", "utilisation", "locality"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=tolerance), name


# Closed forms


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("p", "mu"), [(0.5, 0.8), (0.3, 0.4)])
def test_one_server_is_geo_geo_1(policy: Policy, p: float, mu: float) -> None:
    """Every policy with one server and one rate gives the known geometric distribution."""
    arrivals, rates = bernoulli(p), (mu, mu)
    means = solve_chain(system(policy, n_servers=1, types=ONE, arrivals=arrivals, rates=rates))
    assert means.mean_completion_time == pytest.approx(geo_geo_1_completion_time(p, mu), abs=1e-6)
    known = geo_geo_1_probabilities(p, mu, n_levels=6)
    assert means.in_system_probabilities[:6] == pytest.approx(known, abs=1e-6)
    assert means.utilisation[0] == pytest.approx(p / mu, abs=1e-6)


@pytest.mark.parametrize(
    "arrivals",
    [
        binomial(0.5, trials=4),
        batch(0.5, size=3),
        poisson(0.5, bound=6),
        general((0.7, 0.1, 0.1, 0.1)),
    ],
    ids=lambda a: a.kind,
)
@pytest.mark.parametrize("mu", [0.9, 1.0])
def test_one_server_with_several_arrivals_per_slot(arrivals: Arrivals, mu: float) -> None:
    """One server with any arrivals has the mean that the second moment of its recursion gives."""
    one = system("priority", n_servers=1, types=ONE, arrivals=arrivals, rates=(mu, 0.3))
    means = solve_chain(one)
    expected = batch_geo_1_mean_in_system(arrivals, mu)
    assert means.mean_in_system == pytest.approx(expected, abs=1e-6)
    expected = batch_geo_1_completion_time(arrivals, mu)
    assert means.mean_completion_time == pytest.approx(expected, abs=1e-6)
    if mu == 1:
        expected = slotted_deterministic_mean_in_system(arrivals)
        assert means.mean_in_system == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("policy", ["jsq-local", "random-local"])
def test_separate_queues_are_each_geo_geo_1(policy: Policy) -> None:
    """Servers without a common type share only the arrivals: each is a thinned queue."""
    apart = system(policy, types=(((0,), 0.6), ((1,), 0.4)), arrivals=bernoulli(0.7))
    means = solve_chain(apart)
    times = [geo_geo_1_completion_time(0.7 * share, 0.8) for share in (0.6, 0.4)]
    expected = 0.6 * times[0] + 0.4 * times[1]
    assert means.mean_completion_time == pytest.approx(expected, abs=1e-6)
    assert means.utilisation == pytest.approx((0.7 * 0.6 / 0.8, 0.7 * 0.4 / 0.8), abs=1e-6)


def test_random_local_splits_a_shared_type_evenly() -> None:
    """Random routing turns shared types into independent thinning: 0.6 + 0.4 / 2 go to server 0."""
    means = solve_chain(system("random-local", arrivals=bernoulli(0.6)))
    times = [geo_geo_1_completion_time(0.6 * share, 0.8) for share in (0.8, 0.2)]
    assert means.mean_completion_time == pytest.approx(0.8 * times[0] + 0.2 * times[1], abs=1e-6)


# Hand computations


def test_two_states_by_hand() -> None:
    """Two local servers of rate 1/2 and at most one task per slot, first with room for one task.

    Under ``priority`` with one type on both servers an arrival meets an idle server. From 0 tasks
    it goes up with 1/2 * 1/2. From 1 task it goes up with 1/2 * 1/4 (an arrival, and neither of
    the two ends), and down with 1/2 * 1/2 (no arrival) plus 1/2 * 1/4 (an arrival, and both end).
    """
    pair = system("priority", types=(((0, 1), 1.0),), arrivals=bernoulli(0.5), rates=(0.5, 0.25))
    chain = ChainBuilder(pair).chain(1)
    counts = np.array([state.n_in_system for state in chain.observed])
    matrix = chain.transitions.toarray()
    assert matrix[0][counts == 1].sum() == pytest.approx(0.25)
    # With room for one, an arrival at 1 is dropped and the task ends with 1/2.
    assert matrix[np.ix_(counts == 1, counts == 0)] == pytest.approx(0.5)
    assert chain.dropped[counts == 1] == pytest.approx(0.5)
    assert long_run_means(pair, chain).mean_in_system == pytest.approx(0.25 / (0.25 + 0.5))
    free = ChainBuilder(pair).chain(2)
    matrix = free.transitions.toarray()
    counts = np.array([state.n_in_system for state in free.observed])
    assert matrix[np.ix_(counts == 1, counts == 2)].sum(axis=1) == pytest.approx(0.5 * 0.25)
    assert matrix[np.ix_(counts == 1, counts == 0)].sum(axis=1) == pytest.approx(0.25 + 0.125)


def test_a_remote_start_by_hand() -> None:
    """Two tasks for server 0 in one slot: who asks first decides where the second one runs."""
    pair = system("priority", types=ONE, arrivals=batch(0.2, size=2), rates=(1.0, 0.5), threshold=0)
    protocol = SlotProtocol(pair)
    start = protocol.after_arrivals(protocol.empty(), 2)
    assert start == {State(((0, 0), ()), (None, None)): 1.0}
    both = State(((), ()), ((0, 0), (0, 1)))
    assert protocol.after_dispatch(next(iter(start))) == {both: 1.0}
    # Under a threshold of 1, server 1 asking second sees 2 tasks in the system, but 1 waiting.
    one_waiting = SlotProtocol(replace(pair, threshold=1, queue_length="waiting"))
    outcomes = one_waiting.after_dispatch(next(iter(start)))
    assert sorted(outcomes.values()) == [0.5, 0.5]
    assert {state.n_waiting for state in outcomes} == {0, 1}
    assert protocol.after_completions(both) == {
        State(((), ()), (None, None)): 0.5,
        State(((), ()), (None, (0, 1))): 0.5,
    }


def test_a_threshold_is_exceeded_strictly() -> None:
    """A queue of exactly the threshold gives nothing away, one task more gives one away."""
    for n_tasks, n_left in ((2, 1), (3, 1)):
        two = system("priority", types=ONE, arrivals=batch(0.2, size=3), threshold=2)
        protocol = SlotProtocol(replace(two, dispatch_order="index"))
        (waiting,) = protocol.after_arrivals(protocol.empty(), n_tasks)
        (after,) = protocol.after_dispatch(waiting)
        assert after.n_waiting == n_left


def test_equal_products_tie_exactly() -> None:
    """0.8 * 3 and 0.3 * 8 tie, though their floating-point products differ."""
    assert 0.8 * 3 != 0.3 * 8
    tied = SlotProtocol(system("jsq-maxweight", queue_length="waiting"))
    state = State(((0,) * 3, (), (0,) * 8), (None, (-1, 0)))
    assert sorted(tied.after_dispatch(state).values()) == [0.5, 0.5]


# Identities


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("dispatch_order", ["random", "index", "locals-first"])
def test_every_step_is_stochastic(policy: Policy, dispatch_order: Any) -> None:
    """The rows of all three matrices sum to 1 and hold nothing negative."""
    mixed = system(
        policy,
        types=MIXED,
        arrivals=binomial(0.4, trials=2),
        threshold=1,
        dispatch_order=dispatch_order,
    )
    chain = ChainBuilder(mixed).chain(4)
    for matrix in (chain.arrivals, chain.dispatch, chain.completions, chain.transitions):
        assert matrix.sum(axis=1) == pytest.approx(1.0)
        assert matrix.data.min() >= 0


@pytest.mark.parametrize("policy", POLICIES)
def test_flow_and_littles_law_hold(policy: Policy) -> None:
    """Work in equals work out, and completion time is waiting time plus mean service time."""
    mixed = system(policy, arrivals=bernoulli(0.5), threshold=1, rates=(0.8, 0.5))
    means = solve_chain(mixed)
    service = sum(f / rate for f, rate in zip(means.locality, mixed.rates, strict=True))
    assert sum(means.utilisation) == pytest.approx(means.arrival_rate * service, rel=1e-8)
    expected = means.mean_waiting_time + service
    assert means.mean_completion_time == pytest.approx(expected, rel=1e-8)
    assert sum(means.in_system_probabilities) == pytest.approx(1)


@pytest.mark.parametrize("policy", ["priority", "maxweight", "jsq-maxweight", "jsq-local", "fifo"])
def test_symmetric_systems_give_symmetric_means(policy: Policy) -> None:
    """Servers that nothing distinguishes are equally busy."""
    types = (((0,), 0.3), ((1,), 0.3), ((2,), 0.3), ((0, 1, 2), 0.1))
    three = system(
        policy,
        n_servers=3,
        types=types,
        threshold=1,
        rates=(0.9, 0.6),
        arrivals=bernoulli(0.5),
        service_tier="queue",
    )
    low, *_, high = sorted(solve_chain(three, aim=1e-4, tolerance=1e-4).utilisation)
    assert low == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize("queue_length", ["in-system", "waiting"])
def test_an_infinite_threshold_is_local_service_only(queue_length: Any) -> None:
    """``priority`` that never exceeds its threshold is ``jsq-local``."""
    arrivals = binomial(0.8, trials=2)
    one = system("priority", arrivals=arrivals, threshold=math.inf, queue_length=queue_length)
    other = system("jsq-local", arrivals=arrivals, queue_length=queue_length)
    # At the same cap, because the types in a queue are told apart under one of them only.
    means, local = (long_run_means(tiny, ChainBuilder(tiny).chain(7)) for tiny in (one, other))
    assert means.n_states > local.n_states
    assert_same_means(means, local, tolerance=1e-12)


def test_a_type_on_all_servers_makes_every_start_local() -> None:
    """With one type everywhere and threshold 0, ``priority`` idles no more than ``fifo``."""
    everywhere = (((0, 1), 1.0),)
    arrivals = binomial(1.0, trials=2)
    one = system("priority", types=everywhere, threshold=0, arrivals=arrivals)
    other = system("fifo", types=everywhere, arrivals=arrivals)
    priority, fifo = solve_chain(one), solve_chain(other)
    assert priority.locality == (1.0, 0.0)
    expected = fifo.mean_completion_time
    assert priority.mean_completion_time == pytest.approx(expected, abs=1e-6)


def test_one_arrival_per_slot_makes_the_routing_view_idle() -> None:
    """The live view and the view of the slot's start differ only for later arrivals of a slot."""
    one = system("priority", threshold=1)
    assert_same_means(solve_chain(one), solve_chain(replace(one, routing_view="slot-start")))


def test_types_may_be_told_apart_or_merged() -> None:
    """Writing a type twice with half the weight changes nothing."""
    once = system("priority", threshold=0)
    halves = (((0,), 0.3), ((0, 1), 0.4), ((0,), 0.3))
    assert_same_means(solve_chain(once), solve_chain(replace(once, types=halves)))


def test_the_cap_reports_its_error() -> None:
    """A looser cap moves the mean by about what it reports, and says how much it drops."""
    apart = system("priority", types=(((0,), 0.6), ((1,), 0.4)), arrivals=bernoulli(0.9))
    loose = solve_chain(apart, aim=1e-3, tolerance=1e-3)
    tight = solve_chain(apart)
    assert tight.dropped_fraction <= 1e-6
    assert 1e-5 < loose.dropped_fraction <= 1e-3
    moved = abs(loose.mean_completion_time - tight.mean_completion_time)
    assert 0 < moved < 5 * loose.completion_time_error


# Brute force

COMBINATIONS: tuple[TinySystem, ...] = (
    system("priority", types=MIXED, arrivals=binomial(0.5, trials=2), threshold=1),
    system(
        "priority",
        types=(((0,), 0.8), ((1,), 0.2)),
        arrivals=batch(0.6, size=2),
        threshold=0,
        dispatch_order="locals-first",
    ),
    system(
        "priority",
        n_servers=3,
        types=(((1, 2), 0.7), ((0,), 0.3)),
        arrivals=batch(0.6, size=2),
        rates=(0.8, 0.5, 0.25),
        racks=(0, 0, 1),
        threshold=1,
        queue_length="waiting",
        tie_break="local",
    ),
    system(
        "priority",
        arrivals=batch(0.6, size=2),
        threshold=2,
        service_tier="queue",
        tie_break="index",
    ),
    system("jsq-maxweight", types=MIXED, arrivals=bernoulli(0.4)),
    system(
        "jsq-maxweight",
        arrivals=batch(0.5, size=2),
        queue_length="waiting",
        routing_view="slot-start",
        service_tier="queue",
    ),
    system("jsq-maxweight", arrivals=bernoulli(0.5), tie_break="local", dispatch_order="index"),
    system("maxweight", types=MIXED, arrivals=bernoulli(0.4), rates=(0.6, 0.5)),
    system(
        "maxweight",
        n_servers=3,
        types=(((2,), 0.6), ((1,), 0.4)),
        arrivals=batch(0.5, size=2),
        rates=(1.0, 0.5, 0.25),
        racks=(0, 0, 1),
        tie_break="local",
        dispatch_order="locals-first",
    ),
    system("maxweight", arrivals=batch(0.5, size=2), queue_length="waiting", tie_break="index"),
    system("jsq-local", arrivals=batch(0.6, size=3), routing_view="slot-start"),
    system("random-local", arrivals=poisson(0.6, bound=3)),
    system("fifo", types=MIXED, arrivals=binomial(0.6, trials=2), dispatch_order="index"),
    system(
        "fifo",
        n_servers=3,
        types=(((0, 1), 0.7), ((2,), 0.3)),
        arrivals=batch(0.8, size=2),
        rates=(0.8, 0.5, 0.25),
        racks=(0, 0, 1),
    ),
)


@pytest.mark.parametrize("tiny", COMBINATIONS, ids=lambda tiny: tiny.policy)
def test_brute_force_agrees(tiny: TinySystem) -> None:
    """A loop over named tasks agrees with the chain in every mean, within four standard errors."""
    means = solve_chain(tiny, aim=1e-4, tolerance=1e-4)
    for name, estimate in estimates(tiny, slots=20_000, seed=20150426).items():
        assert estimate.agrees_with(value(means, name)), (name, estimate, value(means, name))


# Refusals


def test_unknown_values_are_refused() -> None:
    """A misspelt reading, a rate too many and a vector that is no distribution are errors."""
    with pytest.raises(ValueError, match=r"tie_break = 'randm': must be one of \('random'"):
        system("fifo", tie_break="randm")
    with pytest.raises(ValueError, match="must be two, or three if racks are given"):
        system("fifo", rates=(0.8, 0.5, 0.3))
    with pytest.raises(ValueError, match="sum to 1"):
        general((0.5, 0.6))


def test_an_overloaded_system_is_refused() -> None:
    """A load above capacity cannot be cut off, and says so."""
    heavy = system("jsq-local", types=ONE, arrivals=bernoulli(0.9), rates=(0.5, 0.4))
    with pytest.raises(ArithmeticError, match="more than 100 states at a cap of"):
        solve_chain(heavy, max_states=100)
