"""How often intervals held the true value, next to how often they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import PREDICTION, look_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cluster_sim.experiments.reproductions.report import Report

__all__ = ["draw_coverage"]


def draw_coverage(report: Report) -> Figure:
    """Draw the coverage of each kind of interval.

    Parameters
    ----------
    report : Report
        Of the reproduction ``coverage``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    n, colour = len(report.lines), look_of("priority").colour
    with new_figure(7.2, 0.8 + 0.3 * n) as figure:
        axes = figure.add_subplot()
        for place, line in enumerate(report.lines):
            half = 100 * float(line.values["half_width"])
            share = 100 * float(line.values["coverage"])
            axes.errorbar(share, place, xerr=half, color=colour, marker="o")
        axes.axvline(95.0, color=PREDICTION.colour, linestyle=PREDICTION.line)
        axes.set_yticks(range(n), [f"{each.quantity}; {each.case}" for each in report.lines])
        axes.tick_params(axis="y", labelsize=7.5)
        axes.set_ylim(n - 0.5, -0.5)
        axes.set(xlabel="intervals that hold the true value, percent")
        figure.suptitle(report.title, fontsize=10)
    return figure
