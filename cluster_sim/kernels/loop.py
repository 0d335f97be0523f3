"""The slot loop of the compiled engine.

It follows the slot protocol line by line like `cluster_sim.emulator`, and keeps every order that
matters (completions in the order of starts, ties, the shuffle), so that the trajectory is the same.
What the scheduler and a policy decide is not written here: `route`, `serve` and `weigh` are the
policy's own functions, `move`, `pick`, `reweigh`, `least_within` and `service_time` those that the
SimPy engine calls.

The loop never allocates. Before each slot it makes sure that whatever the slot can bring has room,
else it returns and asks its driver for more; so it always stops between slots and can go on from
there.
"""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.codes import Counter, Event, Option, Stop
from cluster_sim.kernels.philox import HALF, philox, uniform
from cluster_sim.model.service import service_time
from cluster_sim.policies.choices import NO_QUEUE, UNIFORMLY
from cluster_sim.policies.least import least_within, reweigh
from cluster_sim.policies.longest import move, pick
from cluster_sim.policies.priority import Priority

__all__ = ["run_slots"]

# What the driver puts in the place of these when it compiles the loop for a policy.
route, serve, weigh = Priority.route, Priority.serve, Priority.weigh
USES_LONGEST = Priority.uses_longest
USES_LEAST = Priority.uses_least
TAKES_OWN_FIRST = Priority.takes_own_first
READS_TIE = False

DISPATCH_ORDER, DISPATCH_TIE = 4, 5  # Stream
RANDOM_ORDER, INDEX_ORDER, LOCALS_FIRST_ORDER = 0, 1, 2
EMPTY = 2**32 - 1  # no row; rows are unsigned, since numba tests the sign of others at each use
N_ASKS = 32  # asks drawn at once
# Columns of a task of the pool: what is known of it lies side by side, one line of the cache.
NEXT, ARRIVED, NUMBER, LUCK, SIZE, REPLICAS = range(6)
LUCK_UNIT = 2.0**53  # a uniform has 53 bits, so it is kept as a whole number
ASKS_MASK = N_ASKS - 1

SLOT, NEXT_TASK = int(Counter.SLOT), int(Counter.TASK)
N_WAITING, N_IN_SERVICE = int(Counter.N_WAITING), int(Counter.N_IN_SERVICE)
N_FREE, N_OUTLIERS, N_EVENTS = int(Counter.N_FREE), int(Counter.N_OUTLIERS), int(Counter.N_EVENTS)
ERROR_SERVER, ERROR_QUEUE = int(Counter.ERROR_SERVER), int(Counter.ERROR_QUEUE)
IN_SYSTEM_SUM, WAITING_SUM = int(Counter.IN_SYSTEM_SUM), int(Counter.WAITING_SUM)
N_BOUND_HITS, BOUND = int(Counter.N_BOUND_HITS), int(Option.BOUND)
SLOTS, WARMUP, COUNTS_SERVICE = int(Option.SLOTS), int(Option.WARMUP), int(Option.COUNTS_SERVICE)
IS_LIVE, BY_REPLICA, ORDER = int(Option.IS_LIVE), int(Option.BY_REPLICA), int(Option.ORDER)
TIE_BREAK, LOGS = int(Option.TIE_BREAK), int(Option.LOGS)
LOOK_EVERY, N_LOOKS = int(Option.LOOK_EVERY), int(Counter.N_LOOKS)
TOUCHED = int(Counter.TOUCHED)
DONE, NEEDS_TASKS, NEEDS_OUTLIERS = int(Stop.DONE), int(Stop.NEEDS_TASKS), int(Stop.NEEDS_OUTLIERS)
NEEDS_EVENTS, BAD_ROUTE = int(Stop.NEEDS_EVENTS), int(Stop.BAD_ROUTE)
BAD_SERVE, NOTHING_WAITS = int(Stop.BAD_SERVE), int(Stop.NOTHING_WAITS)
ARRIVAL, START, COMPLETION = int(Event.ARRIVAL), int(Event.START), int(Event.COMPLETION)
LOOK = int(Event.LOOK)


def log(events, n_events, slot, kind, task, server, queue, tier, service):
    """Append an event to the buffer; return how many it then holds."""
    events[n_events, 0] = slot
    events[n_events, 1] = kind
    events[n_events, 2] = task
    events[n_events, 3] = server
    events[n_events, 4] = queue
    events[n_events, 5] = tier
    events[n_events, 6] = service
    return n_events + 1


