"""The number of tasks that arrive in one slot, as a probability vector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

ArrivalKind = Literal["bernoulli", "binomial", "poisson", "batch", "general"]


@dataclass(frozen=True)
class Arrivals:
    """Independent and identically distributed numbers of arrivals per slot.

    ``pmf[k]`` is the probability of ``k`` arrivals in a slot. ``size`` is what a scenario file
    needs beside the rate: the trials of a binomial, the tasks of a batch, the bound of a
    truncated Poisson; 1 for Bernoulli, the largest number for a general vector. ``nominal_rate``
    is the rate asked for, which a truncated Poisson falls short of.
    """

    kind: ArrivalKind
    size: int
    pmf: tuple[float, ...]
    nominal_rate: float

    def __post_init__(self) -> None:
        if min(self.pmf) < 0 or abs(sum(self.pmf) - 1) > 1e-12:
            raise ValueError(f"pmf = {self.pmf}: must be at least 0 everywhere and sum to 1")

    @property
    def rate(self) -> float:
        """Mean number of arrivals, tasks per slot."""
        return sum(k * q for k, q in enumerate(self.pmf))

    @property
    def second_moment(self) -> float:
        """Mean of the squared number of arrivals in a slot."""
        return sum(k * k * q for k, q in enumerate(self.pmf))


def bernoulli(rate: float) -> Arrivals:
    """At most one task per slot."""
    return Arrivals("bernoulli", 1, (1 - rate, rate), rate)


def binomial(rate: float, *, trials: int) -> Arrivals:
    """``trials`` independent chances per slot, each of probability ``rate / trials``."""
    p = rate / trials
    pmf = [math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]
    return Arrivals("binomial", trials, tuple(pmf), rate)


def poisson(rate: float, *, bound: int) -> Arrivals:
    """The smaller of a Poisson number with mean ``rate`` and ``bound``.

    The mass above the bound sits on the bound, so ``Arrivals.rate`` is a little below ``rate``.
    """
    pmf = [math.exp(-rate) * rate**k / math.factorial(k) for k in range(bound)]
    return Arrivals("poisson", bound, (*pmf, 1 - sum(pmf)), rate)


def batch(rate: float, *, size: int) -> Arrivals:
    """``size`` tasks at once with probability ``rate / size``, else none."""
    return Arrivals("batch", size, (1 - rate / size, *(0.0,) * (size - 1), rate / size), rate)


def general(pmf: tuple[float, ...]) -> Arrivals:
    """Any small probability vector."""
    return Arrivals("general", len(pmf) - 1, pmf, sum(k * q for k, q in enumerate(pmf)))
