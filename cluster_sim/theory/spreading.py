"""How the ideal load decomposition spreads work: the constructive part of Lemmas 9 and 24."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from cluster_sim.theory.flows import LocalFlow, balance, max_local_flow
from cluster_sim.theory.task_types import BoolArray, FloatArray, IntArray, TaskTypes

__all__ = ["FlowPart", "Shell", "even_local_split", "serve_beneficiaries"]

FlowPart = tuple[IntArray, IntArray, IntArray, FloatArray]


class Shell(Protocol):
    """What `serve_beneficiaries` needs to know of a decomposition."""

    @property
    def types(self) -> TaskTypes:
        """The distinct types."""

    @property
    def local_rate(self) -> float:
        """The rate alpha."""

    @property
    def remote_rate(self) -> float:
        """The rate gamma."""

    @property
    def is_beneficiary(self) -> BoolArray:
        """The servers in B."""

    @property
    def epsilon(self) -> float:
        """Distance to the boundary."""

    @property
    def epsilon_0(self) -> float:
        """Idle share of every server in Lemma 9."""

    @property
    def phi(self) -> float:
        """Local work of the helpers, in servers."""


def _degrees(types: TaskTypes) -> tuple[IntArray, IntArray]:
    """Local servers of each type, and types at each server."""
    return np.diff(types.starts), np.bincount(types.servers, minlength=types.n_servers)


def even_local_split(types: TaskTypes) -> FloatArray:
    """Split every type over its local servers: even loads, and no edge left out.

    Parameters
    ----------
    types : TaskTypes
        Types with arrival rates.

    Returns
    -------
    float64 array, shape (n_edges,)
        The loads are as even as can be. If they are all equal, the least edge is
        as large as possible (lambda_min of Lemma 24).

    Notes
    -----
    With every edge at least d, a set S of servers bounds d by ``(x |S| -
    lambda(L_S)) / (edges from S to types not in L_S)``, x the common load. Newton's
    method on minimum cuts, as for the capacity.
    """
    balanced = balance(types)
    common = types.total_rate / types.n_servers
    if types.n_types == 0 or np.ptp(balanced.loads) > 1e-9 * common:
        return balanced.edges
    widths, degrees = _degrees(types)
    least = min(
        float((types.arrival_rates / widths).min()),
        float((common / degrees).min()),
    )
    while True:
        free = (common - least * degrees).astype(np.float64)
        flow = max_local_flow(types, types.arrival_rates - least * widths, free)
        inside = types.is_inside(flow.cut)
        crossing = float(degrees[flow.cut].sum() - widths[inside].sum())
        slack = common * float(flow.cut.sum()) - float(types.arrival_rates[inside].sum())
        bound = max(slack, 0.0) / crossing if crossing else least
        if bound >= least * (1.0 - 1e-12):
            return flow.edges + least
        least = bound


def _root(decreasing: Callable[[float], float], top: float) -> float:
    """Largest x in [0, top] at which a decreasing function is not negative; 0 if none is."""
    low, high = 0.0, top
    for _ in range(80):
        middle = 0.5 * (low + high)
        if decreasing(middle) >= 0.0:
            low = middle
        else:
            high = middle
    return low


def _split_beneficiaries(
    types: TaskTypes, alpha: float, local: float
) -> tuple[FloatArray, FloatArray]:
    """Split the types in L_B into local and remote rates for each edge.

    Every server serves ``local`` of its own and queues at least alpha. The least
    remote rate on an edge is as large as possible.

    Notes
    -----
    Reserve d on each edge as remote. What remains must give each server at least
    ``max(local, alpha - d degree)``. A set of servers that a maximum flow cannot
    fill bounds d; the bound is found by bisection of a decreasing function.
    """
    widths, degrees = _degrees(types)
    least = float((types.arrival_rates / widths).min())
    while True:
        needs = np.maximum(local, alpha - least * degrees)
        flow: LocalFlow = max_local_flow(types, types.arrival_rates - least * widths, needs)
        starved = ~flow.cut
        touching = ~types.is_inside(flow.cut)
        if least == 0.0 or needs.sum() - flow.cut_weight <= 1e-13 * needs.sum():
            break

        def slack(d: float, who: BoolArray = starved, what: BoolArray = touching) -> float:
            supply = float((types.arrival_rates - d * widths)[what].sum())
            return supply - float(np.maximum(local, alpha - d * degrees)[who].sum())

        smaller = _root(slack, least)
        if smaller >= least * (1.0 - 1e-12):
            break
        least = smaller
    kept = flow.edges * (local / needs)[types.servers]
    rest = types.arrival_rates - least * widths - np.bincount(types.owners, flow.edges, len(widths))
    spread = (np.maximum(rest, 0.0) / widths)[types.owners]
    return kept, flow.edges - kept + least + spread


def _transport(supply: FloatArray, demand: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Match two lists with equal sums by filling in order; at most n + m - 1 entries."""
    left, right = np.cumsum(supply), np.cumsum(demand)
    right *= left[-1] / right[-1]
    ends = np.unique(np.concatenate([left, right]))
    starts = np.concatenate([[0.0], ends[:-1]])
    middle = 0.5 * (starts + ends)
    source = np.minimum(np.searchsorted(left, middle), len(left) - 1)
    target = np.minimum(np.searchsorted(right, middle), len(right) - 1)
    return source.astype(np.int64), target.astype(np.int64), ends - starts


def serve_beneficiaries(shell: Shell, rho: FloatArray) -> list[FlowPart]:
    """Return the rates of the types in L_B: served at home, and by helpers.

    Parameters
    ----------
    shell : Decomposition
        The sets and constants; its rates are not used.
    rho : float64 array, shape (n_servers,)
        Local load of each helper, slots per slot.

    Returns
    -------
    list of (type, queue, server, rate)
    """
    types, is_beneficiary = shell.types, shell.is_beneficiary
    alpha, gamma = shell.local_rate, shell.remote_rate
    helpers = np.flatnonzero(~is_beneficiary)
    part, numbers = types.restrict(types.is_inside(is_beneficiary), is_beneficiary)
    idle = shell.epsilon_0
    free = 1.0 - idle - rho[helpers]
    if free.min() < 0.0:
        # Some helper is busier with local work than Lemma 9 allows; keep Lemma 3 at least.
        spare = float((1.0 - rho[helpers]).sum())
        idle = shell.epsilon / (alpha * is_beneficiary.sum() + gamma * spare)
        free = (1.0 - idle) * (1.0 - rho[helpers])
    kept, away = _split_beneficiaries(part, alpha, alpha * (1.0 - idle))
    kind, queue = types.owners[numbers], types.servers[numbers]
    edge, place, rate = _transport(away, free)
    return [(kind, queue, queue, kept), (kind[edge], queue[edge], helpers[place], rate)]
