"""Means and ratios over replications, with confidence intervals."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["CONFIDENCE", "Estimate", "Method", "estimate", "ratio_estimate", "student_quantile"]

CONFIDENCE = 0.95


class Method(enum.StrEnum):
    """Where an interval comes from."""

    REPLICATIONS = "replications"
    BATCH_MEANS = "batch means"


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval.

    Parameters
    ----------
    mean : float
    half_width : float or None
        Half the width of the confidence interval; None where there is none to be had.
    n : int
        Replications.
    method : Method or None
        Where the interval comes from; None without one.

    Examples
    --------
    >>> print(Estimate(1.25, 0.01, 8))
    1.250 ± 0.010
    """

    mean: float
    half_width: float | None
    n: int
    method: Method | None = None

    def __str__(self) -> str:
        if self.half_width is None or not math.isfinite(self.half_width):
            return f"{self.mean:.4g}"
        digits = (
            max(0, min(8, 1 - math.floor(math.log10(self.half_width)))) if self.half_width else 6
        )
        return f"{self.mean:.{digits}f} ± {self.half_width:.{digits}f}"

    @property
    def low(self) -> float | None:
        """Lower end of the interval."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end of the interval."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def relative(self) -> float | None:
        """The half-width as a fraction of the mean; None without interval or with mean 0."""
        if self.half_width is None or not self.mean:
            return None
        return self.half_width / abs(self.mean)


def student_quantile(n: int, confidence: float = CONFIDENCE) -> float:
    """Return the factor of a two-sided Student interval of `n` values.

    Parameters
    ----------
    n : int
        At least 2.
    confidence : float
        Above 0, below 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(student_quantile(10), 3)
    2.262
    """
    from scipy import special  # here: it takes long to import

    return float(special.stdtrit(n - 1, 0.5 + confidence / 2))


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of independent replications and its Student interval.

    Parameters
    ----------
    values : sequence of float
        One a replication; nan (nothing to measure) is left out.
    confidence : float
        Above 0, below 1.

    Returns
    -------
    Estimate
        nan if there is nothing to average.

    Notes
    -----
    The half-width is ``t * s / sqrt(n)``, with t the Student quantile of n - 1 degrees of freedom.

    Examples
    --------
    >>> estimate([1.0, 2.0, 3.0]).mean
    2.0
    >>> round(estimate([1.0, 2.0, 3.0]).half_width, 3)
    2.484
    """
    kept = np.array([value for value in values if not math.isnan(value)])
    n = len(kept)
    if n == 0:
        return Estimate(math.nan, None, 0)
    mean = float(kept.mean())
    if n == 1:
        return Estimate(mean, None, 1)
    half_width = student_quantile(n, confidence) * float(kept.std(ddof=1)) / math.sqrt(n)
    return Estimate(mean, half_width, n, Method.REPLICATIONS)


def ratio_estimate(
    values: Sequence[float], baselines: Sequence[float], confidence: float = CONFIDENCE
) -> Estimate:
    r"""Return the ratio of two means over paired replications, and its interval.

    Parameters
    ----------
    values, baselines : sequence of float
        One a replication, paired; a pair with nan is left out.
    confidence : float
        Above 0, below 1.

    Returns
    -------
    Estimate
        nan if there is nothing to compare, or the baselines average to 0.

    Notes
    -----
    The estimate is :math:`R = \bar y / \bar x`, the ratio of the means. The mean of the ratios
    has a bias that more replications do not remove. The half-width is that of the mean of
    :math:`(y_i - R x_i) / \bar x`, which is what the error of R is to first order; pairing makes
    it small. Fieller's interval has the same to first order and is not symmetric.

    Examples
    --------
    >>> print(ratio_estimate([2.0, 4.1, 6.0], [1.0, 2.0, 3.0]))
    2.017 ± 0.075
    """
    pairs = np.array(list(zip(values, baselines, strict=True)), dtype=float).reshape(-1, 2)
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    mean_value, mean_baseline = pairs.mean(axis=0) if len(pairs) else (math.nan, math.nan)
    if not len(pairs) or mean_baseline == 0:
        return Estimate(math.nan, None, 0)
    ratio = float(mean_value / mean_baseline)
    spread = estimate(((pairs[:, 0] - ratio * pairs[:, 1]) / mean_baseline).tolist(), confidence)
    return Estimate(ratio, spread.half_width, spread.n, spread.method)
