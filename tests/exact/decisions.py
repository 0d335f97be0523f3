"""The two decisions of each policy, as probability distributions over queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product

from exact.system import TinySystem

N_SAMPLES = 2  # of the policies that look at a few queues: their default

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
    if system.policy in {"balanced-pandas", "balanced-pandas-pod"}:
        return _least_workload(system, replicas, lengths)
    if system.policy in {"jfsq", "jfiq", "jiq"}:
        return _among_all(system, replicas, lengths)
    if system.policy == "jsq-d" and len(replicas) > N_SAMPLES:
        return _mixed(
            [
                _first_or_any(
                    system, [q for q in some if lengths[q] == min(lengths[n] for n in some)]
                )
                for some in combinations(sorted(replicas), N_SAMPLES)
            ]
        )
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
    if system.policy == "jsq-maxweight-pod":
        return _heaviest_of_few(system, server, waiting, lengths)
    if system.policy.startswith("balanced-pandas"):
        own = [q for q, owner in enumerate(system.owners) if owner == server and waiting[q]]
        return ((own[0], 1.0),) if own else ()
    queue = 0 if system.policy == "fifo" else server
    return ((queue, 1.0),) if waiting[queue] else ()


def _first_or_any(system: TinySystem, tied: Sequence[int]) -> Choice:
    """Choose among candidates of one kind, which stand in ascending order."""
    return ((tied[0], 1.0),) if system.tie_break == "index" else uniformly(tied)


def _mixed(choices: Sequence[Choice]) -> Choice:
    """Take one of the choices, each as likely."""
    total: Counter[int] = Counter()
    for choice in choices:
        for queue, share in choice:
            total[queue] += share / len(choices)  # type: ignore[assignment]
    return tuple(total.items())


def _least_workload(
    system: TinySystem, replicas: tuple[int, ...], lengths: Sequence[int]
) -> Choice:
    """Weighted workload over rate, in exact arithmetic, at every server or at a few."""
    n = system.n_servers
    rates = system.exact_rates
    if system.policy == "balanced-pandas-pod":
        rates = (rates[0], rates[-1])
    work = [
        sum((lengths[kind * n + m] / rate for kind, rate in enumerate(rates)), Fraction(0))
        for m in range(n)
    ]
    if system.policy == "balanced-pandas":
        kinds = [system.tier(m, replicas) for m in range(n)]
        times = [work[m] / rates[kinds[m]] for m in range(n)]
        fastest = min(kinds[m] for m in range(n) if times[m] == min(times))
        tied = [m for m in range(n) if times[m] == min(times) and kinds[m] == fastest]
        return _first_or_any(system, [fastest * n + m for m in tied])
    local_time = min(work[m] for m in replicas) / rates[0]
    locals_ = [m for m in sorted(replicas) if work[m] / rates[0] == local_time]
    choices = []
    for sample in product(range(n), repeat=N_SAMPLES):
        order = sorted(sample) if system.tie_break == "index" else sample
        first = min(order, key=lambda m: work[m])
        is_near = local_time <= work[first] / rates[1]
        choices.append(_first_or_any(system, locals_) if is_near else ((n + first, 1.0),))
    return _mixed(choices)


def _among_all(system: TinySystem, replicas: tuple[int, ...], lengths: Sequence[int]) -> Choice:
    """The fastest of the shortest, the fastest idle or any idle server."""
    servers = range(system.n_servers)
    least = min(lengths) if system.policy == "jfsq" else 0
    tied = [m for m in servers if lengths[m] == least]
    if not tied:
        return uniformly(replicas if system.policy == "jfiq" else servers)
    if system.policy != "jiq":
        tiers = {m: system.tier(m, replicas) for m in tied}
        fastest = max(system.rates[tier] for tier in tiers.values())
        tied = [m for m in tied if system.rates[tiers[m]] == fastest]
        if system.tie_break == "local":
            tied = [m for m in tied if tiers[m] == min(tiers[n] for n in tied)]
    return _first_or_any(system, tied)


def _heaviest_of_few(
    system: TinySystem, server: int, waiting: Sequence[int], lengths: Sequence[int]
) -> Choice:
    """The own queue against the heaviest of a sample; -1 where nothing waits in any of them."""
    local, remote = system.integer_rates[0], system.integer_rates[-1]
    found = []
    for sample in product(range(system.n_servers), repeat=N_SAMPLES):
        order = sorted(sample) if system.tie_break == "index" else sample
        others = [q for q in order if waiting[q] and q != server]
        heaviest = max(others, key=lambda q: lengths[q], default=-1)
        if waiting[server] and (
            heaviest < 0 or local * lengths[server] >= remote * lengths[heaviest]
        ):
            heaviest = server
        found.append(((heaviest, 1.0),))
    return _mixed(found)


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
