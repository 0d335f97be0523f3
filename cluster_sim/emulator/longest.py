"""The longest queues within each tier of each server, for the policies that ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.policies.longest import move, pick

__all__ = ["LongestQueues"]


class LongestQueues:
    """Per tier, each group's queues sorted by length (see `cluster_sim.policies.longest`).

    Parameters
    ----------
    groups : int64 array, shape (n_tiers, n_servers)
        As in `Cluster`; queue m is server m's.
    above : float
        The length that a queue must exceed to count.
    """

    def __init__(self, groups: npt.NDArray[np.int64], above: float) -> None:
        self._above = above
        self._near: list[int] = groups.ravel().tolist()
        self._orders: list[_Order] = [_Order(row) for row in groups[1:].tolist()]
        self._key = [0] * groups.shape[1]

    def update(self, queue: int, length: int, n_waiting: int) -> None:
        """Take note of a queue's new state.

        Parameters
        ----------
        queue, length, n_waiting : int
        """
        key = length if n_waiting > 0 and length > self._above else 0
        if key != self._key[queue]:
            self._key[queue] = key
            for order in self._orders:
                order.move(queue, key)

    def within(
        self, server: int, tie_break: int, draw: Callable[[], float]
    ) -> tuple[list[int], list[int]]:
        """Return the longest queue within each tier of a server, and how many are as long.

        Parameters
        ----------
        server : int
        tie_break : int
        draw : callable
            Called for a uniform where several queues are as long.

        Returns
        -------
        longest, n_longest : list of int, length n_tiers
        """
        longest = [server if self._key[server] > 0 else NO_QUEUE]
        n_longest = [1]
        for order in self._orders:
            first, last = order.top(server)
            n_longest.append(last - first + 1)
            if first == last:
                longest.append(order.order[first])
            elif first > last:
                longest.append(NO_QUEUE)
            else:
                n = len(self._key)
                longest.append(
                    pick(order.order, first, last, self._near, n, server, tie_break, draw())
                )
        return longest, n_longest


class _Order:
    """The queues of every group of one tier, sorted by key; the lists that `longest.move` keeps."""

    def __init__(self, group: Sequence[int]) -> None:
        n = len(group)
        self.order = sorted(range(n), key=lambda queue: (group[queue], queue))
        self._group = group
        self._position = [0] * n
        for place, queue in enumerate(self.order):
            self._position[queue] = place
        n_groups = max(group) + 1
        self._group_first = [n] * n_groups
        self._group_last = [-1] * n_groups
        for place, queue in enumerate(self.order):
            g = group[queue]
            self._group_first[g] = min(self._group_first[g], place)
            self._group_last[g] = max(self._group_last[g], place)
        # At first one bucket a group, of key 0.
        self._bucket = list(group)
        spare = [0] * (n + 2 - n_groups)
        self._first = self._group_first + spare
        self._last = self._group_last + spare
        self._key = [0] * (n + 2)
        self._free = [n + 2 - n_groups, *range(n_groups, n + 2), 0]

    def move(self, queue: int, key: int) -> None:
        group = self._group[queue]
        move(
            self.order,
            self._position,
            self._bucket,
            self._first,
            self._last,
            self._key,
            self._free,
            self._group_first[group],
            self._group_last[group],
            queue,
            key,
        )

    def top(self, server: int) -> tuple[int, int]:
        """Return the run of the longest queues of the server's group; empty if nobody counts."""
        bucket = self._bucket[self.order[self._group_last[self._group[server]]]]
        if self._key[bucket] == 0:
            return 0, -1
        return self._first[bucket], self._last[bucket]
