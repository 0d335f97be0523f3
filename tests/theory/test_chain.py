"""The exact chain agrees with closed forms, obeys the laws of queues, and knows every reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim import policies
from cluster_sim.errors import DecisionError, ScenarioError
from cluster_sim.theory.bounds import heavy_traffic_bounds
from cluster_sim.theory.chain import (
    ChainReading,
    ChainSolution,
    poisson_probabilities,
    solve_chain,
)
from cluster_sim.theory.decisions import decision_probabilities, longest_choices
from cluster_sim.theory.decomposition import ideal_load_decomposition
from cluster_sim.theory.slot import SlotModel

POLICIES = ["priority", "jsq-maxweight", "maxweight", "jsq-local", "random-local", "fifo"]
READINGS = [
    ChainReading(),
    ChainReading(queue_length="waiting"),
    ChainReading(routing_view="slot-start"),
    ChainReading(dispatch_order="index"),
    ChainReading(dispatch_order="locals-first"),
    ChainReading(service_tier="queue"),
    ChainReading(tie_break="local"),
    ChainReading(tie_break="index"),
]


def bernoulli(rate: float) -> tuple[float, float]:
    return 1.0 - rate, rate


def two_servers(policy: str, reading: ChainReading = READINGS[0], **changes) -> ChainSolution:
    """Two servers with a private and a shared type; small and quick."""
    arguments = {
        "types": [(0,), (0, 1)],
        "weights": [0.6, 0.4],
        "arrivals": (0.5, 0.3, 0.2),
        "n_servers": 2,
        "rates": (0.8, 0.4),
        "limit": 6,
        **changes,
    }
    return solve_chain(policies.get(policy), reading=reading, **arguments)


@pytest.mark.parametrize(("rate", "alpha"), [(0.3, 0.5), (0.5, 0.7), (0.7, 0.8), (0.4, 1.0)])
def test_one_server_is_geo_geo_1(rate: float, alpha: float) -> None:
    """Mean completion time (1 - p) / (alpha - p), and a geometric number in the system."""
    solution = solve_chain(
        policies.get("priority"),
        [(0,)],
        [1.0],
        arrivals=bernoulli(rate),
        n_servers=1,
        rates=(alpha, alpha / 2),
    )
    assert solution.mean_completion_time == pytest.approx((1 - rate) / (alpha - rate), rel=1e-8)
    ratio = rate * (1 - alpha) / (alpha * (1 - rate))
    expected = (1 - ratio) * ratio ** np.arange(6)
    np.testing.assert_allclose(np.resize((*solution.in_system, *[0.0] * 6), 6), expected, atol=1e-8)
    assert solution.truncation_error < 1e-8


@pytest.mark.parametrize("policy", ["jsq-local", "random-local"])
def test_private_types_without_remote_service_are_separate_queues(policy: str) -> None:
    """Each server is a Geo/Geo/1 of its own thinned arrivals."""
    weights, rate, alpha = (0.6, 0.4), 0.8, 0.7
    solution = solve_chain(
        policies.get(policy),
        [(0,), (1,)],
        weights,
        arrivals=bernoulli(rate),
        n_servers=2,
        rates=(alpha, 0.3),
        limit=30,
    )
    for weight, length in zip(weights, solution.mean_queue_lengths, strict=True):
        own = weight * rate
        assert length == pytest.approx(own * (1 - alpha) / (alpha - own), rel=1e-6)
    assert solution.locality == (1.0, 0.0)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_completion_is_waiting_plus_service(policy: str, reading: ChainReading) -> None:
    """T - W is the mean service time of the tiers, and the work done keeps the servers busy."""
    solution = two_servers(policy, reading)
    service = solution.locality[0] / 0.8 + solution.locality[1] / 0.4
    assert solution.mean_completion_time - solution.mean_waiting_time == pytest.approx(service)
    accepted = solution.arrival_rate * (1.0 - solution.lost)
    assert solution.utilisation == pytest.approx(accepted * service / 2)
    assert sum(solution.in_system) == pytest.approx(1.0)
    assert sum(solution.locality) == pytest.approx(1.0)
    assert sum(solution.mean_queue_lengths) == pytest.approx(solution.mean_in_system)
    assert solution.residual < 1e-12


def test_work_conserving_policies_are_equal_when_rates_are() -> None:
    """With alpha = gamma the number in the system does not depend on who serves what."""
    one, other = (two_servers(name, rates=(0.6, 0.6)).in_system for name in ("fifo", "maxweight"))
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_symmetric_servers_have_equal_queues() -> None:
    """Three servers that traffic does not tell apart get the same mean queue."""
    solution = solve_chain(
        policies.get("priority"),
        list(combinations(range(3), 2)),
        [1.0, 1.0, 1.0],
        arrivals=(0.4, 0.4, 0.2),
        n_servers=3,
        rates=(0.7, 0.4),
        limit=4,
    )
    np.testing.assert_allclose(solution.mean_queue_lengths, solution.mean_queue_lengths[0])


@pytest.mark.parametrize("policy", ["priority", "maxweight"])
def test_third_tier_at_the_remote_rate_changes_the_locality_only(policy: str) -> None:
    """Rack-local service at rate gamma: same queues, the remote starts split over two tiers."""
    plain = solve_chain(
        policies.get(policy),
        [(0,), (1,), (2,)],
        [0.6, 0.3, 0.1],
        arrivals=bernoulli(0.9),
        n_servers=3,
        rates=(0.7, 0.3),
        limit=6,
    )
    racks = solve_chain(
        policies.get(policy),
        [(0,), (1,), (2,)],
        [0.6, 0.3, 0.1],
        arrivals=bernoulli(0.9),
        n_servers=3,
        rates=(0.7, 0.3, 0.3),
        ancestors=[[0, 1, 2], [0, 0, 1], [0, 0, 0]],
        limit=6,
    )
    assert racks.mean_completion_time == pytest.approx(plain.mean_completion_time, rel=1e-12)
    assert racks.locality[1] + racks.locality[2] == pytest.approx(plain.locality[1])
    assert racks.locality[1] > 0.0


def test_truncation_is_reported_and_vanishes() -> None:
    """More room: fewer lost, smaller error; without a limit the error meets the tolerance."""
    small, large = two_servers("priority", limit=5), two_servers("priority", limit=8)
    assert large.lost < small.lost
    assert large.truncation_error < small.truncation_error
    exact = two_servers("jsq-local", types=[(0,), (1,)], limit=None, tolerance=1e-7)
    assert exact.truncation_error <= 1e-7 * exact.mean_completion_time
    assert two_servers("priority", limit=1).truncation_error == np.inf


def test_large_chains_are_solved_as_exactly_as_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The iterative solution equals the direct one; without convergence the direct one is used."""
    direct = two_servers("priority")
    monkeypatch.setattr("cluster_sim.theory.stationary._DIRECT", 0)
    iterated = two_servers("priority")
    assert iterated.mean_completion_time == pytest.approx(direct.mean_completion_time, rel=1e-11)
    monkeypatch.setattr("cluster_sim.theory.stationary._SWEEPS", 20)
    assert two_servers("priority").mean_completion_time == pytest.approx(
        direct.mean_completion_time, rel=1e-12
    )


