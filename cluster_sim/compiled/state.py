"""The arrays that the compiled loop works on, made for a system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.kernels.codes import Counter
from cluster_sim.kernels.numbers import (
    EMPTY,
    INDEX_ORDER,
    LOCALS_FIRST_ORDER,
    N_ASKS,
    RANDOM_ORDER,
    REPLICAS,
)
from cluster_sim.kernels.parts import (
    Least,
    Log,
    Longest,
    Measured,
    Pool,
    Queues,
    Rules,
    Scratch,
    Servers,
)
from cluster_sim.model.readings import DispatchOrder, QueueLength, RoutingView, ServiceTier
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.least import join_groups, reweigh, weight_of
from cluster_sim.randomness import Key
from cluster_sim.system import System, own_queues, tie_break_code

__all__ = [
    "event_buffers",
    "grown_pool",
    "least_index",
    "longest_index",
    "measurements",
    "queues_of",
    "rules_of",
    "scratch_of",
    "servers_of",
]

Array = npt.NDArray[Any]
IndexType = type[np.integer[Any]]

N_TIMES = 1 << 14  # dense part of the histograms, slots
N_WHEEL = 1 << 10  # slots of the timing wheel; a longer service takes several turns
N_TASKS = 1 << 12  # rows of the task pool at the start
N_EVENTS = 1 << 12  # rows of the event buffer, and 16 more for each server
LOOK_NUMBERS = 1 << 18  # queue lengths in the buffer of looks
CACHE_LINE = 64  # bytes
MOST_TASKS = 2**31 - 1  # rows are numbered by 32 bits

_ORDERS = {
    DispatchOrder.RANDOM: RANDOM_ORDER,
    DispatchOrder.INDEX: INDEX_ORDER,
    DispatchOrder.LOCALS_FIRST: LOCALS_FIRST_ORDER,
}


def rules_of(
    system: System,
    key: Key,
    *,
    slots: int,
    warmup: int,
    logs: bool,
    look_every: int,
    index: IndexType,
) -> Rules:
    """Return what does not change in a run.

    Parameters
    ----------
    system : System
    key : Key
    slots, warmup : int
    logs : bool
        Whether arrivals, starts and completions are to be logged.
    look_every : int
        Slots from one look at the state to the next; 0 for none.
    index : type
        Of the numbers of rows; see `cluster_sim.compiled.assembly.index_type`.

    Returns
    -------
    Rules
    """
    cluster, policy, reading = system.cluster, system.queue_policy, system.reading
    bound, told, needs = system.workload.bound, system.told_cluster.rates, system.needs
    needs_at = np.zeros(0, dtype=np.int64)
    if needs is not None:
        needs_at = needs.n_columns - needs.first_column
    return Rules(
        key_low=np.uint64(key.low),
        key_high=np.uint64(key.high),
        slots=slots,
        warmup=warmup,
        bound=-1 if bound is None else bound,
        counts_service=reading.queue_length is QueueLength.IN_SYSTEM,
        is_live=reading.routing_view is RoutingView.LIVE,
        by_replica=reading.service_tier is ServiceTier.REPLICA,
        order=_ORDERS[reading.dispatch_order],
        tie_break=tie_break_code(reading.tie_break),
        logs=logs,
        look_every=look_every,
        above=float(policy.longest_above(told)),
        constants=np.array(policy.constants(told) or (0.0,), dtype=np.float64),
        rates=np.array(cluster.rates, dtype=np.float64),
        groups=np.ascontiguousarray(cluster.groups.ravel(), dtype=index),
        needs_at=needs_at,
    )


def queues_of(system: System, rules: Rules, index: IndexType) -> Queues:
    """Return the queues, empty.

    Parameters
    ----------
    system : System
    rules : Rules
    index : type

    Returns
    -------
    Queues
    """
    n_servers, n_tiers = system.cluster.n_servers, system.cluster.n_tiers
    owners = list(system.policy.owners(n_servers, n_tiers))
    waiting = np.zeros(len(owners), dtype=np.int32)
    lengths = np.zeros_like(waiting) if rules.counts_service else waiting
    return Queues(
        owners=np.array(owners, dtype=np.int32),
        own=np.array(own_queues(owners, n_servers), dtype=np.int32),
        waiting=waiting,
        lengths=lengths,
        seen=lengths if rules.is_live else np.zeros_like(waiting),
        head=np.zeros(len(waiting), dtype=index),
        tail=np.zeros(len(waiting), dtype=index),
    )


def servers_of(n_servers: int, index: IndexType) -> Servers:
    """Return the servers, idle.

    Parameters
    ----------
    n_servers : int
    index : type

    Returns
    -------
    Servers
    """
    return Servers(
        serving=np.full(n_servers, EMPTY, dtype=index),
        ends=np.zeros(n_servers, dtype=np.int64),
        busy=np.zeros(n_servers, dtype=np.int64),
        following=np.full(n_servers, EMPTY, dtype=index),
        first=np.full(N_WHEEL, EMPTY, dtype=index),
        last=np.full(N_WHEEL, EMPTY, dtype=index),
    )


def scratch_of(n_servers: int, index: IndexType) -> Scratch:
    """Return room for a slot's dispatch.

    Parameters
    ----------
    n_servers : int
    index : type

    Returns
    -------
    Scratch
    """
    return Scratch(
        idle=np.zeros(n_servers, dtype=index),
        deferred=np.zeros(n_servers, dtype=index),
        deferred_ties=np.zeros(n_servers, dtype=np.float64),
        words=np.zeros(N_ASKS, dtype=np.uint64),
        asks=np.zeros(N_ASKS, dtype=index),
        ask_ties=np.zeros(N_ASKS, dtype=np.float64),
    )


def measurements(n_servers: int, n_tiers: int) -> Measured:
    """Return what is counted, at zero.

    Parameters
    ----------
    n_servers, n_tiers : int

    Returns
    -------
    Measured
    """
    return Measured(
        completion_times=np.zeros(N_TIMES, dtype=np.int64),
        waiting_times=np.zeros(N_TIMES, dtype=np.int64),
        outliers=np.zeros((4 * n_servers + 1024, 2), dtype=np.int64),
        starts=np.zeros(n_tiers, dtype=np.int64),
    )


def event_buffers(rules: Rules, n_servers: int, n_queues: int) -> Log:
    """Return the buffers of events and looks, of no size where nobody is told or looks.

    Parameters
    ----------
    rules : Rules
    n_servers, n_queues : int

    Returns
    -------
    Log
    """
    is_used = rules.logs or rules.look_every > 0
    n_looks = min(N_EVENTS, LOOK_NUMBERS // n_queues + 1) if rules.look_every else 0
    return Log(
        events=np.zeros((N_EVENTS + 16 * n_servers if is_used else 0, 7), dtype=np.int64),
        look_waiting=np.zeros((n_looks, n_queues), dtype=np.int32),
        look_lengths=np.zeros((n_looks, n_queues), dtype=np.int32),
    )


def longest_index(groups: npt.NDArray[np.int64], is_used: bool, index: IndexType) -> Longest:
    """Return the index of longest queues: groups of all tiers but the innermost, in one array.

    Parameters
    ----------
    groups : int64 array, shape (n_tiers, n_servers)
        See `Cluster`.
    is_used : bool
        If not, it has no entry.
    index : type

    Returns
    -------
    Longest
    """
    n_found = len(groups)
    n_tiers, n_servers = groups.shape if is_used else (1, 0)
    n = (n_tiers - 1) * n_servers
    tier, queue = np.divmod(np.arange(n), max(n_servers, 1))
    group = np.zeros(n, dtype=np.int64)
    n_groups = 0
    for t in range(1, n_tiers):
        row = np.unique(groups[t], return_inverse=True)[1]
        group[tier == t - 1] = row + n_groups
        n_groups += int(row.max()) + 1
    order = np.lexsort((queue, group))
    position = np.empty(n, dtype=index)
    position[order] = np.arange(n)
    group_first = np.searchsorted(group[order], np.arange(n_groups), side="left")
    group_last = np.searchsorted(group[order], np.arange(n_groups), side="right") - 1
    # At first one bucket a group, of key 0; the others are free.
    spare = np.zeros(n + 2 - n_groups, dtype=np.int64)
    free = np.concatenate(([n + 2 - n_groups], np.arange(n_groups, n + 2), [0]))
    return Longest(
        keys=np.zeros(n_servers, dtype=np.int32),
        order=order.astype(index),
        position=position,
        bucket=group.astype(index),
        first=np.concatenate((group_first, spare)).astype(index),
        last=np.concatenate((group_last, spare)).astype(index),
        bucket_key=np.zeros(n + 2, dtype=np.int32),
        free=free.astype(index),
        group_of=group.astype(index),
        group_first=group_first.astype(index),
        group_last=group_last.astype(index),
        found=np.full(n_found, -1, dtype=np.int64),
        n_found=np.zeros(n_found, dtype=np.int64),
    )


def least_index(
    groups: Array, policy: QueuePolicy, constants: Sequence[float], n_queues: int, index: IndexType
) -> Least:
    """Return the index of least weights, of the servers while all queues are empty.

    Parameters
    ----------
    groups : int64 array, shape (n_tiers, n_servers)
        See `Cluster`.
    policy : QueuePolicy
        If it has no use for the index, it has no node.
    constants : sequence of float
        The policy's.
    n_queues : int
    index : type

    Returns
    -------
    Least

    Raises
    ------
    DecisionError
        If a weight is no finite number.
    """
    parents: list[int] = []
    children: list[int] = []
    nodes: list[int] = []
    if policy.uses_least:
        parents, children, nodes = join_groups(groups.tolist())
    # Heavier than any server, till each has its weight.
    weights = [math.inf] * len(parents)
    n_lightest, lightest = [1] * len(parents), list(range(len(parents)))
    empty = [0] * n_queues
    for server in range((len(parents) + 1) // 2):
        weight = weight_of(policy, server, empty, constants)
        reweigh(weights, n_lightest, lightest, parents, children, server, weight)
    return Least(
        weights=np.array(weights, dtype=np.float64),
        n_lightest=np.array(n_lightest, dtype=index),
        lightest=np.array(lightest, dtype=index),
        parents=np.array(parents, dtype=index),
        children=np.array(children, dtype=index),
        nodes=np.array(nodes, dtype=index),
        found=np.zeros(len(groups) if policy.uses_least else 0, dtype=np.int64),
    )


def grown_pool(
    pool: Pool | None,
    counters: Array,
    index: IndexType,
    *,
    n_needed: int,
    width: int,
    n_needs: int = 0,
) -> Pool:
    """Return a task pool with room for more waiting tasks, or for wider replica sets.

    Parameters
    ----------
    pool : Pool or None
        The present one.
    counters : int64 array
        See `Counter`; the number of free rows is brought up to date.
    index : type
    n_needed : int
        Free rows needed.
    width : int
        Widest replica set.
    n_needs : int
        Service times that come with a task; they are the last of its row.

    Returns
    -------
    Pool

    Raises
    ------
    MemoryError
        If there is no memory for that many waiting tasks.
    """
    n_old, old_columns = pool.tasks.shape if pool is not None else (0, 0)
    n_free = int(counters[Counter.N_FREE])
    n_new = n_old
    if n_free < n_needed:
        n_new = max(N_TASKS, 2 * n_old, 1 << math.ceil(math.log2(n_old + n_needed + 1)))
    if n_new > MOST_TASKS:
        raise MemoryError(f"{n_old:,} tasks are waiting")
    tasks = _aligned((n_new, max(REPLICAS + width + n_needs, old_columns)), np.int64)
    free = _aligned((n_new,), index)
    if pool is not None:
        tasks[:n_old, :old_columns] = pool.tasks
        if n_needs:
            tasks[:n_old, -n_needs:] = pool.tasks[:, -n_needs:]
        free[:n_old] = pool.free
    # The new rows go on the stack of free rows, the lowest on top.
    added = n_new - n_old
    free[n_free : n_free + added] = np.arange(n_new - 1, n_old - 1, -1)
    counters[Counter.N_FREE] = n_free + added
    return Pool(tasks, free)


def _aligned(shape: tuple[int, ...], kind: npt.DTypeLike) -> Array:
    """Return zeros that begin at a line of the cache: a task of three replicas then fills one."""
    kind = np.dtype(kind)
    n_bytes = math.prod(shape) * kind.itemsize
    buffer = np.zeros(n_bytes + CACHE_LINE, dtype=np.uint8)
    offset = -buffer.ctypes.data % CACHE_LINE
    return buffer[offset : offset + n_bytes].view(kind).reshape(shape)
