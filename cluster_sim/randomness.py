"""Keyed draws: every random number is a pure function of (seed, replication, stream, index).

The generator is Philox4x32-10, a counter-based generator: a block of four 32-bit words is computed
from a 128-bit counter and a 64-bit key, without state. The counter here is::

    (index low 32 bits, index high 32 bits, sub, stream)

so a draw does not depend on which draws were made before it. Two engines see the same numbers in
whatever order they ask; two policies under one seed meet the same tasks with the same service luck
(common random numbers); a draw added somewhere changes no other draw.

References
----------
Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox4x32-10).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError

__all__ = ["Key", "Stream", "block", "blocks", "philox4x32", "scaled", "uniforms", "words"]

MULTIPLIER_0 = 0xD2511F53
MULTIPLIER_1 = 0xCD9E8D57
WEYL_0 = 0x9E3779B9
WEYL_1 = 0xBB67AE85
N_ROUNDS = 10
MASK_32 = 0xFFFFFFFF

Words = npt.NDArray[np.uint64]


class Stream(enum.IntEnum):
    """What a draw is for; the last word of the counter.

    The two halves of a block are two independent 53-bit uniforms (`uniforms`): `TASK` gives the
    service uniform and the routing tie of a task, `DISPATCH_TIE` the tie between kinds of queues
    and the tie among equally long queues.
    """

    ARRIVALS = 1  # index = slot: how many tasks arrive
    TYPE = 2  # index = task: which replica set; further words in sub = 1, 2, ...
    TASK = 3  # index = task: (service uniform, routing tie)
    DISPATCH_ORDER = 4  # index = slot, sub = step // 4: the shuffle of the idle servers
    DISPATCH_TIE = 5  # index = slot, sub = server: (tie, pick among the longest)
    PLACEMENT = 6  # index = chunk: where its replicas are
    REPLICATION = 7  # index = replication: the key of that replication
    POLICY = 8  # reserved for policies that draw
    PHASES = 9  # index = visit to a phase: how long it stays, and for the first which it is
    BREAKDOWN = 10  # index = server, sub = spell: (slots up, slots down)
    RACK_BREAKDOWN = 11  # index = rack, sub = spell: the same of a switch
    COPY = 12  # index = chunk, sub = copy: where a lost replica is made anew
    SCHEME = 13  # index = task, or what a replication scheme counts: its own draws


@dataclass(frozen=True)
class Key:
    """The 64-bit Philox key of one replication.

    Parameters
    ----------
    low, high : int
        The two 32-bit words of the key.

    Examples
    --------
    >>> Key.of(1) == Key.of(1, replication=0)
    True
    >>> Key.of(1, replication=1) == Key.of(2, replication=0)
    False
    """

    low: int
    high: int

    @classmethod
    def of(cls, seed: int, replication: int = 0) -> Key:
        """Return the key of a replication of a seed.

        Parameters
        ----------
        seed : int
            0 <= seed < 2**64.
        replication : int
            0 for the first.

        Returns
        -------
        Key

        Raises
        ------
        ScenarioError
            If the seed or the replication is out of range.
        """
        if not 0 <= seed < 2**64:
            raise ScenarioError(f"seed = {seed}: must be from 0 to 2**64 - 1; choose a smaller one")
        if replication < 0:
            raise ScenarioError(f"replication = {replication}: must be 0 or more")
        root = cls(seed & MASK_32, seed >> 32)
        low, high, _, _ = block(root, Stream.REPLICATION, replication)
        return cls(low, high)


def philox4x32(
    counter: tuple[int, int, int, int], key: tuple[int, int], n_rounds: int = N_ROUNDS
) -> tuple[int, int, int, int]:
    """Return one Philox4x32 block, in plain integers.

    Parameters
    ----------
    counter : tuple of 4 int
        Each below 2**32.
    key : tuple of 2 int
        Each below 2**32.
    n_rounds : int
        10 in the standard.

    Returns
    -------
    tuple of 4 int
        The output words, each below 2**32.

    Examples
    --------
    The known answer published for the zero counter and key:

    >>> [hex(word) for word in philox4x32((0, 0, 0, 0), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(n_rounds):
        product_0 = MULTIPLIER_0 * c0
        product_1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (
            (product_1 >> 32) ^ c1 ^ k0,
            product_1 & MASK_32,
            (product_0 >> 32) ^ c3 ^ k1,
            product_0 & MASK_32,
        )
        k0 = (k0 + WEYL_0) & MASK_32
        k1 = (k1 + WEYL_1) & MASK_32
    return c0, c1, c2, c3


def block(key: Key, stream: Stream, index: int, sub: int = 0) -> tuple[int, int, int, int]:
    """Return the four 32-bit words of one draw, in plain integers.

    Parameters
    ----------
    key : Key
    stream : Stream
    index : int
        Slot, task or chunk, 0 <= index < 2**64.
    sub : int
        Second coordinate, below 2**32.

    Returns
    -------
    tuple of 4 int
    """
    counter = (index & MASK_32, index >> 32, sub, int(stream))
    return philox4x32(counter, (key.low, key.high))


def blocks(
    key: Key, stream: Stream, index: npt.ArrayLike, sub: npt.ArrayLike = 0
) -> npt.NDArray[np.uint64]:
    """Return the blocks of many draws at once.

    Parameters
    ----------
    key : Key
    stream : Stream
    index : int array, shape (n,)
        Slots, tasks or chunks.
    sub : int array, shape (n,), or int
        Second coordinate.

    Returns
    -------
    uint64 array, shape (n, 4)
        32-bit words, one block a row (as uint64, so that products do not overflow).

    Examples
    --------
    >>> key = Key.of(7)
    >>> blocks(key, Stream.TASK, [3])[0].tolist() == list(block(key, Stream.TASK, 3))
    True
    """
    index_64, sub_64 = np.broadcast_arrays(
        np.asarray(index, dtype=np.uint64), np.asarray(sub, dtype=np.uint64)
    )
    mask, shift = np.uint64(MASK_32), np.uint64(32)
    c0, c1 = index_64 & mask, index_64 >> shift
    c2, c3 = sub_64 & mask, np.full(c0.shape, int(stream), dtype=np.uint64)
    k0, k1 = key.low, key.high
    for _ in range(N_ROUNDS):
        product_0 = c0 * np.uint64(MULTIPLIER_0)
        product_1 = c2 * np.uint64(MULTIPLIER_1)
        c0 = (product_1 >> shift) ^ c1 ^ np.uint64(k0)
        c1 = product_1 & mask
        c2 = (product_0 >> shift) ^ c3 ^ np.uint64(k1)
        c3 = product_0 & mask
        k0 = (k0 + WEYL_0) & MASK_32
        k1 = (k1 + WEYL_1) & MASK_32
    return np.stack((c0, c1, c2, c3), axis=-1)


def words(key: Key, stream: Stream, index: npt.ArrayLike, n_words: int) -> Words:
    """Return `n_words` 32-bit words for each index, from as many blocks as that takes.

    Parameters
    ----------
    key : Key
    stream : Stream
    index : int array, shape (n,)
    n_words : int
        At least 1.

    Returns
    -------
    uint64 array, shape (n, n_words)
    """
    n_blocks = -(-n_words // 4)
    parts = [blocks(key, stream, index, sub) for sub in range(n_blocks)]
    return np.concatenate(parts, axis=-1)[..., :n_words]


def uniforms(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Return uniforms on [0, 1) with 53 random bits, each from two words.

    Parameters
    ----------
    high, low : uint64 array
        32-bit words: the upper 27 bits of `high` and the upper 26 of `low` are used.

    Returns
    -------
    float64 array
    """
    bits = ((high >> np.uint64(5)) << np.uint64(26)) | (low >> np.uint64(6))
    return np.asarray(bits.astype(np.float64) * 2.0**-53)


def uniform(high: int, low: int) -> float:
    """Return one uniform on [0, 1), as `uniforms` does.

    Parameters
    ----------
    high, low : int
        32-bit words.

    Returns
    -------
    float
    """
    return (((high >> 5) << 26) | (low >> 6)) * 2.0**-53


def scaled(word: npt.NDArray[np.uint64], n: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Map 32-bit words to whole numbers below `n`, by multiplication.

    Parameters
    ----------
    word : uint64 array
        32-bit words.
    n : int array or int
        1 <= n < 2**32. The probability of each outcome is off by at most 2**-32.

    Returns
    -------
    int64 array
    """
    return np.asarray((word * np.asarray(n, dtype=np.uint64)) >> np.uint64(32)).astype(np.int64)
