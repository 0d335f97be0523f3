"""Completion time against load, in two load regions as in the paper's figure 3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import PREDICTION, look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cluster_sim.experiments.reproductions.report import Curve, Panel, Report

__all__ = ["draw_completion", "draw_report", "plot_completion"]

SPLIT = 0.7  # where the high load region begins
_WIDE = 15.0  # ratio of the values beyond which an axis is logarithmic


def draw_completion(curves: Sequence[Curve], title: str, *, split: float = SPLIT) -> Figure:
    """Draw mean completion times against load, low and high loads apart.

    Parameters
    ----------
    curves : sequence of Curve
        With `policy`; x is the load.
    title : str
    split : float
        Where the high region begins. If one region has no points, there is one pair of axes.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    regions = [region for region in _regions(split) if any(map(region.cut, curves))]
    with new_figure(4.4 * len(regions), 3.5) as figure:
        for number, region in enumerate(regions, 1):
            axes = figure.add_subplot(1, len(regions), number)
            plot_completion(axes, [cut for curve in curves if (cut := region.cut(curve))])
            axes.set_title(region.name if len(regions) > 1 else title)
        if len(regions) > 1:
            figure.suptitle(title, fontsize=10)
    return figure


def draw_report(report: Report) -> Figure:
    """Draw the reproduction of figure 3: a row for each traffic, then what the ratio depends on.

    Parameters
    ----------
    report : Report
        Whose first two panels are the traffics.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    from cluster_sim.views.theorems import draw_panel

    regions = _regions(SPLIT)
    with new_figure(9.2, 10.0) as figure:
        grid = figure.add_gridspec(3, 2)
        for row, panel in enumerate(report.panels[:2]):
            for column, region in enumerate(regions):
                axes = figure.add_subplot(grid[row, column])
                plot_completion(axes, [cut for c in panel.curves if (cut := region.cut(c))])
                axes.set_title(f"{panel.title}, {region.name}")
        for column, panel in enumerate(report.panels[2:4]):
            axes = figure.add_subplot(grid[2, column])
            draw_panel(axes, panel)
            _tell_traffics_apart(axes, panel)
        figure.suptitle("Mean completion time with 95 % intervals, 1000 servers", fontsize=10)
    return figure


def plot_completion(axes: Axes, curves: Sequence[Curve]) -> None:
    """Plot completion times against load, with intervals and the boundary of the capacity region.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    curves : sequence of Curve
    """
    for curve in curves:
        look = look_of(curve.policy or curve.label).as_arguments()
        half = None if curve.half_width is None else list(curve.half_width)
        axes.errorbar(curve.x, curve.y, yerr=half, label=curve.label, **look)
    values = [y for curve in curves for y in curve.y if math.isfinite(y)]
    if values and max(values) > _WIDE * min(values):
        axes.set_yscale("log")
    elif values:
        axes.set_ylim(bottom=min(1.0, *values) - 0.03 * (max(values) - min(1.0, *values) + 0.1))
    if max((x for curve in curves for x in curve.x), default=0.0) > SPLIT:
        axes.set_xlim(right=max(1.03, axes.get_xlim()[1]))
        axes.axvline(1.0, color=PREDICTION.colour, linestyle=PREDICTION.line, linewidth=1.0)
        axes.annotate(
            "capacity",
            (1.0, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            rotation=90,
            fontsize=7.5,
            color=PREDICTION.colour,
        )
    axes.set(xlabel="load, fraction of capacity", ylabel="mean completion time, slots")
    axes.legend(loc="upper left")


class _Region:
    """A range of loads."""

    def __init__(self, name: str, low: float, high: float) -> None:
        self.name, self._low, self._high = name, low, high

    def cut(self, curve: Curve) -> Curve | None:
        """Return the part of a curve within the region; None if nothing is."""
        kept = [i for i, x in enumerate(curve.x) if self._low <= x <= self._high]
        if not kept:
            return None
        half = curve.half_width
        return replace(
            curve,
            x=tuple(curve.x[i] for i in kept),
            y=tuple(curve.y[i] for i in kept),
            half_width=None if half is None else tuple(half[i] for i in kept),
        )


def _regions(split: float) -> tuple[_Region, _Region]:
    # The load at the split is in both, so that no line is lost between them.
    return _Region("low load", 0.0, split), _Region("high load", split, float("inf"))


def _tell_traffics_apart(axes: Axes, panel: Panel) -> None:
    """Give curves of one policy different fillings: full for the first traffic, white for the next.

    The policy keeps its colour and marker.
    """
    seen: dict[str, int] = {}
    containers = iter(axes.containers)
    for curve in panel.curves:
        if curve.policy is None:
            continue
        line = next(containers)[0]
        if seen.setdefault(curve.policy, 0):
            line.set_markerfacecolor("white")
            line.set_linestyle(":")
        seen[curve.policy] += 1
    axes.legend(fontsize=7.5)
