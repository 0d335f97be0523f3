"""The two decisions of each policy, as probability distributions over queues."""

from __future__ import annotations

from collections.abc import Sequence

from exact.system import TinySystem

Choice = tuple[tuple[int, float], ...]
"""Queues with their probabilities; empty where no queue is chosen."""


def uniformly(queues: Sequence[int]) -> Choice:
    """Choose any of the queues with equal probability."""
    return tuple((queue, 1 / len(queues)) for queue in queues)


def queue_joined(system: TinySystem, replicas: tuple[int, ...], lengths: Sequence[int]) -> Choice:
    """Return where an arriving task waits, given the queue lengths that it sees."""
    if system.policy == "fifo":
        return ((0, 1.0),)
    if system.policy == "random-local":
        return uniformly(replicas)
    common = (system.n_servers,) if system.policy == "jsq-maxweight" else ()
    candidates = (*sorted(replicas), *common)
    shortest = min(lengths[queue] for queue in candidates)
    tied = [queue for queue in candidates if lengths[queue] == shortest]
    if system.tie_break == "index":
        return ((tied[0], 1.0),)
    if system.tie_break == "local":
        return uniformly([queue for queue in tied if queue in replicas] or tied)
    return uniformly(tied)


def queue_served(
    system: TinySystem, server: int, *, waiting: Sequence[int], lengths: Sequence[int]
) -> Choice:
    """Return the queue an idle server takes the head of, given the state at its turn."""
    if system.policy == "priority":
        return _priority(system, server, waiting, lengths)
    if system.policy == "jsq-maxweight":
        return _own_or_common(system, server, waiting, lengths)
    if system.policy == "maxweight":
        return _largest_weight(system, server, waiting, lengths)
    queue = 0 if system.policy == "fifo" else server
    return ((queue, 1.0),) if waiting[queue] else ()


def _priority(
    system: TinySystem, server: int, waiting: Sequence[int], lengths: Sequence[int]
) -> Choice:
    if waiting[server]:
        return ((server, 1.0),)
    candidates = [queue for queue, n in enumerate(waiting) if n]
    longest = max((lengths[queue] for queue in candidates), default=0)
    if not candidates or not longest > system.threshold:
        return ()
    return _break_tie(system, server, [q for q in candidates if lengths[q] == longest])


def _largest_weight(
    system: TinySystem, server: int, waiting: Sequence[int], lengths: Sequence[int]
) -> Choice:
    candidates = [queue for queue, n in enumerate(waiting) if n]
    weights = {q: system.integer_rates[system.tier(server, (q,))] * lengths[q] for q in candidates}
    largest = max(weights.values(), default=0)
    return _break_tie(system, server, [q for q in candidates if weights[q] == largest])


def _own_or_common(
    system: TinySystem, server: int, waiting: Sequence[int], lengths: Sequence[int]
) -> Choice:
    common = system.n_servers
    with_work = [queue for queue in (server, common) if waiting[queue]]
    if len(with_work) < 2:
        # Whatever the weights say: the queue without a waiting task gives way to the other.
        return uniformly(with_work)
    own_weight = system.integer_rates[0] * lengths[server]
    common_weight = system.integer_rates[-1] * lengths[common]
    if own_weight == common_weight and system.tie_break == "random":
        return uniformly(with_work)
    return ((server if own_weight >= common_weight else common, 1.0),)


def _break_tie(system: TinySystem, server: int, tied: Sequence[int]) -> Choice:
    """Choose among equally good local queues, which stand in ascending order."""
    if not tied:
        return ()
    if system.tie_break == "index":
        return ((tied[0], 1.0),)
    if system.tie_break == "local":
        nearest = min(system.tier(server, (queue,)) for queue in tied)
        return uniformly([q for q in tied if system.tier(server, (q,)) == nearest])
    return uniformly(tied)
