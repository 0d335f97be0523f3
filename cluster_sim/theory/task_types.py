"""Task types as every function of the theory takes them: checked, merged, and stored flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError

__all__ = [
    "BoolArray",
    "FloatArray",
    "IntArray",
    "TaskTypes",
    "TypesLike",
    "check_ancestors",
    "check_rates",
    "check_speeds",
    "merge_types",
    "sums",
]

BoolArray: TypeAlias = npt.NDArray[np.bool_]
FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
TypesLike: TypeAlias = "Sequence[Sequence[int]] | npt.NDArray[Any]"


@dataclass(frozen=True, eq=False)
class TaskTypes:
    """Distinct task types with positive arrival rates, stored flat.

    An *edge* is a pair (type, local server). The edges of type ``i`` are
    ``servers[starts[i]:starts[i + 1]]``.

    Attributes
    ----------
    n_servers : int
        Number of servers.
    starts : int64 array, shape (n_types + 1,)
        Where the edges of each type begin.
    servers : int64 array, shape (n_edges,)
        Local server of each edge, ascending within a type.
    arrival_rates : float64 array, shape (n_types,)
        Tasks per slot.
    index : int64 array, shape (number of types as given,)
        Which of the merged types each given type became; -1 where its rate is zero.
    """

    n_servers: int
    starts: IntArray
    servers: IntArray
    arrival_rates: FloatArray
    index: IntArray

    @property
    def n_types(self) -> int:
        """Number of distinct types."""
        return len(self.arrival_rates)

    @property
    def total_rate(self) -> float:
        """Total arrival rate, in tasks per slot."""
        return float(self.arrival_rates.sum())

    @property
    def owners(self) -> IntArray:
        """The type of each edge: int64 array, shape (n_edges,)."""
        return np.repeat(np.arange(self.n_types), np.diff(self.starts))

    def __repr__(self) -> str:
        return (
            f"<TaskTypes: {self.n_types} types on {self.n_servers} servers, "
            f"{self.total_rate:.6g} tasks per slot>"
        )

    def replicas(self, index: int) -> tuple[int, ...]:
        """Return the local servers of one type, ascending."""
        return tuple(int(m) for m in self.servers[self.starts[index] : self.starts[index + 1]])

    def is_inside(self, members: BoolArray) -> BoolArray:
        """Tell which types are local to servers of a set only (the paper's L_S).

        Parameters
        ----------
        members : bool array, shape (n_servers,)
            The set of servers.

        Returns
        -------
        bool array, shape (n_types,)
        """
        if self.n_types == 0:
            return np.zeros(0, dtype=np.bool_)
        return np.logical_and.reduceat(members[self.servers], self.starts[:-1])

    def rate_inside(self, members: BoolArray) -> float:
        """Arrival rate of the types that are local to servers of a set only."""
        return float(self.arrival_rates[self.is_inside(members)].sum())

    def restrict(self, kept_types: BoolArray, members: BoolArray) -> tuple[TaskTypes, IntArray]:
        """Keep some types and, of their local servers, those of a set.

        Servers are renumbered in ascending order. Every kept type must have a
        local server in the set.

        Returns
        -------
        TaskTypes
            The smaller system.
        int64 array
            For each of its edges, the number of that edge in ``self``.
        """
        kept_edges = np.flatnonzero(kept_types[self.owners] & members[self.servers])
        renumbered = np.cumsum(members) - 1
        degrees = np.bincount(self.owners[kept_edges], minlength=self.n_types)[kept_types]
        smaller = TaskTypes(
            n_servers=int(members.sum()),
            starts=np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64),
            servers=renumbered[self.servers[kept_edges]].astype(np.int64),
            arrival_rates=self.arrival_rates[kept_types],
            index=np.flatnonzero(kept_types).astype(np.int64),
        )
        return smaller, kept_edges.astype(np.int64)


def sums(index: IntArray, values: FloatArray, length: int) -> FloatArray:
    """Add up values by index: `numpy.bincount`, float64 for empty input too.

    Examples
    --------
    >>> sums(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 3).tolist()
    [1.0, 0.0, 5.0]
    """
    return np.bincount(index, values, length).astype(np.float64)


def _padded(types: TypesLike) -> IntArray:
    """Return the types as a rectangle, padded with -1."""
    if isinstance(types, np.ndarray) and types.ndim == 2:
        if types.dtype.kind not in "iu":
            raise ScenarioError(
                f"types have dtype {types.dtype}: server indices are integers; "
                "convert with .astype(int)"
            )
        return types.astype(np.int64)
    rows = [tuple(row) for row in types]
    width = max((len(row) for row in rows), default=0)
    table = np.full((len(rows), width), -1, dtype=np.int64)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table


def _check_types(table: IntArray, rates: FloatArray, n_servers: int) -> None:
    if n_servers < 1:
        raise ScenarioError(f"n_servers = {n_servers}: must be at least 1")
    if rates.shape != (len(table),):
        raise ScenarioError(
            f"arrival_rates has shape {rates.shape}: must have one rate for each of the "
            f"{len(table)} types"
        )
    wrong = np.flatnonzero(~np.isfinite(rates) | (rates < 0))
    if wrong.size:
        raise ScenarioError(
            f"arrival rate of type {wrong[0]} = {rates[wrong[0]]}: must be finite and at least 0"
        )
    outside = np.argwhere((table < -1) | (table >= n_servers))
    if outside.size:
        row, column = outside[0]
        raise ScenarioError(
            f"type {row} names server {table[row, column]}: servers are 0 to {n_servers - 1} "
            "(-1 pads shorter types)"
        )
    empty = np.flatnonzero((table < 0).all(axis=1) & (rates > 0))
    if empty.size:
        raise ScenarioError(
            f"type {empty[0]} has no local server and rate {rates[empty[0]]}: a task joins the "
            "queue of a local server, so give the type at least one server or rate 0"
        )


def merge_types(types: TypesLike, arrival_rates: npt.ArrayLike, n_servers: int) -> TaskTypes:
    """Check task types, merge equal ones and drop those that never arrive.

    Parameters
    ----------
    types : int64 array, shape (n_types, width), or sequence of tuples of int
        Local servers of each type; -1 pads shorter rows. Order and repetition
        within a type mean nothing.
    arrival_rates : float64 array, shape (n_types,)
        Tasks per slot of each type.
    n_servers : int
        Number of servers.

    Returns
    -------
    TaskTypes
        Distinct types in lexicographic order of their servers, each type after
        the longer ones that begin like it.

    Raises
    ------
    ScenarioError
        If a server does not exist, a rate is negative or not finite, or a type
        that arrives has no local server.

    Examples
    --------
    >>> merged = merge_types([(1, 0), (0, 1), (2,)], [0.2, 0.3, 0.1], 3)
    >>> merged
    <TaskTypes: 2 types on 3 servers, 0.6 tasks per slot>
    >>> merged.replicas(0), merged.index.tolist()
    ((0, 1), [0, 0, 1])
    """
    table = _padded(types)
    rates = np.asarray(arrival_rates, dtype=np.float64)
    _check_types(table, rates, n_servers)
    given = np.flatnonzero(rates > 0)
    rows = np.where(table[given] < 0, n_servers, table[given])
    rows.sort(axis=1)
    rows[:, 1:][rows[:, 1:] == rows[:, :-1]] = n_servers
    rows.sort(axis=1)
    if len(rows):
        distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    else:
        distinct, inverse = rows, np.zeros(0, dtype=np.int64)
    index = np.full(len(table), -1, dtype=np.int64)
    index[given] = inverse.ravel()
    is_server = distinct < n_servers
    return TaskTypes(
        n_servers=n_servers,
        starts=np.concatenate([[0], np.cumsum(is_server.sum(axis=1))]).astype(np.int64),
        servers=distinct[is_server].astype(np.int64),
        arrival_rates=np.bincount(
            inverse.ravel(), weights=rates[given], minlength=len(distinct)
        ).astype(np.float64),
        index=index,
    )


def check_rates(rates: Sequence[float]) -> tuple[float, ...]:
    """Return the service rates as floats, or raise.

    Parameters
    ----------
    rates : sequence of float
        Service probability per slot for each tier, local first, remote last.

    Returns
    -------
    tuple of float

    Raises
    ------
    ScenarioError
        If there are fewer than two, or they are not descending within (0, 1].
    """
    values = tuple(float(rate) for rate in rates)
    if len(values) < 2:
        raise ScenarioError(
            f"rates = {values}: at least two are needed, local (alpha) and remote (gamma)"
        )
    if not (values[-1] > 0.0 and values[0] <= 1.0 and list(values) == sorted(values)[::-1]):
        raise ScenarioError(
            f"rates = {values}: must be descending within (0, 1], local first and remote last"
        )
    return values


def check_speeds(speeds: npt.ArrayLike | None, n_servers: int) -> FloatArray:
    """Return the speed of each server, 1 where none are given, or raise.

    Parameters
    ----------
    speeds : float64 array, shape (n_servers,), or None
        What multiplies the rates of each server at every tier.
    n_servers : int

    Returns
    -------
    float64 array, shape (n_servers,)

    Raises
    ------
    ScenarioError
        If there is not one for each server, or one is not above 0.
    """
    if speeds is None:
        return np.ones(n_servers)
    values = np.asarray(speeds, dtype=np.float64)
    if values.shape != (n_servers,):
        raise ScenarioError(
            f"speeds has shape {values.shape}: must be ({n_servers},), one for each server"
        )
    if not (np.isfinite(values).all() and (values > 0.0).all()):
        raise ScenarioError(f"speeds: the least is {values.min()}; all must be above 0 and finite")
    return values


def check_ancestors(ancestors: npt.ArrayLike | None, n_servers: int, n_tiers: int) -> IntArray:
    """Return the table of groups, or raise.

    Parameters
    ----------
    ancestors : int64 array, shape (n_tiers, n_servers), or None
        Group of each server for each tier: row 0 the server itself, the last
        row all 0. ``None`` is allowed for two tiers, where it has one meaning.
    n_servers, n_tiers : int
        What the table must fit.

    Returns
    -------
    int64 array, shape (n_tiers, n_servers)

    Raises
    ------
    ScenarioError
        If the shape is wrong or a group is not inside one group of the next row.
    """
    if ancestors is None:
        if n_tiers > 2:
            raise ScenarioError(
                f"ancestors is missing: {n_tiers} tiers need the group of every server, "
                f"an array of shape ({n_tiers}, {n_servers})"
            )
        return np.stack([np.arange(n_servers), np.zeros(n_servers, dtype=np.int64)])
    table = np.asarray(ancestors, dtype=np.int64)
    if table.shape != (n_tiers, n_servers):
        raise ScenarioError(
            f"ancestors has shape {table.shape}: must be ({n_tiers}, {n_servers}), one row for "
            "each tier and one column for each server"
        )
    if not np.array_equal(table[0], np.arange(n_servers)) or table[-1].any():
        raise ScenarioError(
            "ancestors: row 0 must be the server itself (0, 1, 2, ...) and the last row all 0"
        )
    for tier in range(1, n_tiers):
        pairs = np.unique(table[tier - 1 : tier + 1], axis=1)
        if pairs.shape[1] != len(np.unique(pairs[0])):
            raise ScenarioError(
                f"ancestors: a group of row {tier - 1} lies in several groups of row {tier}; "
                "groups must be nested"
            )
    return table