def test_even_traffic_meets_the_lower_bound_of_theorem_6() -> None:
    """The mean sum of the queues is above the bound, and below 1.6 times the leading term."""
    types, rates = [(0, 1), (0,), (1,)], np.array([0.6, 0.3, 0.3]) / 1.2
    total, alpha = 1.3, 0.8
    ideal = ideal_load_decomposition(types, total * rates, n_servers=2, rates=(alpha, 0.4))
    bounds = heavy_traffic_bounds(ideal)
    solution = solve_chain(
        policies.get("priority"),
        types,
        rates,
        arrivals=poisson_probabilities(total, bound=5),
        n_servers=2,
        rates=(alpha, 0.4),
        reading=ChainReading(service_tier="queue"),
        limit=28,
    )
    assert solution.lost < 2e-3
    assert bounds.lower_bound <= solution.mean_in_system <= 1.6 * bounds.predicted


def test_hot_spot_meets_the_lower_bound_of_theorem_3() -> None:
    """The beneficiary's mean queue is above the bound with the constants of Theorem 3."""
    types, rates = [(0,), (1,)], np.array([0.9, 0.15])
    ideal = ideal_load_decomposition(types, rates, n_servers=2, rates=(0.8, 0.4))
    assert ideal.beneficiaries.tolist() == [0]
    solution = solve_chain(
        policies.get("priority"),
        types,
        rates,
        arrivals=poisson_probabilities(float(rates.sum()), bound=5),
        n_servers=2,
        rates=(0.8, 0.4),
        limit=30,
    )
    assert solution.lost < 2e-3
    assert solution.mean_queue_lengths[0] >= heavy_traffic_bounds(ideal).lower_bound


