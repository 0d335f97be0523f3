"""Batches of arrivals for the compiled loop: the workload's own, or drawn by compiled code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cluster_sim.compiled.assembly import compiled_fill
from cluster_sim.model.arrivals import ArrivalProcess
from cluster_sim.model.placement import UniformPlacement
from cluster_sim.model.traffic import Even, Hotspot, Traffic, Types, hot_word
from cluster_sim.model.workload import ArrivalBatch, SyntheticWorkload, Workload, window
from cluster_sim.randomness import Key

__all__ = ["fast_batches"]

SLOTS_DRAWN = 8_192  # arrival counts drawn at once: a numpy call costs more than a thousand draws


def fast_batches(workload: Workload, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
    """Yield the batches of a workload, with replica sets as int32.

    Parameters
    ----------
    workload : Workload
    key : Key
    n_slots : int

    Yields
    ------
    ArrivalBatch
        The same arrivals as ``workload.batches(key, n_slots)``. A batch is valid until the next is
        asked for.
    """
    if not isinstance(workload, SyntheticWorkload):
        for batch in workload.batches(key, n_slots):
            replicas = np.ascontiguousarray(batch.replicas, dtype=np.int32)
            yield ArrivalBatch(batch.first_slot, batch.first_task, batch.counts, replicas)
        return
    drawn = _Drawn(workload.traffic, key)
    step, first_task = window(workload.arrivals.rate), 0
    for first, counts in _counts(workload.arrivals, key, n_slots, step):
        n_tasks = int(counts.sum())
        yield ArrivalBatch(first, first_task, counts, drawn.replicas(first_task, n_tasks))
        first_task += n_tasks


def _counts(
    arrivals: ArrivalProcess, key: Key, n_slots: int, step: int
) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Yield the arrival counts of `step` slots at a time, drawn for many more at once."""
    n_drawn = max(step, SLOTS_DRAWN // step * step)
    for first in range(0, n_slots, n_drawn):
        counts = arrivals.counts(key, first, min(n_drawn, n_slots - first))
        for begin in range(0, len(counts), step):
            yield first + begin, counts[begin : begin + step]


class _Drawn:
    """The replica sets of a traffic under a key."""

    def __init__(self, traffic: Traffic, key: Key) -> None:
        self._traffic, self._key = traffic, key
        self._buffer = np.empty((0, 0), dtype=np.int32)
        self._words = np.uint64(key.low), np.uint64(key.high)
        self._sets = self._cdf = np.empty((0, 0))
        if isinstance(traffic, Types):
            self._sets = np.ascontiguousarray(traffic.replica_sets, dtype=np.int32)
            self._cdf = traffic.cdf

    def _rows(self, n_tasks: int, width: int) -> npt.NDArray[np.int32]:
        """Return rows to fill; the same memory for every batch, so the one before is lost."""
        if n_tasks > len(self._buffer):
            self._buffer = np.empty((2 * n_tasks, width), dtype=np.int32)
        return self._buffer[:n_tasks]

    def replicas(self, first_task: int, n_tasks: int) -> npt.NDArray[np.int32]:
        """Return the replica sets of consecutive tasks, int32 array, shape (n_tasks, width)."""
        traffic = self._traffic
        if isinstance(traffic, Types):
            result = self._rows(n_tasks, self._sets.shape[1])
            compiled_fill("fill_listed")(*self._words, first_task, self._cdf, self._sets, result)
            return result
        if isinstance(traffic, (Even, Hotspot)) and isinstance(traffic.placement, UniformPlacement):
            hot, n_hot, n_servers = _split(traffic)
            n_fewest = min(
                n_hot if hot > 0 else n_servers, n_servers - n_hot if hot < 2**32 else n_servers
            )
            if traffic.n_replicas <= n_fewest:  # else the traffic says what is wrong
                result = self._rows(n_tasks, traffic.n_replicas)
                fill = compiled_fill("fill_uniform")
                fill(*self._words, first_task, np.uint64(hot), n_hot, n_servers, result)
                return result
        return np.ascontiguousarray(
            traffic.replicas(self._key, first_task, n_tasks), dtype=np.int32
        )


def _split(traffic: Even | Hotspot) -> tuple[int, int, int]:
    """Return how many of the 2**32 words count as hot, and the numbers of hot and of all servers."""
    n_servers = traffic.topology.n_servers
    if isinstance(traffic, Hotspot):
        return hot_word(traffic.hot_probability), traffic.n_hot, n_servers
    return 2**32, n_servers, n_servers
