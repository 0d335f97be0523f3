"""How a trace's accesses spread over chunks, and over servers under a replica placement."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from cluster_sim.errors import ScenarioError
from cluster_sim.traces.tasks import TraceTasks

__all__ = ["chunk_runs", "hottest_over_mean", "server_loads"]

_WINDOW = 65_536  # chunks placed at a time: some megabytes, whatever the trace


def server_loads(
    tasks: TraceTasks,
    place: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    *,
    n_servers: int,
) -> NDArray[np.float64]:
    """Return how many tasks each server has if every task is split evenly over its replicas.

    Parameters
    ----------
    tasks : TraceTasks
        The tasks of the trace.
    place : callable
        The replica placement: takes chunk ids (int64 array, shape (n,)), returns the servers that
        hold each (int64 array, shape (n, n_replicas); -1 fills rows that have fewer). It is called
        once for each chunk, for up to 65,536 chunks at a time.
    n_servers : int
        Number of servers.

    Returns
    -------
    float64 array, shape (n_servers,), tasks
        A chunk that is read ``k`` times and has ``r`` replicas adds ``k / r`` to each of their
        servers. The sum is the number of tasks.

    Raises
    ------
    ScenarioError
        If `n_servers` is below 1, or `place` returns something other than servers.

    Examples
    --------
    >>> from cluster_sim.traces import Trace, split_jobs
    >>> trace = Trace("example", [0, 1, 9], [1, 1, 1], [0, 1, 0], ("a", "b"))
    >>> place = lambda chunks: np.stack([chunks, chunks + 1], axis=1)
    >>> server_loads(split_jobs(trace), place, n_servers=4)
    array([1. , 1.5, 0.5, 0. ])
    """
    if n_servers < 1:
        raise ScenarioError(f"n_servers = {n_servers}: must be at least 1")
    loads = np.zeros(n_servers)
    for chunks, accesses in _chunk_windows(tasks):
        replicas = np.asarray(place(chunks))
        _check_replicas(replicas, chunks.size, n_servers)
        is_replica = replicas >= 0
        share = accesses / is_replica.sum(axis=1)
        weights = np.broadcast_to(share[:, np.newaxis], replicas.shape)[is_replica]
        loads += np.bincount(replicas[is_replica], weights=weights, minlength=n_servers)
    return loads


def hottest_over_mean(
    tasks: TraceTasks,
    place: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    *,
    n_servers: int,
) -> float:
    """Return the load of the hottest server over the mean load.

    Parameters
    ----------
    tasks : TraceTasks
        The tasks of the trace.
    place : callable
        The replica placement, as for `server_loads`.
    n_servers : int
        Number of servers.

    Returns
    -------
    float
        ``max(loads) / mean(loads)``, at least 1; 1 means that the data are spread evenly.

    Raises
    ------
    ScenarioError
        As `server_loads` does.

    Notes
    -----
    Every task is split evenly over its replicas, so this is a property of trace and placement;
    a scheduler can do better or worse.

    Examples
    --------
    >>> from cluster_sim.traces import Trace, split_jobs
    >>> trace = Trace("example", [0, 1, 9], [1, 1, 1], [0, 1, 0], ("a", "b"))
    >>> hottest_over_mean(split_jobs(trace), lambda chunks: chunks[:, np.newaxis], n_servers=2)
    1.3333333333333333
    """
    loads = server_loads(tasks, place, n_servers=n_servers)
    return float(loads.max() / loads.mean())


def _check_replicas(replicas: NDArray[np.int64], n_chunks: int, n_servers: int) -> None:
    if (
        replicas.ndim != 2
        or replicas.shape[0] != n_chunks
        or not np.issubdtype(replicas.dtype, np.integer)
    ):
        raise ScenarioError(
            f"place returned a {replicas.dtype} array of shape {replicas.shape} for {n_chunks} "
            f"chunks: must be whole numbers, shape ({n_chunks}, n_replicas)"
        )
    if replicas.size and not -1 <= replicas.min() <= replicas.max() < n_servers:
        raise ScenarioError(
            f"place returned servers from {replicas.min()} to {replicas.max()}: must be from 0 to "
            f"{n_servers - 1}, or -1 where a chunk has fewer replicas"
        )
    if not np.all((replicas >= 0).any(axis=1)):
        raise ScenarioError("place returned a chunk without replicas: each needs at least one")


def chunk_runs(
    tasks: TraceTasks,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return runs of neighbouring chunks that are read equally often.

    Parameters
    ----------
    tasks : TraceTasks
        The tasks of the trace.

    Returns
    -------
    starts : int64 array, shape (n_runs,)
        First chunk of each run, ascending; the runs cover all chunks.
    lengths : int64 array, shape (n_runs,), chunks
        Number of chunks in each.
    accesses : int64 array, shape (n_runs,), tasks
        Tasks that read each chunk of the run.

    Notes
    -----
    Every job reads the first blocks of its path. So with a path's jobs in ascending order of
    size, the blocks from one size to the next are read by the jobs from there on: there is at
    most one run per job, where an array over the chunks can be hundreds of times longer. The
    starts ascend, because the jobs of one path share their first chunk and no others do.

    Examples
    --------
    >>> from cluster_sim.traces import Trace, split_jobs
    >>> mib = 2**20
    >>> trace = Trace("example", [0, 1, 9], [320 * mib, 1, 64 * mib], [0, 1, 0], ("a", "b"))
    >>> chunk_runs(split_jobs(trace))
    (array([0, 1, 5]), array([1, 4, 1]), array([2, 1, 1]))
    """
    order = np.lexsort((tasks.n_job_tasks, tasks.first_chunk))
    first, size = tasks.first_chunk[order], tasks.n_job_tasks[order]
    is_new = np.diff(first, prepend=-1) != 0
    previous_size = np.where(is_new, 0, np.roll(size, 1))
    path_start = np.flatnonzero(is_new)
    n_readers = np.diff(path_start, append=first.size)
    rank = np.arange(first.size) - np.repeat(path_start, n_readers)
    accesses = np.repeat(n_readers, n_readers) - rank
    lengths = size - previous_size
    keep = lengths > 0
    return (first + previous_size)[keep], lengths[keep], accesses[keep]


def _chunk_windows(tasks: TraceTasks) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield all chunks in order with their accesses, a bounded number at a time."""
    starts, _, accesses = chunk_runs(tasks)
    for first in range(0, tasks.n_chunks, _WINDOW):
        chunks = np.arange(first, min(first + _WINDOW, tasks.n_chunks), dtype=np.int64)
        yield chunks, accesses[np.searchsorted(starts, chunks, side="right") - 1]
