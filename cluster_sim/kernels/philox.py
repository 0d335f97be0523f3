"""Keyed draws inside the kernels: `cluster_sim.randomness`'s Philox4x32-10, block by block."""

from __future__ import annotations

import numpy as np

__all__ = ["philox", "uniform"]

M0 = np.uint64(0xD2511F53)
M1 = np.uint64(0xCD9E8D57)
W0 = np.uint64(0x9E3779B9)
W1 = np.uint64(0xBB67AE85)
MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
HIGH_SHIFT = np.uint64(5)
LOW_SHIFT = np.uint64(6)
LOW_BITS = np.uint64(26)
TO_UNIT = 2.0**-53


def philox(key_low, key_high, stream, index, sub):
    """Return one block.

    Parameters
    ----------
    key_low, key_high : uint64
        The words of the key.
    stream : int
        A `cluster_sim.randomness.Stream`.
    index : int64
        Slot or task.
    sub : int64
        Second coordinate, below 2**32.

    Returns
    -------
    tuple of 4 uint64
        32-bit words.
    """
    place = np.uint64(index)
    c0 = place & MASK
    c1 = place >> HALF
    c2 = np.uint64(sub)
    c3 = np.uint64(stream)
    k0 = key_low
    k1 = key_high
    for _ in range(10):
        p0 = M0 * c0
        p1 = M1 * c2
        c0 = (p1 >> HALF) ^ c1 ^ k0
        c1 = p1 & MASK
        c2 = (p0 >> HALF) ^ c3 ^ k1
        c3 = p0 & MASK
        k0 = (k0 + W0) & MASK
        k1 = (k1 + W1) & MASK
    return c0, c1, c2, c3


def uniform(high, low):
    """Return a uniform on [0, 1) with 53 bits from two words.

    Parameters
    ----------
    high, low : uint64
        32-bit words.

    Returns
    -------
    float64
    """
    return np.float64(((high >> HIGH_SHIFT) << LOW_BITS) | (low >> LOW_SHIFT)) * TO_UNIT
