"""Batches of arrivals for the compiled loop: the workload's own, or drawn by compiled code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.compiled.assembly import compiled_fill
from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import ArrivalProcess
from cluster_sim.model.placement import UniformPlacement
from cluster_sim.model.traffic import NO_SERVER, Even, Hotspot, Traffic, Types, hot_word
from cluster_sim.model.workload import ArrivalBatch, SyntheticWorkload, Workload, window
from cluster_sim.randomness import Key

__all__ = ["fast_batches"]

SLOTS_DRAWN = 8_192  # arrival counts drawn at once: a numpy call costs more than a thousand draws


def fast_batches(
    workload: Workload, key: Key, n_slots: int, *, n_servers: int
) -> Iterator[ArrivalBatch]:
    """Yield the batches of a workload, with replica sets as int32.

    Parameters
    ----------
    workload : Workload
    key : Key
    n_slots : int
    n_servers : int
        Compiled code does not check indices, so what others have drawn is checked against it here.

    Yields
    ------
    ArrivalBatch
        The same arrivals as ``workload.batches(key, n_slots)``. A batch is valid until the next is
        asked for.

    Raises
    ------
    ScenarioError
        If a workload or traffic of the user's own gives replica sets that cannot be.
    """
    if type(workload) is not SyntheticWorkload:
        for batch in workload.batches(key, n_slots):
            counts = np.array(batch.counts, dtype=np.int64)
            replicas = _checked(batch.replicas, n_servers)
            if (counts.size and counts.min() < 0) or counts.sum() != len(replicas):
                raise ScenarioError(
                    f"the workload's batch from slot {batch.first_slot} has {len(replicas)} "
                    f"replica sets for {counts.sum()} arrivals; it must have one for each"
                )
            yield ArrivalBatch(batch.first_slot, batch.first_task, counts, replicas)
        return
    drawn = _Drawn(workload.traffic, key, n_servers)
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


def _checked(replicas: npt.NDArray[np.integer[Any]], n_servers: int) -> npt.NDArray[np.int32]:
    """Return replica sets as int32, or raise where they would lead out of an array."""
    rows = np.array(replicas, dtype=np.int32, order="C")
    if not rows.size:  # without a single server, if there are rows at all
        rows = np.full((len(rows), 1), NO_SERVER, dtype=np.int32)
    if not len(rows):
        return rows
    is_gap = (rows[:, :-1] < 0) & (rows[:, 1:] >= 0)
    if rows[:, 0].min() < 0 or is_gap.any() or rows.max() >= n_servers:
        where = (rows[:, 0] < 0) | is_gap.any(axis=1) | (rows.max(axis=1) >= n_servers)
        raise ScenarioError(
            f"replica set {rows[where.argmax()].tolist()}: must hold at least one server from 0 to "
            f"{n_servers - 1}, and {NO_SERVER} only at its end"
        )
    return rows


class _Drawn:
    """The replica sets of a traffic under a key."""

    def __init__(self, traffic: Traffic, key: Key, n_servers: int) -> None:
        self._traffic, self._key, self._n_servers = traffic, key, n_servers
        self._buffer = np.empty((0, 0), dtype=np.int32)
        self._words = np.uint64(key.low), np.uint64(key.high)
        self._sets: npt.NDArray[np.int32] = np.empty((0, 0), dtype=np.int32)
        self._cdf: npt.NDArray[np.float64] = np.empty(0)
        if type(traffic) is Types:
            self._sets = _checked(traffic.replica_sets, n_servers)
            self._cdf = traffic.cdf

    def _rows(self, n_tasks: int, width: int) -> npt.NDArray[np.int32]:
        """Return rows to fill; the same memory for every batch, so the one before is lost."""
        if n_tasks > len(self._buffer):
            self._buffer = np.empty((2 * n_tasks, width), dtype=np.int32)
        return self._buffer[:n_tasks]

    def replicas(self, first_task: int, n_tasks: int) -> npt.NDArray[np.int32]:
        """Return the replica sets of consecutive tasks, int32 array, shape (n_tasks, width)."""
        traffic = self._traffic
        # A subclass may draw otherwise, so only the very types count.
        if type(traffic) is Types:
            result = self._rows(n_tasks, self._sets.shape[1])
            compiled_fill("fill_listed")(*self._words, first_task, self._cdf, self._sets, result)
            return result
        if isinstance(traffic, (Even, Hotspot)) and _is_uniform(traffic, self._n_servers):
            hot, n_hot, n_servers = _split(traffic)
            result = self._rows(n_tasks, traffic.n_replicas)
            fill = compiled_fill("fill_uniform")
            fill(*self._words, first_task, np.uint64(hot), n_hot, n_servers, result)
            return result
        return _checked(traffic.replicas(self._key, first_task, n_tasks), self._n_servers)


def _split(traffic: Even | Hotspot) -> tuple[int, int, int]:
    """Return how many of the 2**32 words are hot, and the numbers of hot and of all servers."""
    n_servers = traffic.topology.n_servers
    if isinstance(traffic, Hotspot):
        return hot_word(traffic.hot_probability), traffic.n_hot, n_servers
    return 2**32, n_servers, n_servers


def _is_uniform(traffic: Even | Hotspot, n_servers: int) -> bool:
    """Return whether `fill_uniform` draws the traffic; if it cannot be drawn, it says so itself."""
    if type(traffic) not in (Even, Hotspot) or type(traffic.placement) is not UniformPlacement:
        return False
    hot, n_hot, n_all = _split(traffic)
    groups = [n for n, is_used in ((n_hot, hot > 0), (n_all - n_hot, hot < 2**32)) if is_used]
    return n_all <= n_servers and traffic.n_replicas <= min(groups)
