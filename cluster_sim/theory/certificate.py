"""What proves a load factor, and its verification, apart from the code that finds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.task_types import (
    FloatArray,
    IntArray,
    TaskTypes,
    TypesLike,
    check_ancestors,
    check_rates,
    check_speeds,
    merge_types,
)

__all__ = ["CapacityCertificate", "check_certificate"]


@dataclass(frozen=True, eq=False)
class CapacityCertificate:
    """A load factor with a proof from below (a flow) and from above (prices).

    Attributes
    ----------
    factor : float
        Largest multiple of the rate vector in the closed capacity region.
    prices : float64 array, shape (n_servers,)
        Price of one slot of each server, at speed 1. Any non-negative prices bound the
        factor from above: see `check_certificate`.
    flow_type, flow_tier, flow_group : int64 arrays, shape (n_flows,)
        Who serves what: the merged type, the tier, and the group of servers of
        that tier that shares the work.
    flow_rate : float64 array, shape (n_flows,)
        Tasks per slot.
    """

    factor: float
    prices: FloatArray
    flow_type: IntArray
    flow_tier: IntArray
    flow_group: IntArray
    flow_rate: FloatArray

    def __repr__(self) -> str:
        return f"<CapacityCertificate: factor {self.factor:.12g}, {len(self.flow_rate)} flows>"


def _upper_bound(
    types: TaskTypes,
    tiers: tuple[float, ...],
    groups: IntArray,
    prices: FloatArray,
    speeds: FloatArray,
) -> float:
    """Return the factor that the prices allow at most."""
    if not np.all(prices >= 0.0) or not prices.sum() > 0.0:
        raise ScenarioError(
            f"certificate: smallest price {prices.min()}: prices must be non-negative and not all 0"
        )
    cost = np.full(types.n_types, np.inf)
    for tier, rate in enumerate(tiers):
        cheapest = np.full(int(groups[tier].max()) + 1, np.inf)
        np.minimum.at(cheapest, groups[tier], prices)
        here = np.minimum.reduceat(cheapest[groups[tier, types.servers]], types.starts[:-1])
        cost = np.minimum(cost, here / rate)
    paid = float(types.arrival_rates @ cost)
    return float(prices @ speeds) / paid if paid > 0.0 else float("inf")


def _lower_bound(
    types: TaskTypes,
    tiers: tuple[float, ...],
    groups: IntArray,
    certificate: CapacityCertificate,
    speeds: FloatArray,
) -> float:
    """Return the factor that the flow achieves at least."""
    kind, tier = certificate.flow_type, certificate.flow_tier
    group, rate = certificate.flow_group, certificate.flow_rate
    if np.any(rate < 0.0):
        raise ScenarioError(f"certificate: flow {rate.min()}: flows must be non-negative")
    allowed = np.zeros(len(rate), dtype=np.bool_)
    worst = 0.0
    for row, _ in enumerate(tiers):
        n_groups = int(groups[row].max()) + 1
        pairs = np.unique(types.owners * n_groups + groups[row, types.servers])
        allowed |= (tier == row) & np.isin(kind * n_groups + group, pairs)
        work = np.zeros(n_groups)
        for inner in range(row + 1):
            parent = np.zeros(int(groups[inner].max()) + 1, dtype=np.int64)
            parent[groups[inner]] = groups[row]
            here = tier == inner
            work += np.bincount(parent[group[here]], rate[here] / tiers[inner], minlength=n_groups)
        size = np.bincount(groups[row], speeds, minlength=n_groups)
        worst = max(worst, float((work[size > 0] / size[size > 0]).max()))
    if not allowed.all():
        wrong = int(np.flatnonzero(~allowed)[0])
        raise ScenarioError(
            f"certificate: flow {wrong} serves type {kind[wrong]} in group {group[wrong]} at tier "
            f"{tier[wrong]}, where it has no replica"
        )
    served = np.bincount(kind, rate, minlength=types.n_types) / types.arrival_rates
    return float(served.min() / max(worst, np.finfo(float).tiny))


def check_certificate(
    certificate: CapacityCertificate,
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    tolerance: float = 1e-9,
    speeds: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """Prove a load factor from both sides, or raise.

    Parameters
    ----------
    certificate : CapacityCertificate
        What is to be verified.
    types, arrival_rates, n_servers, rates, ancestors, speeds
        The system it was made for, as for `capacity.capacity_certificate`.
    tolerance : float
        How far the bounds may lie from the factor, as a fraction of it.

    Returns
    -------
    lower, upper : float
        What the flow achieves and what the prices allow.

    Raises
    ------
    ScenarioError
        If a flow or a price is impossible, or a bound does not meet the factor.

    Notes
    -----
    Lower bound: the flow serves k times the rates; no group of servers is asked
    for more slots than it has (for nested groups that suffices). Upper bound, for
    any prices p >= 0 of a slot of each server: serving all tasks costs at least
    ``sum_L lambda_L min_m p_m / rate(m, L)`` for each unit of the factor, and
    ``sum_m p_m`` is all there is. A server of speed s counts s times.

    References
    ----------
    Eq. (1) of the paper; linear programming duality.
    """
    tiers = check_rates(rates)
    merged = merge_types(types, arrival_rates, n_servers)
    groups = check_ancestors(ancestors, n_servers, len(tiers))
    factors = check_speeds(speeds, n_servers)
    upper = _upper_bound(merged, tiers, groups, certificate.prices, factors)
    lower = _lower_bound(merged, tiers, groups, certificate, factors)
    factor = certificate.factor
    if lower < factor * (1.0 - tolerance):
        raise ScenarioError(
            f"certificate: factor {factor!r}, but the flow achieves only {lower!r} "
            f"(tolerance {tolerance})"
        )
    if upper > factor * (1.0 + tolerance) or upper < factor * (1.0 - tolerance):
        raise ScenarioError(
            f"certificate: factor {factor!r}, but the prices prove {upper!r} "
            f"(tolerance {tolerance})"
        )
    return lower, upper
