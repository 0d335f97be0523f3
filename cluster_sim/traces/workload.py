"""A trace as a workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.workload import ArrivalBatch, window
from cluster_sim.randomness import Key
from cluster_sim.traces.slots import TraceSlots

__all__ = ["TraceWorkload"]

MOST_CHUNKS = 2_000_000  # about a gigabyte in the map of replicas


@dataclass(frozen=True, eq=False)
class TraceWorkload:
    """The tasks of a trace, each with the replica set of its chunk; no draw but the placement.

    Parameters
    ----------
    slots : TraceSlots
        When tasks arrive, and on which chunks.
    placed : callable
        From chunk numbers, int64 array, shape (n,), to replica sets, int64 array,
        shape (n, n_replicas).
    """

    slots: TraceSlots
    placed: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]

    @property
    def rate(self) -> float:
        """Mean arrival rate over the trace, tasks per slot."""
        return self.slots.rate

    @property
    def bound(self) -> None:
        """No bound: a trace has what it has."""
        return None

    # A trace draws nothing, so it has no use for the key.
    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:  # noqa: ARG002
        """Yield the arrivals of slots 0 to `n_slots` - 1; see `Workload.batches`.

        Nothing comes after the trace's end.
        """
        step, first_task = window(self.rate), 0
        for first_slot in range(0, n_slots, step):
            counts, chunks = self.slots.window(first_slot, min(step, n_slots - first_slot))
            jobs = self.slots.tasks.task_jobs(first_task, len(chunks))
            yield ArrivalBatch(first_slot, first_task, counts, self.placed(chunks), jobs, chunks)
            first_task += len(chunks)

    def placed_chunks(self) -> npt.NDArray[np.int64]:
        """Return where every chunk of the trace is; see `cluster_sim.model.workload`.

        Raises
        ------
        ScenarioError
            If there are too many to keep the state of each.
        """
        n_chunks = self.slots.tasks.n_chunks
        if n_chunks > MOST_CHUNKS:
            raise ScenarioError(
                f"[traffic] the trace reads {n_chunks:,} chunks; where servers break down or "
                f"replicas move, every chunk is kept in memory, and {MOST_CHUNKS:,} is the most; "
                "set max_tasks_per_job, or a larger chunk_mib"
            )
        return self.placed(np.arange(n_chunks, dtype=np.int64))
