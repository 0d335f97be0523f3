"""Jobs become map tasks: one per chunk, stored per job, expanded only a window at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cluster_sim.errors import ScenarioError, TraceError
from cluster_sim.traces.trace import Trace, frozen_int64

__all__ = ["TraceTasks", "split_jobs"]

_MIB = 2**20
_MAX_COUNT = 2**53


@dataclass(frozen=True, eq=False, repr=False)
class TraceTasks:
    """The map tasks of a trace, stored per job.

    Only jobs that read something are here. Tasks are numbered from 0 in order of submission, a
    job's tasks in order of their block.

    Parameters
    ----------
    trace : Trace
        What was split.
    chunk_bytes : int, bytes
        Size of a chunk.
    job_index : int64 array, shape (n_jobs,)
        Which job of the trace each is.
    submit_seconds : int64 array, shape (n_jobs,), seconds
        When each job was submitted; never decreasing.
    first_chunk : int64 array, shape (n_jobs,)
        Chunk of each job's first task; its task ``i`` reads chunk ``first_chunk + i``.
    n_job_tasks : int64 array, shape (n_jobs,), tasks
        Tasks of each job, at least 1.
    n_chunks : int
        Number of distinct chunks; ids are 0 to ``n_chunks - 1`` and each is read by some task.
    n_capped_jobs : int
        Number of jobs that were given fewer tasks than they have chunks.
    n_tasks_cut : int
        Number of tasks they were not given.

    Attributes
    ----------
    first_task : int64 array, shape (n_jobs + 1,)
        Number of each job's first task; the last entry is `n_tasks`.

    Notes
    -----
    The Facebook day of the SWIM repository has 18 million tasks of 64 MiB in 24,408 jobs. Stored
    per job they take a megabyte, stored per task they would take hundreds.
    """

    trace: Trace
    chunk_bytes: int
    job_index: NDArray[np.int64]
    submit_seconds: NDArray[np.int64]
    first_chunk: NDArray[np.int64]
    n_job_tasks: NDArray[np.int64]
    n_chunks: int
    n_capped_jobs: int
    n_tasks_cut: int
    first_task: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("job_index", "submit_seconds", "first_chunk", "n_job_tasks"):
            object.__setattr__(self, name, frozen_int64(getattr(self, name)))
        first_task = frozen_int64(np.concatenate(([0], np.cumsum(self.n_job_tasks))))
        object.__setattr__(self, "first_task", first_task)

    @property
    def n_jobs(self) -> int:
        """Number of jobs that have tasks."""
        return int(self.n_job_tasks.size)

    @property
    def n_tasks(self) -> int:
        """Number of tasks of all jobs together."""
        return int(self.first_task[-1])

    @property
    def duration_seconds(self) -> int:
        """Seconds from the first to the last submission of a job that has tasks."""
        return int(self.submit_seconds[-1] - self.submit_seconds[0])

    def task_jobs(self, first_task: int, n: int) -> NDArray[np.int64]:
        """Return which of the jobs each of `n` tasks in order belongs to.

        Parameters
        ----------
        first_task : int
            Number of the first task.
        n : int
            How many tasks.

        Returns
        -------
        int64 array, shape (n,)
            Indices into the arrays of this record.

        Raises
        ------
        TraceError
            If there are no such tasks.
        """
        start, stop = self._job_range(first_task, n)
        bounds = np.clip(self.first_task[start : stop + 1], first_task, first_task + n)
        return np.repeat(np.arange(start, stop, dtype=np.int64), np.diff(bounds))

    def task_chunks(self, first_task: int, n: int) -> NDArray[np.int64]:
        """Return the chunk that each of `n` tasks in order reads.

        Parameters
        ----------
        first_task : int
            Number of the first task.
        n : int
            How many tasks.

        Returns
        -------
        int64 array, shape (n,)
            Chunk ids.

        Raises
        ------
        TraceError
            If there are no such tasks.

        Examples
        --------
        >>> mib = 2**20
        >>> trace = Trace("example", [0, 9], [130 * mib, 64 * mib], [0, 0], ("logs",))
        >>> split_jobs(trace).task_chunks(0, 4)
        array([0, 1, 2, 0])
        """
        jobs = self.task_jobs(first_task, n)
        blocks = np.arange(first_task, first_task + n, dtype=np.int64) - self.first_task[jobs]
        return self.first_chunk[jobs] + blocks

    def _job_range(self, first_task: int, n: int) -> tuple[int, int]:
        """Return the half-open range of jobs that tasks first_task to first_task + n touch."""
        if first_task < 0 or n < 0 or first_task + n > self.n_tasks:
            raise TraceError(
                f"{self.trace.source}: {n} tasks from task {first_task} on: "
                f"the trace has tasks 0 to {self.n_tasks - 1}"
            )
        start = int(np.searchsorted(self.first_task, first_task, side="right")) - 1
        stop = int(np.searchsorted(self.first_task, first_task + n, side="left"))
        return start, max(start, stop)

    def __repr__(self) -> str:
        return (
            f"<TraceTasks of {self.trace.source!r}: {self.n_tasks} tasks in {self.n_jobs} jobs, "
            f"{self.n_chunks} chunks>"
        )


def split_jobs(
    trace: Trace, chunk_mib: float = 64, *, max_tasks_per_job: int | None = None
) -> TraceTasks:
    """Split the jobs of a trace into map tasks, one per chunk of input.

    Parameters
    ----------
    trace : Trace
        The jobs.
    chunk_mib : float, MiB
        Size of a chunk, above 0; taken to the nearest byte.
    max_tasks_per_job : int, optional, tasks
        If given, a job gets at most so many tasks, those of its first blocks.

    Returns
    -------
    TraceTasks
        The tasks. Jobs without input have none and are left out.

    Raises
    ------
    ScenarioError
        If `chunk_mib` or `max_tasks_per_job` is out of range.
    TraceError
        If no job reads anything, or the tasks are more than 2**53.

    Notes
    -----
    Job ``j`` has ``n_j = min(ceil(input_bytes_j / chunk_bytes), max_tasks_per_job)`` tasks. Task
    ``i`` of the job reads block ``i`` of its path. A chunk is a (path, block) pair, so jobs that
    read the same path read the same chunks as far as both go. A published path can have another
    size at each job; it is given as many blocks as the largest of them needs. Chunk ids run
    through the paths in order of first appearance, and through the blocks within a path, so an
    id depends on the trace and these two parameters alone.

    Examples
    --------
    >>> mib = 2**20
    >>> trace = Trace("example", [0, 1, 9], [130 * mib, 0, 64 * mib], [0, 1, 0], ("a", "b"))
    >>> tasks = split_jobs(trace)
    >>> tasks
    <TraceTasks of 'example': 4 tasks in 2 jobs, 3 chunks>
    >>> tasks.n_job_tasks, tasks.first_chunk
    (array([3, 1]), array([0, 0]))
    """
    chunk_bytes = _chunk_bytes(chunk_mib)
    if max_tasks_per_job is not None and max_tasks_per_job < 1:
        raise ScenarioError(
            f"max_tasks_per_job = {max_tasks_per_job}: must be at least 1, or left out"
        )
    job_index = np.flatnonzero(trace.input_bytes)
    if job_index.size == 0:
        raise TraceError(
            f"{trace.source}: none of the {trace.n_jobs} jobs reads any input, so there are no "
            "tasks; use a trace with map input"
        )
    n_blocks = -(-trace.input_bytes[job_index] // chunk_bytes)
    # In floating point, because the sum that is too large would wrap around in int64.
    if float(n_blocks.sum(dtype=np.float64)) > _MAX_COUNT:
        raise TraceError(
            f"{trace.source}: more than 2**53 tasks at chunk_mib = {chunk_mib}; use larger chunks"
        )
    n_job_tasks = n_blocks
    if max_tasks_per_job is not None:
        n_job_tasks = np.minimum(n_blocks, min(max_tasks_per_job, _MAX_COUNT))
    path = trace.path_index[job_index]
    path_blocks = np.zeros(trace.n_paths, dtype=np.int64)
    np.maximum.at(path_blocks, path, n_job_tasks)
    path_end = np.cumsum(path_blocks)
    return TraceTasks(
        trace=trace,
        chunk_bytes=chunk_bytes,
        job_index=job_index,
        submit_seconds=trace.submit_seconds[job_index],
        first_chunk=(path_end - path_blocks)[path],
        n_job_tasks=n_job_tasks,
        n_chunks=int(path_end[-1]),
        n_capped_jobs=int(np.count_nonzero(n_job_tasks < n_blocks)),
        n_tasks_cut=int((n_blocks - n_job_tasks).sum()),
    )


def _chunk_bytes(chunk_mib: float) -> int:
    """Return the size of a chunk in bytes, checked."""
    if not (math.isfinite(chunk_mib) and 1 / _MIB <= chunk_mib <= _MAX_COUNT / _MIB):
        raise ScenarioError(
            f"chunk_mib = {chunk_mib}: must be from one byte (2**-20 MiB) to 2**33 MiB"
        )
    return round(chunk_mib * _MIB)
