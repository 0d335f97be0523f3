"""Whether a run settled, or its queues grew without end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cluster_sim.experiments.statistics import estimate
from cluster_sim.recording.result import RunResult

__all__ = ["Stability", "judge"]

GROWTH_TO_NOTICE = 0.005  # of the arrivals; below it a run is not called unstable


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


def judge(results: Sequence[RunResult], *, rate: float, load: float) -> Stability:
    """Judge whether a system is stable from its runs and its load.

    Parameters
    ----------
    results : sequence of RunResult
        One a replication.
    rate : float
        Arrival rate, tasks per slot.
    load : float
        The rate as a fraction of capacity.

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
    growths = [growth for growth in (_growth(result) for result in results) if growth is not None]
    if not growths:
        verdict = "unstable" if load >= 1 else "undecided"
        return Stability(verdict, f"load {load:.4g}; too few points to see growth", 0.0)
    growth = estimate(growths)
    share = growth.mean / rate
    seen = f"tasks in the system change by {growth.mean:+.3g} a slot, {share:+.2%} of the arrivals"
    if load >= 1:
        return Stability("unstable", f"load {load:.4g} is not below capacity; {seen}", growth.mean)
    if share > GROWTH_TO_NOTICE and (growth.low is None or growth.low > 0):
        return Stability("unstable", f"load {load:.4g} is below capacity, but {seen}", growth.mean)
    return Stability("stable", f"load {load:.4g} is below capacity; {seen}", growth.mean)


def _growth(result: RunResult) -> float | None:
    """Return the tasks gained a slot between the first and last third of the measured points."""
    measured = result.series.slots >= result.warmup
    slots, in_system = result.series.slots[measured], result.series.in_system[measured]
    third = len(slots) // 3
    if third < 10:
        return None
    gained = in_system[-third:].mean() - in_system[:third].mean()
    return float(gained / (np.mean(slots[-third:]) - np.mean(slots[:third])))
