"""How long the theory takes at the size of the paper: M = 1000 and 100,000 types."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.theory.capacity import largest_load_factor
from cluster_sim.theory.decomposition import ideal_load_decomposition

pytestmark = pytest.mark.benchmark
LARGE = {"n_servers": 1000, "rates": (1.0, 0.5)}


def large_system(law: str) -> tuple[np.ndarray, np.ndarray]:
    """Random triples of servers, with equal or with Zipf popularity."""
    rng = np.random.default_rng(1)
    types = np.stack([rng.choice(1000, 3, replace=False) for _ in range(100_000)])
    rates = np.ones(100_000) if law == "equal" else 1.0 / np.arange(1, 100_001)
    return types, rates


@pytest.mark.parametrize("law", ["equal", "zipf"])
def test_capacity_of_the_large_system(benchmark, law: str) -> None:
    """The goal is 5 seconds."""
    types, rates = large_system(law)
    benchmark.pedantic(largest_load_factor, (types, rates), LARGE, rounds=1)


@pytest.mark.parametrize("law", ["equal", "zipf"])
def test_decomposition_of_the_large_system(benchmark, law: str) -> None:
    """At 0.95 of capacity; there is no goal but a few seconds."""
    types, rates = large_system(law)
    rates = 0.95 * rates * largest_load_factor(types, rates, **LARGE)
    benchmark.pedantic(ideal_load_decomposition, (types, rates), LARGE, rounds=1)
