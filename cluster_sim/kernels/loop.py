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

from cluster_sim.kernels.arrivals import route_arrivals
from cluster_sim.kernels.completions import complete_services
from cluster_sim.kernels.dispatch import dispatch_idle
from cluster_sim.kernels.keeping import log
from cluster_sim.kernels.numbers import (
    DONE,
    IN_SYSTEM_SUM,
    LOOK,
    N_BOUND_HITS,
    N_EVENTS,
    N_FREE,
    N_IN_SERVICE,
    N_LOOKS,
    N_OUTLIERS,
    N_WAITING,
    NEEDS_EVENTS,
    NEEDS_OUTLIERS,
    NEEDS_TASKS,
    NOBODY,
    NOTHING,
    SLOT,
    WAITING_SUM,
)

__all__ = ["run_slots"]


def missing_room(n_arrivals, n_servers, rules, counters, measured, buffers):
    """Return why a slot cannot be run before the driver has made room; `DONE` if it can."""
    if counters[N_FREE] < n_arrivals:
        return NEEDS_TASKS
    if counters[N_OUTLIERS] + n_servers > len(measured.outliers):
        return NEEDS_OUTLIERS
    if rules.logs and counters[N_EVENTS] + n_arrivals + 2 * n_servers >= len(buffers.events):
        return NEEDS_EVENTS
    if rules.look_every > 0 and counters[N_LOOKS] == len(buffers.look_waiting):
        return NEEDS_EVENTS
    return DONE


def observe(slot, offset, rules, counters, batch, queues, buffers):
    """Phase 2: take note of the state, and keep the queues if somebody looks."""
    n_waiting = counters[N_WAITING]
    in_system = n_waiting + counters[N_IN_SERVICE]
    batch.in_system_at[offset] = in_system
    batch.waiting_at[offset] = n_waiting
    if slot >= rules.warmup:
        counters[IN_SYSTEM_SUM] += in_system
        counters[WAITING_SUM] += n_waiting
    if rules.look_every > 0 and slot % rules.look_every == 0:
        row = counters[N_LOOKS]
        for queue in range(len(queues.waiting)):
            buffers.look_waiting[row, queue] = queues.waiting[queue]
            buffers.look_lengths[row, queue] = queues.lengths[queue]
        counters[N_LOOKS] = row + 1
        counters[N_EVENTS] = log(
            buffers.events,
            counters[N_EVENTS],
            slot,
            LOOK,
            row,
            NOBODY,
            NOBODY,
            NOBODY,
            NOTHING,
        )


def run_slots(
    rules, counters, batch, queues, servers, pool, longest, least, scratch, measured, buffers
):
    """Run the slots of a batch of arrivals.

    Parameters
    ----------
    rules : Rules
    counters : int64 array
        See `Counter`; says where to go on, and is kept up to date.
    batch : Batch
    queues : Queues
    servers : Servers
    pool : Pool
    longest : Longest
    least : Least
    scratch : Scratch
    measured : Measured
    buffers : Log

    Returns
    -------
    int
        A `Stop`.
    """
    n_servers = len(servers.serving)
    events = buffers.events
    stop = DONE
    while stop == DONE and counters[SLOT] < len(batch.counts):
        offset = counters[SLOT]
        slot = batch.first_slot + offset
        n_arrivals = batch.counts[offset]
        stop = missing_room(n_arrivals, n_servers, rules, counters, measured, buffers)
        if stop == DONE:
            if counters[N_IN_SERVICE] > 0:
                complete_services(slot, rules, counters, queues, servers, longest, least, events)
            observe(slot, offset, rules, counters, batch, queues, buffers)
            if 0 <= rules.bound <= n_arrivals:
                counters[N_BOUND_HITS] += 1
            if n_arrivals > 0:
                stop = route_arrivals(
                    slot, n_arrivals, rules, counters, batch, queues, pool, longest, least, events
                )
            if stop == DONE and counters[N_WAITING] > 0:
                stop = dispatch_idle(
                    slot,
                    rules,
                    counters,
                    queues,
                    servers,
                    pool,
                    longest,
                    least,
                    scratch,
                    measured,
                    events,
                )
            if stop == DONE:
                counters[SLOT] = offset + 1
    return stop
