"""Lengths of queues, to which something is added for the queues of dead servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

__all__ = ["WithPenalty"]


class WithPenalty(Sequence[int]):
    """The sum of two lists that others change.

    Where lengths are the waiting tasks, the scheduler and the policies share one list of them. The
    queues of dead servers are to look long to the policies only.

    Parameters
    ----------
    lengths, penalty : list of int
        Of equal length.

    Examples
    --------
    >>> lengths, penalty = [1, 2], [0, 100]
    >>> seen = WithPenalty(lengths, penalty)
    >>> lengths[0] += 4
    >>> seen[0], seen[1], list(seen)
    (5, 102, [5, 102])
    """

    def __init__(self, lengths: list[int], penalty: list[int]) -> None:
        self._lengths, self._penalty = lengths, penalty

    def __len__(self) -> int:
        """Return the number of queues."""
        return len(self._lengths)

    @overload
    def __getitem__(self, queue: int) -> int: ...
    @overload
    def __getitem__(self, queue: slice) -> list[int]: ...
    def __getitem__(self, queue: int | slice) -> int | list[int]:
        """Return the length of a queue, or of several."""
        if isinstance(queue, slice):
            pairs = zip(self._lengths[queue], self._penalty[queue], strict=True)
            return [length + more for length, more in pairs]
        return self._lengths[queue] + self._penalty[queue]
