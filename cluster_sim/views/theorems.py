"""The figure of a reproduction: one pair of axes for each panel of its report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import PREDICTION, look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cluster_sim.experiments.reproductions.report import Curve, Panel, Report

__all__ = ["draw_panel", "draw_report"]

_PREDICTION_LINES = ("--", ":", "-.")


def draw_report(report: Report) -> Figure:
    """Draw the panels of a report side by side.

    Parameters
    ----------
    report : Report
        With at least one panel.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    n = len(report.panels)
    # Panels of one quantity are there to be compared.
    is_one = len({panel.y_label for panel in report.panels if panel.is_y_log}) == 1
    with new_figure(4.6 * n + 0.6, 4.0) as figure:
        grid = figure.subplots(1, n, squeeze=False, sharey=is_one)
        for axes, panel in zip(grid[0], report.panels, strict=True):
            draw_panel(axes, panel)
        figure.suptitle(f"{report.name}: {report.title}", fontsize=10)
    return figure


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw a panel of a report.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    panel : Panel
    """
    if panel.is_x_log:
        axes.set_xscale("log")
    if panel.is_y_log:
        axes.set_yscale("log")
    predictions = [curve for curve in panel.curves if curve.policy is None]
    for curve in panel.curves:
        if curve.policy is None:
            line = _PREDICTION_LINES[predictions.index(curve) % len(_PREDICTION_LINES)]
            axes.plot(curve.x, curve.y, color=PREDICTION.colour, linestyle=line, label=curve.label)
        else:
            _draw_measured(axes, curve)
    if panel.vertical is not None:
        axes.axvline(panel.vertical, color=PREDICTION.colour, linewidth=0.8, linestyle=":")
    if panel.is_x_log:
        _label_log_axis(axes, panel)
    if panel.is_y_log:
        _label_decades(axes)
    axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    if not panel.is_y_log:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.legend()


def _draw_measured(axes: Axes, curve: Curve) -> None:
    look = look_of(curve.policy or "").as_arguments()
    half = None if curve.half_width is None else list(curve.half_width)
    axes.errorbar(curve.x, curve.y, yerr=half, label=curve.label, **look)


def _label_log_axis(axes: Axes, panel: Panel) -> None:
    """Label the points that were measured; matplotlib's own labels would be powers of ten."""
    points = sorted({x for curve in panel.curves for x in curve.x if math.isfinite(x)})
    axes.set_xticks(points, [f"{x:g}" for x in points])
    axes.minorticks_off()


def _label_decades(axes: Axes) -> None:
    """Label 1, 2 and 5 times powers of ten: the axis often spans little more than one."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
