"""Whether a run settled, or its queues grew without end."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cluster_sim.experiments.statistics import Estimate, estimate
from cluster_sim.recording.result import RunResult

__all__ = ["GROWTH_TO_NOTICE", "Growth", "Stability", "growth", "judge", "watch"]

GROWTH_TO_NOTICE = 0.005  # of the arrivals; below it a run is not called unstable
_GROWTH_OF_TRACE = 0.05  # the same for a trace, which may just end in a busy hour


@dataclass(frozen=True)
class Stability:
    """A verdict on a run, with its evidence.

    Parameters
    ----------
    verdict : str
        ``"stable"``, ``"unstable"`` or ``"undecided"``.
    reason : str
    growth : float
        Tasks in the system gained per slot over the measured part.
    """

    verdict: str
    reason: str
    growth: float


class Growth(enum.StrEnum):
    """What the number of tasks in the system does, from its growth alone."""

    SETTLED = "stable"
    GROWING = "unstable"
    UNCLEAR = "undecided"


def growth(results: Sequence[RunResult]) -> Estimate:
    """Return the tasks in the system gained per slot, over replications.

    Parameters
    ----------
    results : sequence of RunResult
        One a replication.

    Returns
    -------
    Estimate
        nan if there are too few points to see growth.

    Notes
    -----
    From the mean over the first to the mean over the last third of the measured slots.
    """
    found = [value for value in (_growth(result) for result in results) if value is not None]
    return estimate(found)


def watch(results: Sequence[RunResult], *, rate: float) -> Growth:
    """Judge from growth alone, whatever the load.

    Parameters
    ----------
    results : sequence of RunResult
        One a replication.
    rate : float
        Arrival rate, tasks per slot, above 0.

    Returns
    -------
    Growth
        ``GROWING`` if the backlog gains more than 0.5 percent of the arrivals and the interval of
        the gain is above 0, ``UNCLEAR`` if that interval holds 0, ``SETTLED`` if it gains less.
    """
    found = growth(results)
    notable = GROWTH_TO_NOTICE * rate
    if not found.n:
        return Growth.UNCLEAR
    if found.mean > notable:
        return Growth.GROWING if found.low is None or found.low > 0 else Growth.UNCLEAR
    return Growth.SETTLED


def judge(
    results: Sequence[RunResult], *, rate: float, load: float, is_stationary: bool = True
) -> Stability:
    """Judge whether a system is stable from its runs and its load.

    Parameters
    ----------
    results : sequence of RunResult
        One a replication.
    rate : float
        Arrival rate, tasks per slot.
    load : float
        The rate as a fraction of capacity.
    is_stationary : bool
        Whether all slots have the same distribution of arrivals. A trace's have not: what it
        does in its last third need not go on. Then the verdict is "undecided" unless the backlog
        gains more than 5 percent of the arrivals.

    Returns
    -------
    Stability

    Notes
    -----
    The growth is that of the mean number of tasks in the system from the first to the last third of
    the measured slots. A policy can be unstable below capacity; none is stable at or above it
    (paper, section 3.1).
    """
    if rate <= 0:
        return Stability("stable", "no task arrives", 0.0)
    found = growth(results)
    where = "is below capacity" if load < 1 else "is not below capacity"
    if not found.n:
        verdict = "unstable" if load >= 1 and is_stationary else "undecided"
        return Stability(verdict, f"load {load:.4g}; too few points to see growth", 0.0)
    share = found.mean / rate
    seen = f"tasks in the system change by {found.mean:+.3g} a slot, {share:+.2%} of the arrivals"
    notable = GROWTH_TO_NOTICE if is_stationary else _GROWTH_OF_TRACE
    is_growing = share > notable and (found.low is None or found.low > 0)
    if not is_stationary:
        if is_growing:
            return Stability("unstable", f"load {load:.4g} {where}, and {seen}", found.mean)
        reason = f"load {load:.4g} {where}; {seen}; but a trace has no steady state"
        return Stability("undecided", reason, found.mean)
    if load >= 1:
        return Stability("unstable", f"load {load:.4g} {where}; {seen}", found.mean)
    if is_growing:
        return Stability("unstable", f"load {load:.4g} {where}, but {seen}", found.mean)
    return Stability("stable", f"load {load:.4g} {where}; {seen}", found.mean)


def _growth(result: RunResult) -> float | None:
    """Return the tasks gained a slot between the first and last third of the measured points."""
    measured = result.series.slots >= result.warmup
    slots, in_system = result.series.slots[measured], result.series.in_system[measured]
    third = len(slots) // 3
    if third < 10:
        return None
    gained = in_system[-third:].mean() - in_system[:third].mean()
    return float(gained / (np.mean(slots[-third:]) - np.mean(slots[:third])))
