"""A workload trace as columns: what every reader returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cluster_sim.errors import TraceError

__all__ = ["Trace", "frozen_int64"]


def frozen_int64(values: object) -> NDArray[np.int64]:
    """Return `values` as a read-only int64 array of its own.

    Parameters
    ----------
    values : array_like
        Whole numbers.

    Returns
    -------
    int64 array
        A copy that cannot be written to, so that a frozen record holding it is frozen.

    Examples
    --------
    >>> frozen_int64([1, 2]).flags.writeable
    False
    """
    array = np.array(values, dtype=np.int64)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """The jobs of a workload trace, in order of submission.

    Parameters
    ----------
    source : str
        Where the trace comes from, for messages; usually the file name as given.
    submit_seconds : int64 array, shape (n_jobs,), seconds
        When each job was submitted; never decreasing.
    input_bytes : int64 array, shape (n_jobs,), bytes
        What the map phase of each job reads. Zero for a job that reads nothing.
    path_index : int64 array, shape (n_jobs,)
        Which input path each job reads: an index into `path_names`. In a trace without paths
        each job has an index of its own.
    path_names : tuple of str
        The distinct input paths in order of first appearance; empty in a trace without paths.

    Raises
    ------
    TraceError
        If the columns differ in length, are empty, or hold values that no trace can have.

    Notes
    -----
    The arrays are read-only copies. Two traces compare equal only if they are the same object.

    Examples
    --------
    >>> trace = Trace("example", [0, 5, 5], [100, 0, 7], [0, 1, 0], ("logs", "none"))
    >>> trace
    <Trace 'example': 3 jobs (1 without input), 2 paths>
    """

    source: str
    submit_seconds: NDArray[np.int64]
    input_bytes: NDArray[np.int64]
    path_index: NDArray[np.int64]
    path_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("submit_seconds", "input_bytes", "path_index"):
            object.__setattr__(self, name, frozen_int64(getattr(self, name)))
        object.__setattr__(self, "path_names", tuple(self.path_names))
        self._check()

    def _check(self) -> None:
        lengths = {self.submit_seconds.shape, self.input_bytes.shape, self.path_index.shape}
        if len(lengths) != 1 or self.submit_seconds.ndim != 1:
            raise TraceError(
                f"{self.source}: columns of shapes {sorted(lengths)}: submit_seconds, input_bytes "
                "and path_index must be one-dimensional and equally long"
            )
        if self.n_jobs == 0:
            raise TraceError(f"{self.source}: no jobs: a trace needs at least one")
        if np.any(np.diff(self.submit_seconds) < 0):
            raise TraceError(f"{self.source}: submit_seconds must never decrease; sort the jobs")
        if np.any(self.input_bytes < 0):
            raise TraceError(
                f"{self.source}: input_bytes has {self.input_bytes.min()}: must be at least 0"
            )
        if np.any(self.path_index < 0) or np.any(self.path_index >= self.n_paths):
            raise TraceError(
                f"{self.source}: path_index has values from {self.path_index.min()} to "
                f"{self.path_index.max()}: must be from 0 to {self.n_paths - 1}"
            )

    @property
    def n_jobs(self) -> int:
        """Number of jobs, those without input included."""
        return int(self.submit_seconds.size)

    @property
    def n_zero_byte_jobs(self) -> int:
        """Number of jobs that read nothing. They become no tasks."""
        return int(np.count_nonzero(self.input_bytes == 0))

    @property
    def has_paths(self) -> bool:
        """Whether the trace says which jobs read the same data."""
        return bool(self.path_names)

    @property
    def n_paths(self) -> int:
        """Number of distinct paths; the number of jobs in a trace without paths."""
        return len(self.path_names) or self.n_jobs

    def __repr__(self) -> str:
        paths = f"{self.n_paths} paths" if self.has_paths else "no paths"
        return (
            f"<Trace {self.source!r}: {self.n_jobs} jobs "
            f"({self.n_zero_byte_jobs} without input), {paths}>"
        )
