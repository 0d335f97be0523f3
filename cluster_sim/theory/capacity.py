"""The capacity region: how much traffic a cluster can carry in a given direction.

Public functions, all on plain arrays:

- `largest_load_factor` -- the largest multiple of a rate vector in the closed
  region; the load of the rate vector is its reciprocal (`load`);
- `is_in_capacity_region` -- membership, open as in Eq. (1) or closed;
- `capacity_certificate`, `check_certificate` -- the same number with a flow and
  server prices that prove it from both sides;
- `even_capacity`, `hotspot_capacity` -- the closed forms and, with more than two
  tiers, the small linear program that symmetry leaves (see `symmetric`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.certificate import CapacityCertificate, check_certificate
from cluster_sim.theory.flows import LocalFlow, max_local_flow
from cluster_sim.theory.linear_program import solve_capacity_program
from cluster_sim.theory.symmetric import even_capacity, hotspot_capacity, symmetric_capacity
from cluster_sim.theory.task_types import (
    BoolArray,
    FloatArray,
    TaskTypes,
    TypesLike,
    check_ancestors,
    check_rates,
    check_speeds,
    merge_types,
)

__all__ = [
    "CapacityCertificate",
    "Method",
    "capacity_certificate",
    "check_certificate",
    "even_capacity",
    "hotspot_capacity",
    "is_in_capacity_region",
    "largest_load_factor",
    "load",
    "symmetric_capacity",
]

Method = Literal["auto", "flow", "lp"]


def _ratio(
    types: TaskTypes, members: BoolArray, local: float, remote: float, speeds: FloatArray
) -> float:
    """Return the bound on the load factor that a set of servers gives (see Notes there)."""
    slots = local * speeds[members].sum() + remote * speeds[~members].sum()
    inside = types.rate_inside(members)
    return float(local * slots / (local * inside + remote * (types.total_rate - inside)))


def _solve_by_flow(
    types: TaskTypes, local: float, remote: float, speeds: FloatArray
) -> tuple[float, BoolArray, LocalFlow]:
    """Newton's method on minimum cuts: each cut found lowers the bound, until none does."""
    members = np.ones(types.n_servers, dtype=np.bool_)
    factor = _ratio(types, members, local, remote, speeds)
    while True:
        flow = max_local_flow(types, factor * types.arrival_rates, local * speeds)
        lower = _ratio(types, flow.cut, local, remote, speeds)
        if lower >= factor * (1.0 - 1e-14):
            return factor, members, flow
        factor, members = lower, flow.cut


def _flow_certificate(
    types: TaskTypes, local: float, remote: float, speeds: FloatArray
) -> CapacityCertificate:
    factor, members, flow = _solve_by_flow(types, local, remote, speeds)
    used = np.flatnonzero(flow.edges > 0)
    served = np.bincount(types.owners, flow.edges, types.n_types)
    rest = np.maximum(factor * types.arrival_rates - served, 0.0)
    away = np.flatnonzero(rest > 0)
    return CapacityCertificate(
        factor=factor,
        prices=np.where(members, 1.0, remote / local),
        flow_type=np.concatenate([types.owners[used], away]),
        flow_tier=np.concatenate([np.zeros(len(used)), np.ones(len(away))]).astype(np.int64),
        flow_group=np.concatenate([types.servers[used], np.zeros(len(away), dtype=np.int64)]),
        flow_rate=np.concatenate([flow.edges[used], rest[away]]),
    )


