"""Figures show the numbers that they are given."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim import prepare
from cluster_sim.experiments.reproductions import Curve, Panel, Report
from cluster_sim.experiments.reproductions.bases import base
from cluster_sim.scenario.task_types import decomposition_of
from cluster_sim.theory.decomposition import ideal_load_decomposition
from cluster_sim.views.decomposition import draw_decomposition, shares_of
from cluster_sim.views.style import look_of
from cluster_sim.views.theorems import draw_report


def test_a_report_is_drawn_with_each_policys_look() -> None:
    """Points, colours and markers of a curve are those of its data and its policy."""
    panel = Panel(
        "Title",
        "x",
        "y",
        (
            Curve("fifo", (0.1, 0.2), (3.0, 5.0), (0.1, 0.2), "fifo"),
            Curve("limit", (0.1, 0.2), (4.0, 4.0)),
        ),
        is_x_log=True,
        is_y_log=True,
        vertical=0.15,
    )
    figure = draw_report(Report("theorem-0", "Title", "Claim", (), (), (panel, panel)))
    assert len(figure.axes) == 2
    lines = figure.axes[0].get_lines()
    measured = next(line for line in lines if list(line.get_ydata()) == [3.0, 5.0])
    look = look_of("fifo")
    assert (measured.get_color(), measured.get_marker()) == (look.colour, look.marker)
    assert [4.0, 4.0] in [list(line.get_ydata()) for line in lines]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["0.1", "0.2"]
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["limit", "fifo"]


def test_shares_of_a_decomposition_by_hand() -> None:
    """Server 0 gets 1.2 of its own, alpha = 1, gamma = 0.5; server 1 helps.

    With epsilon_0 = 0.2 / (1 + 0.5), server 0 serves 1 - epsilon_0 = 0.8667 and server 1 the rest.
    """
    ideal = ideal_load_decomposition([(0,), (0, 1)], [1.2, 0.2], n_servers=2, rates=(1, 0.5))
    shares = shares_of(ideal)
    own = 1 - 0.2 / 1.5
    assert shares["kept"] == pytest.approx([own, 0.2])
    assert shares["given"] == pytest.approx([1.2 - own, 0.0])
    assert shares["own"] == pytest.approx([own, 0.2])
    assert shares["others"] == pytest.approx([0.0, (1.2 - own) / 0.5])


@pytest.mark.parametrize("name", ["locally-overloaded", "evenly-loaded", "hotspot-boundary"])
def test_bars_add_up_to_the_decomposition(name: str) -> None:
    """The bars of the left picture are all arrivals; no server of the middle one exceeds 1."""
    ideal = decomposition_of(prepare(base(name)))
    figure = draw_decomposition(ideal, "Title")
    arrivals, time, *_ = figure.axes
    assert sum(bar.get_height() for bar in arrivals.patches) == pytest.approx(
        ideal.types.total_rate
    )
    tops = np.array([bar.get_y() + bar.get_height() for bar in time.patches])
    assert (tops < 1.0).all()
    assert len(figure.axes) == 3


def test_large_clusters_have_no_table() -> None:
    """Beyond sixty servers the table of rates is left out."""
    n = 80
    ideal = ideal_load_decomposition(
        [(i,) for i in range(n)], [0.5] * n, n_servers=n, rates=(1.0, 0.5)
    )
    assert len(draw_decomposition(ideal).axes) == 2