def model(policy: str = "fifo", **reading: str) -> SlotModel:
    """Two servers, a private type each, the given policy."""
    return SlotModel(
        policy=policies.get(policy),
        replicas=((0,), (1,)),
        weights=(0.5, 0.5),
        rates=(0.8, 0.4),
        groups=((0, 1), (0, 0)),
        reading=ChainReading(**reading),
    )


@pytest.mark.parametrize(("order", "starters"), [("random", {0: 0.5, 1: 0.5}), ("index", {0: 1.0})])
def test_dispatch_order_decides_who_takes_the_only_task(
    order: str, starters: dict[int, float]
) -> None:
    """One task, two idle servers: each takes it half the time, or the first always."""
    slot = model(dispatch_order=order)
    (waiting,) = [s for s in slot.arrive(slot.empty) if slot.kinds[s[0][0][0]] == (1, 0)]
    found: dict[int, float] = {}
    for (_, servers), probability in slot.dispatch(waiting).items():
        (busy,) = [m for m, service in enumerate(servers) if service is not None]
        found[busy] = found.get(busy, 0.0) + probability
    assert found == starters


def test_locals_first_lets_the_owner_start() -> None:
    """The owner of the only task starts it, whatever the random order."""
    slot = replace(model("maxweight"), reading=ChainReading(dispatch_order="locals-first"))
    for state in slot.arrive(slot.empty):
        queue = next(q for q, tasks in enumerate(state[0]) if tasks)
        ((_, servers),) = slot.dispatch(state)
        assert servers[queue] == (queue, 0)


def test_slot_start_routing_sees_no_earlier_arrival() -> None:
    """Two tasks of one type: live they go to different queues, from the slot's start maybe not."""
    slot = replace(model("priority"), replicas=((0, 1),), weights=(1.0,))
    first = next(iter(slot.arrive(slot.empty)))
    live = slot.arrive(first)
    assert all(len(queue) == 1 for state in live for queue in state[0])
    blind = slot.arrive(first, seen=(0, 0))
    assert sum(p for state, p in blind.items() if state[0][0] and state[0][1]) == 0.5


@given(st.integers(1, 6), st.lists(st.floats(0.0, 1.0), max_size=3))
def test_decision_probabilities_find_every_share(n_tied: int, breaks: list[float]) -> None:
    """Equal shares come out exact, and breaks anywhere to the last bits if the pieces are wide."""
    equal = decision_probabilities(lambda tie: int(n_tied * tie), 6)
    assert equal == pytest.approx(dict.fromkeys(range(n_tied), 1.0 / n_tied), abs=1e-15)
    edges = sorted(breaks)
    widths = np.diff([0.0, *edges, 1.0])
    if widths.min() < 0.2:
        return
    found = decision_probabilities(lambda tie: sum(tie >= edge for edge in edges), 6)
    np.testing.assert_allclose([found[i] for i in range(len(widths))], widths, atol=1e-12)


