"""Quantiles of completion times, with intervals from the exact histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt

from cluster_sim.experiments.statistics import CONFIDENCE, student_quantile
from cluster_sim.recording.histogram import Histogram

__all__ = ["QuantileEstimate", "quantile_estimate"]

FEWEST_BEYOND = 50  # tasks expected above a quantile; with fewer there is no interval


@dataclass(frozen=True)
class QuantileEstimate:
    """A quantile and its interval; all are whole slots.

    Parameters
    ----------
    p : float
    value : int or None
        Of all replications together; None without observations.
    low, high : int or None
        Ends of the interval, both included; None where there is none.

    Examples
    --------
    Where the interval is a single slot, it is not printed:

    >>> print(QuantileEstimate(0.99, 12, 12, 13), QuantileEstimate(0.5, 2, 2, 2))
    12 (12 to 13) 2
    """

    p: float
    value: int | None
    low: int | None
    high: int | None

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        if self.low is None or self.high is None or self.low == self.high:
            return f"{self.value:,}"
        return f"{self.value:,} ({self.low:,} to {self.high:,})"


def quantile_estimate(
    histograms: Sequence[Histogram], p: float, confidence: float = CONFIDENCE
) -> QuantileEstimate:
    """Return a quantile over replications and its interval.

    Parameters
    ----------
    histograms : sequence of Histogram
        One a replication; empty ones are left out.
    p : float
        Above 0, below 1.
    confidence : float

    Returns
    -------
    QuantileEstimate

    Notes
    -----
    The quantile of whole numbers is a whole number, and a mean over the quantiles of replications
    is not: it can have a tiny interval beside the true value. So the interval is found from the
    distribution function. At each value x, the fractions F(x) of the replications have a Student
    interval from L(x) to U(x). The interval of the quantile goes from the first x with U(x) >= p
    to the first with L(x) >= p. It misses only where the interval of F misses, just below or at
    the quantile.

    There is no interval if fewer than fifty of all tasks are expected above the quantile: too few
    to know how their number varies.

    Examples
    --------
    >>> runs = [Histogram.of({1: 896 + i, 2: 94 - i, 3: 10}) for i in range(9)]
    >>> print(quantile_estimate(runs, 0.9), quantile_estimate(runs, 0.95))
    1 (1 to 2) 2
    """
    kept = [histogram for histogram in histograms if histogram.total]
    if not kept:
        return QuantileEstimate(p, None, None, None)
    together = reduce(add, kept)
    value = together.quantile(p)
    if len(kept) < 2 or together.total * (1 - p) < FEWEST_BEYOND:
        return QuantileEstimate(p, value, None, None)
    fractions = np.stack([_fractions(histogram, together.values) for histogram in kept])
    mean = fractions.mean(axis=0)
    half = student_quantile(len(kept), confidence) * fractions.std(axis=0, ddof=1)
    half /= np.sqrt(len(kept))
    low = _first(together.values, mean + half >= p)
    high = _first(together.values, mean - half >= p)
    return QuantileEstimate(p, value, low if high is not None else None, high)


def _fractions(histogram: Histogram, values: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the fraction of observations that does not exceed each value."""
    cumulated = np.concatenate(([0], np.cumsum(histogram.counts)))
    found = cumulated[np.searchsorted(histogram.values, values, side="right")]
    return np.asarray(found / histogram.total)


def _first(values: npt.NDArray[np.int64], is_it: npt.NDArray[np.bool_]) -> int | None:
    return int(values[np.argmax(is_it)]) if is_it.any() else None
