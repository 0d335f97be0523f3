"""The chain of `cluster_sim.theory` against that of these tests, which shares no line with it."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.theory.chain import ChainReading
from cluster_sim.theory.chain import solve_chain as solve_theory
from exact.cases import case, solve
from exact.test_emulator import system_of

# Of the policies that look at all servers or at a few, every one, and most readings.
CASES = (
    "pandas",
    "pandas-queue-tier",
    "pandas-waiting",
    "jfsq-equal-tiers",
    "jfiq-slot-start",
    "jiq-index-tie",
    "jsq-d",
)
SLOW = (
    "pandas-racks-index-tie",
    "pandas-racks",
    "pandas-pod-index-tie",
    "maxweight-pod",
    "jfsq-racks",
    "jsq-d-index-tie",
)


@pytest.mark.parametrize(
    "name", [*CASES, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
def test_both_chains_have_the_same_means(name: str) -> None:
    """Times, locality and utilisation agree to nine digits, at the same truncation."""
    tiny = case(name)
    theirs, system = solve(tiny), system_of(tiny)
    mine = solve_theory(
        system.policy,  # type: ignore[arg-type]
        [replicas for replicas, _ in tiny.types],
        [weight for _, weight in tiny.types],
        arrivals=tiny.arrivals.pmf,
        n_servers=tiny.n_servers,
        rates=tiny.rates,
        ancestors=system.cluster.groups,
        reading=ChainReading(
            tiny.queue_length,
            tiny.routing_view,
            tiny.dispatch_order,
            tiny.service_tier,
            tiny.tie_break,
        ),
        limit=theirs.cap,
    )
    found = (mine.mean_completion_time, mine.mean_waiting_time, mine.lost, *mine.locality)
    wanted = (
        theirs.mean_completion_time,
        theirs.mean_waiting_time,
        theirs.dropped_fraction,
        *theirs.locality,
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-9)
    assert mine.utilisation == pytest.approx(np.mean(theirs.utilisation), rel=1e-7)
