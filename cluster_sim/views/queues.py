"""Tasks and queues over time, and where the warm-up ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cluster_sim.experiments.warmup import Warmup, WarmupMethod
from cluster_sim.recording.series import Series
from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import PREDICTION, Look, look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cluster_sim.experiments.queue_history import QueueHistory

__all__ = ["draw_queues", "draw_warmup", "mark_warmup", "plot_in_system", "plot_queues"]

_MOST_POINTS = 400  # more are averaged: a line cannot show them
_HATCHES = ("", "//", "..")
_METHODS = {
    WarmupMethod.GIVEN: "given",
    WarmupMethod.MSER: "MSER-5",
    WarmupMethod.HALF: "half",
    WarmupMethod.QUARTER: "a quarter",
    WarmupMethod.TRACE: "none",
}


def plot_in_system(axes: Axes, series: Series, look: Look, label: str) -> None:
    """Plot the tasks in the system over time, as means between the points of a series.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    series : Series
    look : Look
    label : str
    """
    step = max(1, -(-len(series.slots) // _MOST_POINTS))
    slots, sums = series.slots[::step], series.in_system_sum[::step]
    if len(slots) < 2:
        return
    means = np.diff(sums) / np.diff(slots)
    style = look.as_arguments() | {"marker": ""}
    axes.plot((slots[1:] + slots[:-1]) / 2, means, label=label, **style)
    axes.set(xlabel="slot", ylabel="tasks in the system")


def mark_warmup(axes: Axes, warmup: Warmup) -> None:
    """Mark where the warm-up ends.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With slots along x.
    warmup : Warmup
    """
    if not warmup.slots:
        return
    axes.axvspan(0, warmup.slots, color=PREDICTION.colour, alpha=0.12, linewidth=0)
    axes.axvline(
        warmup.slots,
        color=PREDICTION.colour,
        linestyle=PREDICTION.line,
        linewidth=1.0,
        label=f"warm-up, {warmup.slots:,} ({_METHODS[warmup.method]})",
    )


def draw_warmup(warmup: Warmup, policy: str) -> Figure:
    """Draw the pilot run and the cut that was found in it.

    Parameters
    ----------
    warmup : Warmup
        With a pilot run.
    policy : str
        Whose look the curve has.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    with new_figure(5.6, 3.4) as figure:
        axes = figure.add_subplot()
        if warmup.series is not None:
            plot_in_system(axes, warmup.series, look_of(policy), f"{policy}, pilot run")
        mark_warmup(axes, warmup)
        axes.set_ylim(bottom=0)
        axes.set_title("Where the warm-up ends")
        axes.legend()
    return figure


def plot_queues(axes: Axes, history: QueueHistory, policy: str) -> None:
    """Plot the lengths of the queues over time: a mean and a band for each kind of queue.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    history : QueueHistory
    policy : str
        Whose colour the first kind has.
    """
    names = [*history.kinds]
    others = [look_of(name) for name in ("jsq-maxweight", "maxweight", "jsq-local")]
    looks = [look_of(policy), *(look for look in others if look != look_of(policy))]
    for i, name in enumerate(names):
        lengths = history.lengths[:, history.kinds[name]]
        slots, low, mean, high = _bands(history.slots, lengths)
        look, n = looks[i % len(looks)], lengths.shape[1]
        every = max(1, len(slots) // 10)
        label = f"{name} ({n:,})" if n > 1 else name
        axes.plot(slots, mean, label=label, markevery=every, **look.as_arguments())
        if n > 1:
            hatch = _HATCHES[i % len(_HATCHES)]
            axes.fill_between(
                slots, low, high, color=look.colour, alpha=0.15, linewidth=0, hatch=hatch
            )
    axes.set(xlabel="slot", ylabel="length of a queue, tasks")
    axes.set_ylim(bottom=0)


def draw_queues(history: QueueHistory, policy: str, warmup: Warmup | None = None) -> Figure:
    """Draw the lengths of the queues over time, helpers and beneficiaries apart.

    Parameters
    ----------
    history : QueueHistory
    policy : str
    warmup : Warmup, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    with new_figure(6.2, 3.6) as figure:
        axes = figure.add_subplot()
        plot_queues(axes, history, policy)
        if warmup is not None:
            mark_warmup(axes, warmup)
        axes.set_title(f"{policy}: queues, mean and 10th to 90th percentile")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def _bands(
    slots: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Return times, 10th percentile, mean and 90th percentile, over few enough stretches."""
    step = max(1, -(-len(slots) // _MOST_POINTS))
    n = len(slots) // step
    groups = lengths[: n * step].reshape(n, -1)
    times = slots[: n * step].reshape(n, step).mean(axis=1)
    low, high = np.percentile(groups, [10, 90], axis=1)
    return times, low, groups.mean(axis=1), high