def append(server, turn, wheel_next, wheel_head, wheel_tail):
    """Put a server at the end of a turn of the timing wheel."""
    wheel_next[server] = EMPTY
    if wheel_head[turn] == EMPTY:
        wheel_head[turn] = server
    else:
        wheel_next[wheel_tail[turn]] = server
    wheel_tail[turn] = server


def tier_of(task, server, queue, by_replica, owners, tasks, groups, rates):
    """Return the locality tier at which a server runs a task of the pool."""
    n_tiers = len(rates)
    n_servers = len(groups) // n_tiers
    tier = n_tiers - 1
    if by_replica or owners[queue] == server:
        # Outside in: the last tier found is the nearest. Tier 0 groups are the servers themselves.
        for nearer in range(n_tiers - 2, -1, -1):
            base = nearer * n_servers
            here = groups[base + server]
            for j in range(REPLICAS, REPLICAS + tasks[task, SIZE]):
                if groups[base + np.uint32(tasks[task, j])] == here:
                    tier = nearer
    elif owners[queue] >= 0:
        for nearer in range(n_tiers - 2, -1, -1):
            base = nearer * n_servers
            if groups[base + server] == groups[base + owners[queue]]:
                tier = nearer
    return tier


def rekey(
    queue,
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
    key = 0
    if waiting[queue] > 0 and lengths[queue] > above:
        key = lengths[queue]
    if key != keys[queue]:
        keys[queue] = key
        for entry in range(queue, len(order), len(keys)):
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


def reweigh_owner(
    queue, lengths, constants, owners, weights, n_lightest, lightest, parents, children
):
    """Bring the index of least weights up to date with one queue."""
    owner = owners[queue]
    if owner >= 0:
        weight = float(weigh(owner, lengths, constants))  # None is refused as it is compiled
        reweigh(weights, n_lightest, lightest, parents, children, owner, weight)


def next_asks(key_low, key_high, slot, step, n_idle, is_shuffled, idle, words, asks, ask_ties):
    """Decide who asks in the next steps, and draw their ties; return how many these are.

    Many at once, so that the processor draws side by side.
    """
    if is_shuffled:
        for i in range(len(words) >> 2):
            w0, w1, w2, w3 = philox(key_low, key_high, DISPATCH_ORDER, slot, (step >> 2) + i)
            words[4 * i] = w0
            words[4 * i + 1] = w1
            words[4 * i + 2] = w2
            words[4 * i + 3] = w3
    n = min(len(asks), n_idle - step)
    for i in range(n):
        here = step + i
        if is_shuffled:  # one step of Fisher-Yates from the front
            chosen = here + np.int64((words[i] * np.uint64(n_idle - here)) >> HALF)
            server = idle[chosen]
            idle[chosen] = idle[here]
            asks[i] = server
        else:
            asks[i] = idle[here]
    if READS_TIE:
        for i in range(n):
            w0, w1, _, _ = philox(key_low, key_high, DISPATCH_TIE, slot, asks[i])
            ask_ties[i] = uniform(w0, w1)
    return n


def touch(asks, n, own_queue, waiting, head, tasks, ends, busy):
    """Read something of all that the next asks are likely to need; what, does not matter.

    The processor waits for these places of memory side by side, and finds them near when their turn
    comes: with 100,000 servers a task takes a quarter less time.
    """
    read = 0
    for i in range(n):
        server = asks[i]
        own = own_queue[server]
        if own >= 0 and waiting[own] > 0:
            read += tasks[head[own], ARRIVED]
        read += ends[server] + busy[server]
    return read


def find_longest(
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
    own = NO_QUEUE
    if keys[server] > 0:
        own = server
    longest[0] = own
    n_longest[0] = 1
    for tier in range(1, len(longest)):
        base = (tier - 1) * n_servers
        top = bucket[order[group_last[group_of[base + server]]]]
        found = NO_QUEUE
        n_tied = 0
        if bucket_key[top] > 0:
            n_tied = last[top] - first[top] + 1
            found = order[first[top]] - base
            if n_tied > 1:
                _, _, w2, w3 = philox(key_low, key_high, DISPATCH_TIE, slot, server)
                tie = uniform(w2, w3)
                if tie_break == UNIFORMLY:
                    found = order[first[top] + int(tie * n_tied)] - base
                else:
                    found = (
                        pick(
                            order, first[top], last[top], groups, n_servers, server, tie_break, tie
                        )
                        - base
                    )
        longest[tier] = found
        n_longest[tier] = n_tied


def complete_services(
    slot, counters, counts_service, logs, above, constants, owners, waiting, lengths, serving, ends,
    wheel_next, wheel_head, wheel_tail, keys, order, position, bucket, first, last, bucket_key,
    free_buckets, group_of, group_first, group_last, weights, n_lightest, lightest, parents,
    children, events,
):  # fmt: skip
    """Phase 1: free the servers whose service ends now, in the order of starts."""
    n_completed = 0
    n_events = counters[N_EVENTS]
    turn = slot & (len(wheel_head) - 1)
    server = wheel_head[turn]
    wheel_head[turn] = EMPTY
    while server != EMPTY:
        following = wheel_next[server]
        if ends[server] == slot:
            queue = serving[server]
            serving[server] = EMPTY
            n_completed += 1
            if counts_service:
                length = lengths[queue]
                lengths[queue] = length - 1
                if USES_LONGEST and length > above:
                    rekey(
                        queue, lengths, waiting, above, keys, order, position, bucket, first, last,
                        bucket_key, free_buckets, group_of, group_first, group_last,
                    )  # fmt: skip
                if USES_LEAST:
                    reweigh_owner(
                        queue, lengths, constants, owners, weights, n_lightest, lightest, parents,
                        children,
                    )  # fmt: skip
            if logs:
                n_events = log(events, n_events, slot, COMPLETION, -1, server, queue, -1, 0)
        else:  # a longer service waits for a later turn of the wheel
            append(server, turn, wheel_next, wheel_head, wheel_tail)
        server = following
    counters[N_IN_SERVICE] -= n_completed
    counters[N_EVENTS] = n_events


def look(slot, counters, waiting, lengths, look_waiting, look_lengths, events):
    """Phase 2: keep the queues as they are now."""
    row = counters[N_LOOKS]
    for queue in range(len(waiting)):
        look_waiting[row, queue] = waiting[queue]
        look_lengths[row, queue] = lengths[queue]
    counters[N_LOOKS] = row + 1
    counters[N_EVENTS] = log(events, counters[N_EVENTS], slot, LOOK, row, -1, -1, -1, 0)


def route_arrivals(
    slot, n_arrivals, first_task, counters, counts_service, is_live, logs, tie_break, above,
    constants, batch_replicas, lucks, ties, row, owners, waiting, lengths, seen, head, tail, tasks,
    free_tasks, keys, order, position, bucket, first, last, bucket_key, free_buckets, group_of,
    group_first, group_last, weights, n_lightest, lightest, parents, children, nodes, least, events,
):  # fmt: skip
    """Phase 3: let the arrivals of a slot join their queues, one after another; return a `Stop`."""
    n_queues = len(waiting)
    width = batch_replicas.shape[1]
    n_free = counters[N_FREE]
    n_events = counters[N_EVENTS]
    next_task = counters[NEXT_TASK]
    last_task = next_task + n_arrivals
    server_weights = weights[: (len(weights) + 1) // 2]
    stop = DONE
    if not is_live:
        for queue in range(n_queues):
            seen[queue] = lengths[queue]
    while stop == DONE and next_task < last_task:
        size = width
        while batch_replicas[next_task, size - 1] < 0:
            size -= 1
        for j in range(size):
            row[j] = batch_replicas[next_task, j]
        replicas = row
        if size != width:
            replicas = row[:size]
        tie = ties[next_task]
        if USES_LEAST:
            for tier in range(len(least)):
                least[tier] = least_within(
                    weights, n_lightest, lightest, children, nodes, tier, replicas, tie_break, tie
                )
        queue = route(replicas, seen, waiting, least, server_weights, constants, tie_break, tie)
        if queue < 0 or queue >= n_queues:
            counters[ERROR_QUEUE] = queue
            stop = BAD_ROUTE
        else:
            n_free -= 1
            task = free_tasks[n_free]
            tasks[task, NEXT] = EMPTY
            tasks[task, ARRIVED] = slot
            tasks[task, NUMBER] = first_task + next_task
            tasks[task, LUCK] = np.int64(lucks[next_task] * LUCK_UNIT)
            tasks[task, SIZE] = size
            for j in range(size):
                tasks[task, REPLICAS + j] = row[j]
            if waiting[queue] == 0:
                head[queue] = task
            else:
                tasks[tail[queue], NEXT] = task
            tail[queue] = task
            waiting[queue] += 1
            if counts_service:
                lengths[queue] += 1
            if USES_LONGEST and lengths[queue] > above:
                rekey(
                    queue, lengths, waiting, above, keys, order, position, bucket, first, last,
                    bucket_key, free_buckets, group_of, group_first, group_last,
                )  # fmt: skip
            if USES_LEAST and is_live:
                reweigh_owner(
                    queue, lengths, constants, owners, weights, n_lightest, lightest, parents,
                    children,
                )  # fmt: skip
            if logs:
                n_events = log(
                    events, n_events, slot, ARRIVAL, first_task + next_task, -1, queue, -1, 0
                )
            next_task += 1
    if USES_LEAST and not is_live:
        for queue in range(n_queues):
            if seen[queue] != lengths[queue]:
                reweigh_owner(
                    queue, lengths, constants, owners, weights, n_lightest, lightest, parents,
                    children,
                )  # fmt: skip
    counters[N_WAITING] += next_task - counters[NEXT_TASK]
    counters[N_FREE] = n_free
    counters[N_EVENTS] = n_events
    counters[NEXT_TASK] = next_task
    return stop


def dispatch_idle(
    key_low, key_high, slot, slots, warmup, counters, counts_service, by_replica, dispatch_order,
    tie_break, logs, above, constants, rates, owners, own_queue, groups, waiting, lengths, head,
    serving, ends, wheel_next, wheel_head, wheel_tail, idle, deferred, deferred_ties, words, asks,
    ask_ties, tasks, free_tasks, keys, order, position, bucket, first, last, bucket_key,
    free_buckets, group_of, group_first, group_last, longest, n_longest, weights, n_lightest,
    lightest, parents, children, completion_counts, waiting_counts, outliers, starts, busy, events,
):  # fmt: skip
    """Phase 4: let the idle servers ask once each, for as long as tasks wait; return a `Stop`."""
    n_servers = len(serving)
    n_queues = len(waiting)
    n_times = len(completion_counts)
    wheel_mask = (len(wheel_head) - 1) & 0x7FFFFFFF
    n_waiting = counters[N_WAITING]
    n_free = counters[N_FREE]
    n_outliers = counters[N_OUTLIERS]
    n_events = counters[N_EVENTS]
    n_idle = 0
    for server in range(n_servers):
        if serving[server] == EMPTY:
            idle[n_idle] = server
            n_idle += 1
    n_deferred = 0
    step = 0
    stop = DONE
    while stop == DONE and n_waiting > 0 and step < n_idle + n_deferred:
        if step < n_idle:
            if step & ASKS_MASK == 0:
                n_asks = next_asks(
                    key_low, key_high, slot, step, n_idle, dispatch_order != INDEX_ORDER, idle,
                    words, asks, ask_ties,
                )  # fmt: skip
                # Kept, or the compiler would see that nobody needs it.
                counters[TOUCHED] = touch(asks, n_asks, own_queue, waiting, head, tasks, ends, busy)
            server = asks[step & ASKS_MASK]
            tie = ask_ties[step & ASKS_MASK]
        else:
            server = deferred[step - n_idle]
            tie = deferred_ties[step - n_idle]
        own = own_queue[server]
        has_own = own >= 0 and waiting[own] > 0
        is_early = dispatch_order == LOCALS_FIRST_ORDER and step < n_idle and not has_own
        step += 1
        if is_early:
            deferred[n_deferred] = server
            deferred_ties[n_deferred] = tie
            n_deferred += 1
            continue

        if TAKES_OWN_FIRST and has_own:
            queue = own
        else:
            if USES_LONGEST:
                find_longest(
                    server, slot, key_low, key_high, tie_break, keys, order, bucket, first, last,
                    bucket_key, group_of, group_last, groups, n_servers, longest, n_longest,
                )  # fmt: skip
            queue = serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie)
            if queue == NO_QUEUE:
                continue
            if queue < 0 or queue >= n_queues or waiting[queue] == 0:
                counters[ERROR_SERVER] = server
                counters[ERROR_QUEUE] = queue
                stop = NOTHING_WAITS if 0 <= queue < n_queues else BAD_SERVE
                continue

        task = head[queue]
        head[queue] = np.uint32(tasks[task, NEXT])
        waiting[queue] -= 1
        n_waiting -= 1
        if USES_LONGEST and lengths[queue] + 1 > above:
            rekey(
                queue, lengths, waiting, above, keys, order, position, bucket, first, last,
                bucket_key, free_buckets, group_of, group_first, group_last,
            )  # fmt: skip
        if USES_LEAST and not counts_service:
            reweigh_owner(
                queue, lengths, constants, owners, weights, n_lightest, lightest, parents, children
            )
        tier = tier_of(task, server, queue, by_replica, owners, tasks, groups, rates)
        end = slot + service_time(tasks[task, LUCK] / LUCK_UNIT, rates[tier])
        serving[server] = queue
        ends[server] = end
        append(server, end & wheel_mask, wheel_next, wheel_head, wheel_tail)
        free_tasks[n_free] = task
        n_free += 1
        if logs:
            number = tasks[task, NUMBER]
            n_events = log(events, n_events, slot, START, number, server, queue, tier, end - slot)

        # Everything about this task is known now, so it is counted now.
        if slot >= warmup:
            starts[tier] += 1
            busy[server] += min(end, slots) - slot
        elif end > warmup:
            busy[server] += min(end, slots) - warmup
        if warmup <= end < slots:
            arrival = tasks[task, ARRIVED]
            if end - arrival < n_times:
                completion_counts[end - arrival] += 1
                waiting_counts[slot - arrival] += 1
            else:
                outliers[n_outliers, 0] = end - arrival
                outliers[n_outliers, 1] = slot - arrival
                n_outliers += 1
    counters[N_IN_SERVICE] += counters[N_WAITING] - n_waiting
    counters[N_WAITING] = n_waiting
    counters[N_FREE] = n_free
    counters[N_OUTLIERS] = n_outliers
    counters[N_EVENTS] = n_events
    return stop


def run_slots(
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
    lucks,
    ties,
    owners,
    own_queue,
    groups,
    waiting,
    lengths,
    seen,
    head,
    tail,
    serving,
    ends,
    wheel_next,
    wheel_head,
    wheel_tail,
    idle,
    deferred,
    deferred_ties,
    tasks,
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
    weights,
    n_lightest,
    lightest,
    parents,
    children,
    nodes,
    least,
    words,
    asks,
    ask_ties,
    row,
    completion_counts,
    waiting_counts,
    outliers,
    starts,
    busy,
    in_system_at,
    waiting_at,
    look_waiting,
    look_lengths,
    events,
):
    """Run the slots of a batch of arrivals.

    An index array holds rows of other arrays, unsigned; `EMPTY` is none.

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
    lucks, ties : float64 array, shape (n_tasks,)
        Their service uniforms and routing ties.
    owners : int32 array, shape (n_queues,)
    own_queue : int32 array, shape (n_servers,)
    groups : index array, shape (n_tiers * n_servers,)
    waiting, lengths, seen : int32 array, shape (n_queues,)
        `lengths` may be `waiting`; `seen` may be `lengths` (live routing).
    head, tail : index array, shape (n_queues,)
        First and last waiting task, as rows of the task pool.
    serving : index array, shape (n_servers,)
        Queue of the task in service, `EMPTY` if idle.
    ends : int64 array, shape (n_servers,)
        Slot in which the service ends.
    wheel_next : index array, shape (n_servers,)
    wheel_head, wheel_tail : index array, shape (power of two,)
        The timing wheel: servers by end of service, modulo its size, in the order of starts.
    idle, deferred : index array, shape (n_servers,)
    deferred_ties : float64 array, shape (n_servers,)
    tasks : int64 array, shape (n_rows, `REPLICAS` + width)
        The pool of waiting tasks, a row each.
    free_tasks : index array, shape (n_rows,)
        Its unused rows, as a stack.
    keys : int32 array, shape (n_queues,)
        Keys of the index of longest queues, and what follows up to `group_last`: its arrays, see
        `cluster_sim.policies.longest`.
    longest, n_longest : int64 array, shape (n_tiers,)
    weights : float64 array, shape (n_nodes,)
        The index of least weights, and what follows up to `nodes`: its arrays, see
        `cluster_sim.policies.least`. The first are those of the servers. No node unless it is used.
    least : int64 array, shape (n_tiers,)
    words : uint64 array, shape (N_ASKS,)
    asks : index array, shape (N_ASKS,)
    ask_ties : float64 array, shape (N_ASKS,)
    completion_counts, waiting_counts : int64 array
        Dense histograms.
    outliers : int64 array, shape (n, 2)
        Completion and waiting times that do not fit in them.
    starts : int64 array, shape (n_tiers,)
    busy : int64 array, shape (n_servers,)
    in_system_at, waiting_at : int64 array, shape (n_slots,)
        State at the observation points of the batch.
    look_waiting, look_lengths : int32 array, shape (n_rows, n_queues)
        The queues at those observation points that somebody looks at.
    events : int64 array, shape (n, 7)

    Returns
    -------
    int
        A `Stop`.
    """
    n_slots = len(counts)
    n_servers = len(serving)
    slots = options[SLOTS]
    warmup = options[WARMUP]
    bound = options[BOUND]
    counts_service = options[COUNTS_SERVICE] != 0
    logs = options[LOGS] != 0
    look_every = options[LOOK_EVERY]
    stop = DONE
    while stop == DONE and counters[SLOT] < n_slots:
        offset = counters[SLOT]
        slot = first_slot + offset
        n_arrivals = counts[offset]
        if counters[N_FREE] < n_arrivals:
            stop = NEEDS_TASKS
        elif counters[N_OUTLIERS] + n_servers > len(outliers):
            stop = NEEDS_OUTLIERS
        elif (logs and counters[N_EVENTS] + n_arrivals + 2 * n_servers >= len(events)) or (
            look_every > 0 and counters[N_LOOKS] == len(look_waiting)
        ):
            stop = NEEDS_EVENTS
        else:
            if counters[N_IN_SERVICE] > 0:
                complete_services(
                    slot, counters, counts_service, logs, above, constants, owners, waiting,
                    lengths, serving, ends, wheel_next, wheel_head, wheel_tail, keys, order,
                    position, bucket, first, last, bucket_key, free_buckets, group_of, group_first,
                    group_last, weights, n_lightest, lightest, parents, children, events,
                )  # fmt: skip
            in_system = counters[N_WAITING] + counters[N_IN_SERVICE]
            in_system_at[offset] = in_system
            waiting_at[offset] = counters[N_WAITING]
            if slot >= warmup:
                counters[IN_SYSTEM_SUM] += in_system
                counters[WAITING_SUM] += counters[N_WAITING]
            if look_every > 0 and slot % look_every == 0:
                look(slot, counters, waiting, lengths, look_waiting, look_lengths, events)
            if 0 <= bound <= n_arrivals:
                counters[N_BOUND_HITS] += 1
            if n_arrivals > 0:
                stop = route_arrivals(
                    slot, n_arrivals, first_task, counters, counts_service, options[IS_LIVE] != 0,
                    logs, options[TIE_BREAK], above, constants, batch_replicas, lucks, ties, row,
                    owners, waiting, lengths, seen, head, tail, tasks, free_tasks, keys, order,
                    position, bucket, first, last, bucket_key, free_buckets, group_of, group_first,
                    group_last, weights, n_lightest, lightest, parents, children, nodes, least,
                    events,
                )  # fmt: skip
            if stop == DONE and counters[N_WAITING] > 0:
                stop = dispatch_idle(
                    key_low, key_high, slot, slots, warmup, counters, counts_service,
                    options[BY_REPLICA] != 0, options[ORDER], options[TIE_BREAK], logs, above,
                    constants, rates, owners, own_queue, groups, waiting, lengths, head, serving,
                    ends, wheel_next, wheel_head, wheel_tail, idle, deferred, deferred_ties, words,
                    asks, ask_ties, tasks, free_tasks, keys, order, position, bucket, first, last,
                    bucket_key, free_buckets, group_of, group_first, group_last, longest, n_longest,
                    weights, n_lightest, lightest, parents, children, completion_counts,
                    waiting_counts, outliers, starts, busy, events,
                )  # fmt: skip
            if stop == DONE:
                counters[SLOT] = offset + 1
    return stop
