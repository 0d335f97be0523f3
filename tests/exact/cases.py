"""Named tiny systems for the tests of the emulator, and their exact means.

Together they hold every policy, every value of every reading, and thresholds below, at, between
and above the lengths that occur. Where a reading can change what a policy does, some case shows
it: ``test_cases.py`` measures by how much.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from exact.arrivals import Arrivals, batch, bernoulli, binomial, poisson
from exact.chain import ExactMeans, solve_chain
from exact.system import Policy, TinySystem

Types = tuple[tuple[tuple[int, ...], float], ...]

ONE: Types = (((0,), 1.0),)
SECOND: Types = (((1,), 1.0),)
BOTH: Types = (((0, 1), 1.0),)
APART: Types = (((0,), 0.6), ((1,), 0.4))
HOT: Types = (((0,), 0.6), ((0, 1), 0.4))
ONE_SIDED: Types = (((0,), 0.9), ((1,), 0.1))
ALL_THREE: Types = (((0, 1, 2), 1.0),)
RING: Types = (((0, 1), 0.5), ((1, 2), 0.3), ((0, 2), 0.2))
HOT_OF_THREE: Types = (((0,), 0.7), ((1, 2), 0.3))
HOT_PAIR: Types = (((0, 1), 0.9), ((2,), 0.1))
# With racks (0, 0, 1) server 0 is the helper, and shares its rack with server 1 only.
HOT_PAIR_FAR: Types = (((1, 2), 0.9), ((0,), 0.1))
PAIR_FAR: Types = (((1, 2), 1.0),)
APART_FAR: Types = (((2,), 0.6), ((1,), 0.4))


def _case(
    name: str,
    types: Types,
    arrivals: Arrivals,
    rates: tuple[float, ...],
    policy: Policy,
    **readings: Any,
) -> TinySystem:
    n_servers = 1 + max(max(replicas) for replicas, _ in types)
    return TinySystem(name, n_servers, types, arrivals, rates, policy, **readings)


def _priority_cases() -> list[TinySystem]:
    return [
        _case("priority-alone", ONE, bernoulli(0.6), (0.8, 0.5), "priority", threshold=1),
        _case("priority-alone-batch", ONE, batch(0.6, size=3), (0.8, 0.5), "priority"),
        _case("priority-T0", HOT, bernoulli(0.7), (0.8, 0.3), "priority", threshold=0),
        _case("priority-T1", HOT, bernoulli(0.7), (0.6, 0.5), "priority", threshold=1),
        _case("priority-T2-tie", HOT, bernoulli(0.55), (0.6, 0.3), "priority", threshold=2),
        _case("priority-T2.5", APART, bernoulli(0.75), (0.6, 0.25), "priority", threshold=2.5),
        # 0.6 / 0.2 is below 3 in floating point; the threshold alpha / gamma is 3.
        _case("priority-T3", ONE_SIDED, bernoulli(0.55), (0.6, 0.2), "priority", threshold=3),
        _case("priority-T-inf", APART, bernoulli(0.75), (0.6, 0.3), "priority"),
        _case(
            "priority-waiting",
            *(ONE_SIDED, bernoulli(0.75), (0.8, 0.5), "priority"),
            threshold=0,
            queue_length="waiting",
        ),
        _case(
            "priority-waiting-T1",
            *(APART, binomial(0.9, trials=3), (0.8, 0.5), "priority"),
            threshold=1,
            queue_length="waiting",
        ),
        _case(
            "priority-slot-start",
            *(BOTH, batch(1.2, size=3), (0.8, 0.3), "priority"),
            threshold=2,
            routing_view="slot-start",
        ),
        _case(
            "priority-binomial",
            *(HOT, binomial(1.2, trials=2), (1.0, 0.5), "priority"),
            threshold=1,
        ),
        _case(
            "priority-index-order",
            *(ONE_SIDED, batch(1.1, size=2), (1.0, 0.5), "priority"),
            threshold=0,
            dispatch_order="index",
        ),
        _case(
            "priority-locals-first",
            *(ONE_SIDED, batch(0.9, size=2), (1.0, 0.25), "priority"),
            threshold=0,
            dispatch_order="locals-first",
        ),
        _case(
            "priority-queue-tier",
            *(HOT, batch(0.9, size=2), (0.8, 0.3), "priority"),
            threshold=1,
            service_tier="queue",
        ),
        _case(
            "priority-index-tie",
            *(BOTH, bernoulli(0.8), (0.6, 0.3), "priority"),
            threshold=1,
            service_tier="queue",
            tie_break="index",
        ),
        _case(
            "priority-three",
            *(HOT_OF_THREE, bernoulli(0.8), (0.8, 0.3), "priority"),
            threshold=1,
            service_tier="queue",
        ),
        _case(
            "priority-three-index-tie",
            *(HOT_PAIR, binomial(1.8, trials=3), (1.0, 0.5), "priority"),
            queue_length="waiting",
            threshold=0,
            tie_break="index",
            service_tier="queue",
            dispatch_order="index",
        ),
        _case(
            "priority-racks",
            *(HOT_PAIR_FAR, bernoulli(0.7), (0.6, 0.5, 0.3), "priority"),
            threshold=1,
            racks=(0, 0, 1),
        ),
        _case(
            "priority-racks-local-tie",
            *(APART_FAR, batch(0.8, size=3), (1.0, 0.5, 0.25), "priority"),
            threshold=0,
            racks=(0, 0, 1),
            tie_break="local",
        ),
    ]


def _jsq_maxweight_cases() -> list[TinySystem]:
    name: Policy = "jsq-maxweight"
    return [
        _case("jsqmw-alone", ONE, bernoulli(0.5), (0.8, 0.5), name),
        _case("jsqmw", HOT, bernoulli(0.65), (0.6, 0.5), name),
        _case("jsqmw-poisson", BOTH, poisson(0.9, bound=4), (1.0, 0.3), name),
        _case("jsqmw-queue-tier", BOTH, bernoulli(0.7), (0.6, 0.3), name, service_tier="queue"),
        _case("jsqmw-local-tie", HOT, bernoulli(0.6), (0.6, 0.3), name, tie_break="local"),
        _case(
            "jsqmw-index-tie",
            *(BOTH, binomial(0.9, trials=2), (0.8, 0.3), name),
            tie_break="index",
            service_tier="queue",
        ),
        _case("jsqmw-waiting", APART, bernoulli(0.65), (0.6, 0.5), name, queue_length="waiting"),
        _case(
            "jsqmw-waiting-local",
            *(HOT, batch(0.6, size=2), (1.0, 0.3), name),
            queue_length="waiting",
            tie_break="local",
        ),
        _case(
            "jsqmw-slot-start",
            *(BOTH, batch(1.2, size=3), (1.0, 0.5), name),
            routing_view="slot-start",
        ),
        _case(
            "jsqmw-locals-first",
            *(ONE_SIDED, batch(0.7, size=2), (1.0, 0.5), name),
            service_tier="queue",
            dispatch_order="locals-first",
        ),
        _case(
            "jsqmw-index-order",
            *(ONE_SIDED, batch(0.8, size=3), (1.0, 0.5), name),
            service_tier="queue",
            dispatch_order="index",
        ),
        _case(
            "jsqmw-three",
            *(ALL_THREE, bernoulli(0.85), (0.6, 0.3), name),
            service_tier="queue",
        ),
        _case("jsqmw-racks", APART, bernoulli(0.3), (0.8, 0.5, 0.3), name, racks=(0, 1)),
    ]


def _maxweight_cases() -> list[TinySystem]:
    name: Policy = "maxweight"
    return [
        _case("maxweight", HOT, bernoulli(0.65), (0.6, 0.5), name),
        # 0.6 * 1 ties with 0.3 * 2, and 0.6 * 2 with 0.3 * 4.
        _case("maxweight-tie", APART, bernoulli(0.6), (0.6, 0.3), name),
        _case("maxweight-local-tie", APART, bernoulli(0.6), (0.6, 0.3), name, tie_break="local"),
        _case("maxweight-index-tie", APART, bernoulli(0.6), (0.6, 0.3), name, tie_break="index"),
        _case(
            "maxweight-waiting",
            *(ONE_SIDED, bernoulli(0.75), (0.6, 0.5), name),
            queue_length="waiting",
        ),
        _case(
            "maxweight-slot-start",
            *(BOTH, batch(1.0, size=3), (0.8, 0.5), name),
            routing_view="slot-start",
            service_tier="queue",
        ),
        _case(
            "maxweight-locals-first",
            *(ONE_SIDED, batch(0.9, size=2), (1.0, 0.5), name),
            dispatch_order="locals-first",
        ),
        _case(
            "maxweight-index-order",
            *(ONE_SIDED, batch(0.9, size=3), (1.0, 0.5), name),
            dispatch_order="index",
        ),
        _case("maxweight-queue-tier", HOT, bernoulli(0.65), (0.6, 0.3), name, service_tier="queue"),
        _case(
            "maxweight-racks",
            *(HOT_OF_THREE, bernoulli(0.5), (0.8, 0.5, 0.25), name),
            racks=(0, 0, 1),
            service_tier="queue",
        ),
        # 0.5 * 1 ties with 0.25 * 2: a near and a far queue.
        _case(
            "maxweight-racks-local-tie",
            *(APART_FAR, batch(0.8, size=3), (1.0, 0.5, 0.25), name),
            racks=(0, 0, 1),
            tie_break="local",
        ),
    ]


def _baseline_cases() -> list[TinySystem]:
    return [
        _case("jsq-local", HOT, bernoulli(0.75), (0.8, 0.5), "jsq-local"),
        _case("jsq-local-three", RING, bernoulli(0.9), (0.6, 0.3), "jsq-local"),
        _case(
            "jsq-local-index-tie",
            *(HOT, batch(0.9, size=3), (0.8, 0.5), "jsq-local"),
            tie_break="index",
            queue_length="waiting",
        ),
        _case(
            "jsq-local-slot-start",
            *(ALL_THREE, batch(1.8, size=3), (1.0, 0.5), "jsq-local"),
            routing_view="slot-start",
        ),
        _case("random-local", HOT, bernoulli(0.6), (0.6, 0.3), "random-local"),
        _case("random-local-three", RING, binomial(1.2, trials=2), (1.0, 0.3), "random-local"),
        _case("fifo-alone", ONE, bernoulli(0.6), (0.8, 0.5), "fifo"),
        _case("fifo", HOT, bernoulli(0.75), (0.6, 0.5), "fifo"),
        _case("fifo-queue-tier", HOT, bernoulli(0.7), (0.8, 0.5), "fifo", service_tier="queue"),
        _case(
            "fifo-index-order",
            *(ONE_SIDED, batch(0.9, size=2), (1.0, 0.5), "fifo"),
            dispatch_order="index",
        ),
        _case("fifo-racks", RING, bernoulli(0.85), (0.6, 0.3, 0.25), "fifo", racks=(0, 0, 1)),
    ]


def _pandas_cases() -> list[TinySystem]:
    name: Policy = "balanced-pandas"
    return [
        _case("pandas", HOT, bernoulli(0.75), (0.8, 0.5), name),
        _case("pandas-queue-tier", HOT, batch(0.9, size=2), (0.8, 0.3), name, service_tier="queue"),
        _case("pandas-waiting", APART, bernoulli(0.6), (0.8, 0.5), name, queue_length="waiting"),
        _case(
            "pandas-slot-start",
            *(HOT, batch(0.9, size=3), (1.0, 0.5), name),
            routing_view="slot-start",
        ),
        _case(
            "pandas-racks",
            *(HOT_PAIR_FAR, bernoulli(0.7), (0.8, 0.5, 0.25), name),
            racks=(0, 0, 1),
            service_tier="queue",
        ),
        _case(
            "pandas-racks-index-tie",
            *(HOT_OF_THREE, batch(0.9, size=3), (1.0, 0.8, 0.5), name),
            racks=(0, 0, 1),
            tie_break="index",
        ),
        _case("pandas-pod", RING, batch(0.9, size=3), (1.0, 0.5), "balanced-pandas-pod"),
        _case(
            "pandas-pod-index-tie",
            *(HOT_OF_THREE, batch(0.8, size=2), (1.0, 0.5), "balanced-pandas-pod"),
            tie_break="index",
        ),
        _case("maxweight-pod", HOT_OF_THREE, bernoulli(0.6), (0.8, 0.3), "jsq-maxweight-pod"),
        _case(
            "maxweight-pod-queue-tier",
            *(HOT, batch(0.7, size=3), (0.8, 0.5), "jsq-maxweight-pod"),
            service_tier="queue",
            tie_break="index",
        ),
    ]


def _idle_first_cases() -> list[TinySystem]:
    return [
        _case("jfsq", HOT, bernoulli(0.7), (0.8, 0.5), "jfsq"),
        _case(
            "jfsq-racks",
            *(HOT_PAIR_FAR, batch(0.9, size=3), (1.0, 0.8, 0.5), "jfsq"),
            racks=(0, 0, 1),
        ),
        _case(
            "jfsq-equal-tiers",
            *(PAIR_FAR, batch(0.9, size=3), (1.0, 0.5, 0.5), "jfsq"),
            racks=(0, 0, 1),
            tie_break="local",
        ),
        _case("jfiq", HOT, bernoulli(0.7), (0.8, 0.5), "jfiq"),
        _case(
            "jfiq-slot-start",
            *(PAIR_FAR, batch(0.9, size=3), (1.0, 0.5), "jfiq"),
            routing_view="slot-start",
        ),
        _case("jiq", HOT, bernoulli(0.6), (0.8, 0.5), "jiq"),
        _case("jiq-index-tie", SECOND, batch(0.6, size=3), (0.8, 0.5), "jiq", tie_break="index"),
        _case("jsq-d", ALL_THREE, batch(1.8, size=3), (1.0, 0.5), "jsq-d"),
        _case(
            "jsq-d-index-tie",
            *(ALL_THREE, batch(1.5, size=3), (0.8, 0.5), "jsq-d"),
            tie_break="index",
        ),
    ]


CASES: tuple[TinySystem, ...] = (
    *_priority_cases(),
    *_jsq_maxweight_cases(),
    *_maxweight_cases(),
    *_baseline_cases(),
    *_pandas_cases(),
    *_idle_first_cases(),
)


def case(name: str) -> TinySystem:
    """Return the case of that name."""
    return {tiny.name: tiny for tiny in CASES}[name]


@cache
def solve(tiny: TinySystem) -> ExactMeans:
    """Return the exact means of a tiny system; each is solved once per process."""
    return solve_chain(tiny)
