"""Laws of a policy's decisions in random states, also such as a short run does not reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cluster_sim.model.cluster import Cluster
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, NO_QUEUE, UNIFORMLY
from cluster_sim.testing.decisions import watched

__all__ = ["check_decisions", "longest_candidates", "longest_within"]

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
    twin = watched(policy, cluster.n_servers)
    constants, above = policy.constants(cluster.rates), policy.longest_above(cluster.rates)
    n_servers, n_queues = cluster.n_servers, len(policy.owners(cluster.n_servers))
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
        twin.route(replicas, seen, list(waiting), constants, tie_break, tie)
        server = int(rng.integers(n_servers))
        longest: list[int] = []
        n_longest: list[int] = []
        if policy.uses_longest:
            longest, n_longest = longest_within(
                cluster, server, lengths, waiting, above, tie_break, among
            )
        twin.serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie)
