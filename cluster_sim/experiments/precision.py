"""How many replications a requested precision takes."""

from __future__ import annotations

import math

from cluster_sim.experiments.statistics import Estimate
from cluster_sim.scenario.tables import Run

__all__ = ["FIRST_ROUND", "MAX_REPLICATIONS", "cap", "first_round", "is_precise", "next_round"]

FIRST_ROUND = 10  # fewer would stop by luck: the variance of a few runs is often far too small
MAX_REPLICATIONS = 100


def cap(run: Run) -> int:
    """Return the most replications that a run may take.

    Parameters
    ----------
    run : Run

    Returns
    -------
    int
    """
    if run.precision is None:
        return run.replications
    return run.max_replications or max(MAX_REPLICATIONS, run.replications)


def first_round(run: Run) -> int:
    """Return how many replications to make before looking at their interval.

    Parameters
    ----------
    run : Run

    Returns
    -------
    int
        `replications`; with a requested precision at least ten, or the cap.

    Examples
    --------
    >>> first_round(Run(slots=100, replications=3))
    3
    >>> first_round(Run(slots=100, replications=3, precision=0.01))
    10
    """
    if run.precision is None:
        return run.replications
    return min(max(run.replications, FIRST_ROUND), cap(run))


def is_precise(found: Estimate, precision: float) -> bool:
    """Return whether an interval is as narrow as requested.

    Parameters
    ----------
    found : Estimate
    precision : float
        Half-width as a fraction of the mean.

    Returns
    -------
    bool
    """
    return found.relative is not None and found.relative <= precision


def next_round(found: Estimate, n: int, run: Run) -> int:
    """Return how many replications to have after the next round.

    Parameters
    ----------
    found : Estimate
        Of the replications made so far.
    n : int
        Their number.
    run : Run

    Returns
    -------
    int
        `n` if nothing is to be added: the precision is reached, or the cap.

    Notes
    -----
    The half-width falls as one over the root of the number, so it takes about
    ``n (half-width / requested)**2``. A round at most doubles the number, because that forecast is
    rough after few replications. Few rounds also mean few looks, each of which may stop by luck.

    Examples
    --------
    >>> run = Run(slots=100, precision=0.01)
    >>> next_round(Estimate(1.0, 0.013, 10), 10, run), next_round(Estimate(1.0, 0.009, 17), 17, run)
    (17, 17)
    """
    if run.precision is None or is_precise(found, run.precision):
        return n
    needed = 2 * n
    if found.relative is not None:
        forecast = n * (found.relative / run.precision) ** 2
        needed = min(needed, max(n + 1, math.ceil(forecast)))
    return max(n, min(needed, cap(run)))
