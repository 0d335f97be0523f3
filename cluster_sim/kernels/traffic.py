"""Replica sets of many tasks: the traffic kinds that are worth compiling."""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.numbers import NOTHING, TASK, TYPE
from cluster_sim.kernels.philox import HALF, philox, uniform

__all__ = ["fill_listed", "fill_tasks", "fill_uniform"]


def fill_tasks(key_low, key_high, first_task, lucks, ties):
    """Draw the service uniforms and routing ties of consecutive tasks.

    Parameters
    ----------
    key_low, key_high : uint64
    first_task : int64
    lucks, ties : float64 array, shape (n_tasks,)
        Filled.
    """
    for i in range(len(lucks)):
        w0, w1, w2, w3 = philox(key_low, key_high, TASK, first_task + i, NOTHING)
        lucks[i] = uniform(w0, w1)
        ties[i] = uniform(w2, w3)


def fill_uniform(key_low, key_high, first_task, hot_word, n_hot, n_servers, replicas):
    """Draw distinct servers, among the hot ones or the others.

    The same draws as `Hotspot` with `UniformPlacement`; with a `hot_word` of 2**32 and all servers
    hot, `Even`.

    Parameters
    ----------
    key_low, key_high : uint64
    first_task : int64
        Number of the task of row 0.
    hot_word : uint64
        How many of the 2**32 words count as hot.
    n_hot, n_servers : int64
    replicas : int32 array, shape (n_tasks, n_replicas)
        Filled with servers, ascending in each row.
    """
    n_tasks, n_replicas = replicas.shape
    for i in range(n_tasks):
        w0, w1, w2, w3 = philox(key_low, key_high, TYPE, first_task + i, NOTHING)
        if w0 < hot_word:
            begin, n = 0, n_hot
        else:
            begin, n = n_hot, n_servers - n_hot
        if n_replicas == 3:
            # The common case without inner loops, a third of their time: one block, sorted by hand.
            low = np.int64((w1 * np.uint64(n)) >> HALF)
            high = np.int64((w2 * np.uint64(n - 1)) >> HALF)
            if high >= low:
                high += 1
            else:
                low, high = high, low
            draw = np.int64((w3 * np.uint64(n - 2)) >> HALF)
            if draw >= low:
                draw += 1
                if draw >= high:
                    draw += 1
            replicas[i, 0] = begin + min(low, draw)
            replicas[i, 1] = begin + max(low, min(high, draw))
            replicas[i, 2] = begin + max(high, draw)
            continue
        fill_row(key_low, key_high, first_task + i, w1, w2, w3, begin, n, replicas, i)


def fill_row(key_low, key_high, task, w1, w2, w3, begin, n, replicas, i):
    """Draw any number of distinct servers for one task; the row stays sorted."""
    w0 = w1
    for j in range(replicas.shape[1]):
        lane = (j + 1) & 3
        if lane == 0:
            w0, w1, w2, w3 = philox(key_low, key_high, TYPE, task, (j + 1) >> 2)
            word = w0
        elif lane == 1:
            word = w1
        elif lane == 2:
            word = w2
        else:
            word = w3
        # A number among those not yet taken, counted past them.
        draw = np.int64((word * np.uint64(n - j)) >> HALF) + begin
        k = 0
        while k < j and draw >= replicas[i, k]:
            draw += 1
            k += 1
        for back in range(j, k, -1):
            replicas[i, back] = replicas[i, back - 1]
        replicas[i, k] = draw


def fill_listed(key_low, key_high, first_task, cdf, sets, replicas):
    """Draw task types by their probability: the same draws as `Types`.

    Parameters
    ----------
    key_low, key_high : uint64
    first_task : int64
    cdf : float64 array, shape (n_types,)
    sets : int32 array, shape (n_types, width)
    replicas : int32 array, shape (n_tasks, width)
        Filled with rows of `sets`.
    """
    n_tasks, width = replicas.shape
    for i in range(n_tasks):
        w0, w1, _, _ = philox(key_low, key_high, TYPE, first_task + i, NOTHING)
        draw = uniform(w0, w1)
        low, high = 0, len(cdf)
        while low < high:
            middle = (low + high) >> 1
            if draw < cdf[middle]:
                high = middle
            else:
                low = middle + 1
        for j in range(width):
            replicas[i, j] = sets[low, j]
