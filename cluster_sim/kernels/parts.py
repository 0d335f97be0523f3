"""What the kernels work on: arrays and numbers, grouped by what they are of.

An index array holds rows of other arrays, unsigned; `EMPTY` is none. The arrays are changed in
place. One that must grow is exchanged by the driver between calls, with ``_replace``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "Batch",
    "Least",
    "Log",
    "Longest",
    "Measured",
    "Pool",
    "Queues",
    "Rules",
    "Scratch",
    "Servers",
]

Index = npt.NDArray[np.integer[Any]]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


class Rules(NamedTuple):
    """What does not change in a run: the key of the draws, the frame, the readings, the cluster.

    Attributes
    ----------
    key_low, key_high : uint64
        Key of the draws.
    slots, warmup : int64
    bound : int64
        Of the arrivals in a slot; -1 for none.
    counts_service, is_live, by_replica : bool
        The readings `queue_length`, `routing_view` and `service_tier`.
    order, tie_break : int64
        The readings `dispatch_order` and `tie_break`.
    logs : bool
        Whether events are logged.
    look_every : int64
        Slots from one look at the state to the next; 0 for none.
    above : float64
        See `QueuePolicy.longest_above`.
    constants : float64 array
        See `QueuePolicy.constants`.
    rates : float64 array, shape (n_tiers,)
    groups : index array, shape (n_tiers * n_servers,)
        See `Cluster`.
    needs_at : int64 array, shape (n_servers,)
        Where a task's service times at a server begin, one a tier, counted from the end of its row
        of the pool. Empty unless times come with the tasks.
    """

    key_low: np.uint64
    key_high: np.uint64
    slots: int
    warmup: int
    bound: int
    counts_service: bool
    is_live: bool
    by_replica: bool
    order: int
    tie_break: int
    logs: bool
    look_every: int
    above: float
    constants: Floats
    rates: Floats
    groups: Index
    needs_at: Ints


class Batch(NamedTuple):
    """The arrivals of consecutive slots, and the state at their observation points.

    Attributes
    ----------
    first_slot, first_task : int64
    counts : int64 array, shape (n_slots,)
        Arrivals of each slot.
    replicas : int32 array, shape (n_tasks, width)
        Their replica sets, padded with -1.
    lucks, ties : float64 array, shape (n_tasks,)
        Their service uniforms and routing ties.
    needs : int64 array, shape (n_tasks, n_needs)
        Their service times at each speed and tier. Empty unless times come with the tasks.
    row : index array, shape (width,)
        Room for one replica set.
    in_system_at, waiting_at : int64 array, shape (n_slots,)
        Filled.
    """

    first_slot: int
    first_task: int
    counts: Ints
    replicas: Shorts
    lucks: Floats
    ties: Floats
    needs: Ints
    row: Index
    in_system_at: Ints
    waiting_at: Ints


class Queues(NamedTuple):
    """The queues; a waiting task is a row of the pool.

    Attributes
    ----------
    owners : int32 array, shape (n_queues,)
    own : int32 array, shape (n_servers,)
        The first queue of each server; -1 for none.
    waiting, lengths : int32 array, shape (n_queues,)
        `lengths` may be `waiting`.
    seen : int32 array, shape (n_queues,)
        What arrivals see; with live routing it is `lengths`.
    head, tail : index array, shape (n_queues,)
        First and last waiting task.
    """

    owners: Shorts
    own: Shorts
    waiting: Shorts
    lengths: Shorts
    seen: Shorts
    head: Index
    tail: Index


class Servers(NamedTuple):
    """The servers, and the timing wheel of their completions.

    Attributes
    ----------
    serving : index array, shape (n_servers,)
        Queue of the task in service, `EMPTY` if idle.
    ends : int64 array, shape (n_servers,)
        Slot in which the service ends.
    busy : int64 array, shape (n_servers,)
        Slots busy after the warm-up.
    following : index array, shape (n_servers,)
    first, last : index array, shape (power of two,)
        The wheel: servers by end of service, modulo its size, in the order of starts.
    """

    serving: Index
    ends: Ints
    busy: Ints
    following: Index
    first: Index
    last: Index


class Pool(NamedTuple):
    """The waiting tasks.

    Attributes
    ----------
    tasks : int64 array, shape (n_rows, `REPLICAS` + width + n_needs)
        A row each: what is known of a task lies side by side, one line of the cache.
    free : index array, shape (n_rows,)
        The unused rows, as a stack.
    """

    tasks: npt.NDArray[np.int64]
    free: Index


class Longest(NamedTuple):
    """The index of longest queues; see `cluster_sim.policies.longest`.

    Attributes
    ----------
    keys : int32 array, shape (n_queues,)
        Of each queue: its length while it is a candidate, else 0.
    order, position, bucket : index array, shape ((n_tiers - 1) * n_queues,)
        Entries of all tiers but the innermost, one after another.
    first, last : index array, shape (n_buckets,)
    bucket_key : int32 array, shape (n_buckets,)
    free : index array, shape (n_buckets + 1,)
    group_of : index array, as `order`
    group_first, group_last : index array, shape (n_groups,)
    found, n_found : int64 array, shape (n_tiers,)
        What the server that asks is told: a longest queue within each tier, and how many are as
        long.
    """

    keys: Shorts
    order: Index
    position: Index
    bucket: Index
    first: Index
    last: Index
    bucket_key: Shorts
    free: Index
    group_of: Index
    group_first: Index
    group_last: Index
    found: Ints
    n_found: Ints


class Least(NamedTuple):
    """The index of least weights; see `cluster_sim.policies.least`. No node unless it is used.

    Attributes
    ----------
    weights : float64 array, shape (n_nodes,)
        The first are those of the servers.
    n_lightest, lightest, parents : index array, shape (n_nodes,)
    children : index array, shape (2 * n_servers - 2,)
    nodes : index array, shape (n_tiers * n_servers,)
    found : int64 array, shape (n_tiers,)
        What an arrival is told: a lightest server within each tier of its chunk.
    """

    weights: Floats
    n_lightest: Index
    lightest: Index
    parents: Index
    children: Index
    nodes: Index
    found: Ints


class Scratch(NamedTuple):
    """Room for a slot's dispatch.

    Attributes
    ----------
    idle, deferred : index array, shape (n_servers,)
    deferred_ties : float64 array, shape (n_servers,)
    words : uint64 array, shape (N_ASKS,)
    asks : index array, shape (N_ASKS,)
    ask_ties : float64 array, shape (N_ASKS,)
    """

    idle: Index
    deferred: Index
    deferred_ties: Floats
    words: npt.NDArray[np.uint64]
    asks: Index
    ask_ties: Floats


class Measured(NamedTuple):
    """What is counted after the warm-up.

    Attributes
    ----------
    completion_times, waiting_times : int64 array, shape (n_times,)
        Dense histograms.
    outliers : int64 array, shape (n, 2)
        Completion and waiting times that do not fit in them.
    starts : int64 array, shape (n_tiers,)
    """

    completion_times: Ints
    waiting_times: Ints
    outliers: Ints
    starts: Ints


class Log(NamedTuple):
    """Buffers of what observers are told and shown.

    Attributes
    ----------
    events : int64 array, shape (n, 7)
        Slot, `Event`, task, server, queue, tier, service.
    look_waiting, look_lengths : int32 array, shape (n_rows, n_queues)
        The queues at those observation points that somebody looks at.
    """

    events: Ints
    look_waiting: Shorts
    look_lengths: Shorts