def capacity_certificate(
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    method: Method = "auto",
    speeds: npt.ArrayLike | None = None,
) -> CapacityCertificate:
    """Return the largest load factor together with its proof.

    Parameters
    ----------
    types : int64 array, shape (n_types, width), or sequence of tuples of int
        Local servers of each type; -1 pads shorter rows.
    arrival_rates : float64 array, shape (n_types,)
        Tasks per slot.
    n_servers : int
        Number of servers.
    rates : sequence of float
        Service probability per slot for each tier, local first, remote last.
    ancestors : int64 array, shape (n_tiers, n_servers), optional
        Group of each server for each tier; needed for three and more tiers.
    method : {"auto", "flow", "lp"}
        ``"flow"`` is for two tiers; ``"lp"`` for any number. ``"auto"`` takes the
        flow where it can.
    speeds : float64 array, shape (n_servers,), optional
        What multiplies the rates of each server at every tier; 1 where left out.

    Returns
    -------
    CapacityCertificate

    Raises
    ------
    ScenarioError
        If the input is not usable, no task arrives, or a flow is asked for more
        than two tiers.

    Notes
    -----
    With two rates and F(k) the largest local flow at k times the rates, k is in
    the region iff ``k Lambda - F(k) <= (gamma/alpha) (M alpha - F(k))``. Every set
    S of servers bounds F, hence the factor, by ``alpha (alpha |S| + gamma (M -
    |S|)) / (alpha lambda(L_S) + gamma (Lambda - lambda(L_S)))``. A minimum cut at
    the current bound gives the next set; the last one gives the exact factor. A server of
    speed s counts as s servers.

    References
    ----------
    Eq. (1) and Lemma 1 of the paper.

    Examples
    --------
    >>> capacity_certificate([(0,), (0, 1)], [0.6, 0.1], n_servers=2, rates=(1.0, 0.5))
    <CapacityCertificate: factor 2.30769230769, 3 flows>
    """
    tiers = check_rates(rates)
    merged = merge_types(types, arrival_rates, n_servers)
    if merged.n_types == 0:
        raise ScenarioError(
            "no task arrives: every arrival rate is 0; a certificate needs at least one positive"
        )
    if method == "flow" and len(tiers) > 2:
        raise ScenarioError(
            f"method = 'flow' with {len(tiers)} tiers: the flow is for two; use 'lp' or 'auto'"
        )
    groups = check_ancestors(ancestors, n_servers, len(tiers))
    factors = check_speeds(speeds, n_servers)
    if method != "lp" and len(tiers) == 2:
        return _flow_certificate(merged, tiers[0], tiers[1], factors)
    return CapacityCertificate(*solve_capacity_program(merged, tiers, groups, factors))


def largest_load_factor(
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    method: Method = "auto",
    speeds: npt.ArrayLike | None = None,
) -> float:
    """Return the largest multiple of a rate vector in the closed capacity region.

    Parameters
    ----------
    types, arrival_rates, n_servers, rates, ancestors, method, speeds
        As for `capacity_certificate`.

    Returns
    -------
    float
        The factor; infinite if no task arrives.

    Raises
    ------
    ScenarioError
        If the input is not usable.

    References
    ----------
    Eq. (1) and Lemma 1 of the paper.

    Examples
    --------
    >>> largest_load_factor([(0,)], [0.5], n_servers=2, rates=(1.0, 0.5))
    3.0
    """
    if merge_types(types, arrival_rates, n_servers).n_types == 0:
        check_ancestors(ancestors, n_servers, len(check_rates(rates)))
        check_speeds(speeds, n_servers)
        return float("inf")
    return capacity_certificate(
        types,
        arrival_rates,
        n_servers=n_servers,
        rates=rates,
        ancestors=ancestors,
        method=method,
        speeds=speeds,
    ).factor


def load(
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    method: Method = "auto",
    speeds: npt.ArrayLike | None = None,
) -> float:
    """Return a rate vector as a fraction of capacity in its own direction.

    Parameters
    ----------
    types, arrival_rates, n_servers, rates, ancestors, method, speeds
        As for `capacity_certificate`.

    Returns
    -------
    float
        Below 1 inside the capacity region, 1 on its boundary, 0 without arrivals.

    Examples
    --------
    >>> load([(0,), (1,)], [0.5, 0.5], n_servers=2, rates=(1.0, 0.5))
    0.5
    """
    return 1.0 / largest_load_factor(
        types,
        arrival_rates,
        n_servers=n_servers,
        rates=rates,
        ancestors=ancestors,
        method=method,
        speeds=speeds,
    )


def is_in_capacity_region(
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    closed: bool = False,
    tolerance: float = 1e-9,
    speeds: npt.ArrayLike | None = None,
) -> bool:
    """Tell whether the rate vector is inside the capacity region.

    Parameters
    ----------
    types, arrival_rates, n_servers, rates, ancestors, speeds
        As for `capacity_certificate`.
    closed : bool
        Whether the boundary belongs to the region. The paper's does not (Eq. 1).
    tolerance : float
        Loads within this distance of 1 count as on the boundary.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_in_capacity_region([(0,)], [1.5], n_servers=2, rates=(1.0, 0.5))
    False
    >>> is_in_capacity_region([(0,)], [1.5], n_servers=2, rates=(1.0, 0.5), closed=True)
    True
    """
    fraction = load(
        types,
        arrival_rates,
        n_servers=n_servers,
        rates=rates,
        ancestors=ancestors,
        speeds=speeds,
    )
    return fraction <= 1.0 + tolerance if closed else fraction < 1.0 - tolerance
