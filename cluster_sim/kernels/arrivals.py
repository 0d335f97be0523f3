"""Phase 3 of a slot: arrivals."""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.chosen import GIVEN_TIMES, USES_LEAST, USES_LONGEST, route
from cluster_sim.kernels.keeping import log, rekey, reweigh_owner
from cluster_sim.kernels.numbers import (
    ARRIVAL,
    ARRIVED,
    BAD_ROUTE,
    DONE,
    EMPTY,
    ERROR_QUEUE,
    LUCK,
    LUCK_UNIT,
    N_EVENTS,
    N_FREE,
    N_WAITING,
    NEXT,
    NEXT_TASK,
    NOBODY,
    NOTHING,
    NUMBER,
    REPLICAS,
    SIZE,
)
from cluster_sim.policies.least import least_within

__all__ = ["route_arrivals"]


def find_least(replicas, tie_break, tie, least):
    """Fill in a lightest server within each tier of a chunk."""
    for tier in range(len(least.found)):
        least.found[tier] = least_within(
            least.weights,
            least.n_lightest,
            least.lightest,
            least.children,
            least.nodes,
            tier,
            replicas,
            tie_break,
            tie,
        )


def join(task, queue, is_first, size, at, slot, batch, queues, tasks):
    """Put an arrival in a row of the pool, and the row at the end of a queue."""
    tasks[task, NEXT] = EMPTY
    tasks[task, ARRIVED] = slot
    tasks[task, NUMBER] = batch.first_task + at
    tasks[task, LUCK] = np.int64(batch.lucks[at] * LUCK_UNIT)
    tasks[task, SIZE] = size
    for j in range(size):
        tasks[task, REPLICAS + j] = batch.row[j]
    if GIVEN_TIMES:
        n_needs = batch.needs.shape[1]
        for j in range(n_needs):
            tasks[task, tasks.shape[1] - n_needs + j] = batch.needs[at, j]
    if is_first:
        queues.head[queue] = task
    else:
        tasks[queues.tail[queue], NEXT] = task
    queues.tail[queue] = task
    queues.waiting[queue] += 1


def remember_lengths(queues):
    """Keep the lengths as the slot begins, for all of its arrivals to see."""
    for queue in range(len(queues.waiting)):
        queues.seen[queue] = queues.lengths[queue]


def reweigh_changed(queues, constants, least):
    """Reweigh the owners of the queues that the arrivals of a slot have joined."""
    for queue in range(len(queues.waiting)):
        if queues.seen[queue] != queues.lengths[queue]:
            reweigh_owner(queue, queues, constants, least)


def route_arrivals(slot, n_arrivals, rules, counters, batch, queues, pool, longest, least, events):
    """Let the arrivals of a slot join their queues, one after another; return a `Stop`."""
    n_queues = len(queues.waiting)
    width = batch.replicas.shape[1]
    n_free = counters[N_FREE]
    n_events = counters[N_EVENTS]
    at = counters[NEXT_TASK]
    last_task = at + n_arrivals
    server_weights = least.weights[: (len(least.weights) + 1) // 2]
    stop = DONE
    if not rules.is_live:
        remember_lengths(queues)
    while stop == DONE and at < last_task:
        size = width
        while batch.replicas[at, size - 1] < 0:
            size -= 1
        for j in range(size):
            batch.row[j] = batch.replicas[at, j]
        replicas = batch.row
        if size != width:
            replicas = batch.row[:size]
        tie = batch.ties[at]
        if USES_LEAST:
            find_least(replicas, rules.tie_break, tie, least)
        chosen = route(
            replicas,
            queues.seen,
            queues.waiting,
            least.found,
            server_weights,
            rules.constants,
            rules.tie_break,
            tie,
        )
        if chosen < 0 or chosen >= n_queues:
            counters[ERROR_QUEUE] = chosen
            stop = BAD_ROUTE
            continue
        is_first = queues.waiting[chosen] == 0  # what is no whole number does not compile as index
        queue = np.int64(chosen)
        n_free -= 1
        join(pool.free[n_free], queue, is_first, size, at, slot, batch, queues, pool.tasks)
        if rules.counts_service:
            queues.lengths[queue] += 1
        if USES_LONGEST and queues.lengths[queue] > rules.above:
            rekey(queue, queues, rules.above, longest)
        if USES_LEAST and rules.is_live:
            reweigh_owner(queue, queues, rules.constants, least)
        if rules.logs:
            number = batch.first_task + at
            n_events = log(events, n_events, slot, ARRIVAL, number, NOBODY, queue, NOBODY, NOTHING)
        at += 1
    if USES_LEAST and not rules.is_live:
        reweigh_changed(queues, rules.constants, least)
    counters[N_WAITING] += at - counters[NEXT_TASK]
    counters[N_FREE] = n_free
    counters[N_EVENTS] = n_events
    counters[NEXT_TASK] = at
    return stop
