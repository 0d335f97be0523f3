"""How many tasks arrive in a slot: independent from slot to slot, bounded as in the paper (C_A)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.randomness import Key, Stream, blocks, uniforms

__all__ = ["ArrivalProcess", "Batch", "Bernoulli", "Binomial", "Poisson", "default_bound"]


def default_bound(mean: float) -> int:
    """Return the default C_A of a Poisson count: ten standard deviations and ten above its mean.

    Parameters
    ----------
    mean : float

    Returns
    -------
    int
        A bound that a slot exceeds with probability below 1e-15.

    Examples
    --------
    >>> default_bound(900.0)
    1210
    """
    return math.ceil(mean + 10.0 * math.sqrt(mean) + 10.0)


class ArrivalProcess(ABC):
    """The number of tasks arriving in a slot, drawn by inversion of its distribution function.

    Attributes
    ----------
    rate : float
        The rate asked for, tasks per slot.
    """

    rate: float

    @abstractmethod
    def distribution(self) -> npt.NDArray[np.float64]:
        """Return the distribution function of the number of events, float64, shape (n_values,)."""

    @property
    def tasks_per_event(self) -> int:
        """Tasks that come with each event; 1 except for batches."""
        return 1

    @property
    def is_truncated(self) -> bool:
        """Whether the bound cuts a distribution off, rather than being its natural end."""
        return True

    @cached_property
    def _cdf(self) -> npt.NDArray[np.float64]:
        cdf = np.asarray(self.distribution(), dtype=np.float64)
        cdf[-1] = 1.0  # the mass beyond the bound is put on the bound
        return cdf

    @property
    def bound(self) -> int:
        """The largest number of tasks in a slot, the paper's C_A (section 2)."""
        return (len(self._cdf) - 1) * self.tasks_per_event

    @property
    def pmf(self) -> npt.NDArray[np.float64]:
        """Probability of each number of events, float64 array, shape (n_values,)."""
        return np.diff(self._cdf, prepend=0.0)

    @property
    def mean(self) -> float:
        """The mean with the bound, tasks per slot: below `rate` by what the bound cuts."""
        return float(self.pmf @ np.arange(len(self._cdf))) * self.tasks_per_event

    @property
    def variance(self) -> float:
        """Variance of the tasks in a slot, with the bound."""
        values = np.arange(len(self._cdf)) * self.tasks_per_event
        return float(self.pmf @ (values - self.mean) ** 2)

    def counts(self, key: Key, first_slot: int, n_slots: int) -> npt.NDArray[np.int64]:
        """Return how many tasks arrive in each of a run of slots.

        Parameters
        ----------
        key : Key
        first_slot, n_slots : int

        Returns
        -------
        int64 array, shape (n_slots,)
        """
        slots = np.arange(first_slot, first_slot + n_slots, dtype=np.uint64)
        word = blocks(key, Stream.ARRIVALS, slots)
        uniform = uniforms(word[:, 0], word[:, 1])
        events = np.searchsorted(self._cdf, uniform, side="right")
        return events.astype(np.int64) * self.tasks_per_event


def _check_rate(rate: float) -> None:
    if not (math.isfinite(rate) and rate > 0):
        raise ScenarioError(f"rate = {rate}: must be a finite number above 0 (tasks per slot)")


@dataclass(frozen=True)
class Poisson(ArrivalProcess):
    """Poisson, truncated: counts above `max_arrivals` are put on it.

    Parameters
    ----------
    rate : float
        Tasks per slot.
    max_arrivals : int, optional
        The paper's C_A; by default `default_bound` of the rate.

    Examples
    --------
    >>> Poisson(2.0).bound
    27
    """

    rate: float
    max_arrivals: int | None = None

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        if self.max_arrivals is not None and self.max_arrivals < self.rate:
            raise ScenarioError(
                f"max_arrivals = {self.max_arrivals}: must be at least the rate ({self.rate}); "
                f"leave it out for {default_bound(self.rate)}"
            )

    def distribution(self) -> npt.NDArray[np.float64]:
        """Return the Poisson distribution function up to the bound."""
        bound = default_bound(self.rate) if self.max_arrivals is None else self.max_arrivals
        return _poisson_cdf(self.rate, max(bound, default_bound(self.rate)))[: bound + 1]


def _poisson_cdf(rate: float, last: int) -> npt.NDArray[np.float64]:
    """Return the Poisson distribution function from 0 to where nothing is left above.

    By the ratios of neighbours, outward from the mode. To import SciPy's would take a tenth of a
    short run from start to end.
    """
    mode = int(rate)
    down = np.cumprod(np.arange(mode, 0, -1) / rate)[::-1]
    up = np.cumprod(rate / np.arange(mode + 1, last + 1))
    pmf = np.concatenate((down, [1.0], up))
    # Rounding may lead above 1.
    return np.asarray(np.minimum(np.cumsum(pmf) / pmf.sum(), 1.0))


@dataclass(frozen=True)
class Bernoulli(ArrivalProcess):
    """At most one task a slot.

    Parameters
    ----------
    rate : float
        Probability of a task, at most 1.
    """

    rate: float

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        if self.rate > 1:
            raise ScenarioError(
                f"rate = {self.rate}: bernoulli arrivals bring at most one task a slot, so at "
                "most 1; use arrivals = 'poisson' or a lower rate"
            )

    def distribution(self) -> npt.NDArray[np.float64]:
        """Return the distribution function on 0 and 1."""
        return np.array([1.0 - self.rate, 1.0])

    @property
    def is_truncated(self) -> bool:
        """False: the bound is natural."""
        return False


@dataclass(frozen=True)
class Binomial(ArrivalProcess):
    """The number of successes in `trials` independent chances a slot.

    Parameters
    ----------
    rate : float
        Mean tasks per slot, at most `trials`.
    trials : int
    """

    rate: float
    trials: int

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        if self.trials < self.rate:
            raise ScenarioError(
                f"trials = {self.trials}: must be at least the rate ({self.rate}); raise trials"
            )

    def distribution(self) -> npt.NDArray[np.float64]:
        """Return the binomial distribution function on 0..trials."""
        from scipy import special

        successes = np.arange(self.trials + 1)
        return np.asarray(special.bdtr(successes, self.trials, self.rate / self.trials))

    @property
    def is_truncated(self) -> bool:
        """False: the bound is natural."""
        return False


@dataclass(frozen=True)
class Batch(ArrivalProcess):
    """Batches of equal size; the number of batches in a slot is (truncated) Poisson.

    Parameters
    ----------
    rate : float
        Tasks per slot.
    batch_size : int
        Tasks a batch.
    """

    rate: float
    batch_size: int

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        if self.batch_size < 1:
            raise ScenarioError(f"batch_size = {self.batch_size}: must be at least 1")

    @property
    def tasks_per_event(self) -> int:
        """The size of a batch."""
        return self.batch_size

    def distribution(self) -> npt.NDArray[np.float64]:
        """Return the distribution function of the number of batches."""
        return Poisson(self.rate / self.batch_size).distribution()
