"""The tiny systems cover what they claim to cover, and each reading shows in one of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import pytest

from exact.cases import CASES, case, solve
from exact.chain import solve_chain
from exact.system import (
    DispatchOrder,
    Policy,
    QueueLength,
    RoutingView,
    ServiceTier,
    TieBreak,
    TinySystem,
)

READINGS: dict[str, Any] = {
    "queue_length": QueueLength,
    "routing_view": RoutingView,
    "dispatch_order": DispatchOrder,
    "service_tier": ServiceTier,
    "tie_break": TieBreak,
}


def test_the_cases_hold_every_value() -> None:
    """Every policy, reading, threshold, rate and kind of arrivals occurs."""
    assert len({tiny.name for tiny in CASES}) == len(CASES)
    assert {tiny.policy for tiny in CASES} == set(get_args(Policy))
    for field, values in READINGS.items():
        assert {getattr(tiny, field) for tiny in CASES} == set(get_args(values)), field
    thresholds = {tiny.threshold for tiny in CASES if tiny.policy == "priority"}
    assert thresholds >= {0, 1, 2, 2.5, math.inf}
    assert {tiny.rates[0] for tiny in CASES} == {1.0, 0.8, 0.6}
    assert {tiny.rates[-1] for tiny in CASES} >= {0.5, 0.3, 0.25}
    assert {tiny.n_servers for tiny in CASES} == {1, 2, 3}
    kinds = {tiny.arrivals.kind for tiny in CASES}
    assert kinds == {"bernoulli", "binomial", "poisson", "batch"}
    assert any(tiny.racks for tiny in CASES)


@pytest.mark.slow
@pytest.mark.parametrize("tiny", CASES, ids=lambda tiny: tiny.name)
def test_every_case_is_solved(tiny: TinySystem) -> None:
    """The cut-off costs less than a ten-thousandth of a slot, and the times are consistent."""
    means = solve(tiny)
    assert means.dropped_fraction <= 1e-6
    assert means.completion_time_error < 1e-4
    assert means.mean_completion_time >= 1 + means.mean_waiting_time
    assert max(means.utilisation) < 0.97


@pytest.mark.parametrize(
    ("name", "field", "other"),
    [
        ("priority-waiting-T1", "queue_length", "in-system"),
        ("maxweight-queue-tier", "queue_length", "waiting"),
        ("jsq-local-slot-start", "routing_view", "live"),
        ("priority-binomial", "routing_view", "slot-start"),
        ("priority-index-order", "dispatch_order", "random"),
        ("priority-index-order", "dispatch_order", "locals-first"),
        ("priority-binomial", "dispatch_order", "index"),
        ("maxweight-locals-first", "dispatch_order", "random"),
        ("fifo-queue-tier", "service_tier", "replica"),
        ("jsqmw-alone", "service_tier", "queue"),
        ("jsqmw-index-tie", "tie_break", "random"),
        ("jsqmw-index-tie", "tie_break", "local"),
        ("maxweight-tie", "tie_break", "local"),
        ("maxweight-local-tie", "tie_break", "index"),
    ],
)
def test_a_reading_shows(name: str, field: str, other: Any) -> None:
    """The mean completion time of the case moves by over one per cent if one reading changes."""
    tiny = case(name)
    here = solve_chain(tiny, aim=1e-4, tolerance=1e-4).mean_completion_time
    there = solve_chain(replace(tiny, **{field: other}), aim=1e-4, tolerance=1e-4)
    assert abs(there.mean_completion_time / here - 1) > 0.01
