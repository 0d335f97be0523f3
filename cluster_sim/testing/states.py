"""Laws of a policy's decisions in random states, also such as a short run does not reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cluster_sim.model.cluster import Cluster
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, NO_QUEUE, UNIFORMLY
from cluster_sim.testing.decisions import watched
from cluster_sim.testing.laws import Law, LawViolation

__all__ = [
    "check_decisions",
    "check_weights",
    "least_candidates",
    "least_within",
    "longest_candidates",
    "longest_within",
]

TIES = (0.0, 0.5, 1.0 - 2.0**-53)  # the edges of [0, 1), tried as often as other uniforms


def longest_candidates(
    near: Sequence[int], server: int, lengths: Sequence[int], waiting: Sequence[int], above: float
) -> list[int]:
    """Return the queues tied for the longest among those that may be offered in one tier.

    Parameters
    ----------
    near : sequence of int, length n_servers
        The group of each server in this tier, as a row of `Cluster.groups`.
    server : int
    lengths, waiting : sequence of int, length n_servers
    above : float
        The length that a queue must exceed.

    Returns
    -------
    list of int
        Ascending; empty if no queue qualifies.

    Examples
    --------
    >>> longest_candidates([0, 0, 1], 1, lengths=[3, 3, 9], waiting=[1, 1, 1], above=2)
    [0, 1]
    """
    offered = [
        queue
        for queue, group in enumerate(near)
        if group == near[server] and waiting[queue] > 0 and lengths[queue] > above
    ]
    longest = max((lengths[queue] for queue in offered), default=0)
    return [queue for queue in offered if lengths[queue] == longest]


def longest_within(
    cluster: Cluster,
    server: int,
    lengths: Sequence[int],
    waiting: Sequence[int],
    above: float,
    tie_break: int,
    tie: float,
) -> tuple[list[int], list[int]]:
    """Return the arguments `longest` and `n_longest` of `QueuePolicy.serve`, by brute force.

    Parameters
    ----------
    cluster : Cluster
    server : int
    lengths, waiting : sequence of int, length n_servers
    above : float
    tie_break : int
    tie : float
        Uniform on [0, 1).

    Returns
    -------
    longest, n_longest : list of int, length n_tiers
    """
    longest, n_longest = [], []
    for near in cluster.groups.tolist():
        tied = longest_candidates(near, server, lengths, waiting, above)
        n_longest.append(len(tied))
        if tie_break == LOCAL_FIRST:
            nearest = min((cluster.tier(server, [queue]) for queue in tied), default=0)
            tied = [queue for queue in tied if cluster.tier(server, [queue]) == nearest]
        chosen = 0 if tie_break == BY_INDEX else int(tie * len(tied))
        longest.append(tied[chosen] if tied else NO_QUEUE)
    n_longest[0] = 1  # as the engines do: the own queue is alone in its tier
    return longest, n_longest


def least_candidates(
    near: Sequence[int], replicas: Sequence[int], weights: Sequence[float]
) -> list[int]:
    """Return the servers tied for the least weight among those near one of the replicas.

    Parameters
    ----------
    near : sequence of int, length n_servers
        The group of each server in a tier, as a row of `Cluster.groups`.
    replicas : sequence of int
    weights : sequence of float, length n_servers

    Returns
    -------
    list of int
        Ascending.

    Examples
    --------
    >>> least_candidates([0, 0, 1, 1, 2], [0, 3], [2.0, 1.0, 1.0, 5.0, 0.0])
    [1, 2]
    """
    groups = {near[replica] for replica in replicas}
    offered = [server for server, group in enumerate(near) if group in groups]
    least = min(weights[server] for server in offered)
    return [server for server in offered if weights[server] == least]


def least_within(
    cluster: Cluster,
    replicas: Sequence[int],
    weights: Sequence[float],
    tie_break: int,
    tie: float,
) -> list[int]:
    """Return the argument `least` of `QueuePolicy.route`, by brute force.

    Parameters
    ----------
    cluster : Cluster
    replicas : sequence of int
    weights : sequence of float, length n_servers
    tie_break : int
    tie : float
        Uniform on [0, 1).

    Returns
    -------
    list of int, length n_tiers
        Equal to what the engines find where racks are numbered one after another.
    """
    found = []
    for near in cluster.groups.tolist():
        tied = least_candidates(near, replicas, weights)
        found.append(tied[0 if tie_break == BY_INDEX else int(tie * len(tied))])
    return found


def check_weights(policy: QueuePolicy, cluster: Cluster, *, n_states: int, seed: int) -> None:
    """Raise unless the weights of a policy are such as the engines rely on.

    Parameters
    ----------
    policy : QueuePolicy
        With or without `uses_least`.
    cluster : Cluster
    n_states : int
    seed : int

    Raises
    ------
    LawViolation
        If a weight is not a finite number, or depends on more than the server's own queues.
    """
    if not policy.uses_least:
        return
    rng = np.random.default_rng(seed)
    owners = np.array(policy.owners(cluster.n_servers, cluster.n_tiers))
    for state in range(n_states):
        server = state % cluster.n_servers
        lengths = rng.integers(0, 1 + state, len(owners))
        others = lengths + (owners != server) * rng.integers(1, 9, len(owners))
        _check_weight(policy, cluster, server, lengths.tolist(), others.tolist())


def _check_weight(
    policy: QueuePolicy, cluster: Cluster, server: int, lengths: list[int], others: list[int]
) -> None:
    constants = policy.constants(cluster.rates)

    def weigh(shown: Any) -> tuple[object, str]:
        call = f"policy {policy.name!r}: weigh({server}, {list(shown)}, {constants})"
        try:
            weight: object = policy.weigh(server, shown, constants)
        except Exception as error:
            raise LawViolation(
                Law.WEIGHTS, f"{call} raised {type(error).__name__}: {error}"
            ) from error
        return weight, f"{call} gave {weight}"

    weight, told = weigh(list(lengths))
    if not isinstance(weight, (int, float, np.number)) or not np.isfinite(weight):
        raise LawViolation(Law.WEIGHTS, f"{told}; it must return a finite number")
    for shown in (list(lengths), np.array(lengths), others):
        again, told_again = weigh(shown)
        if again != weight:
            raise LawViolation(
                Law.WEIGHTS,
                f"{told}, and {told_again}; a weight may depend on the lengths of the server's own "
                "queues only, be they a list or an array",
            )


def check_decisions(policy: QueuePolicy, cluster: Cluster, *, n_states: int, seed: int) -> None:
    """Raise unless a policy's decisions keep their laws in random states of a cluster.

    Parameters
    ----------
    policy : QueuePolicy
    cluster : Cluster
    n_states : int
    seed : int

    Raises
    ------
    LawViolation
        Valid decision, pure decision, no mutation, own queue first.
    """
    rng = np.random.default_rng(seed)
    twin = watched(policy, cluster.n_servers, cluster.n_tiers)
    constants, above = policy.constants(cluster.rates), policy.longest_above(cluster.rates)
    n_servers, n_tiers = cluster.n_servers, cluster.n_tiers
    n_queues = len(policy.owners(n_servers, n_tiers))
    for _ in range(n_states):
        largest = int(rng.choice([1, 2, 5, 1000]))
        waiting = rng.integers(0, largest + 1, n_queues).tolist()
        waiting[int(rng.integers(n_queues))] += 1  # nobody is asked while nothing waits
        in_service = rng.integers(0, 3, n_queues) * rng.integers(2)
        lengths = (np.array(waiting) + in_service).tolist()
        tie_break = int(rng.choice([UNIFORMLY, LOCAL_FIRST, BY_INDEX]))
        tie, among = (float(rng.choice([*TIES, rng.random()])) for _ in range(2))
        n_replicas = int(rng.integers(1, n_servers + 1))
        replicas = sorted(rng.choice(n_servers, n_replicas, replace=False).tolist())
        # Under the reading slot-start lengths may be older than waiting.
        seen = rng.permutation(lengths).tolist()
        weights: list[float] = []
        least: list[int] = []
        if policy.uses_least:
            weights = [policy.weigh(server, seen, constants) for server in range(n_servers)]
            least = least_within(cluster, replicas, weights, tie_break, tie)
        twin.route(replicas, seen, list(waiting), least, weights, constants, tie_break, tie)
        server = int(rng.integers(n_servers))
        longest: list[int] = []
        n_longest: list[int] = []
        if policy.uses_longest:
            longest, n_longest = longest_within(
                cluster, server, lengths, waiting, above, tie_break, among
            )
        twin.serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie)
