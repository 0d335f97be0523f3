"""The slot loop of the compiled engine.

It follows the slot protocol line by line like `cluster_sim.emulator`, and keeps every order that matters (completions in the order of
starts, ties, the shuffle), so that the trajectory is the same. What the scheduler and a policy decide is not written here: `route` and
`serve` are the policy's own functions, `move`, `pick` and `service_time` those that the SimPy engine calls.

The loop never allocates. Before each slot it makes sure that whatever the slot can bring has room, else it returns and asks its
driver for more; so it always stops between slots and can go on from there.
"""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.codes import Counter, Event, Option, Stop
from cluster_sim.kernels.philox import HALF, philox, uniform
from cluster_sim.model.service import service_time
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.policies.longest import move, pick
from cluster_sim.policies.priority import Priority

__all__ = ["run_slots"]

# What the driver puts in the place of these when it compiles the loop for a policy.
route, serve = Priority.route, Priority.serve
USES_LONGEST = Priority.uses_longest
TAKES_OWN_FIRST = Priority.takes_own_first

TASK, DISPATCH_ORDER, DISPATCH_TIE = 3, 4, 5  # Stream
RANDOM_ORDER, INDEX_ORDER, LOCALS_FIRST_ORDER = 0, 1, 2
EMPTY = -1

SLOT, NEXT_TASK = int(Counter.SLOT), int(Counter.TASK)
N_WAITING, N_IN_SERVICE = int(Counter.N_WAITING), int(Counter.N_IN_SERVICE)
N_FREE, N_OUTLIERS, N_EVENTS = int(Counter.N_FREE), int(Counter.N_OUTLIERS), int(Counter.N_EVENTS)
ERROR_SERVER, ERROR_QUEUE = int(Counter.ERROR_SERVER), int(Counter.ERROR_QUEUE)
SLOTS, WARMUP, COUNTS_SERVICE = int(Option.SLOTS), int(Option.WARMUP), int(Option.COUNTS_SERVICE)
IS_LIVE, BY_REPLICA, ORDER = int(Option.IS_LIVE), int(Option.BY_REPLICA), int(Option.ORDER)
TIE_BREAK, LOGS = int(Option.TIE_BREAK), int(Option.LOGS)
DONE, NEEDS_TASKS, NEEDS_OUTLIERS = int(Stop.DONE), int(Stop.NEEDS_TASKS), int(Stop.NEEDS_OUTLIERS)
NEEDS_EVENTS, BAD_ROUTE = int(Stop.NEEDS_EVENTS), int(Stop.BAD_ROUTE)
BAD_SERVE, NOTHING_WAITS = int(Stop.BAD_SERVE), int(Stop.NOTHING_WAITS)
ARRIVAL, START, COMPLETION = int(Event.ARRIVAL), int(Event.START), int(Event.COMPLETION)


def log(events, n_events, slot, kind, task, server, queue, tier):  # type: ignore[no-untyped-def]
    """Append an event to the buffer; return how many it then holds."""
    events[n_events, 0] = slot
    events[n_events, 1] = kind
    events[n_events, 2] = task
    events[n_events, 3] = server
    events[n_events, 4] = queue
    events[n_events, 5] = tier
    return n_events + 1


def tier_of(task, server, queue, by_replica, owners, replicas, sizes, groups, n_servers, n_tiers):  # type: ignore[no-untyped-def]
    """Return the locality tier at which a server runs a task of the pool."""
    if not by_replica:
        owner = owners[queue]
        if owner < 0:
            return n_tiers - 1
        for tier in range(n_tiers - 1):
            base = tier * n_servers
            if groups[base + server] == groups[base + owner]:
                return tier
        return n_tiers - 1
    n = sizes[task]
    for j in range(n):
        if replicas[task, j] == server:
            return 0
    for tier in range(1, n_tiers - 1):
        base = tier * n_servers
        here = groups[base + server]
        for j in range(n):
            if groups[base + replicas[task, j]] == here:
                return tier
    return n_tiers - 1


def rekey(  # type: ignore[no-untyped-def]
    queue,
    n_queues,
    lengths,
    waiting,
    above,
    keys,
    order,
    position,
    bucket,
    first,
    last,
    bucket_key,
    free_buckets,
    group_of,
    group_first,
    group_last,
):
    """Bring the index of longest queues up to date with one queue, at every tier."""
    key = lengths[queue] if waiting[queue] > 0 and lengths[queue] > above else 0
    if key == keys[queue]:
        return
    keys[queue] = key
    for entry in range(queue, len(order), n_queues):
        group = group_of[entry]
        move(
            order,
            position,
            bucket,
            first,
            last,
            bucket_key,
            free_buckets,
            group_first[group],
            group_last[group],
            entry,
            key,
        )


