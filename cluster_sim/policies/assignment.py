"""Min-cost assignment of waiting tasks to idle servers, by three solvers."""

from __future__ import annotations

import enum
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError

__all__ = ["Problem", "Solver", "check_installed", "solve"]

Ints = npt.NDArray[np.int64]
Pairs = list[tuple[int, int]]


class Solver(enum.StrEnum):
    """What solves an assignment; all find the same cost, among equals not always the same pairs."""

    SCIPY = "scipy"  # dense: tasks times servers
    ORTOOLS = "ortools"  # the flow network, for size; an extra
    NETWORKX = "networkx"  # the flow network, for demonstrations


@dataclass(frozen=True, eq=False)
class Problem:
    """Tasks that may start on servers, at a cost by tier, or wait, at a cost of their own.

    Costs are whole numbers, so that solvers agree on what is equal.

    Parameters
    ----------
    replicas : sequence of sequence of int
        Of each task.
    waiting_cost : int64 array, shape (n_tasks,)
        Cost of not starting each task.
    servers : sequence of int
        The idle servers.
    tier_cost : int64 array, shape (n_tiers,)
        Never decreasing.
    groups : int64 array, shape (n_tiers, M)
        As in `Cluster`.

    Notes
    -----
    Minimised is the sum of the costs; among equal sums the number of tasks that wait.
    """

    replicas: Sequence[Sequence[int]]
    waiting_cost: Ints
    servers: Sequence[int]
    tier_cost: Ints
    groups: Ints

    @property
    def weight(self) -> int:
        """Factor of the costs, such that the number of waiting tasks never outweighs one unit."""
        return min(len(self.replicas), len(self.servers)) + 1

    @cached_property
    def tiers(self) -> npt.NDArray[np.int8]:
        """Tier of each task at each of the servers, int8 array, shape (n_tasks, n_servers)."""
        n_tiers, n_all = self.groups.shape
        width = max(map(len, self.replicas))
        # Shorter sets are filled with their own first server, which changes nothing.
        rows = [[*row, *[row[0]] * (width - len(row))] for row in self.replicas]
        holders = np.array(rows, dtype=np.int64)
        servers = np.array(self.servers, dtype=np.int64)
        tiers = np.full((len(rows), len(servers)), n_tiers - 1, dtype=np.int8)
        for tier in range(n_tiers - 2, 0, -1):
            group = self.groups[tier]
            is_in = np.arange(group.max() + 1)[:, None] == group[servers]
            for holder in holders.T:
                tiers[is_in[group[holder]]] = tier
        column = np.full(n_all, -1)
        column[servers] = np.arange(len(servers))
        for holder in holders.T:
            at = column[holder]
            tiers[np.flatnonzero(at >= 0), at[at >= 0]] = 0
        return tiers

    def cost(self, pairs: Pairs) -> int:
        """Return the cost of an assignment.

        Parameters
        ----------
        pairs : list of (int, int)
            Indices of a task and of a server.

        Returns
        -------
        int
        """
        starts = sum(int(self.tier_cost[self.tiers[i, j]] - self.waiting_cost[i]) for i, j in pairs)
        return int(self.waiting_cost.sum()) + starts


def check_installed(solver: Solver) -> None:
    """Raise unless a solver can be imported.

    Parameters
    ----------
    solver : Solver

    Raises
    ------
    ScenarioError
    """
    if importlib.util.find_spec(solver.value) is None:
        raise ScenarioError(
            f'solver = "{solver.value}": is not installed; pip install '
            "'cluster_sim[flow]', or use solver = \"scipy\""
        )


def solve(problem: Problem, solver: Solver) -> Pairs:
    """Return an assignment of least cost.

    Parameters
    ----------
    problem : Problem
    solver : Solver

    Returns
    -------
    list of (int, int)
        Index of a task and index of the server that it starts on, in ascending order of servers.

    Raises
    ------
    ScenarioError
        If the costs are too large for ortools.

    Examples
    --------
    Two tasks on server 0, of which one has waited; a remote start costs 2:

    >>> groups = np.array([[0, 1], [0, 0]])
    >>> problem = Problem([[0], [0]], np.array([9, 0]), [0, 1], np.array([0, 2]), groups)
    >>> solve(problem, Solver.SCIPY), problem.cost([(0, 0)]), problem.cost([(0, 1), (1, 0)])
    ([(0, 0)], 0, 2)
    """
    find = {
        Solver.SCIPY: _by_matrix,
        Solver.ORTOOLS: _by_ortools,
        Solver.NETWORKX: _by_networkx,
    }[solver]
    return sorted(find(problem), key=lambda pair: pair[1])


