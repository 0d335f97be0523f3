"""The capacity of a system with any number of tiers, as a sparse linear program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.task_types import FloatArray, IntArray, TaskTypes, check_speeds

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["minimise", "solve_capacity_program"]

_Solution = tuple[float, FloatArray, IntArray, IntArray, IntArray, FloatArray]


def minimise(cost: FloatArray, *, what: str, method: str = "highs", **constraints: Any) -> Any:
    """Solve a linear program with HiGHS, or raise.

    Parameters
    ----------
    cost : float64 array, shape (n_variables,)
        What to minimise.
    what : str
        Names the program in the error.
    method : str
        Method of `scipy.optimize.linprog`.
    **constraints
        Further arguments of `scipy.optimize.linprog`; matrices may be sparse.

    Returns
    -------
    scipy.optimize.OptimizeResult

    Raises
    ------
    ScenarioError
        If the program has no solution or the solver gives up.

    Examples
    --------
    >>> minimise(np.array([1.0]), what="example", bounds=[(2.0, None)]).fun
    2.0
    """
    from scipy.optimize import linprog  # here, for it takes long and most runs need none

    solver: Any = linprog  # its stubs know no sparse matrices
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    solution = solver(cost, method=method, options=tight, **constraints)
    if solution.x is None:
        raise ScenarioError(
            f"{what} was not solved: {solution.message} Rates that differ by many orders of "
            "magnitude are the usual reason; leave out the types that hardly ever arrive."
        )
    return solution


def _choices(types: TaskTypes, groups: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Every way to serve a type: (type, tier, group), each once."""
    kinds, tiers, where = [], [], []
    for tier, row in enumerate(groups):
        n_groups = int(row.max()) + 1
        codes = np.unique(types.owners * n_groups + row[types.servers])
        kinds.append(codes // n_groups)
        tiers.append(np.full(len(codes), tier, dtype=np.int64))
        where.append(codes % n_groups)
    return np.concatenate(kinds), np.concatenate(tiers), np.concatenate(where)


def _tree(groups: IntArray, speeds: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Nodes of the tree of groups: first node of each tier, parents, sizes in speeds."""
    widths = groups.max(axis=1) + 1
    first = np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
    parent = np.full(int(first[-1]), -1, dtype=np.int64)
    size = np.zeros(int(first[-1]))
    for tier, row in enumerate(groups):
        size[first[tier] : first[tier + 1]] = np.bincount(row, speeds, minlength=int(widths[tier]))
        if tier + 1 < len(groups):
            parent[first[tier] + row] = first[tier + 1] + groups[tier + 1]
    return first, parent, size


def _matrix(
    types: TaskTypes, kind: IntArray, node: IntArray, slots: FloatArray, parent: IntArray
) -> csr_array:
    """Equality rows: one for each type, then one for each node.

    Columns: the choices, the work of each node, the factor. A choice counts in
    multiples of its type's rate, so that rare types are solved as exactly as
    frequent ones. A node's work is what is assigned to it plus the work of its
    children.
    """
    n_choices, n_nodes = len(kind), len(parent)
    inner = np.flatnonzero(parent >= 0)
    rows = np.concatenate(
        [
            kind,
            types.n_types + node,
            types.n_types + np.arange(n_nodes),
            types.n_types + parent[inner],
            np.arange(types.n_types),
        ]
    )
    columns = np.concatenate(
        [
            np.arange(n_choices),
            np.arange(n_choices),
            n_choices + np.arange(n_nodes),
            n_choices + inner,
            np.full(types.n_types, n_choices + n_nodes),
        ]
    )
    values = np.concatenate(
        [
            np.ones(n_choices),
            slots,
            -np.ones(n_nodes),
            np.ones(len(inner)),
            -np.ones(types.n_types),
        ]
    )
    shape = (types.n_types + n_nodes, n_choices + n_nodes + 1)
    from scipy.sparse import coo_array, csr_array

    return csr_array(coo_array((values, (rows, columns)), shape=shape))


def solve_capacity_program(
    types: TaskTypes,
    rates: tuple[float, ...],
    groups: IntArray,
    speeds: FloatArray | None = None,
) -> _Solution:
    """Solve for the largest load factor, with prices and flows.

    Parameters
    ----------
    types : TaskTypes
        At least one type.
    rates : tuple of float
        Service probability per slot and tier, descending.
    groups : int64 array, shape (n_tiers, n_servers)
        Nested groups of servers.
    speeds : float64 array, shape (n_servers,), optional
        What multiplies the rates of each server; 1 where left out.

    Returns
    -------
    tuple
        Factor, prices, flow_type, flow_tier, flow_group, flow_rate: the fields of
        `capacity.CapacityCertificate`.

    Raises
    ------
    ScenarioError
        If the solver gives up.

    Notes
    -----
    A task of tier t is assigned to its group, not to a server: within a group any
    server serves it at that rate or better. Work so assigned fits iff no group of
    the tree holds more of it than it has servers, so the program has a handful of
    variables per type instead of one per server. A server of speed s does in a slot what
    s ordinary servers do, whatever the tier: it counts as s of them.
    """
    kind, tier, group = _choices(types, groups)
    first, parent, size = _tree(groups, check_speeds(speeds, types.n_servers))
    weight = types.arrival_rates * (types.n_servers / types.total_rate)
    slots = weight[kind] / np.asarray(rates)[tier]
    matrix = _matrix(types, kind, first[tier] + group, slots, parent)
    n_choices, n_nodes = len(kind), len(parent)
    cost = np.zeros(matrix.shape[1])
    cost[-1] = -1.0
    upper = np.concatenate([np.full(n_choices, np.inf), size, [np.inf]])
    # Measured: on thousands of types interior point is several times faster than simplex.
    solution = minimise(
        cost,
        what=f"the capacity program of {types!r}",
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.stack([np.zeros(len(upper)), upper], axis=1),
        method="highs-ipm" if types.n_types > 2000 else "highs",
    )
    # A server's price is what the limits of all its groups charge together.
    charges = np.abs(np.asarray(solution.upper.marginals)[n_choices : n_choices + n_nodes])
    prices = charges[first[:-1, None] + groups].sum(axis=0)
    used = np.flatnonzero(solution.x[:n_choices] > 0.0)
    return (
        float(solution.x[-1] * types.n_servers / types.total_rate),
        prices,
        kind[used],
        tier[used],
        group[used],
        np.asarray(solution.x[used] * weight[kind[used]], dtype=np.float64),
    )
