"""The interval of one long run, from the means of its batches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.experiments.statistics import CONFIDENCE, Estimate, Method, estimate
from cluster_sim.recording.result import RunResult

__all__ = ["BatchMeans", "batch_means", "lag_one_correlation"]

N_SMALL = 400  # batches in which correlation is looked for, also by twos and by fours
N_BATCHES = 20  # batches that make the interval
MOST_CORRELATION = 0.4  # between neighbouring small batches


@dataclass(frozen=True, eq=False)
class BatchMeans:
    """What the batches of one run say about its mean.

    Parameters
    ----------
    mean : float
        Of the run.
    deviations : float64 array, shape (n_batches,), or None
        Of each batch from the mean, in the unit of the mean; None where the run is too short.
    correlation : float or None
        Between neighbouring small batches, the largest found.
    reason : str or None
        Why there is no interval.
    """

    mean: float
    deviations: npt.NDArray[np.float64] | None
    correlation: float | None
    reason: str | None = None

    def estimate(self, confidence: float = CONFIDENCE) -> Estimate:
        """Return the mean and its interval, if the batches give one.

        Parameters
        ----------
        confidence : float

        Returns
        -------
        Estimate
        """
        if self.deviations is None:
            return Estimate(self.mean, None, 0 if math.isnan(self.mean) else 1)
        spread = estimate(self.deviations.tolist(), confidence)
        return Estimate(self.mean, spread.half_width, 1, Method.BATCH_MEANS)


def lag_one_correlation(values: npt.NDArray[np.float64]) -> float:
    """Return the correlation between neighbours in a series.

    Parameters
    ----------
    values : float64 array, shape (n,)

    Returns
    -------
    float
        0 for a constant series. Without the bias of order 1/n that the usual estimate has.

    Notes
    -----
    The jackknife of two halves, :math:`2 r - (r_1 + r_2) / 2`.

    Examples
    --------
    >>> lag_one_correlation(np.array([1.0, -1.0] * 50)) < -0.9
    True
    """

    def plain(part: npt.NDArray[np.float64]) -> float:
        centred = part - part.mean()
        variance = float(centred @ centred)
        return float(centred[1:] @ centred[:-1]) / variance if variance > 0 else 0.0

    half = len(values) // 2
    return 2 * plain(values) - (plain(values[:half]) + plain(values[half:])) / 2


def batch_means(result: RunResult, *, is_waiting: bool = False) -> BatchMeans:
    r"""Return the batch means of the mean completion time of a run.

    Parameters
    ----------
    result : RunResult
    is_waiting : bool
        Of the mean waiting time instead.

    Returns
    -------
    BatchMeans

    Notes
    -----
    By Little's law a batch of slots with :math:`A_b` arrivals and the sum :math:`N_b` of the tasks
    at its observation points has the mean completion time :math:`1 + N_b / A_b`, but for the tasks
    at its ends. Both sums are exact, from the series. With R the ratio of their totals, the
    deviations are :math:`(N_b - R A_b) / \bar A`.

    The correlation of neighbours is looked for in 400 small batches, where there are enough
    neighbours to see it. If it is below 0.4 there, it is negligible in the 20 large ones, for a
    correlation that decays exponentially: the rule of Law and Carson. If not, the run is too short.
    The noise of the arrivals can hide the correlation of very short batches, so it is looked for
    in 200 and 100 batches as well.

    References
    ----------
    Law, Carson, "A sequential procedure for determining the length of a steady-state simulation",
    Operations Research 27(5), 1979.
    """
    mean = result.mean_waiting_time if is_waiting else result.mean_completion_time
    series = result.series
    points = np.flatnonzero(series.slots >= result.warmup)
    if len(points) <= N_SMALL:
        return BatchMeans(
            mean, None, None, f"fewer than {N_SMALL} points of the series are measured"
        )
    # All points are used: some batches are one point longer than others.
    ends = points[np.linspace(0, len(points) - 1, N_SMALL + 1).round().astype(np.int64)]
    sums = series.waiting_sum if is_waiting else series.in_system_sum
    tasks, arrivals = np.diff(sums[ends]), np.diff(series.arrived[ends])
    if not arrivals.sum():
        return BatchMeans(mean, None, None, "no task arrived")
    ratio = tasks.sum() / arrivals.sum()
    small = (tasks - ratio * arrivals) / arrivals.mean()
    correlation = max(lag_one_correlation(small.reshape(-1, n).mean(axis=1)) for n in (1, 2, 4))
    if correlation > MOST_CORRELATION:
        reason = (
            f"the run is too short: neighbours among {N_SMALL} batches of it correlate by "
            f"{correlation:.2f}, and {MOST_CORRELATION} is the most allowed"
        )
        return BatchMeans(mean, None, correlation, reason)
    return BatchMeans(mean, small.reshape(N_BATCHES, -1).mean(axis=1), correlation)
