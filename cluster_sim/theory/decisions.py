"""A policy's decisions with their probabilities, instead of one drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from math import nextafter
from typing import Protocol

from cluster_sim.errors import ScenarioError

__all__ = ["ChainPolicy", "decision_probabilities", "least_choice", "longest_choices"]

NO_QUEUE = -1
TIE_BREAKS = {"random": 0, "local": 1, "index": 2}  # as the policy contract numbers them


class ChainPolicy(Protocol):
    """What the chain needs of a queue policy: the two decisions and what they read.

    `cluster_sim.policies.base.QueuePolicy` says what each part means.
    """

    @property
    def uses_longest(self) -> bool:
        """Whether ``serve`` reads ``longest``."""

    @property
    def uses_least(self) -> bool:
        """Whether ``route`` reads ``least`` or ``weights``."""

    @property
    def weigh(self) -> Callable[[int, Sequence[int], Sequence[float]], float]:
        """The weight of a server, where ``route`` reads weights."""

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return the server of each queue, -1 for a shared one."""

    def constants(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the numbers that the decisions read."""

    def longest_above(self, rates: tuple[float, ...]) -> float:
        """Return the length that a queue must exceed to be offered in ``longest``."""

    @property
    def route(self) -> Callable[..., int]:
        """The queue that an arriving task joins."""

    @property
    def serve(self) -> Callable[..., int]:
        """The queue that an idle server takes a task from."""


@cache
def _farey(order: int) -> tuple[float, ...]:
    """Return all fractions in [0, 1] with denominators up to ``order``, ascending."""
    found = {Fraction(n, d) for d in range(1, order + 1) for n in range(d + 1)}
    return tuple(float(value) for value in sorted(found))


def _snap(value: float, order: int) -> float:
    """Return the nearest fraction with a small denominator, if it is within rounding."""
    near = float(Fraction(value).limit_denominator(order))
    return near if abs(near - value) < 1e-12 else value


def _breaks(
    decide: Callable[[float], int], start: float, end: float, first: int, last: int
) -> Iterator[tuple[float, int]]:
    """Yield the points in (start, end] where the decision changes, with the new decision."""
    if first == last:
        return
    middle = 0.5 * (start + end)
    if not start < middle < end:
        yield end, last
        return
    between = decide(middle)
    yield from _breaks(decide, start, middle, first, between)
    yield from _breaks(decide, middle, end, between, last)


def decision_probabilities(decide: Callable[[float], int], order: int) -> dict[int, float]:
    """Return the probability of each decision when its tie uniform is random.

    Parameters
    ----------
    decide : callable
        The decision as a function of the uniform on [0, 1); piecewise constant.
    order : int
        Ties among up to this many candidates are seen for certain.

    Returns
    -------
    dict from int to float
        Decision to probability; they sum to 1.

    Notes
    -----
    The uniform is probed at both ends and in the middle of every interval between
    neighbouring fractions n/d, d up to ``order``. Where two neighbouring probes
    differ, bisection finds the break to the last bit, so breaks may lie anywhere;
    one within rounding of such a fraction is taken to be it. What is missed is a
    decision that differs only on an interval between two probes: with k equal
    shares that cannot happen for k up to ``order``.

    Examples
    --------
    >>> decision_probabilities(lambda tie: 5 if tie < 0.25 else int(2 * tie), 4)
    {5: 0.25, 0: 0.25, 1: 0.5}
    """
    shares: dict[int, float] = {}
    start, current = 0.0, decide(0.0)
    for left, right in pairwise(_farey(order)):
        probes = (left, 0.5 * (left + right), nextafter(right, 0.0))
        answers = [decide(probe) for probe in probes]
        changes = [(left, answers[0])] if answers[0] != current else []
        for i in (0, 1):
            changes += _breaks(decide, probes[i], probes[i + 1], answers[i], answers[i + 1])
        for where, decision in changes:
            snapped = _snap(where, order)
            shares[current] = shares.get(current, 0.0) + snapped - start
            start, current = snapped, decision
    shares[current] = shares.get(current, 0.0) + 1.0 - start
    return {decision: share for decision, share in shares.items() if share > 0.0}


def longest_choices(
    server: int,
    keys: Sequence[int],
    groups: Sequence[Sequence[int]],
    tie_break: int,
) -> list[tuple[tuple[int, ...], tuple[int, ...], float]]:
    """Return what a policy may be told of the longest queues, with probabilities.

    Parameters
    ----------
    server : int
        Who asks.
    keys : sequence of int, length n_servers
        Length of the queue of each server if it is a candidate, else 0.
    groups : sequence of int sequences, shape (n_tiers, n_servers)
        Group of each server for each tier.
    tie_break : int
        0 uniformly, 1 the nearest tier and uniformly within it, 2 the lowest index.

    Returns
    -------
    list of (longest, n_longest, probability)

    Examples
    --------
    >>> longest_choices(0, [0, 3, 3], [[0, 1, 2], [0, 0, 0]], 0)
    [((-1, 1), (1, 2), 0.5), ((-1, 2), (1, 2), 0.5)]
    """
    options: list[list[int]] = [[server if keys[server] > 0 else NO_QUEUE]]
    counts = [1]
    for row in groups[1:]:
        near = [q for q, group in enumerate(row) if group == row[server] and keys[q] > 0]
        most = max((keys[q] for q in near), default=0)
        tied = [q for q in near if keys[q] == most]
        counts.append(len(tied))
        options.append(_preferred(server, tied, groups, tie_break) or [NO_QUEUE])
    probability = 1.0
    for option in options:
        probability /= len(option)
    return [(chosen, tuple(counts), probability) for chosen in product(*options)]


def least_choice(
    replicas: Sequence[int],
    weights: Sequence[float],
    groups: Sequence[Sequence[int]],
    tie_break: int,
    tie: float,
) -> list[int]:
    """Return the server of least weight within each tier of a task.

    Parameters
    ----------
    replicas : sequence of int
        Local servers of the task.
    weights : sequence of float, length n_servers
    groups : sequence of int sequences, shape (n_tiers, n_servers)
        Group of each server for each tier.
    tie_break : int
        2 the lowest index, else uniformly.
    tie : float
        The task's uniform on [0, 1).

    Returns
    -------
    list of int

    Examples
    --------
    >>> least_choice([0], [1.0, 0.0, 0.0], [[0, 1, 2], [0, 0, 0]], 0, 0.5)
    [0, 2]
    """
    found = []
    for row in groups:
        near = {row[replica] for replica in replicas}
        within = [server for server, group in enumerate(row) if group in near]
        least = min(weights[server] for server in within)
        tied = [server for server in within if weights[server] == least]
        is_lowest = tie_break == TIE_BREAKS["index"]
        found.append(tied[0 if is_lowest else int(tie * len(tied))])
    return found


def _preferred(
    server: int, tied: list[int], groups: Sequence[Sequence[int]], tie_break: int
) -> list[int]:
    if tie_break == TIE_BREAKS["index"]:
        return tied[:1]
    if tie_break == TIE_BREAKS["local"]:
        for row in groups:
            nearest = [queue for queue in tied if row[queue] == row[server]]
            if nearest:
                return nearest
    return tied


def tie_break_code(tie_break: str) -> int:
    """Return the reading ``tie_break`` as the number that policies are given."""
    if tie_break not in TIE_BREAKS:
        raise ScenarioError(
            f"tie_break = {tie_break!r}: must be one of {', '.join(map(repr, TIE_BREAKS))}"
        )
    return TIE_BREAKS[tie_break]
