"""Distributions of completion times: the share of tasks that takes longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cluster_sim.recording.histogram import Histogram
from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import PREDICTION, Look, look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_distributions", "plot_distribution"]

_WIDE = 200.0  # slots; a longer tail gets a logarithmic axis
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}


def plot_distribution(
    axes: Axes, times: Histogram, look: Look, label: str, *, has_quantiles: bool = False
) -> None:
    """Plot the share of tasks that takes longer than each time, on a logarithmic axis.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    times : Histogram
        Slots; nothing is drawn if it is empty.
    look : Look
    label : str
    has_quantiles : bool
        Whether to mark the quantiles that the tables show.

    Notes
    -----
    At x the curve is P(T > x), exactly, as a step. It ends at the longest time seen.
    """
    if not times.total:
        return
    above = 1.0 - np.cumsum(times.counts) / times.total
    first = times.values[0]
    x = np.concatenate(([min(0, first)], times.values))
    y = np.concatenate(([1.0], above))
    y[-1] = np.nan  # no task is longer: log 0
    axes.set_yscale("log")
    if times.values[-1] > _WIDE:
        axes.set_xscale("symlog", linthresh=10)
    # Markers at equal distances along the curve.
    axes.plot(x, y, drawstyle="steps-post", label=label, markevery=0.1, **look.as_arguments())
    longest = max(float(np.max(line.get_xdata())) for line in axes.lines)
    axes.set_xlim(0, 1.05 * longest)
    axes.set_ylim(top=1.5)
    if has_quantiles:
        _mark_quantiles(axes, times)
    axes.set(xlabel="completion time x, slots", ylabel="share of tasks above x")


def draw_distributions(times: Mapping[str, Histogram], title: str) -> Figure:
    """Draw the completion times of several policies in one pair of axes.

    Parameters
    ----------
    times : mapping of str to Histogram
        By policy.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    with new_figure(5.2, 3.8) as figure:
        axes = figure.add_subplot()
        for policy, histogram in times.items():
            plot_distribution(axes, histogram, look_of(policy), policy)
        axes.set_title(title)
        axes.legend()
    return figure


def _mark_quantiles(axes: Axes, times: Histogram) -> None:
    for name, p in _QUANTILES.items():
        value = times.quantile(p)
        if value is not None and times.total * (1 - p) >= 1:
            axes.annotate(
                f"{name} = {value:,}",
                (value, 1 - p),
                textcoords="offset points",
                xytext=(7, 4),
                fontsize=7.5,
                color=PREDICTION.colour,
            )
            axes.plot([value], [1 - p], marker=".", color=PREDICTION.colour)