def _by_matrix(problem: Problem) -> Pairs:
    from scipy.optimize import linear_sum_assignment

    # What a start saves; one more than that, so that of equal costs the start is taken.
    saved = problem.waiting_cost[:, None] - problem.tier_cost
    gains = np.where(saved >= 0, saved * problem.weight + 1, 0).astype(np.float64)
    gain = np.take_along_axis(gains, problem.tiers.astype(np.intp), axis=1)
    tasks, servers = linear_sum_assignment(gain, maximize=True)
    starts = gain[tasks, servers] > 0
    return list(zip(tasks[starts].tolist(), servers[starts].tolist(), strict=True))


class _Network:
    """The flow network: tasks, servers, an aggregator for each group of servers, U and the sink.

    A task has arcs to the idle servers that are local, to the aggregators of its groups, to that of
    the whole cluster, and to U, where it waits. An aggregator has arcs to the aggregators, or
    servers, within it. So the network grows with the tasks, not with tasks times servers.
    """

    def __init__(self, problem: Problem) -> None:
        n_tasks, n_servers = len(problem.replicas), len(problem.servers)
        self.n_tasks, self.n_servers = n_tasks, n_servers
        self.arcs: list[tuple[int, int, int, int]] = []  # tail, head, capacity, cost
        weight = problem.weight
        costs = [int(cost) * weight for cost in problem.tier_cost]
        # Inner to outer: node by group, of the groups that hold an idle server.
        servers = np.array(problem.servers, dtype=np.int64)
        node: dict[int, int] = {s: n_tasks + j for j, s in enumerate(problem.servers)}
        nodes, self.aggregators = [node], list[int]()
        n_nodes = n_tasks + n_servers
        for tier in range(1, len(costs)):
            inner, outer = problem.groups[tier - 1][servers], problem.groups[tier][servers]
            held = {int(g): n_nodes + k for k, g in enumerate(np.unique(outer))}
            n_nodes += len(held)
            for g_in, g_out in sorted(set(zip(inner.tolist(), outer.tolist(), strict=True))):
                self.arcs.append((held[g_out], nodes[-1][g_in], n_servers, 0))
            nodes.append(held)
            self.aggregators = [*held.values(), *self.aggregators]  # outermost first
        self.unscheduled, self.sink = n_nodes, n_nodes + 1
        groups = problem.groups.tolist()
        for i, (replicas, waits) in enumerate(
            zip(problem.replicas, problem.waiting_cost.tolist(), strict=True)
        ):
            for cost, group, held in zip(costs, groups, nodes, strict=True):
                for g in sorted({group[replica] for replica in replicas}):
                    if g in held:
                        self.arcs.append((i, held[g], 1, cost))
            # One more than the cost of waiting: of equal costs the start is taken.
            self.arcs.append((i, self.unscheduled, 1, waits * weight + 1))
        self.arcs += [(n_tasks + j, self.sink, 1, 0) for j in range(n_servers)]
        self.arcs.append((self.unscheduled, self.sink, n_tasks, 0))

    def pairs(self, flows: Sequence[int]) -> Pairs:
        """Follow the tasks through the aggregators, from the outermost in."""
        at: dict[int, list[int]] = {}
        out: dict[int, list[tuple[int, int]]] = {}
        for (tail, head, _, _), flow in zip(self.arcs, flows, strict=True):
            if flow and tail < self.n_tasks:
                at.setdefault(head, []).append(tail)
            elif flow:
                out.setdefault(tail, []).append((head, flow))
        for node in self.aggregators:
            tasks = at.get(node, [])
            for head, flow in out.get(node, []):
                for _ in range(flow):
                    at.setdefault(head, []).append(tasks.pop(0))
        first = self.n_tasks
        return [(at[first + j][0], j) for j in range(self.n_servers) if at.get(first + j)]


def _by_ortools(problem: Problem) -> Pairs:
    from ortools.graph.python import min_cost_flow

    network = _Network(problem)
    arcs = np.array(network.arcs, dtype=np.int64)
    flow: Any = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(arcs[:, 0], arcs[:, 1], arcs[:, 2], arcs[:, 3])
    supplies = np.zeros(network.sink + 1, dtype=np.int64)
    supplies[: network.n_tasks], supplies[-1] = 1, -network.n_tasks
    flow.set_nodes_supplies(np.arange(len(supplies)), supplies)
    if flow.solve() != flow.OPTIMAL:  # some flow there is: all tasks may wait
        raise ScenarioError(
            f"ortools cannot assign {network.n_tasks} tasks at costs of up to {arcs[:, 3].max()}: "
            'the numbers become too large; use solver = "scipy", or a smaller omega'
        )
    return network.pairs(flow.flows(np.arange(len(arcs))).tolist())


def _by_networkx(problem: Problem) -> Pairs:
    import networkx

    network = _Network(problem)
    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(range(network.n_tasks), demand=-1)
    graph.add_node(network.sink, demand=network.n_tasks)
    for tail, head, capacity, cost in network.arcs:
        graph.add_edge(tail, head, capacity=capacity, weight=cost)
    flow = networkx.min_cost_flow(graph)
    return network.pairs([flow[tail][head] for tail, head, _, _ in network.arcs])
