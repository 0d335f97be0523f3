"""Figures of completion times show every point, in its region, with the policy's look."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.experiments.reproductions.report import Curve, Panel, Report
from cluster_sim.views.completion import draw_completion, draw_report
from cluster_sim.views.style import look_of

LOADS = (0.1, 0.5, 0.7, 0.9, 0.99)
PRIORITY = Curve("priority", LOADS, (1.0, 1.1, 1.2, 1.5, 2.0), (0.1,) * 5, "priority")
RIVAL = Curve("jsq-maxweight", LOADS, (1.0, 1.1, 1.3, 50.0, 90.0), (0.1,) * 5, "jsq-maxweight")


def test_every_point_is_in_its_region() -> None:
    """Low loads are on the left, high loads on the right, the one at the split in both."""
    figure = draw_completion([PRIORITY, RIVAL], "Traffic")
    shown = [sorted(set(axes.containers[0][0].get_xdata())) for axes in figure.axes]
    assert shown == [[0.1, 0.5, 0.7], [0.7, 0.9, 0.99]]
    assert [axes.containers[1][0].get_color() for axes in figure.axes] == [
        look_of("jsq-maxweight").colour
    ] * 2


def test_intervals_and_capacity_are_drawn() -> None:
    """Each point has its error bar; the boundary is drawn where loads come near it."""
    figure = draw_completion([PRIORITY], "Traffic")
    low, high = figure.axes
    segments = high.containers[0].lines[2][0].get_segments()
    assert np.allclose([s[1][1] - s[0][1] for s in segments], 0.2)
    vertical = [line for line in high.get_lines() if list(line.get_xdata()) == [1.0, 1.0]]
    assert len(vertical) == 1
    assert not [line for line in low.get_lines() if list(line.get_xdata()) == [1.0, 1.0]]


def test_a_wide_range_has_a_logarithmic_axis() -> None:
    """A rival that takes many times as long does not flatten the other curve."""
    figure = draw_completion([PRIORITY, RIVAL], "Traffic")
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "log"]


def test_one_region_has_one_pair_of_axes() -> None:
    """Without low loads there is no left picture."""
    curve = Curve("priority", (0.8, 0.9), (1.0, 2.0), None, "priority")
    assert len(draw_completion([curve], "Traffic").axes) == 1


@pytest.mark.parametrize("n_more", [0, 2])
def test_report_has_two_regions_for_each_traffic(n_more: int) -> None:
    """The report of figure 3 has a row for each traffic, and one for what the ratio depends on."""
    panel = Panel("Title", "load", "slots", (PRIORITY, RIVAL))
    more = Panel("More", "servers", "ratio", (PRIORITY, PRIORITY), is_x_log=True)
    report = Report("figure-3", "Title", "Claim", (), (), (panel, panel, *[more] * n_more))
    figure = draw_report(report)
    assert len(figure.axes) == 4 + n_more
    for axes in figure.axes[4:]:
        fills = [container[0].get_markerfacecolor() for container in axes.containers]
        assert fills[1] == "white" != fills[0]