def test_longest_queues_are_enumerated_with_their_ties() -> None:
    """Ties are uniform, or the nearest, or the lowest; the counts tell how many are tied."""
    groups = [[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0]]
    keys = [0, 2, 2, 1]
    uniform = longest_choices(0, keys, groups, 0)
    assert uniform == [((-1, 1, 1), (1, 1, 2), 0.5), ((-1, 1, 2), (1, 1, 2), 0.5)]
    assert longest_choices(0, keys, groups, 1) == [((-1, 1, 1), (1, 1, 2), 1.0)]
    assert longest_choices(3, keys, groups, 2) == [((3, 2, 1), (1, 1, 2), 1.0)]
    assert longest_choices(0, [0, 0, 0, 0], groups, 0) == [((-1, -1, -1), (1, 0, 0), 1.0)]


def test_poisson_probabilities_have_the_mean() -> None:
    """Without a bound nothing of the law is cut off; with a bound the rest is at the bound."""
    law = poisson_probabilities(2.5)
    assert np.dot(np.arange(len(law)), law) == pytest.approx(2.5, rel=1e-12)
    assert sum(poisson_probabilities(2.5, bound=3)) == pytest.approx(1.0)
    assert poisson_probabilities(0.0) == (1.0,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arrivals": (0.5, 0.4)}, "must be probabilities of 0, 1, 2"),
        ({"arrivals": ()}, "must be probabilities of 0, 1, 2"),
        ({"arrivals": (1.0,)}, "no task arrives"),
        ({"weights": [0.0, 0.0]}, "no task arrives"),
        ({"limit": 0}, "limit = 0: must be at least 1"),
        ({"limit": None, "arrivals": (0.0, 0.0, 1.0)}, "has more than 2000 states"),
    ],
)
def test_unusable_chains_are_refused(
    changes: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mistake, and a chain that is not tiny, is named."""
    monkeypatch.setattr("cluster_sim.theory.chain._MOST_STATES", 2000)
    with pytest.raises(ScenarioError, match=message):
        two_servers("priority", **changes)


@pytest.mark.parametrize("field", ["queue_length", "dispatch_order", "tie_break"])
def test_unknown_readings_are_refused(field: str) -> None:
    """A misspelt reading is named with what is allowed."""
    with pytest.raises(ScenarioError, match=f"{field} = 'odd': must be one of '"):
        two_servers("priority", ChainReading(**{field: "odd"}))


def test_negative_poisson_is_refused() -> None:
    """A rate or bound below 0 is named."""
    with pytest.raises(ScenarioError, match="must be at least 0"):
        poisson_probabilities(-1.0)


@dataclass(frozen=True)
class Stubborn:
    """A policy that always answers the same."""

    routed: int = 0
    served: int = 0
    uses_longest: bool = False
    uses_least: bool = False

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        return range(n_servers)

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        return rates

    def longest_above(self, rates: tuple[float, ...]) -> float:
        return 0.0

    def weigh(self, *_: object) -> float:
        return 0.0

    def route(self, *_: object) -> int:
        return self.routed

    def serve(self, *_: object) -> int:
        return self.served


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Stubborn(routed=7), r"route\(\) for a task on servers \(0, 1\) .* returned 7"),
        (Stubborn(served=1), r"serve\(\) for idle server . with waiting \(1, 0\) returned 1"),
        (Stubborn(served=9), r"returned 9; it must return a queue with a waiting task"),
    ],
)
def test_impossible_decisions_are_refused(policy: Stubborn, message: str) -> None:
    """A policy that names a wrong queue is stopped with the state it saw."""
    with pytest.raises(DecisionError, match=message):
        solve_chain(
            policy,
            [(0, 1)],
            [1.0],
            arrivals=bernoulli(0.5),
            n_servers=2,
            rates=(0.8, 0.4),
            limit=3,
        )
