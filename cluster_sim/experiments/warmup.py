"""Where the warm-up ends: MSER-5 on a pilot run.

The cut must be known before a run begins, since histograms count what comes after it, and it must
be the same for every replication, so that more can be added later. So it is found in a pilot run
whose key no replication uses: a pure function of the scenario and its seed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cluster_sim.experiments.engines import choose_engine
from cluster_sim.randomness import Key
from cluster_sim.recording.series import Series
from cluster_sim.scenario.build import Prepared
from cluster_sim.traces.workload import TraceWorkload

__all__ = ["PILOT", "Warmup", "WarmupMethod", "find_warmup", "mser_cut", "with_warmup"]

PILOT = 2**64 - 1  # a replication's number can be at most 2**63 - 2
BATCH = 5  # of MSER-5
_FEWEST_BATCHES = 20  # below, MSER says nothing
_TAIL = 5  # batches that must be left: the variance of one or two is often zero by chance
_MUCH_LESS = 0.5  # of the error: what a later cut must gain to be more than chance


class WarmupMethod(enum.StrEnum):
    """How the warm-up was found."""

    GIVEN = "given"
    MSER = "MSER-5 on a pilot run"
    HALF = "half of the run, undecided"
    QUARTER = "a quarter of the run, too short for MSER-5"
    TRACE = "none, for a trace"


@dataclass(frozen=True, eq=False)
class Warmup:
    """A warm-up and how it was found.

    Parameters
    ----------
    slots : int
        Slots at the start that the statistics leave out.
    method : WarmupMethod
    series : Series or None
        Of the pilot run, if there was one.
    """

    slots: int
    method: WarmupMethod
    series: Series | None = None

    @property
    def note(self) -> str | None:
        """What a reader of the results should know about the cut, if anything."""
        if self.method is WarmupMethod.HALF:
            return (
                f"warm-up: MSER-5 finds no cut in the first half of the pilot run, so half "
                f"({self.slots:,} slots) is left out; the system had not settled: raise run.slots, "
                "if it is stable at all"
            )
        if self.method is WarmupMethod.QUARTER:
            return (
                f"warm-up: the run is too short for MSER-5, so a quarter of it ({self.slots:,} "
                "slots) is left out; raise run.slots or set run.warmup"
            )
        return None


def mser_cut(values: npt.NDArray[np.float64]) -> int | None:
    r"""Return how many values at the start to leave out, by the rule of the least standard error.

    Parameters
    ----------
    values : float64 array, shape (n,)
        Means of batches of a series, in order of time; more than five.

    Returns
    -------
    int or None
        At most half of them. None if the series has not settled.

    Notes
    -----
    The cut d minimises the squared standard error that the rest would have if it were independent,

    .. math:: e(d) = \frac{1}{(n - d)^2} \sum_{i > d} (Y_i - \bar Y_{n, d})^2 .

    Leaving out the start pays as long as it lowers the variance more than it costs in length. The
    least is looked for in the first half. A series has not settled if e still falls there, or if
    some later cut has an error less than half as large. The rule as published gives up wherever
    the least of all is in the second half; among correlated values that is often chance, a calm
    stretch at the end.

    References
    ----------
    White, Cobb, Spratt, "A comparison of five steady-state truncation heuristics for simulation",
    WSC 2000.

    Examples
    --------
    >>> values = np.array([0.0, 4.0, 8.0] + [9.0, 11.0] * 20)
    >>> mser_cut(values)
    3
    >>> mser_cut(np.arange(40.0)) is None
    True
    """
    n_left = np.arange(len(values), 0, -1)
    # Centred first: sums of squares of large numbers would lose the digits that matter.
    centred = values - values.mean()
    sums = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum(centred[::-1] ** 2)[::-1]
    errors = ((squares - sums**2 / n_left) / n_left**2)[: len(values) - _TAIL + 1]
    half = len(values) // 2
    cut = int(np.argmin(errors[: half + 1]))
    is_settled = cut < half and errors.min() >= _MUCH_LESS * errors[cut]
    return cut if is_settled else None


def find_warmup(prepared: Prepared, *, progress: Callable[[int], None] | None = None) -> Warmup:
    """Return the warm-up of a scenario; ``"auto"`` is decided by a pilot run.

    Parameters
    ----------
    prepared : Prepared
    progress : callable, optional
        Told the number of slots of the pilot run that are done, now and then.

    Returns
    -------
    Warmup
        A function of scenario and seed, and the same for all its replications.

    Notes
    -----
    The pilot is as long as a replication. MSER-5 works on batches of five observations; an
    observation is the mean number of tasks in the system between two points of the thinned series,
    of which there are a thousand or more.
    """
    given = prepared.scenario.run.warmup
    if given != "auto":
        return Warmup(int(given), WarmupMethod.GIVEN)
    if isinstance(prepared.system.workload, TraceWorkload):
        return Warmup(0, WarmupMethod.TRACE)
    series = _pilot_series(prepared, progress)
    n_batches = (len(series.slots) - 1) // BATCH
    if n_batches < _FEWEST_BATCHES:
        return Warmup(prepared.slots // 4, WarmupMethod.QUARTER, series)
    ends = np.arange(n_batches + 1) * BATCH
    means = np.diff(series.in_system_sum[ends]) / np.diff(series.slots[ends])
    cut = mser_cut(means)
    if cut is None:
        return Warmup(prepared.slots // 2, WarmupMethod.HALF, series)
    return Warmup(int(series.slots[cut * BATCH]), WarmupMethod.MSER, series)


def with_warmup(prepared: Prepared, warmup: Warmup | int) -> Prepared:
    """Return a prepared scenario with its warm-up decided.

    Parameters
    ----------
    prepared : Prepared
    warmup : Warmup or int
        Slots.

    Returns
    -------
    Prepared
    """
    slots = warmup.slots if isinstance(warmup, Warmup) else warmup
    if prepared.scenario.run.warmup == slots:
        return prepared
    return replace(prepared, scenario=prepared.scenario.with_values({"run.warmup": slots}))


def _pilot_series(prepared: Prepared, progress: Callable[[int], None] | None) -> Series:
    """Run the pilot and return the tasks in its system over time."""
    run = prepared.scenario.run
    engine = choose_engine(run.engine, prepared.system)
    return engine.simulate(
        prepared.system,
        Key.of(run.seed, PILOT),
        slots=prepared.slots,
        series_points=max(run.series_points, 1000),
        progress=progress,
    ).series
