"""How long a service takes: distributions of whole slots with mean exactly 1 / rate.

The capacity of a cluster depends on a service time by its mean only, so every distribution here
keeps it: a scenario with another distribution has the same load. A task's service time is a
function of its own uniform (its luck), not falling with it and not rising with the rate. So the
same task is never slower at a faster server, and runs under different policies are paired.

SciPy's special functions are imported where they are needed: they take long, and most runs need
none.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError

__all__ = ["Deterministic", "Empirical", "Geometric", "LogNormal", "Pareto", "ServiceTimes"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_SLOTS = 2**62  # of one service: what an int64 holds, with room to add a slot number
GRID = 2.0**-53  # luck is a multiple of it
N_SUMMED = 4096  # terms of a survival sum taken one by one; the rest is smooth enough to integrate


class ServiceTimes(ABC):
    """A family of service times, one for each rate.

    Attributes
    ----------
    kind : str
        The name in scenarios.
    """

    kind: ClassVar[str]

    @property
    def words(self) -> str:
        """What it is, in a few words for people."""
        return self.kind

    def times(self, uniforms: Floats, rate: float) -> Ints:
        """Return the service times that uniforms give at a rate.

        Parameters
        ----------
        uniforms : float64 array, shape (n,)
            On [0, 1): the service uniforms of tasks.
        rate : float
            In (0, 1]; the reciprocal of the mean.

        Returns
        -------
        int64 array, shape (n,)
            Slots, at least 1.
        """
        luck = np.asarray(uniforms, dtype=np.float64)
        if rate >= 1.0:
            return np.ones(luck.shape, dtype=np.int64)
        slots = np.clip(self._times(luck, rate), 1, MOST_SLOTS)
        return np.asarray(slots.astype(np.int64))

    def survival(self, slots: npt.ArrayLike, rate: float) -> Floats:
        """Return the probability that a service takes more than so many slots.

        Parameters
        ----------
        slots : int array, shape (n,)
            At least 0.
        rate : float

        Returns
        -------
        float64 array, shape (n,)
            Its sum over all slots from 0 is the mean, 1 / rate.
        """
        number = np.asarray(slots, dtype=np.float64)
        if rate >= 1.0:
            return np.where(number < 1, 1.0, 0.0)
        return np.where(number < 1, 1.0, self._survival(np.maximum(number, 1.0), rate))

    @abstractmethod
    def _times(self, luck: Floats, rate: float) -> Floats:
        """Return service times for a rate below 1, as whole floats."""

    @abstractmethod
    def _survival(self, slots: Floats, rate: float) -> Floats:
        """Return P(D > slots) for a rate below 1 and slots of at least 1."""


@dataclass(frozen=True)
class Geometric(ServiceTimes):
    """A task in service completes in each slot with the same probability (paper, section 2).

    Examples
    --------
    >>> Geometric().times(np.array([0.0, 0.49, 0.5, 0.75, 0.9]), 0.5).tolist()
    [1, 1, 2, 3, 4]
    """

    kind: ClassVar[str] = "geometric"

    def _times(self, luck: Floats, rate: float) -> Floats:
        return np.asarray(1.0 + np.floor(np.log1p(-luck) / math.log1p(-rate)))

    def _survival(self, slots: Floats, rate: float) -> Floats:
        return np.asarray(np.exp(slots * math.log1p(-rate)))


@dataclass(frozen=True)
class Deterministic(ServiceTimes):
    """Every task takes 1 / rate slots; where that is no whole number, one of the two beside it.

    Examples
    --------
    >>> Deterministic().times(np.array([0.0, 0.4, 0.6, 0.9]), 0.4).tolist()
    [2, 2, 3, 3]
    """

    kind: ClassVar[str] = "deterministic"

    def _times(self, luck: Floats, rate: float) -> Floats:
        return np.floor(1.0 / rate + luck)

    def _survival(self, slots: Floats, rate: float) -> Floats:
        return np.clip(1.0 / rate - slots, 0.0, 1.0)


@dataclass(frozen=True)
class LogNormal(ServiceTimes):
    """A log-normal time, rounded up to whole slots.

    Parameters
    ----------
    cv : float
        Coefficient of variation (standard deviation over mean) before rounding, above 0 and at
        most 100.

    Notes
    -----
    ``D = ceil(c exp(sigma z(u)))`` with ``sigma**2 = log(1 + cv**2)``; the scale c is solved for,
    so that the survival function of D sums to 1 / rate.
    """

    kind: ClassVar[str] = "log-normal"
    cv: float

    def __post_init__(self) -> None:
        if not 0.0 < self.cv <= 100.0:
            raise ScenarioError(
                f"cv = {self.cv}: must be above 0 and at most 100, the standard deviation over "
                "the mean; use deterministic service for 0"
            )

    @property
    def words(self) -> str:
        """What it is, in a few words for people."""
        return f"log-normal, cv {self.cv:g}"

    @property
    def _sigma(self) -> float:
        return math.sqrt(math.log1p(self.cv * self.cv))

    def _times(self, luck: Floats, rate: float) -> Floats:
        from scipy import special

        scale = _log_normal_scale(self._sigma, 1.0 / rate)
        return np.asarray(np.ceil(scale * np.exp(self._sigma * special.ndtri(luck))))

    def _survival(self, slots: Floats, rate: float) -> Floats:
        from scipy import special

        scale = _log_normal_scale(self._sigma, 1.0 / rate)
        return np.asarray(special.ndtr(-np.log(slots / scale) / self._sigma))


@dataclass(frozen=True)
class Pareto(ServiceTimes):
    """A Pareto time, rounded up to whole slots: stragglers.

    Parameters
    ----------
    shape : float
        Above 1: the tail falls as ``x ** -shape``. At most 2 gives an infinite variance.

    Notes
    -----
    ``D = ceil(c (1 - u) ** (-1 / shape))``; the scale c is solved for, so that D has mean 1 / rate.
    Luck has 53 bits, so no task is luckier than ``1 - 2**-53``; for a shape near 1 the mean lies to
    a good part beyond. It is taken as luck can bring it, so it is exact for any shape.
    """

    kind: ClassVar[str] = "pareto"
    shape: float

    def __post_init__(self) -> None:
        if not 1.0 < self.shape < math.inf:
            raise ScenarioError(
                f"shape = {self.shape}: must be above 1, or the mean is infinite; take 1.5 for "
                "an infinite variance, 3 for a mild tail"
            )

    @property
    def words(self) -> str:
        """What it is, in a few words for people."""
        return f"pareto, shape {self.shape:g}"

    def _times(self, luck: Floats, rate: float) -> Floats:
        scale = _pareto_scale(self.shape, 1.0 / rate)
        # From the middle of each luck's cell.
        return np.ceil(scale * (1.0 - luck - GRID / 2) ** (-1.0 / self.shape))

    def _survival(self, slots: Floats, rate: float) -> Floats:
        scale = _pareto_scale(self.shape, 1.0 / rate)
        return np.asarray(np.minimum((slots / scale) ** -self.shape, 1.0))


@dataclass(frozen=True)
class Empirical(ServiceTimes):
    """The shape of durations that were measured, scaled to the mean.

    Parameters
    ----------
    durations : tuple of float
        In any unit, each equally likely; at least one, all above 0.

    Notes
    -----
    A duration x counts ``max(1, c x)`` slots, in whole slots the one below or above, so that the
    mean is kept. The scale c is solved for.

    Examples
    --------
    >>> Empirical((1.0, 3.0)).times(np.array([0.1, 0.4, 0.6, 0.9]), 0.5).tolist()
    [1, 1, 3, 3]
    """

    kind: ClassVar[str] = "empirical"
    durations: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.durations:
            raise ScenarioError("durations: must hold at least one; measure some tasks")
        wrong = [x for x in self.durations if not 0.0 < x < math.inf]
        if wrong:
            raise ScenarioError(
                f"durations: {wrong[0]} is among them; all must be finite and above 0"
            )

    @property
    def words(self) -> str:
        """What it is, in a few words for people."""
        return f"empirical, {len(self.durations):,} durations"

    @cached_property
    def _tables(self) -> dict[float, tuple[Floats, Floats]]:
        return {}

    def _table(self, rate: float) -> tuple[Floats, Floats]:
        """Return the whole slots that occur at a rate, and their distribution function."""
        if rate not in self._tables:
            self._tables[rate] = _rounded(np.array(self.durations, dtype=np.float64), 1.0 / rate)
        return self._tables[rate]

    def _times(self, luck: Floats, rate: float) -> Floats:
        values, cdf = self._table(rate)
        return np.asarray(values[np.searchsorted(cdf, luck, side="right")])

    def _survival(self, slots: Floats, rate: float) -> Floats:
        values, cdf = self._table(rate)
        at = np.searchsorted(values, np.floor(slots), side="right")
        return np.asarray(1.0 - np.concatenate(([0.0], cdf))[at])


def _rounded(durations: Floats, mean: float) -> tuple[Floats, Floats]:
    """Return the distribution of scaled durations in whole slots: values and cumulated shares."""
    longest_first = np.sort(durations)[::-1] / durations.max()
    n = len(durations)
    above = np.arange(1, n + 1)
    # The mean is the largest of the lines "the k longest are above a slot", so the scale is the
    # least of their solutions.
    scale = ((n * (mean - 1.0) + above) / np.cumsum(longest_first)).min()
    slots = np.maximum(scale * longest_first, 1.0)
    below = np.floor(slots)
    share = slots - below
    values, index = np.unique(np.concatenate((below, below + 1.0)), return_inverse=True)
    weights = np.bincount(index, np.concatenate((1.0 - share, share)) / n, minlength=len(values))
    values, weights = values[weights > 0], weights[weights > 0]
    cdf = np.cumsum(weights)
    cdf[-1] = 1.0
    return np.asarray(values, dtype=np.float64), np.asarray(cdf, dtype=np.float64)


@lru_cache(maxsize=512)
def _log_normal_scale(sigma: float, mean: float) -> float:
    return _solve(lambda scale: _log_normal_mean(sigma, scale), mean)


def _log_normal_mean(sigma: float, scale: float) -> float:
    """Return the mean of ``ceil(scale * exp(sigma Z))``: the sum of its survival function."""
    from scipy import special

    slots = np.arange(1, N_SUMMED)
    summed = 1.0 + float(special.ndtr(-np.log(slots / scale) / sigma).sum())
    # The rest by Euler and Maclaurin: the integral, half of the first term, a twelfth of its slope.
    z = math.log(N_SUMMED / scale) / sigma
    first = float(special.ndtr(-z))
    mean_above = math.exp(sigma * sigma / 2.0) * float(special.ndtr(sigma - z))
    slope = math.exp(-z * z / 2.0) / (math.sqrt(2.0 * math.pi) * sigma * N_SUMMED)
    return summed + scale * mean_above - N_SUMMED * first + first / 2.0 + slope / 12.0


@lru_cache(maxsize=512)
def _pareto_scale(shape: float, mean: float) -> float:
    from scipy import special

    # Sums over the grid of luck, less the integral: a zeta function at 1 / shape.
    s = 1.0 / shape
    beyond = math.pow(GRID, 1.0 - s) * (math.pow(2.0, s) - 1.0) * _zeta(s)

    def mean_of(scale: float) -> float:
        certain = math.floor(scale) + 1  # P(D > k) is 1 up to k = floor(scale)
        tail = math.pow(scale, shape) * float(special.zeta(shape, certain))
        return certain + tail + scale * beyond

    return _solve(mean_of, mean)


def _zeta(s: float) -> float:
    """Return Riemann's zeta function between 0 and 1 (Euler and Maclaurin)."""
    n = 20.0
    head = float((np.arange(1.0, n) ** -s).sum())
    last = math.pow(n, -s)
    corrections = s * last / (12 * n) - s * (s + 1) * (s + 2) * last / (720 * n**3)
    return head + n * last / (s - 1) + last / 2 + corrections


def _solve(mean_of: Callable[[float], float], mean: float) -> float:
    """Return the scale at which an increasing mean is as wanted, by bisection of its logarithm."""
    low, high = -80.0, math.log(mean) + 1.0
    while mean_of(math.exp(high)) < mean:
        high += 1.0
    while True:
        middle = (low + high) / 2.0
        if middle in (low, high):
            return math.exp(middle)
        if mean_of(math.exp(middle)) < mean:
            low = middle
        else:
            high = middle
