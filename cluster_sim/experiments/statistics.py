"""Means over replications, with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True)
class Estimate:
    """A mean over replications and its interval.

    Parameters
    ----------
    mean : float
    half_width : float or None
        Half the width of the confidence interval; None with fewer than two replications.
    n : int
        Replications.

    Examples
    --------
    >>> print(Estimate(1.25, 0.01, 8))
    1.250 ± 0.010
    """

    mean: float
    half_width: float | None
    n: int

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


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
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
    quantile = float(special.stdtrit(n - 1, 0.5 + confidence / 2))
    return Estimate(mean, quantile * float(kept.std(ddof=1)) / math.sqrt(n), n)
