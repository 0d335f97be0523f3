"""What a trace is like, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster_sim.traces.loads import chunk_runs
from cluster_sim.traces.slots import in_slots
from cluster_sim.traces.tasks import TraceTasks

__all__ = ["JobSizes", "Popularity", "TraceSummary", "summarise"]


@dataclass(frozen=True, kw_only=True)
class Popularity:
    """How unevenly things are read.

    Parameters
    ----------
    n_things : int
        Number of distinct paths or chunks.
    n_accesses : int
        Number of accesses, all of them together.
    top_share, top_ten_share, top_percent_share : float
        Share of the accesses that go to the most read one, to the ten most read, and to the most
        read one percent (rounded up to whole things).
    once_share : float
        Share of the things that are accessed exactly once.
    """

    n_things: int
    n_accesses: int
    top_share: float
    top_ten_share: float
    top_percent_share: float
    once_share: float


@dataclass(frozen=True, kw_only=True)
class JobSizes:
    """Quantiles of the sizes of the jobs that read something.

    A quantile here is a size that occurs: the least that at least that share of the jobs do
    not exceed.

    Parameters
    ----------
    p50, p90, p99, largest : int
        Median, 0.9 and 0.99 quantiles, maximum; bytes or tasks.
    """

    p50: int
    p90: int
    p99: int
    largest: int


@dataclass(frozen=True, kw_only=True)
class TraceSummary:
    """What a trace is like.

    Parameters
    ----------
    source : str
        Where the trace comes from.
    n_jobs, n_zero_byte_jobs : int
        Jobs, and those among them that read nothing.
    n_tasks, n_chunks : int
        Map tasks, and distinct chunks that they read.
    n_capped_jobs, n_tasks_cut : int
        Jobs cut down to ``max_tasks_per_job``, and the tasks that this left out.
    chunk_bytes : int, bytes
        Size of a chunk.
    has_paths : bool
        Whether the trace says which jobs read the same data. If not, each job is a path.
    n_paths : int
        Distinct input paths.
    path_popularity : Popularity
        Paths by jobs. Every job counts as one access to its path, also one of zero bytes.
    path_popularity_by_tasks : Popularity
        Paths by tasks: a job counts as many accesses to its path as it has tasks.
    chunk_popularity : Popularity
        Chunks by tasks.
    median_reread_gap_seconds : float or None, seconds
        Median time between two successive jobs on the same path; None if no path occurs twice.
    job_bytes, job_tasks : JobSizes
        Sizes of the jobs in bytes and in tasks.
    duration_seconds : int, seconds
        From the first to the last submission of a job that reads something.
    slot_seconds : float, seconds
        Length of a slot in the next three.
    n_slots : int
        Slots up to the last arrival.
    mean_rate, peak_rate : float, int; tasks per slot
        Tasks over slots, and the most tasks in one slot.
    """

    source: str
    n_jobs: int
    n_zero_byte_jobs: int
    n_tasks: int
    n_chunks: int
    n_capped_jobs: int
    n_tasks_cut: int
    chunk_bytes: int
    has_paths: bool
    n_paths: int
    path_popularity: Popularity
    path_popularity_by_tasks: Popularity
    chunk_popularity: Popularity
    median_reread_gap_seconds: float | None
    job_bytes: JobSizes
    job_tasks: JobSizes
    duration_seconds: int
    slot_seconds: float
    n_slots: int
    mean_rate: float
    peak_rate: int


def summarise(tasks: TraceTasks, slot_seconds: float = 1.0) -> TraceSummary:
    """Summarise a trace.

    Parameters
    ----------
    tasks : TraceTasks
        The tasks of the trace.
    slot_seconds : float, seconds
        Length of a slot for the arrival rates. At 1, they are per second.

    Returns
    -------
    TraceSummary
        Of plain numbers; ``dataclasses.asdict`` makes it ready for JSON.

    Raises
    ------
    ScenarioError
        If `slot_seconds` is out of range.

    Notes
    -----
    Time is that of sorting the jobs and memory is linear in the jobs, however many tasks
    they have.

    Examples
    --------
    >>> from cluster_sim.traces import Trace, split_jobs
    >>> mib = 2**20
    >>> trace = Trace("example", [0, 1, 9], [130 * mib, 0, 64 * mib], [0, 1, 0], ("a", "b"))
    >>> summary = summarise(split_jobs(trace))
    >>> summary.n_tasks, summary.n_chunks, summary.median_reread_gap_seconds
    (4, 3, 9.0)
    """
    trace = tasks.trace
    slots = in_slots(tasks, slot_seconds)
    by_jobs = np.bincount(trace.path_index, minlength=trace.n_paths)
    by_tasks = np.zeros(trace.n_paths, dtype=np.int64)
    np.add.at(by_tasks, trace.path_index[tasks.job_index], tasks.n_job_tasks)
    _, lengths, accesses = chunk_runs(tasks)
    return TraceSummary(
        source=trace.source,
        n_jobs=trace.n_jobs,
        n_zero_byte_jobs=trace.n_zero_byte_jobs,
        n_tasks=tasks.n_tasks,
        n_chunks=tasks.n_chunks,
        n_capped_jobs=tasks.n_capped_jobs,
        n_tasks_cut=tasks.n_tasks_cut,
        chunk_bytes=tasks.chunk_bytes,
        has_paths=trace.has_paths,
        n_paths=trace.n_paths,
        path_popularity=_popularity(by_jobs),
        path_popularity_by_tasks=_popularity(by_tasks),
        chunk_popularity=_popularity(accesses, lengths),
        median_reread_gap_seconds=_median_reread_gap(trace.path_index, trace.submit_seconds),
        job_bytes=_sizes(trace.input_bytes[tasks.job_index]),
        job_tasks=_sizes(tasks.n_job_tasks),
        duration_seconds=tasks.duration_seconds,
        slot_seconds=slots.slot_seconds,
        n_slots=slots.n_slots,
        mean_rate=slots.rate,
        peak_rate=slots.peak_rate,
    )


def _popularity(
    accesses: NDArray[np.int64], n_alike: NDArray[np.int64] | None = None
) -> Popularity:
    """Return the popularity of things given their accesses, `n_alike` things for each entry."""
    n_alike = np.ones_like(accesses) if n_alike is None else n_alike
    read = accesses > 0
    accesses, n_alike = accesses[read], n_alike[read]
    order = np.argsort(-accesses, kind="stable")
    accesses, n_alike = accesses[order], n_alike[order]
    n_things, n_accesses = int(n_alike.sum()), int((accesses * n_alike).sum())
    things = np.concatenate(([0], np.cumsum(n_alike)))
    total = np.concatenate(([0], np.cumsum(accesses * n_alike)))

    def share(n_top: int) -> float:
        # Linear between the ends of the runs, because the things of a run are alike.
        return float(np.interp(n_top, things, total) / n_accesses)

    return Popularity(
        n_things=n_things,
        n_accesses=n_accesses,
        top_share=share(1),
        top_ten_share=share(10),
        top_percent_share=share(-(-n_things // 100)),
        once_share=float(n_alike[accesses == 1].sum() / n_things),
    )


def _median_reread_gap(
    path_index: NDArray[np.int64], submit_seconds: NDArray[np.int64]
) -> float | None:
    order = np.argsort(path_index, kind="stable")  # stable: within a path still by time
    is_same_path = np.diff(path_index[order]) == 0
    gaps = np.diff(submit_seconds[order])[is_same_path]
    return float(np.median(gaps)) if gaps.size else None


def _sizes(values: NDArray[np.int64]) -> JobSizes:
    p50, p90, p99, largest = np.quantile(values, [0.5, 0.9, 0.99, 1.0], method="inverted_cdf")
    return JobSizes(p50=int(p50), p90=int(p90), p99=int(p99), largest=int(largest))
