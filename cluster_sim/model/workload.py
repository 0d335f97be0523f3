"""A workload: what an engine is fed, in batches of plain arrays.

Engines do not know kinds of traffic. They take `ArrivalBatch` after `ArrivalBatch`, so a new kind
of traffic, a trace or a placement works on every engine by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import ArrivalProcess
from cluster_sim.model.traffic import Traffic, Types
from cluster_sim.randomness import Key

__all__ = ["ArrivalBatch", "SyntheticWorkload", "Workload", "placed_chunks", "window"]

TASKS_PER_BATCH = 32_768  # enough to spread the cost of numpy calls, few enough to stay in cache


@dataclass(frozen=True, eq=False)
class ArrivalBatch:
    """The arrivals of consecutive slots.

    Parameters
    ----------
    first_slot, first_task : int
        Numbers of the first slot and of the first task.
    counts : int64 array, shape (n_slots,)
        Tasks arriving in each slot.
    replicas : array of any integer type, shape (n_tasks, width)
        Replica set of each task, ascending; shorter rows end in -1.
    jobs : int64 array, shape (n_tasks,), optional
        Job of each task. Without it each task is a job of its own. A workload gives it in all of
        its batches or in none.
    chunks : int64 array, shape (n_tasks,), optional
        Chunk that each task reads: rows of `placed_chunks`. Without it each task has a chunk of its
        own. A workload gives it in all of its batches or in none.
    """

    first_slot: int
    first_task: int
    counts: npt.NDArray[np.int64]
    replicas: npt.NDArray[np.integer[Any]]
    jobs: npt.NDArray[np.int64] | None = None
    chunks: npt.NDArray[np.int64] | None = None

    @property
    def n_slots(self) -> int:
        """Number of slots in the batch."""
        return len(self.counts)

    @property
    def n_tasks(self) -> int:
        """Number of tasks in the batch."""
        return len(self.replicas)

    def job_numbers(self) -> npt.NDArray[np.int64]:
        """Return the job of each task: as given, else the task's own number.

        Returns
        -------
        int64 array, shape (n_tasks,)

        Raises
        ------
        ScenarioError
            If a workload of the user's own gives another number of jobs than tasks.
        """
        if self.jobs is not None:
            if len(self.jobs) != self.n_tasks:
                raise ScenarioError(
                    f"the workload's batch from slot {self.first_slot} names the jobs of "
                    f"{len(self.jobs)} tasks and has {self.n_tasks}; it must name one for each, "
                    "or leave jobs out"
                )
            return self.jobs
        return np.arange(self.first_task, self.first_task + self.n_tasks, dtype=np.int64)

    def split(self, n_tasks: int) -> Iterator[ArrivalBatch]:
        """Yield the batch in parts.

        Parameters
        ----------
        n_tasks : int
            About how many tasks a part is to have, at least 1; a part has one slot or more.

        Yields
        ------
        ArrivalBatch
        """
        n_slots = max(self.n_slots * n_tasks // max(self.n_tasks, 1), 1)
        end = 0
        for at in range(0, self.n_slots, n_slots):
            counts = self.counts[at : at + n_slots]
            begin, end = end, end + int(counts.sum())
            replicas = self.replicas[begin:end]
            jobs = None if self.jobs is None else self.jobs[begin:end]
            chunks = None if self.chunks is None else self.chunks[begin:end]
            slot, task = self.first_slot + at, self.first_task + begin
            yield ArrivalBatch(slot, task, counts, replicas, jobs, chunks)


class Workload(Protocol):
    """What arrives, slot by slot."""

    @property
    def rate(self) -> float:
        """Mean arrival rate, tasks per slot."""
        ...

    @property
    def bound(self) -> int | None:
        """Where the arrivals of a slot are cut off, the paper's C_A; None if they are not."""
        ...

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        """Yield the arrivals of slots 0 to `n_slots` - 1, in order and without gaps.

        Parameters
        ----------
        key : Key
        n_slots : int

        Yields
        ------
        ArrivalBatch
        """
        ...


def placed_chunks(workload: Workload) -> npt.NDArray[np.int64] | None:
    """Return where every chunk of a workload is in the beginning.

    Parameters
    ----------
    workload : Workload
        One whose tasks share chunks has a method `placed_chunks`, and names chunks in its batches.

    Returns
    -------
    int64 array, shape (n_chunks, width), or None
        Servers, ascending; shorter rows end in -1. None if each task has a chunk of its own.
    """
    placed = getattr(workload, "placed_chunks", None)
    return None if placed is None else placed()


def window(rate: float) -> int:
    """Return how many slots make a batch at an arrival rate.

    Parameters
    ----------
    rate : float
        Tasks per slot.

    Returns
    -------
    int
    """
    return int(min(max(TASKS_PER_BATCH / max(rate, 1e-9), 1), 2 * TASKS_PER_BATCH))


@dataclass(frozen=True)
class SyntheticWorkload:
    """Independent arrivals, each task with an independently drawn type (paper, section 2).

    Parameters
    ----------
    traffic : Traffic
        Which replica set a task has.
    arrivals : ArrivalProcess
        How many tasks a slot brings.
    """

    traffic: Traffic
    arrivals: ArrivalProcess

    @property
    def rate(self) -> float:
        """Mean arrival rate, tasks per slot."""
        return self.arrivals.mean

    @property
    def bound(self) -> int | None:
        """Where the arrivals of a slot are cut off, the paper's C_A; None if bounded by nature."""
        return self.arrivals.bound if self.arrivals.is_truncated else None

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        """Yield the arrivals of slots 0 to `n_slots` - 1; see `Workload.batches`."""
        step, first_task = window(self.arrivals.rate), 0
        size = self.arrivals.tasks_per_event
        for first_slot in range(0, n_slots, step):
            counts = self.arrivals.counts(key, first_slot, min(step, n_slots - first_slot))
            n_tasks = int(counts.sum())
            chunks = None
            if isinstance(self.traffic, Types):
                chunks = self.traffic.types(key, first_task, n_tasks)
                replicas = np.asarray(self.traffic.replica_sets[chunks])
            else:
                replicas = self.traffic.replicas(key, first_task, n_tasks)
            jobs = None  # of one task each, unless arrivals come in batches: then a batch is a job
            if size > 1:
                jobs = np.arange(first_task, first_task + n_tasks, dtype=np.int64) // size
            yield ArrivalBatch(first_slot, first_task, counts, replicas, jobs, chunks)
            first_task += n_tasks

    def placed_chunks(self) -> npt.NDArray[np.int64] | None:
        """Return where every chunk is; see `placed_chunks`. Each task type is a chunk."""
        return self.traffic.replica_sets if isinstance(self.traffic, Types) else None
