"""The arrays that the compiled loop works on, by the names of its parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.kernels.codes import Counter, Option
from cluster_sim.kernels.loop import EMPTY, N_ASKS, REPLICAS
from cluster_sim.model.readings import DispatchOrder, QueueLength, RoutingView, ServiceTier
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.least import join_groups, reweigh, weight_of
from cluster_sim.randomness import Key
from cluster_sim.system import System, tie_break_code

__all__ = ["Arguments", "grow_tasks", "initial_arguments"]

Arguments = dict[str, Any]
Array = npt.NDArray[Any]

N_TIMES = 1 << 14  # dense part of the histograms, slots
N_WHEEL = 1 << 10  # slots of the timing wheel; a longer service takes several turns
N_TASKS = 1 << 12  # rows of the task pool at the start
N_EVENTS = 1 << 12  # rows of the event buffer, and 16 more for each server
LOOK_NUMBERS = 1 << 18  # queue lengths in the buffer of looks
CACHE_LINE = 64  # bytes
MOST_TASKS = 2**31 - 1  # rows are numbered by 32 bits

_ORDERS = {DispatchOrder.RANDOM: 0, DispatchOrder.INDEX: 1, DispatchOrder.LOCALS_FIRST: 2}


def initial_arguments(
    system: System,
    key: Key,
    *,
    slots: int,
    warmup: int,
    logs: bool,
    look_every: int,
    index: type[np.integer],
) -> Arguments:
    """Return the arguments of a run that has not begun.

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
    dict
        All parameters of `run_slots` but those of a batch.
    """
    cluster, policy, reading = system.cluster, system.queue_policy, system.reading
    n_servers, n_tiers = cluster.n_servers, cluster.n_tiers
    owners = np.array(list(policy.owners(n_servers, n_tiers)), dtype=np.int32)
    own_queue = np.full(n_servers, -1, dtype=np.int32)
    for queue in range(len(owners) - 1, -1, -1):
        if owners[queue] >= 0:
            own_queue[owners[queue]] = queue
    waiting = np.zeros(len(owners), dtype=np.int32)
    counts_service = reading.queue_length is QueueLength.IN_SYSTEM
    lengths = np.zeros_like(waiting) if counts_service else waiting
    is_live = reading.routing_view is RoutingView.LIVE
    options = np.zeros(len(Option), dtype=np.int64)
    options[Option.SLOTS], options[Option.WARMUP] = slots, warmup
    options[Option.COUNTS_SERVICE], options[Option.IS_LIVE] = counts_service, is_live
    options[Option.BY_REPLICA] = reading.service_tier is ServiceTier.REPLICA
    options[Option.ORDER] = _ORDERS[reading.dispatch_order]
    options[Option.TIE_BREAK] = tie_break_code(reading.tie_break)
    options[Option.LOGS], options[Option.LOOK_EVERY] = logs, look_every
    bound = system.workload.bound
    options[Option.BOUND] = -1 if bound is None else bound
    above = policy.longest_above(cluster.rates)
    constants = policy.constants(cluster.rates) or (0.0,)
    n_events = N_EVENTS + 16 * n_servers if logs or look_every else 0
    n_looks = min(N_EVENTS, LOOK_NUMBERS // len(owners) + 1) if look_every else 0
    return {
        "key_low": np.uint64(key.low),
        "key_high": np.uint64(key.high),
        "options": options,
        "counters": np.zeros(len(Counter), dtype=np.int64),
        "above": float(above),
        "constants": np.array(constants, dtype=np.float64),
        "rates": np.array(cluster.rates, dtype=np.float64),
        "owners": owners,
        "own_queue": own_queue,
        "groups": np.ascontiguousarray(cluster.groups.ravel(), dtype=index),
        "waiting": waiting,
        "lengths": lengths,
        "seen": lengths if is_live else np.zeros_like(waiting),
        "head": np.zeros(len(waiting), dtype=index),
        "tail": np.zeros(len(waiting), dtype=index),
        "serving": np.full(n_servers, EMPTY, dtype=index),
        "ends": np.zeros(n_servers, dtype=np.int64),
        "wheel_next": np.full(n_servers, EMPTY, dtype=index),
        "wheel_head": np.full(N_WHEEL, EMPTY, dtype=index),
        "wheel_tail": np.full(N_WHEEL, EMPTY, dtype=index),
        "idle": np.zeros(n_servers, dtype=index),
        "deferred": np.zeros(n_servers, dtype=index),
        "deferred_ties": np.zeros(n_servers, dtype=np.float64),
        **_longest_arguments(cluster.groups, policy.uses_longest, index),
        "longest": np.full(n_tiers, -1, dtype=np.int64),
        "n_longest": np.zeros(n_tiers, dtype=np.int64),
        **_least_arguments(cluster.groups, policy, constants, len(owners), index),
        "words": np.zeros(N_ASKS, dtype=np.uint64),
        "asks": np.zeros(N_ASKS, dtype=index),
        "ask_ties": np.zeros(N_ASKS, dtype=np.float64),
        "completion_counts": np.zeros(N_TIMES, dtype=np.int64),
        "waiting_counts": np.zeros(N_TIMES, dtype=np.int64),
        "outliers": np.zeros((4 * n_servers + 1024, 2), dtype=np.int64),
        "starts": np.zeros(n_tiers, dtype=np.int64),
        "busy": np.zeros(n_servers, dtype=np.int64),
        "look_waiting": np.zeros((n_looks, len(owners)), dtype=np.int32),
        "look_lengths": np.zeros((n_looks, len(owners)), dtype=np.int32),
        "events": np.zeros((n_events, 7), dtype=np.int64),
    }


def _longest_arguments(
    groups: npt.NDArray[np.int64], is_used: bool, index: type[np.integer]
) -> Arguments:
    """Return the index of longest queues: groups of all tiers but the innermost, in one array."""
    n_tiers, n_servers = groups.shape
    if not is_used:
        n_tiers, n_servers = 1, 0
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
    return {
        "keys": np.zeros(n_servers, dtype=np.int32),
        "order": order.astype(index),
        "position": position,
        "bucket": group.astype(index),
        "first": np.concatenate((group_first, spare)).astype(index),
        "last": np.concatenate((group_last, spare)).astype(index),
        "bucket_key": np.zeros(n + 2, dtype=np.int32),
        "free_buckets": np.concatenate(
            ([n + 2 - n_groups], np.arange(n_groups, n + 2), [0])
        ).astype(index),
        "group_of": group.astype(index),
        "group_first": group_first.astype(index),
        "group_last": group_last.astype(index),
    }


def _least_arguments(
    groups: Array,
    policy: QueuePolicy,
    constants: Sequence[float],
    n_queues: int,
    index: type[np.integer],
) -> Arguments:
    """Return the index of least weights, of the servers while all queues are empty."""
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
    return {
        "weights": np.array(weights, dtype=np.float64),
        "n_lightest": np.array(n_lightest, dtype=index),
        "lightest": np.array(lightest, dtype=index),
        "parents": np.array(parents, dtype=index),
        "children": np.array(children, dtype=index),
        "nodes": np.array(nodes, dtype=index),
        "least": np.zeros(len(groups) if policy.uses_least else 0, dtype=np.int64),
    }


def grow_tasks(arguments: Arguments, n_needed: int, width: int) -> None:
    """Give the task pool room for more waiting tasks, or for wider replica sets.

    Parameters
    ----------
    arguments : dict
        Changed in place.
    n_needed : int
        Free rows needed.
    width : int
        Widest replica set.

    Raises
    ------
    MemoryError
        If there is no memory for that many waiting tasks.
    """
    counters = arguments["counters"]
    old = arguments.get("tasks")
    n_old, old_columns = old.shape if old is not None else (0, 0)
    n_free = int(counters[Counter.N_FREE])
    n_new = n_old
    if n_free < n_needed:
        n_new = max(N_TASKS, 2 * n_old, 1 << math.ceil(math.log2(n_old + n_needed + 1)))
    if n_new > MOST_TASKS:
        raise MemoryError(f"{n_old:,} tasks are waiting")
    n_columns = max(REPLICAS + width, old_columns)
    for name, kind, shape in (
        ("tasks", np.int64, (n_new, n_columns)),
        ("free_tasks", arguments["serving"].dtype, (n_new,)),
    ):
        grown = _aligned(shape, kind)
        if old is not None:
            kept = arguments[name]
            grown[tuple(slice(n) for n in kept.shape)] = kept
        arguments[name] = grown
    # The new rows go on the stack of free rows, the lowest on top.
    added = n_new - n_old
    arguments["free_tasks"][n_free : n_free + added] = np.arange(n_new - 1, n_old - 1, -1)
    counters[Counter.N_FREE] = n_free + added


def _aligned(shape: tuple[int, ...], kind: npt.DTypeLike) -> Array:
    """Return zeros that begin at a line of the cache: a task of three replicas then fills one."""
    kind = np.dtype(kind)
    n_bytes = math.prod(shape) * kind.itemsize
    buffer = np.zeros(n_bytes + CACHE_LINE, dtype=np.uint8)
    offset = -buffer.ctypes.data % CACHE_LINE
    return buffer[offset : offset + n_bytes].view(kind).reshape(shape)
