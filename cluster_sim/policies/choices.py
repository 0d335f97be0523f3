"""The choices that policies share, as plain functions: Python and numba take the same source.

The loops count: numba takes and drops a reference for every iterator over an array, which costs
more than the loop.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "BY_INDEX",
    "LOCAL_FIRST",
    "NO_QUEUE",
    "UNIFORMLY",
    "count_shortest",
    "nth_shortest",
    "shortest",
]

NO_QUEUE = -1  # a policy's answer when an idle server is to stay idle

# How a policy is to break ties (the reading `tie_break`), as it is passed to its functions.
UNIFORMLY = 0
LOCAL_FIRST = 1
BY_INDEX = 2


def count_shortest(queues: Sequence[int], lengths: Sequence[int]) -> int:
    """Return how many of the queues are as short as the shortest of them.

    Parameters
    ----------
    queues : sequence of int
        At least one.
    lengths : sequence of int
        Length of every queue.

    Returns
    -------
    int

    Examples
    --------
    >>> count_shortest([0, 2, 3], [4, 0, 1, 1])
    2
    """
    least = lengths[queues[0]]
    n_least = 0
    for i in range(len(queues)):
        length = lengths[queues[i]]
        if length < least:
            least = length
            n_least = 1
        elif length == least:
            n_least += 1
    return n_least


def nth_shortest(queues: Sequence[int], lengths: Sequence[int], n: int) -> int:
    """Return the n-th, in the order given, of the queues that are as short as the shortest of them.

    Parameters
    ----------
    queues : sequence of int
    lengths : sequence of int
    n : int
        0 <= n < ``count_shortest(queues, lengths)``.

    Returns
    -------
    int
        A queue.

    Examples
    --------
    >>> nth_shortest([0, 2, 3], [4, 0, 1, 1], 1)
    3
    """
    least = lengths[queues[0]]
    for i in range(1, len(queues)):
        least = min(least, lengths[queues[i]])
    return _nth_of_length(queues, lengths, least, n)


def shortest(queues: Sequence[int], lengths: Sequence[int], tie_break: int, tie: float) -> int:
    """Return the shortest of the queues: join-the-shortest-queue.

    Parameters
    ----------
    queues : sequence of int
        Queues of one kind, ascending; at least one.
    lengths : sequence of int
        Length of every queue.
    tie_break : int
        `UNIFORMLY`, `LOCAL_FIRST` (uniformly, as the queues are of one kind) or `BY_INDEX`.
    tie : float
        Uniform on [0, 1).

    Returns
    -------
    int
        A queue.

    References
    ----------
    Paper, section 2.1 ("Load balancing").

    Examples
    --------
    >>> [shortest([0, 2, 3], [4, 0, 1, 1], UNIFORMLY, tie) for tie in (0.2, 0.7)]
    [2, 3]
    """
    best = queues[0]
    least = lengths[best]
    n_best = 1
    for i in range(1, len(queues)):
        queue = queues[i]
        length = lengths[queue]
        if length == least:
            n_best += 1
        elif length < least:
            best = queue
            least = length
            n_best = 1
    if n_best == 1 or tie_break == BY_INDEX:
        return best
    return _nth_of_length(queues, lengths, least, int(tie * n_best))


def _nth_of_length(queues: Sequence[int], lengths: Sequence[int], length: int, n: int) -> int:
    for i in range(len(queues)):
        if lengths[queues[i]] == length:
            if n == 0:
                return queues[i]
            n -= 1
    return queues[0]
