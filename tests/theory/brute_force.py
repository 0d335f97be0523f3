"""Independent truths for small systems: dense linear programs and enumerated sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog


@dataclass(frozen=True)
class System:
    """A small system for property tests."""

    n_servers: int
    types: tuple[tuple[int, ...], ...]
    arrival_rates: tuple[float, ...]
    rates: tuple[float, ...]
    ancestors: tuple[tuple[int, ...], ...]

    @property
    def keywords(self) -> dict[str, object]:
        """Keyword arguments that every theory function takes."""
        return {"n_servers": self.n_servers, "rates": self.rates}


@st.composite
def systems(draw: st.DrawFn, *, n_tiers: int = 2, most_servers: int = 5) -> System:
    """Random small systems; equal and round rates are likely, so ties occur."""
    n_servers = draw(st.integers(1, most_servers))
    server = st.integers(0, n_servers - 1)
    types = draw(
        st.lists(st.sets(server, min_size=1, max_size=3).map(sorted), min_size=1, max_size=6)
    )
    rate = st.one_of(st.sampled_from([0.25, 0.5, 1.0]), st.floats(0.01, 2.0))
    arrival_rates = draw(st.lists(rate, min_size=len(types), max_size=len(types)))
    tier_rate = st.one_of(st.sampled_from([0.25, 0.5, 1.0]), st.floats(0.05, 1.0))
    rates = sorted(draw(st.lists(tier_rate, min_size=n_tiers, max_size=n_tiers)), reverse=True)
    rows = [tuple(range(n_servers))]
    for _ in range(n_tiers - 2):
        divisor = draw(st.integers(1, 3))
        rows.append(tuple(group // divisor for group in rows[-1]))
    rows.append((0,) * n_servers)
    return System(
        n_servers,
        tuple(tuple(row) for row in types),
        tuple(arrival_rates),
        tuple(rates),
        tuple(rows),
    )


def tier_of(server: int, replicas: Sequence[int], ancestors: Sequence[Sequence[int]]) -> int:
    """Smallest row in which some replica shares the server's group."""
    return next(
        tier for tier, row in enumerate(ancestors) if row[server] in {row[m] for m in replicas}
    )


def capacity_by_full_program(system: System) -> float:
    """Largest load factor, with one variable for each (type, server): Eq. (1) as it stands."""
    n_types, n_servers = len(system.types), system.n_servers
    n_pairs = n_types * n_servers
    served = np.zeros((n_types, n_pairs + 1))
    slots = np.zeros((n_servers, n_pairs + 1))
    for kind, replicas in enumerate(system.types):
        served[kind, -1] = -system.arrival_rates[kind]
        for server in range(n_servers):
            rate = system.rates[tier_of(server, replicas, system.ancestors)]
            served[kind, kind * n_servers + server] = 1.0
            slots[server, kind * n_servers + server] = 1.0 / rate
    cost = np.zeros(n_pairs + 1)
    cost[-1] = -1.0
    solution = linprog(
        cost, A_ub=slots, b_ub=np.ones(n_servers), A_eq=served, b_eq=np.zeros(n_types)
    )
    return float(solution.x[-1])


def all_subsets(n_servers: int) -> list[frozenset[int]]:
    """Every set of servers."""
    return [
        frozenset(chosen)
        for size in range(n_servers + 1)
        for chosen in combinations(range(n_servers), size)
    ]


def overloaded_by_enumeration(system: System) -> frozenset[int]:
    """The largest set that minimises alpha |S| - lambda(L_S), over all sets."""
    alpha = system.rates[0]

    def weight(members: frozenset[int]) -> float:
        inside = [
            rate
            for rate, replicas in zip(system.arrival_rates, system.types, strict=True)
            if set(replicas) <= members
        ]
        return alpha * len(members) - sum(inside)

    subsets = all_subsets(system.n_servers)
    least = min(weight(members) for members in subsets)
    minimisers = [members for members in subsets if weight(members) <= least + 1e-9]
    return frozenset().union(*minimisers)