def find_longest(  # type: ignore[no-untyped-def]
    server,
    slot,
    key_low,
    key_high,
    tie_break,
    keys,
    order,
    bucket,
    first,
    last,
    bucket_key,
    group_of,
    group_last,
    groups,
    n_servers,
    longest,
    n_longest,
):
    """Fill in the longest queue within each tier of a server."""
    longest[0] = server if keys[server] > 0 else NO_QUEUE
    n_longest[0] = 1
    for tier in range(1, len(longest)):
        base = (tier - 1) * n_servers
        top = bucket[order[group_last[group_of[base + server]]]]
        if bucket_key[top] == 0:
            longest[tier] = NO_QUEUE
            n_longest[tier] = 0
            continue
        n_tied = last[top] - first[top] + 1
        n_longest[tier] = n_tied
        if n_tied == 1:
            longest[tier] = order[first[top]] - base
        else:
            _, _, w2, w3 = philox(key_low, key_high, DISPATCH_TIE, slot, server)
            entry = pick(
                order, first[top], last[top], groups, n_servers, server, tie_break, uniform(w2, w3)
            )
            longest[tier] = entry - base


def run_slots(  # type: ignore[no-untyped-def]
    key_low,
    key_high,
    first_slot,
    first_task,
    options,
    counters,
    above,
    constants,
    rates,
    counts,
    batch_replicas,
    owners,
    own_queue,
    groups,
    waiting,
    lengths,
    seen,
    head,
    tail,
    serving,
    running,
    ends,
    wheel_next,
    wheel_head,
    wheel_tail,
    idle,
    deferred,
    task_next,
    task_arrival,
    task_number,
    task_luck,
    task_replicas,
    task_size,
    free_tasks,
    keys,
    order,
    position,
    bucket,
    first,
    last,
    bucket_key,
    free_buckets,
    group_of,
    group_first,
    group_last,
    longest,
    n_longest,
    words,
    completion_counts,
    waiting_counts,
    outliers,
    starts,
    busy,
    in_system_at,
    waiting_at,
    events,
):
    """Run the slots of a batch of arrivals.

    Parameters
    ----------
    key_low, key_high : uint64
        Key of the draws.
    first_slot, first_task : int64
        Numbers of the batch's first slot and task.
    options : int64 array
        See `Option`.
    counters : int64 array
        See `Counter`; says where to go on, and is kept up to date.
    above : float64
        See `QueuePolicy.longest_above`.
    constants : float64 array
        See `QueuePolicy.constants`.
    rates : float64 array, shape (n_tiers,)
    counts : int64 array, shape (n_slots,)
        Arrivals of each slot of the batch.
    batch_replicas : int32 array, shape (n_tasks, width)
        Their replica sets, padded with -1.
    owners : int32 array, shape (n_queues,)
    own_queue : int32 array, shape (n_servers,)
    groups : int32 array, shape (n_tiers * n_servers,)
    waiting, lengths, seen : int32 array, shape (n_queues,)
        `lengths` may be `waiting`; `seen` may be `lengths` (live routing).
    head, tail : int32 array, shape (n_queues,)
        First and last waiting task, as rows of the task pool.
    serving : int32 array, shape (n_servers,)
        Queue of the task in service, -1 if idle.
    running : int64 array, shape (n_servers,)
        Number of the task in service.
    ends : int64 array, shape (n_servers,)
        Slot in which the service ends.
    wheel_next : int32 array, shape (n_servers,)
    wheel_head, wheel_tail : int32 array, shape (power of two,)
        The timing wheel: servers by end of service, modulo its size, in the order of starts.
    idle, deferred : int32 array, shape (n_servers,)
    task_next, task_arrival, task_number, task_luck, task_replicas, task_size, free_tasks
        The pool of waiting tasks, and its unused rows as a stack.
    keys : int32 array, shape (n_queues,)
        Keys of the index of longest queues, and what follows up to `group_last`: its arrays, see
        `cluster_sim.policies.longest`.
    longest, n_longest : int64 array, shape (n_tiers,)
    words : uint64 array, shape (4,)
    completion_counts, waiting_counts : int64 array
        Dense histograms.
    outliers : int64 array, shape (n, 2)
        Completion and waiting times that do not fit in them.
    starts : int64 array, shape (n_tiers,)
    busy : int64 array, shape (n_servers,)
    in_system_at, waiting_at : int64 array, shape (n_slots,)
        State at the observation points of the batch.
    events : int64 array, shape (n, 6)

    Returns
    -------
    int
        A `Stop`.
    """
    n_slots = len(counts)
    n_servers = len(serving)
    n_queues = len(waiting)
    n_tiers = len(rates)
    width = batch_replicas.shape[1]
    wheel_mask = len(wheel_head) - 1
    slots = options[SLOTS]
    warmup = options[WARMUP]
    counts_service = options[COUNTS_SERVICE] != 0
    is_live = options[IS_LIVE] != 0
    by_replica = options[BY_REPLICA] != 0
    dispatch_order = options[ORDER]
    tie_break = options[TIE_BREAK]
    logs = options[LOGS] != 0
    n_waiting = counters[N_WAITING]
    n_in_service = counters[N_IN_SERVICE]
    n_free = counters[N_FREE]
    n_outliers = counters[N_OUTLIERS]
    n_events = counters[N_EVENTS]
    next_task = counters[NEXT_TASK]
    offset = counters[SLOT]
    n_times = len(completion_counts)
    stop = DONE

    while offset < n_slots:
        slot = first_slot + offset
        n_arrivals = counts[offset]
        if n_free < n_arrivals:
            stop = NEEDS_TASKS
            break
        if n_outliers + n_servers > len(outliers):
            stop = NEEDS_OUTLIERS
            break
        if logs and n_events + n_arrivals + 2 * n_servers > len(events):
            stop = NEEDS_EVENTS
            break

        # 1. Completions, in the order of starts. A longer service waits for a later turn of the wheel.
        turn = slot & wheel_mask
        server = wheel_head[turn]
        wheel_head[turn] = EMPTY
        while server != EMPTY:
            following = wheel_next[server]
            if ends[server] == slot:
                queue = serving[server]
                serving[server] = EMPTY
                n_in_service -= 1
                if counts_service:
                    length = lengths[queue]
                    lengths[queue] = length - 1
                    if USES_LONGEST and length > above:
                        rekey(
                            queue, n_queues, lengths, waiting, above, keys, order, position, bucket, first,
                            last, bucket_key, free_buckets, group_of, group_first, group_last,
                        )  # fmt: skip
                if logs:
                    n_events = log(
                        events, n_events, slot, COMPLETION, running[server], server, queue, -1
                    )
            else:
                wheel_next[server] = EMPTY
                if wheel_head[turn] == EMPTY:
                    wheel_head[turn] = server
                else:
                    wheel_next[wheel_tail[turn]] = server
                wheel_tail[turn] = server
            server = following

        # 2. Observation point.
        in_system_at[offset] = n_waiting + n_in_service
        waiting_at[offset] = n_waiting

        # 3. Arrivals.
        if not is_live and n_arrivals > 0:
            for queue in range(n_queues):
                seen[queue] = lengths[queue]
        for _ in range(n_arrivals):
            number = first_task + next_task
            w0, w1, w2, w3 = philox(key_low, key_high, TASK, number, 0)
            size = width
            while batch_replicas[next_task, size - 1] < 0:
                size -= 1
            queue = route(
                batch_replicas[next_task, :size], seen, waiting, constants, tie_break, uniform(w2, w3)
            )
            if queue < 0 or queue >= n_queues:
                counters[ERROR_QUEUE] = queue
                counters[NEXT_TASK] = next_task
                counters[SLOT] = offset
                return BAD_ROUTE
            n_free -= 1
            task = free_tasks[n_free]
            task_next[task] = EMPTY
            task_arrival[task] = slot
            task_number[task] = number
            task_luck[task] = uniform(w0, w1)
            task_size[task] = size
            for j in range(size):
                task_replicas[task, j] = batch_replicas[next_task, j]
            if waiting[queue] == 0:
                head[queue] = task
            else:
                task_next[tail[queue]] = task
            tail[queue] = task
            waiting[queue] += 1
            if counts_service:
                lengths[queue] += 1
            if USES_LONGEST and lengths[queue] > above:
                rekey(
                    queue, n_queues, lengths, waiting, above, keys, order, position, bucket, first,
                    last, bucket_key, free_buckets, group_of, group_first, group_last,
                )  # fmt: skip
            if logs:
                n_events = log(events, n_events, slot, ARRIVAL, number, -1, queue, -1)
            next_task += 1
            n_waiting += 1

        # 4. Dispatch: the idle servers ask once each, shuffled only as far as tasks wait.
        n_idle = 0
        if n_waiting > 0:
            for server in range(n_servers):
                if serving[server] == EMPTY:
                    idle[n_idle] = server
                    n_idle += 1
        n_deferred = 0
        step = 0
        while n_waiting > 0 and step < n_idle + n_deferred:
            if step >= n_idle:
                server = deferred[step - n_idle]
                own = own_queue[server]
            else:
                server = idle[step]
                if dispatch_order != INDEX_ORDER:
                    if step & 3 == 0:
                        words[0], words[1], words[2], words[3] = philox(
                            key_low, key_high, DISPATCH_ORDER, slot, step >> 2
                        )
                    chosen = step + np.int64((words[step & 3] * np.uint64(n_idle - step)) >> HALF)
                    server = idle[chosen]
                    idle[chosen] = idle[step]
                own = own_queue[server]
                if dispatch_order == LOCALS_FIRST_ORDER and (own < 0 or waiting[own] == 0):
                    deferred[n_deferred] = server
                    n_deferred += 1
                    step += 1
                    continue
            step += 1

            if TAKES_OWN_FIRST and own >= 0 and waiting[own] > 0:
                queue = own
            else:
                if USES_LONGEST:
                    find_longest(
                        server, slot, key_low, key_high, tie_break, keys, order, bucket, first, last,
                        bucket_key, group_of, group_last, groups, n_servers, longest, n_longest,
                    )  # fmt: skip
                w0, w1, _, _ = philox(key_low, key_high, DISPATCH_TIE, slot, server)
                queue = serve(
                    server, lengths, waiting, longest, n_longest, constants, tie_break, uniform(w0, w1)
                )
                if queue == NO_QUEUE:
                    continue
                if queue < 0 or queue >= n_queues or waiting[queue] == 0:
                    counters[ERROR_SERVER] = server
                    counters[ERROR_QUEUE] = queue
                    counters[SLOT] = offset
                    return NOTHING_WAITS if 0 <= queue < n_queues else BAD_SERVE

            task = head[queue]
            head[queue] = task_next[task]
            waiting[queue] -= 1
            n_waiting -= 1
            n_in_service += 1
            if USES_LONGEST and lengths[queue] + 1 > above:
                rekey(
                    queue, n_queues, lengths, waiting, above, keys, order, position, bucket, first,
                    last, bucket_key, free_buckets, group_of, group_first, group_last,
                )  # fmt: skip
            tier = tier_of(
                task, server, queue, by_replica, owners, task_replicas, task_size, groups, n_servers, n_tiers
            )  # fmt: skip
            end = slot + service_time(task_luck[task], rates[tier])
            arrival = task_arrival[task]
            serving[server] = queue
            ends[server] = end
            turn = end & wheel_mask
            wheel_next[server] = EMPTY
            if wheel_head[turn] == EMPTY:
                wheel_head[turn] = server
            else:
                wheel_next[wheel_tail[turn]] = server
            wheel_tail[turn] = server
            free_tasks[n_free] = task
            n_free += 1
            if logs:
                running[server] = task_number[task]
                n_events = log(events, n_events, slot, START, running[server], server, queue, tier)

            # Everything about this task is known now, so it is counted now.
            if slot >= warmup:
                starts[tier] += 1
                busy[server] += min(end, slots) - slot
            elif end > warmup:
                busy[server] += min(end, slots) - warmup
            if warmup <= end < slots:
                if end - arrival < n_times:
                    completion_counts[end - arrival] += 1
                    waiting_counts[slot - arrival] += 1
                else:
                    outliers[n_outliers, 0] = end - arrival
                    outliers[n_outliers, 1] = slot - arrival
                    n_outliers += 1
        offset += 1

    counters[N_WAITING] = n_waiting
    counters[N_IN_SERVICE] = n_in_service
    counters[N_FREE] = n_free
    counters[N_OUTLIERS] = n_outliers
    counters[N_EVENTS] = n_events
    counters[NEXT_TASK] = next_task
    counters[SLOT] = offset
    return stop
