"""Maximum local flows: how much of the arriving work can be served where its data is.

The flow runs from the task types (each with a budget) to the servers (each with
a capacity). SciPy's maximum flow works on 32-bit integers, so the flow is found
in rounds: each round scales what the earlier ones left over to the full integer
range, and the weight of a cut is always evaluated in floating point from its
set of servers. Three rounds leave nothing but rounding of the last bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cluster_sim.theory.task_types import BoolArray, FloatArray, TaskTypes

__all__ = ["Balance", "LocalFlow", "balance", "max_local_flow"]

_LARGEST = 2**30 - 1  # a residual capacity is a sum of two and must fit int32
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class LocalFlow:
    """A maximum flow from task types to their local servers, with a minimum cut.

    Attributes
    ----------
    value : float
        Total flow, tasks per slot.
    edges : float64 array, shape (n_edges,)
        Flow on each pair (type, local server).
    cut : bool array, shape (n_servers,)
        The set S of a minimum cut: its weight is the capacity of S plus the
        budgets of the types that are not local to S only.
    cut_weight : float
        That weight; equals ``value`` up to rounding.
    """

    value: float
    edges: FloatArray
    cut: BoolArray
    cut_weight: float

    def __repr__(self) -> str:
        return f"<LocalFlow: value {self.value:.9g}, {int(self.cut.sum())} servers in the cut>"


def _cut_weight(
    types: TaskTypes, budgets: FloatArray, capacities: FloatArray, cut: BoolArray
) -> float:
    return float(capacities[cut].sum() + budgets[~types.is_inside(cut)].sum())


def _integer_round(
    types: TaskTypes,
    *,
    left: FloatArray,
    free: FloatArray,
    edges: FloatArray,
    bound: float,
) -> tuple[FloatArray, BoolArray]:
    """Push as much as integers allow through the residual network.

    Returns the change of flow on each edge and the servers on the source side.
    """
    # Here, for they take long to import and most runs need none.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    n_types, n_servers, n_edges = types.n_types, types.n_servers, len(edges)
    scale = _LARGEST / bound
    sink = n_types + n_servers + 1
    type_node = types.owners + 1
    server_node = types.servers + n_types + 1
    limit = np.floor(np.minimum(left, bound) * scale)
    back = np.floor(np.minimum(edges, bound) * scale)
    rows = np.concatenate(
        [np.zeros(n_types), type_node, server_node, np.arange(n_servers) + n_types + 1]
    )
    columns = np.concatenate(
        [np.arange(n_types) + 1, server_node, type_node, np.full(n_servers, sink)]
    )
    values = np.concatenate(
        [limit, np.full(n_edges, _LARGEST), back, np.floor(np.minimum(free, bound) * scale)]
    )
    network = csr_array(
        (values.astype(np.int32), (rows.astype(np.int32), columns.astype(np.int32))),
        shape=(sink + 1, sink + 1),
    )
    flow = maximum_flow(network, 0, sink).flow
    residual = csr_array(network.astype(np.int64) - flow.astype(np.int64))
    residual.eliminate_zeros()
    reached = np.zeros(sink + 1, dtype=np.bool_)
    reached[breadth_first_order(residual, 0, return_predecessors=False)] = True
    change = np.asarray(csr_array(flow)[type_node, server_node]).ravel() / scale
    return change.astype(np.float64), reached[n_types + 1 : sink]


def max_local_flow(
    types: TaskTypes,
    budgets: FloatArray,
    capacities: FloatArray,
    *,
    tolerance: float = 1e-14,
) -> LocalFlow:
    """Return a maximum flow from types to local servers, and a minimum cut.

    Parameters
    ----------
    types : TaskTypes
        The types; their own arrival rates are not used.
    budgets : float64 array, shape (n_types,)
        How much of each type there is, tasks per slot.
    capacities : float64 array, shape (n_servers,)
        How much each server takes, tasks per slot.
    tolerance : float
        Stop when cut and flow agree to this fraction of the cut.

    Returns
    -------
    LocalFlow

    Notes
    -----
    By max-flow min-cut duality the value is the least, over sets of servers S, of
    the capacity of S plus the budgets of all types not in L_S.

    Examples
    --------
    >>> import numpy as np
    >>> from cluster_sim.theory.task_types import merge_types
    >>> types = merge_types([(0,), (0, 1)], [0.9, 0.5], 2)
    >>> max_local_flow(types, types.arrival_rates, np.array([0.5, 1.0])).value
    1.0
    """
    edges = np.zeros(len(types.servers))
    everything = np.ones(types.n_servers, dtype=np.bool_)
    best_cut = ~everything
    best = _cut_weight(types, budgets, capacities, best_cut)
    whole = _cut_weight(types, budgets, capacities, everything)
    if whole < best:
        best_cut, best = everything, whole
    for _ in range(_ROUNDS):
        left = np.maximum(budgets - np.bincount(types.owners, edges, types.n_types), 0.0)
        free = np.maximum(capacities - np.bincount(types.servers, edges, types.n_servers), 0.0)
        missing = min(best - float(edges.sum()), float(left.sum()), float(free.sum()))
        if missing <= tolerance * best:
            break
        change, cut = _integer_round(types, left=left, free=free, edges=edges, bound=missing)
        edges = np.maximum(edges + change, 0.0)
        weight = _cut_weight(types, budgets, capacities, cut)
        if weight < best:
            best_cut, best = cut, weight
    return LocalFlow(value=float(edges.sum()), edges=edges, cut=best_cut, cut_weight=best)


@dataclass(frozen=True, eq=False)
class Balance:
    """The most even way to split every type among its local servers.

    Attributes
    ----------
    loads : float64 array, shape (n_servers,)
        Local arrivals at each server, tasks per slot. Unique.
    edges : float64 array, shape (n_edges,)
        Arrivals of each type at each of its local servers. Not unique.
    """

    loads: FloatArray
    edges: FloatArray

    def __repr__(self) -> str:
        return (
            f"<Balance: {len(self.loads)} servers, loads {self.loads.min():.6g} "
            f"to {self.loads.max():.6g}>"
        )


def _spread_rest(types: TaskTypes, edges: FloatArray) -> FloatArray:
    """Make the edges of each type sum to its rate exactly; the rest is rounding."""
    if types.n_types == 0:
        return edges
    rest = types.arrival_rates - np.bincount(types.owners, edges, types.n_types)
    degree = np.diff(types.starts)
    return np.maximum(edges + (rest / degree)[types.owners], 0.0)


def balance(types: TaskTypes, *, tolerance: float = 1e-12) -> Balance:
    """Split every type among its local servers as evenly as possible.

    Parameters
    ----------
    types : TaskTypes
        Types with their arrival rates.
    tolerance : float
        Differences of load below this fraction of the total rate are not resolved.

    Returns
    -------
    Balance
        The lexicographically smallest vector of loads, sorted from the largest.

    Notes
    -----
    Divide and conquer: if some set S of servers holds more work of its own than
    the mean allows (a minimum cut at the mean finds it), its types stay in S and
    all other types leave S; each part is then balanced by itself. The loads scale
    with the rates, and the set of servers with load at least x is the largest
    minimiser of ``x |S| - lambda(L_S)`` for every x at once.

    References
    ----------
    S. Fujishige, Lexicographically optimal base of a polymatroid with respect to
    a weight vector, Mathematics of Operations Research 5 (1980).

    Examples
    --------
    >>> from cluster_sim.theory.task_types import merge_types
    >>> balance(merge_types([(0,), (0, 1), (1, 2)], [0.9, 0.2, 0.2], 3)).loads.tolist()
    [0.9, 0.2, 0.2]
    """
    loads = np.zeros(types.n_servers)
    edges = np.zeros(len(types.servers))
    pieces = [(types, np.arange(types.n_servers), np.arange(len(types.servers)))]
    while pieces:
        piece, servers, numbers = pieces.pop()
        if piece.n_types == 0:
            continue
        mean = piece.total_rate / piece.n_servers
        flow = max_local_flow(piece, piece.arrival_rates, np.full(piece.n_servers, mean))
        n_cut = int(flow.cut.sum())
        excess = piece.total_rate - flow.cut_weight
        if not 0 < n_cut < piece.n_servers or excess <= tolerance * types.total_rate:
            loads[servers] = mean
            edges[numbers] = _spread_rest(piece, flow.edges)
            continue
        inside = piece.is_inside(flow.cut)
        for kept, members in ((inside, flow.cut), (~inside, ~flow.cut)):
            part, part_edges = piece.restrict(kept, members)
            pieces.append((part, servers[members], numbers[part_edges]))
    return Balance(loads=loads, edges=edges)
