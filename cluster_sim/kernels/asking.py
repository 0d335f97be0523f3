"""Who asks for work next in a slot, and what lies ready for those who ask."""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.chosen import READS_TIE
from cluster_sim.kernels.numbers import (
    ARRIVED,
    DISPATCH_ORDER,
    DISPATCH_TIE,
    INDEX_ORDER,
)
from cluster_sim.kernels.philox import HALF, philox, uniform
from cluster_sim.policies.choices import NO_QUEUE, UNIFORMLY
from cluster_sim.policies.longest import pick

__all__ = ["find_longest", "next_asks", "touch"]


def next_asks(slot, step, n_idle, rules, scratch):
    """Decide who asks in the next steps, and draw their ties; return how many these are.

    Many at once, so that the processor draws side by side.
    """
    idle, asks, words = scratch.idle, scratch.asks, scratch.words
    is_shuffled = rules.order != INDEX_ORDER
    if is_shuffled:
        for i in range(len(words) >> 2):
            w0, w1, w2, w3 = philox(
                rules.key_low, rules.key_high, DISPATCH_ORDER, slot, (step >> 2) + i
            )
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
            w0, w1, _, _ = philox(
                rules.key_low, rules.key_high, DISPATCH_TIE, slot, np.int64(asks[i])
            )
            scratch.ask_ties[i] = uniform(w0, w1)
    return n


def touch(n, asks, queues, servers, tasks):
    """Read something of all that the next asks are likely to need; what, does not matter.

    The processor waits for these places of memory side by side, and finds them near when their turn
    comes: with 100,000 servers a task takes a quarter less time.
    """
    read = 0
    for i in range(n):
        server = asks[i]
        own = queues.own[server]
        if own >= 0 and queues.waiting[own] > 0:
            read += tasks[queues.head[own], ARRIVED]
        read += servers.ends[server] + servers.busy[server]
    return read


def find_longest(server, slot, rules, longest):
    """Fill in the longest queue within each tier of a server."""
    n_servers = len(longest.keys)
    own = NO_QUEUE
    if longest.keys[server] > 0:
        own = server
    longest.found[0] = own
    longest.n_found[0] = 1
    for tier in range(1, len(longest.found)):
        base = (tier - 1) * n_servers
        group = longest.group_of[base + server]
        top = longest.bucket[longest.order[longest.group_last[group]]]
        found = NO_QUEUE
        n_tied = 0
        if longest.bucket_key[top] > 0:
            first, last = longest.first[top], longest.last[top]
            n_tied = last - first + 1
            found = longest.order[first] - base
            if n_tied > 1:
                _, _, w2, w3 = philox(rules.key_low, rules.key_high, DISPATCH_TIE, slot, server)
                tie = uniform(w2, w3)
                if rules.tie_break == UNIFORMLY:
                    found = longest.order[first + int(tie * n_tied)] - base
                else:
                    found = (
                        pick(
                            longest.order,
                            first,
                            last,
                            rules.groups,
                            n_servers,
                            server,
                            rules.tie_break,
                            tie,
                        )
                        - base
                    )
        longest.found[tier] = found
        longest.n_found[tier] = n_tied
