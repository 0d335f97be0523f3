"""Exact histograms of whole numbers: completion and waiting times in slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Histogram"]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each value occurred; nothing is rounded, and histograms add.

    Parameters
    ----------
    values : int64 array, shape (n_distinct,)
        Ascending.
    counts : int64 array, shape (n_distinct,)
        Above 0.

    Examples
    --------
    >>> histogram = Histogram.of({1: 90, 2: 9, 40: 1})
    >>> histogram.mean, histogram.quantile(0.5), histogram.quantile(0.99), histogram.quantile(0.999)
    (1.48, 1, 2, 40)
    """

    values: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> Histogram:
        """Return the histogram of a mapping from value to count.

        Parameters
        ----------
        counts : mapping of int to int

        Returns
        -------
        Histogram
        """
        values = sorted(value for value, count in counts.items() if count)
        return cls(
            np.array(values, dtype=np.int64),
            np.array([counts[value] for value in values], dtype=np.int64),
        )

    @classmethod
    def of_dense(cls, counts: npt.NDArray[np.int64]) -> Histogram:
        """Return the histogram in which value v occurred ``counts[v]`` times.

        Parameters
        ----------
        counts : int64 array, shape (n_values,)

        Returns
        -------
        Histogram
        """
        values = np.flatnonzero(counts)
        return cls(values.astype(np.int64), counts[values].astype(np.int64))

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same values as often."""
        if not isinstance(other, Histogram):
            return NotImplemented
        return np.array_equal(self.values, other.values) and np.array_equal(
            self.counts, other.counts
        )

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Histogram) -> Histogram:
        """Return both together."""
        values, where = np.unique(np.concatenate((self.values, other.values)), return_inverse=True)
        counts = np.zeros(len(values), dtype=np.int64)
        np.add.at(counts, where, np.concatenate((self.counts, other.counts)))
        return Histogram(values, counts)

    @property
    def total(self) -> int:
        """Number of observations."""
        return int(self.counts.sum())

    @property
    def sum(self) -> int:
        """Sum of the observations."""
        return int(self.values @ self.counts)

    @property
    def mean(self) -> float:
        """Mean of the observations; nan if there are none."""
        return self.sum / self.total if self.total else float("nan")

    def quantile(self, p: float) -> int | None:
        """Return the smallest value that at least a fraction `p` of observations does not exceed.

        Parameters
        ----------
        p : float
            Above 0, at most 1.

        Returns
        -------
        int or None
            None without observations.
        """
        if not self.total:
            return None
        cumulated = np.cumsum(self.counts)
        return int(
            self.values[np.searchsorted(cumulated, p * self.total * (1 - 1e-15), side="left")]
        )
