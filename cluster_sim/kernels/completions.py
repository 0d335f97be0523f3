"""Phase 1 of a slot: completions, by a timing wheel."""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.chosen import USES_LEAST, USES_LONGEST
from cluster_sim.kernels.keeping import log, rekey, reweigh_owner
from cluster_sim.kernels.numbers import (
    COMPLETION,
    EMPTY,
    N_EVENTS,
    N_IN_SERVICE,
    NOBODY,
    NOTHING,
)

__all__ = ["append", "complete_services"]


def append(server, turn, servers):
    """Put a server at the end of a turn of the timing wheel."""
    servers.following[server] = EMPTY
    if servers.first[turn] == EMPTY:
        servers.first[turn] = server
    else:
        servers.following[servers.last[turn]] = server
    servers.last[turn] = server


def complete_services(slot, rules, counters, queues, servers, longest, least, events):
    """Free the servers whose service ends now, in the order of starts."""
    n_completed = 0
    n_events = counters[N_EVENTS]
    turn = slot & (len(servers.first) - 1)
    server = servers.first[turn]
    servers.first[turn] = EMPTY
    while server != EMPTY:
        following = servers.following[server]
        if servers.ends[server] == slot:
            queue = np.int64(servers.serving[server])
            servers.serving[server] = EMPTY
            n_completed += 1
            if rules.counts_service:
                length = queues.lengths[queue]
                queues.lengths[queue] = length - 1
                if USES_LONGEST and length > rules.above:
                    rekey(queue, queues, rules.above, longest)
                if USES_LEAST:
                    reweigh_owner(queue, queues, rules.constants, least)
            if rules.logs:
                here = np.int64(server)
                n_events = log(
                    events, n_events, slot, COMPLETION, NOBODY, here, queue, NOBODY, NOTHING
                )
        else:  # a longer service waits for a later turn of the wheel
            append(server, turn, servers)
        server = following
    counters[N_IN_SERVICE] -= n_completed
    counters[N_EVENTS] = n_events
