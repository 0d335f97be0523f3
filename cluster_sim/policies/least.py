"""An index of the servers of least weight, in O(log M) a change and a question.

The servers are the leaves of a binary tree in which every group of every tier is one node with all
that is below it: within each group, the nodes of the next smaller groups are joined in pairs, and
the joints again. A node knows the least weight below it, how many servers have it, and the lowest
of them. So the least of a group is read off its node, and one of the tied is found on the way down.

Plain functions over plain sequences: the SimPy scheduler passes lists, the compiled engine arrays,
and both find the same servers. Nodes 0 to M - 1 are the servers, the last node is the root.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from math import isfinite

from cluster_sim.errors import DecisionError
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.choices import BY_INDEX

__all__ = ["join_groups", "least_within", "reweigh", "weight_of"]


def weight_of(
    policy: QueuePolicy, server: int, lengths: Sequence[int], constants: Sequence[float]
) -> float:
    """Return what a policy says that a server weighs; not for compiled code.

    Parameters
    ----------
    policy : QueuePolicy
    server : int
    lengths : sequence of int, length n_queues
    constants : sequence of float

    Returns
    -------
    float

    Raises
    ------
    DecisionError
        If it is no finite number.
    """
    found: object = policy.weigh(server, lengths, constants)
    if not isinstance(found, (int, float)) or not isfinite(found):
        raise DecisionError(
            f"policy {policy.name!r}: weigh() for server {server} returned {found!r}; it must "
            "return a finite number"
        )
    return float(found)


def join_groups(groups: Sequence[Sequence[int]]) -> tuple[list[int], list[int], list[int]]:
    """Return the tree over the servers of a cluster.

    Parameters
    ----------
    groups : sequence of int sequences, shape (n_tiers, n_servers)
        As in `Cluster`: row 0 the servers, each row's groups whole ones of the row before, the last
        row one group.

    Returns
    -------
    parents : list of int, length 2 n_servers - 1
        The node above each node; the root's own number for the root.
    children : list of int, length 2 n_servers - 2
        The two nodes below each joint.
    nodes : list of int, length n_tiers * n_servers
        ``nodes[t * n_servers + m]`` is the node of the group of server m at tier t.

    Examples
    --------
    >>> parents, children, nodes = join_groups([[0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 0, 0]])
    >>> parents, children, nodes[4:8]
    ([4, 4, 5, 5, 6, 6, 6], [0, 1, 2, 3, 4, 5], [4, 4, 5, 5])
    """
    n_servers = len(groups[0])
    parents, children = list(range(2 * n_servers - 1)), []
    node_of = list(range(n_servers))
    nodes = node_of.copy()
    joint = n_servers
    for row in groups[1:]:
        members: dict[int, dict[int, None]] = {}  # nodes of each group, once each and in order
        for server, group in enumerate(row):
            members.setdefault(group, {})[node_of[server]] = None
        found = {}
        for group, inner in members.items():
            level = list(inner)
            while len(level) > 1:
                joined = []
                for left, right in zip(level[::2], level[1::2], strict=False):
                    parents[left] = parents[right] = joint
                    children += [left, right]
                    joined.append(joint)
                    joint += 1
                level = joined + level[2 * len(joined) :]
            found[group] = level[0]
        node_of = [found[group] for group in row]
        nodes += node_of
    return parents, children, nodes


def reweigh(
    weights: MutableSequence[float],
    n_tied: MutableSequence[int],
    lowest: MutableSequence[int],
    parents: Sequence[int],
    children: Sequence[int],
    server: int,
    weight: float,
) -> None:
    """Give a server a new weight.

    Parameters
    ----------
    weights : float sequence, shape (n_nodes,)
        Least weight below each node; of a server, its own.
    n_tied, lowest : int sequence, shape (n_nodes,)
        How many servers below have it, and the lowest of them.
    parents, children : int sequence
        See `join_groups`.
    server : int
    weight : float
    """
    if weights[server] == weight:
        return
    weights[server] = weight
    n_nodes = len(parents)
    n_servers = (n_nodes + 1) // 2
    node = server
    while node < n_nodes - 1:
        node = parents[node]
        left = children[2 * (node - n_servers)]
        right = children[2 * (node - n_servers) + 1]
        least = min(weights[left], weights[right])
        n = 0
        first = n_servers
        if weights[left] == least:
            n = n_tied[left]
            first = lowest[left]
        if weights[right] == least:
            n += n_tied[right]
            first = min(first, lowest[right])
        if weights[node] == least and n_tied[node] == n and lowest[node] == first:
            return
        weights[node] = least
        n_tied[node] = n
        lowest[node] = first


def least_within(
    weights: Sequence[float],
    n_tied: Sequence[int],
    lowest: Sequence[int],
    children: Sequence[int],
    nodes: Sequence[int],
    tier: int,
    replicas: Sequence[int],
    tie_break: int,
    tie: float,
) -> int:
    """Return a server of least weight among those within a tier of one of the replicas.

    Parameters
    ----------
    weights, n_tied, lowest : sequence, shape (n_nodes,)
        See `reweigh`.
    children, nodes : int sequence
        See `join_groups`.
    tier : int
    replicas : sequence of int
        At least one.
    tie_break : int
        `BY_INDEX`, or uniformly.
    tie : float
        Uniform on [0, 1).

    Returns
    -------
    int
        The time is O(log M) and quadratic in the number of replicas.
    """
    n_servers = (len(weights) + 1) // 2
    base = tier * n_servers
    node = nodes[base + replicas[0]]
    least = weights[node]
    n = n_tied[node]
    first = lowest[node]
    for i in range(1, len(replicas)):
        node = nodes[base + replicas[i]]
        weight = weights[node]
        if weight <= least and is_new(nodes, base, replicas, i):
            if weight < least:
                least = weight
                n = n_tied[node]
                first = lowest[node]
            else:
                n += n_tied[node]
                first = min(first, lowest[node])
    if n == 1 or tie_break == BY_INDEX:
        return first
    n = int(tie * n)
    for i in range(len(replicas)):
        node = nodes[base + replicas[i]]
        if weights[node] == least and is_new(nodes, base, replicas, i):
            if n < n_tied[node]:
                break
            n -= n_tied[node]
    while node >= n_servers:
        joint = 2 * (node - n_servers)
        node = children[joint]
        if weights[node] > least or n >= n_tied[node]:
            if weights[node] == least:
                n -= n_tied[node]
            node = children[joint + 1]
    return node


def is_new(nodes: Sequence[int], base: int, replicas: Sequence[int], i: int) -> bool:
    """Return whether no replica before the i-th is in the same group."""
    node = nodes[base + replicas[i]]
    j = i - 1
    while j >= 0 and nodes[base + replicas[j]] != node:
        j -= 1
    return j < 0
