"""Keep the indexes and the log up to date."""

from __future__ import annotations

from cluster_sim.kernels.chosen import weigh
from cluster_sim.policies.least import reweigh
from cluster_sim.policies.longest import move

__all__ = ["log", "rekey", "reweigh_owner"]


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


def rekey(queue, queues, above, longest):
    """Bring the index of longest queues up to date with one queue, at every tier."""
    key = 0
    if queues.waiting[queue] > 0 and queues.lengths[queue] > above:
        key = queues.lengths[queue]
    n_queues = len(longest.keys)
    if key != longest.keys[queue]:
        longest.keys[queue] = key
        for entry in range(queue, len(longest.order), n_queues):
            group = longest.group_of[entry]
            move(
                longest.order,
                longest.position,
                longest.bucket,
                longest.first,
                longest.last,
                longest.bucket_key,
                longest.free,
                longest.group_first[group],
                longest.group_last[group],
                entry,
                key,
            )


def reweigh_owner(queue, queues, constants, least):
    """Bring the index of least weights up to date with one queue."""
    owner = queues.owners[queue]
    if owner >= 0:
        weight = float(weigh(owner, queues.lengths, constants))  # None is refused as it is compiled
        reweigh(
            least.weights,
            least.n_lightest,
            least.lightest,
            least.parents,
            least.children,
            owner,
            weight,
        )
