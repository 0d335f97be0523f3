"""Capacity of traffic that does not tell some servers apart: closed forms, tiny programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from math import comb

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.linear_program import minimise
from cluster_sim.theory.task_types import (
    BoolArray,
    FloatArray,
    IntArray,
    check_ancestors,
    check_rates,
    check_speeds,
)

__all__ = [
    "even_capacity",
    "hotspot_capacity",
    "hotspot_orbits",
    "server_orbits",
    "symmetric_capacity",
]


def even_capacity(n_servers: int, rates: Sequence[float]) -> float:
    """Return the capacity of a cluster whose traffic treats all servers alike.

    Parameters
    ----------
    n_servers : int
        Number of servers M.
    rates : sequence of float
        Service probability per slot for each tier, local first.

    Returns
    -------
    float
        M alpha, tasks per slot, for any number of tiers.

    Raises
    ------
    ScenarioError
        If there is no server or the rates are not usable.

    References
    ----------
    Section 5.2 of the paper, Eq. (20).

    Examples
    --------
    >>> even_capacity(1000, (1.0, 0.5))
    1000.0
    """
    if n_servers < 1:
        raise ScenarioError(f"n_servers = {n_servers}: must be at least 1")
    return n_servers * check_rates(rates)[0]


def _check_hotspot(is_hot: BoolArray, hot_probability: float, n_replicas: int) -> None:
    if not 0.0 <= hot_probability <= 1.0:
        raise ScenarioError(f"hot_probability = {hot_probability}: must be within [0, 1]")
    if n_replicas < 1:
        raise ScenarioError(f"n_replicas = {n_replicas}: must be at least 1")
    shares = {"hot": (is_hot, hot_probability), "other": (~is_hot, 1.0 - hot_probability)}
    for name, (members, share) in shares.items():
        if share > 0.0 and members.sum() < n_replicas:
            raise ScenarioError(
                f"{members.sum()} {name} servers with probability {share:g}: each task there "
                f"needs {n_replicas} distinct servers; use more servers or fewer replicas"
            )


def _hot_mask(n_servers: int, hot_servers: int | Sequence[int]) -> BoolArray:
    is_hot = np.zeros(n_servers, dtype=np.bool_)
    if isinstance(hot_servers, (int, np.integer)):
        if not 0 <= hot_servers <= n_servers:
            raise ScenarioError(
                f"hot_servers = {hot_servers}: must be within 0 to n_servers ({n_servers})"
            )
        is_hot[: int(hot_servers)] = True
        return is_hot
    chosen = np.asarray(hot_servers, dtype=np.int64)
    if chosen.size and not (chosen.min() >= 0 and chosen.max() < n_servers):
        raise ScenarioError(
            f"hot_servers names server {chosen.max() if chosen.min() >= 0 else chosen.min()}: "
            f"servers are 0 to {n_servers - 1}"
        )
    is_hot[chosen] = True
    return is_hot


def _closed_form(n_servers: int, n_hot: int, share: float, local: float, remote: float) -> float:
    """Capacity when the given set of servers is the overloaded one."""
    slots = n_hot * local + remote * (n_servers - n_hot)
    return slots / (share + remote * (1.0 - share) / local)


def hotspot_capacity(
    n_servers: int,
    hot_servers: int | Sequence[int],
    *,
    hot_probability: float,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    n_replicas: int = 3,
    speeds: npt.ArrayLike | None = None,
) -> float:
    """Return the capacity under traffic with a hot spot.

    A task's replicas are drawn uniformly among the hot servers with the given
    probability, else among the others.

    Parameters
    ----------
    n_servers : int
        Number of servers M.
    hot_servers : int or sequence of int
        How many servers are hot (then the first ones), or which.
    hot_probability : float
        Probability sigma that a task is of the hot kind.
    rates : sequence of float
        Service probability per slot for each tier, local first, remote last.
    ancestors : int64 array, shape (n_tiers, n_servers), optional
        Group of each server for each tier; needed for three and more tiers.
    n_replicas : int
        Replicas of a task.
    speeds : float64 array, shape (n_servers,), optional
        What multiplies the rates of each server at every tier; 1 where left out.

    Returns
    -------
    float
        Tasks per slot.

    Raises
    ------
    ScenarioError
        If the hot spot is not possible, or the rates or groups are not usable.

    Notes
    -----
    Two tiers, N hot servers: the hot set is overloaded at the boundary iff sigma >
    N/M, and the capacity is ``(N alpha + gamma (M - N)) / (sigma + gamma (1 -
    sigma) / alpha)``. If sigma < N/M the other servers are, and the same formula
    holds with M - N and 1 - sigma. At equality nobody is, and it is M alpha. In
    each case it is the least of the three. With more tiers or several speeds, see
    `symmetric_capacity`; of the latter a few at most, for the program grows with them.

    References
    ----------
    Section 6 of the paper for the traffic; Eq. (1) for the region.

    Examples
    --------
    >>> hotspot_capacity(1000, 500, hot_probability=0.8, rates=(1.0, 0.5))
    833.333333333333...
    """
    tiers = check_rates(rates)
    groups = check_ancestors(ancestors, n_servers, len(tiers))
    is_hot = _hot_mask(n_servers, hot_servers)
    _check_hotspot(is_hot, hot_probability, n_replicas)
    factors = check_speeds(speeds, n_servers)
    if len(tiers) == 2 and speeds is None:
        n_hot = int(is_hot.sum())
        return min(
            n_servers * tiers[0],
            _closed_form(n_servers, n_hot, hot_probability, *tiers),
            _closed_form(n_servers, n_servers - n_hot, 1.0 - hot_probability, *tiers),
        )
    orbits = hotspot_orbits(is_hot, groups, factors)
    kinds: dict[tuple[int, ...], float] = {}
    for members, share in ((is_hot, hot_probability), (~is_hot, 1.0 - hot_probability)):
        if share > 0.0:
            for kind, probability in _uniform_kinds(orbits[members], n_replicas).items():
                kinds[kind] = kinds.get(kind, 0.0) + share * probability
    return symmetric_capacity(orbits, kinds, rates=tiers, ancestors=groups, speeds=factors)


def hotspot_orbits(is_hot: BoolArray, ancestors: IntArray, speeds: FloatArray) -> IntArray:
    """Return the classes of servers that a hot spot and several speeds leave.

    Parameters
    ----------
    is_hot : bool array, shape (n_servers,)
    ancestors : int64 array, shape (n_tiers, n_servers)
        Nested groups of servers.
    speeds : float64 array, shape (n_servers,)

    Returns
    -------
    int64 array, shape (n_servers,)
        The program of `hotspot_capacity` is small while they are few.
    """
    kinds = np.unique(speeds, return_inverse=True)[1].ravel()
    return server_orbits(ancestors, 2 * kinds + is_hot)


def server_orbits(ancestors: IntArray, colours: IntArray) -> IntArray:
    """Give the servers that symmetry exchanges the same number.

    Parameters
    ----------
    ancestors : int64 array, shape (n_tiers, n_servers)
        Nested groups of servers.
    colours : int64 array, shape (n_servers,)
        What must be kept apart, such as hot and not hot.

    Returns
    -------
    int64 array, shape (n_servers,)

    Notes
    -----
    Two groups are alike if they hold alike groups in the same numbers; two
    servers are exchangeable iff their groups are alike on every level.

    Examples
    --------
    >>> racks = [[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0]]
    >>> server_orbits(np.array(racks), np.array([1, 0, 0, 1])).tolist()
    [1, 0, 0, 1]
    """
    paths = [np.asarray(colours, dtype=np.int64)]
    for below, row in pairwise(ancestors):
        firsts = np.unique(below, return_index=True)[1]
        held: dict[int, list[int]] = {}
        for server in firsts:
            held.setdefault(int(row[server]), []).append(int(paths[-1][server]))
        names: dict[tuple[int, ...], int] = {}
        kind = {g: names.setdefault(tuple(sorted(c)), len(names)) for g, c in held.items()}
        paths.append(np.array([kind[int(group)] for group in row], dtype=np.int64))
    orbits: IntArray = np.unique(np.stack(paths, axis=1), axis=0, return_inverse=True)[1]
    return orbits.ravel().astype(np.int64)


def _uniform_kinds(orbits: IntArray, n_replicas: int) -> dict[tuple[int, ...], float]:
    """Probability of the set of orbits that uniform distinct replicas fall in."""
    values, counts = np.unique(orbits, return_counts=True)
    size = dict(zip(values.tolist(), counts.tolist(), strict=True))
    total = comb(len(orbits), n_replicas)
    kinds: dict[tuple[int, ...], float] = {}
    ways: dict[tuple[int, ...], int] = {}
    for width in range(1, min(n_replicas, len(size)) + 1):
        for kind in combinations(sorted(size), width):
            # Ways to stay within these orbits, less those that miss some of them.
            ways[kind] = comb(sum(size[o] for o in kind), n_replicas) - sum(
                ways[smaller] for w in range(1, width) for smaller in combinations(kind, w)
            )
            if ways[kind]:
                kinds[kind] = ways[kind] / total
    return kinds


def symmetric_capacity(
    orbits: IntArray,
    kinds: Mapping[tuple[int, ...], float],
    *,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    speeds: npt.ArrayLike | None = None,
) -> float:
    """Return the capacity of traffic that respects the symmetries of the cluster.

    Parameters
    ----------
    orbits : int64 array, shape (n_servers,)
        Class of each server, as by `server_orbits`.
    kinds : mapping from tuple of int to float
        Probability of each set of orbits that a task's replicas fall in. Traffic
        must be equally likely under every exchange of servers within orbits that
        keeps the groups.
    rates : sequence of float
        Service probability per slot for each tier, local first, remote last.
    ancestors : int64 array, shape (n_tiers, n_servers), optional
        Group of each server for each tier; needed for three and more tiers.
    speeds : float64 array, shape (n_servers,), optional
        What multiplies the rates of each server; equal within an orbit. 1 where left out.

    Returns
    -------
    float
        Tasks per slot.

    Raises
    ------
    ScenarioError
        If the probabilities do not sum to 1, or rates or groups are not usable.

    Notes
    -----
    The dual of the capacity program asks for prices of the servers. Averaging
    prices over a symmetry keeps them feasible and optimal, so one price for each
    orbit suffices, whatever the number of servers and types.

    References
    ----------
    Eq. (1) of the paper; linear programming duality.

    Examples
    --------
    >>> symmetric_capacity(np.array([0, 0, 1, 1]), {(0,): 1.0}, rates=(1.0, 0.5))
    3.0
    """
    tiers = check_rates(rates)
    groups = check_ancestors(ancestors, len(orbits), len(tiers))
    if abs(sum(kinds.values()) - 1.0) > 1e-9:
        raise ScenarioError(
            f"kinds have total probability {sum(kinds.values())!r}: must be 1; divide by the sum"
        )
    n_orbits = int(orbits.max()) + 1
    names = list(kinds)
    rows, bounds = [], []
    for number, kind in enumerate(names):
        for orbit in kind:
            server = int(np.flatnonzero(orbits == orbit)[0])
            for tier, rate in enumerate(tiers):
                group = groups[tier] == groups[tier, server]
                for other in np.unique(orbits[group]):
                    row = np.zeros(n_orbits + len(names))
                    row[n_orbits + number] = rate
                    row[other] = -1.0
                    rows.append(row)
                    bounds.append(0.0)
    weight = np.bincount(orbits, check_speeds(speeds, len(orbits)), minlength=n_orbits)
    cost = np.concatenate([weight, np.zeros(len(names))])
    demand = np.concatenate([np.zeros(n_orbits), [kinds[name] for name in names]])
    solution = minimise(
        cost,
        what="the capacity program of the orbits",
        A_ub=np.stack(rows),
        b_ub=bounds,
        A_eq=demand[None, :],
        b_eq=[1.0],
    )
    return float(solution.fun)
