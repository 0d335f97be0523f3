"""Keyed draws of the dispatch phase, made for many slots at a time."""

from __future__ import annotations

import numpy as np

from cluster_sim.randomness import Key, Stream, blocks, uniforms

__all__ = ["DispatchDraws"]

DRAWS_PER_WINDOW = 8_192  # spreads the cost of numpy calls; a window is a few megabytes at most


class DispatchDraws:
    """The shuffle words and tie uniforms of each slot.

    Parameters
    ----------
    key : Key
    n_servers : int
    """

    def __init__(self, key: Key, n_servers: int) -> None:
        self._key = key
        self._n_servers = n_servers
        self._n_slots = max(DRAWS_PER_WINDOW // n_servers, 1)
        self._order_from = self._tie_from = -self._n_slots
        self._words: list[list[int]] = []
        self._ties: list[tuple[list[float], list[float]]] = []

    def order_words(self, slot: int) -> list[int]:
        """Return the words that shuffle the idle servers of a slot.

        Parameters
        ----------
        slot : int

        Returns
        -------
        list of int, length >= n_servers
            32-bit words; word i is for step i of the shuffle.
        """
        if not 0 <= slot - self._order_from < self._n_slots:
            n_blocks = -(-self._n_servers // 4)
            slots, subs = self._grid(slot, n_blocks)
            draw = blocks(self._key, Stream.DISPATCH_ORDER, slots, subs)
            self._words = draw.reshape(self._n_slots, 4 * n_blocks).tolist()
            self._order_from = slot
        return self._words[slot - self._order_from]

    def ties(self, slot: int) -> tuple[list[float], list[float]]:
        """Return the tie uniforms of every server in a slot.

        Parameters
        ----------
        slot : int

        Returns
        -------
        tuple of two lists of float, length n_servers
            For ties between kinds of queues, and for the pick among the longest.
        """
        if not 0 <= slot - self._tie_from < self._n_slots:
            slots, subs = self._grid(slot, self._n_servers)
            draw = blocks(self._key, Stream.DISPATCH_TIE, slots, subs)
            shape = (self._n_slots, self._n_servers)
            tie = uniforms(draw[:, 0], draw[:, 1]).reshape(shape).tolist()
            among = uniforms(draw[:, 2], draw[:, 3]).reshape(shape).tolist()
            self._ties = list(zip(tie, among, strict=True))
            self._tie_from = slot
        return self._ties[slot - self._tie_from]

    def _grid(self, slot: int, n_subs: int) -> tuple[np.ndarray, np.ndarray]:
        slots = np.arange(slot, slot + self._n_slots, dtype=np.uint64)
        return np.repeat(slots, n_subs), np.tile(np.arange(n_subs, dtype=np.uint64), self._n_slots)
