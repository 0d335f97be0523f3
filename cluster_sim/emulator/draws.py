"""Keyed draws of the dispatch phase, made for many slots at a time."""

from __future__ import annotations

import numpy as np

from cluster_sim.randomness import Key, Stream, block, blocks, uniform, uniforms

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

    def tie(self, slot: int, server: int) -> float:
        """Return the uniform by which a server's policy breaks ties between kinds of queues.

        Parameters
        ----------
        slot, server : int

        Returns
        -------
        float
        """
        if not self._has_ties(slot):
            slots, subs = self._grid(slot, self._n_servers)
            draw = blocks(self._key, Stream.DISPATCH_TIE, slots, subs)
            shape = (self._n_slots, self._n_servers)
            tie = uniforms(draw[:, 0], draw[:, 1]).reshape(shape).tolist()
            among = uniforms(draw[:, 2], draw[:, 3]).reshape(shape).tolist()
            self._ties = list(zip(tie, among, strict=True))
            self._tie_from = slot
        return self._ties[slot - self._tie_from][0][server]

    def among(self, slot: int, server: int) -> float:
        """Return the uniform that picks among equally long queues for a server.

        Parameters
        ----------
        slot, server : int

        Returns
        -------
        float
        """
        if self._has_ties(slot):
            return self._ties[slot - self._tie_from][1][server]
        # A policy that does not read ties rarely needs one: not worth a window.
        _, _, high, low = block(self._key, Stream.DISPATCH_TIE, slot, server)
        return uniform(high, low)

    def _has_ties(self, slot: int) -> bool:
        return 0 <= slot - self._tie_from < self._n_slots

    def _grid(self, slot: int, n_subs: int) -> tuple[np.ndarray, np.ndarray]:
        slots = np.arange(slot, slot + self._n_slots, dtype=np.uint64)
        return np.repeat(slots, n_subs), np.tile(np.arange(n_subs, dtype=np.uint64), self._n_slots)
