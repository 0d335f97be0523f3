"""Phase 4 of a slot: dispatch."""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.asking import find_longest, next_asks, touch
from cluster_sim.kernels.chosen import (
    GIVEN_TIMES,
    TAKES_OWN_FIRST,
    USES_LEAST,
    USES_LONGEST,
    serve,
)
from cluster_sim.kernels.completions import append
from cluster_sim.kernels.keeping import log, rekey, reweigh_owner
from cluster_sim.kernels.numbers import (
    ARRIVED,
    ASKS_MASK,
    BAD_SERVE,
    DONE,
    EMPTY,
    ERROR_QUEUE,
    ERROR_SERVER,
    LOCALS_FIRST_ORDER,
    LUCK,
    LUCK_UNIT,
    N_EVENTS,
    N_FREE,
    N_IN_SERVICE,
    N_OUTLIERS,
    N_WAITING,
    NEXT,
    NOTHING_WAITS,
    NUMBER,
    REPLICAS,
    SIZE,
    START,
    TOUCHED,
)
from cluster_sim.model.service import service_time
from cluster_sim.policies.choices import NO_QUEUE

__all__ = ["dispatch_idle"]


def tier_of(task, server, queue, rules, owners, tasks):
    """Return the locality tier at which a server runs a task of the pool."""
    groups = rules.groups
    n_tiers = len(rules.rates)
    n_servers = len(groups) // n_tiers
    tier = n_tiers - 1
    if rules.by_replica or owners[queue] == server:
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


def count_start(slot, end, tier, server, arrived, rules, counters, servers, measured):
    """Count a start, and the completion that follows from it."""
    counted = min(end, rules.slots)
    if slot >= rules.warmup:
        measured.starts[tier] += 1
        servers.busy[server] += counted - slot
    elif end > rules.warmup:
        servers.busy[server] += counted - rules.warmup
    if rules.warmup <= end < rules.slots:
        if end - arrived < len(measured.completion_times):
            measured.completion_times[end - arrived] += 1
            measured.waiting_times[slot - arrived] += 1
        else:
            row = counters[N_OUTLIERS]
            measured.outliers[row, 0] = end - arrived
            measured.outliers[row, 1] = slot - arrived
            counters[N_OUTLIERS] = row + 1


def list_idle(servers, idle):
    """List the idle servers, ascending; return how many there are."""
    n_idle = np.int64(0)
    for server in range(len(servers.serving)):
        if servers.serving[server] == EMPTY:
            idle[n_idle] = server
            n_idle += 1
    return n_idle


def choose_queue(server, has_own, slot, tie, rules, queues, longest):
    """Return the queue that an idle server takes its task from, as the policy says."""
    if TAKES_OWN_FIRST and has_own:
        return np.int64(queues.own[server])
    if USES_LONGEST:
        find_longest(server, slot, rules, longest)
    queue = serve(
        server,
        queues.lengths,
        queues.waiting,
        longest.found,
        longest.n_found,
        rules.constants,
        rules.tie_break,
        tie,
    )
    if queue != queue:  # noqa: PLR0124 - never so: what is no whole number is no index to numba
        return np.int64(queues.waiting[queue])
    return np.int64(queue)


def take(queue, rules, queues, tasks, longest, least):
    """Take the first task out of a queue; return its row."""
    task = queues.head[queue]
    queues.head[queue] = np.uint32(tasks[task, NEXT])
    queues.waiting[queue] -= 1
    if USES_LONGEST and queues.lengths[queue] + 1 > rules.above:
        rekey(queue, queues, rules.above, longest)
    if USES_LEAST and not rules.counts_service:
        reweigh_owner(queue, queues, rules.constants, least)
    return task


def start_service(task, queue, server, slot, rules, queues, servers, tasks):
    """Let a server begin with a task; return the tier and the slot in which the service ends."""
    tier = tier_of(task, server, queue, rules, queues.owners, tasks)
    if GIVEN_TIMES:
        end = slot + tasks[task, tasks.shape[1] - rules.needs_at[server] + tier]
    else:
        end = slot + service_time(tasks[task, LUCK] / LUCK_UNIT, rules.rates[tier])
    servers.serving[server] = queue
    servers.ends[server] = end
    # With the sign bit masked, the compiler sees that the turn is not negative.
    append(server, end & ((len(servers.first) - 1) & 0x7FFFFFFF), servers)
    return tier, end


def dispatch_idle(
    slot, rules, counters, queues, servers, pool, longest, least, scratch, measured, events
):
    """Let the idle servers ask once each, for as long as tasks wait; return a `Stop`."""
    waiting, tasks = queues.waiting, pool.tasks
    n_queues = len(waiting)
    n_waiting = counters[N_WAITING]
    n_free = counters[N_FREE]
    n_events = counters[N_EVENTS]
    n_idle = list_idle(servers, scratch.idle)
    n_deferred, step, stop = np.int64(0), np.int64(0), DONE
    while stop == DONE and n_waiting > 0 and step < n_idle + n_deferred:
        if step < n_idle:
            if step & ASKS_MASK == 0:
                n_asks = next_asks(slot, step, n_idle, rules, scratch)
                # Kept, or the compiler would see that nobody needs it.
                counters[TOUCHED] = touch(n_asks, scratch.asks, queues, servers, tasks)
            server = scratch.asks[step & ASKS_MASK]
            tie = scratch.ask_ties[step & ASKS_MASK]
        else:
            server = scratch.deferred[step - n_idle]
            tie = scratch.deferred_ties[step - n_idle]
        own = queues.own[server]
        has_own = own >= 0 and waiting[own] > 0
        is_early = rules.order == LOCALS_FIRST_ORDER and step < n_idle and not has_own
        step += 1
        if is_early:
            scratch.deferred[n_deferred] = server
            scratch.deferred_ties[n_deferred] = tie
            n_deferred += 1
            continue
        queue = choose_queue(server, has_own, slot, tie, rules, queues, longest)
        if queue == NO_QUEUE:
            continue
        if queue < 0 or queue >= n_queues or waiting[queue] == 0:
            counters[ERROR_SERVER] = server
            counters[ERROR_QUEUE] = queue
            stop = NOTHING_WAITS if 0 <= queue < n_queues else BAD_SERVE
            continue
        task = take(queue, rules, queues, tasks, longest, least)
        n_waiting -= 1
        tier, end = start_service(task, queue, server, slot, rules, queues, servers, tasks)
        pool.free[n_free] = task
        n_free += 1
        if rules.logs:
            number, here = tasks[task, NUMBER], np.int64(server)
            n_events = log(events, n_events, slot, START, number, here, queue, tier, end - slot)
        # Everything about this task is known now, so it is counted now.
        arrived = tasks[task, ARRIVED]
        count_start(slot, end, tier, server, arrived, rules, counters, servers, measured)
    counters[N_IN_SERVICE] += counters[N_WAITING] - n_waiting
    counters[N_WAITING] = n_waiting
    counters[N_FREE] = n_free
    counters[N_EVENTS] = n_events
    return stop
