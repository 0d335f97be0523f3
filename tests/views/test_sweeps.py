"""The figure of a sweep has the axis, the pictures and the curves that fit what varies."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim import Scenario, prepare, run
from cluster_sim.experiments.points import points
from cluster_sim.views.style import look_of
from cluster_sim.views.sweeps import describe_values, draw_sweep

TABLES: dict[str, Any] = {
    "cluster": {"servers": 6},
    "service": {"local": 1.0, "remote": 0.5},
    "traffic": {"kind": "even", "load": 0.5},
    "scheduler": {"policy": "priority"},
    "run": {"slots": 60, "replications": 2, "engine": "simpy"},
}


def figure_of(sweep: dict[str, Any]) -> Any:
    listed = points(Scenario(**TABLES, sweep=sweep))
    outcomes = [run(prepare(point.scenario)) for point in listed]
    return draw_sweep(listed, outcomes, "Title"), outcomes


def curves(axes: Any) -> dict[str, list[float]]:
    return {c.get_label(): list(c[0].get_xdata()) for c in axes.containers}


def test_loads_are_in_two_regions() -> None:
    """Low and high loads apart; each policy in its own look, each point at its mean."""
    figure, outcomes = figure_of(
        {"traffic.load": [0.3, 0.6, 0.9], "scheduler.policy": ["priority", "fifo"]}
    )
    low, high = figure.axes
    assert curves(low) == {"priority": [0.3, 0.6], "fifo": [0.3, 0.6]}
    assert curves(high) == {"priority": [0.9], "fifo": [0.9]}
    line = low.containers[1][0]
    assert line.get_color() == look_of("fifo").colour
    assert line.get_ydata()[0] == outcomes[1].mean_completion_time.mean


def test_a_rate_is_drawn_as_a_load() -> None:
    """A sweep of rates has the same axis, for the capacity is known."""
    figure, _ = figure_of({"traffic.rate": [1.2, 2.4, 3.0]})
    (axes,) = figure.axes
    assert curves(axes)["priority"] == pytest.approx([0.2, 0.4, 0.5])


def test_another_number_has_its_own_axis() -> None:
    """Without loads, the number with the most values goes along x."""
    figure, _ = figure_of(
        {"traffic.replicas": [1, 2, 3], "scheduler.policy": ["priority", "jsq-local"]}
    )
    (axes,) = figure.axes
    assert axes.get_xlabel() == "traffic.replicas"
    assert curves(axes) == {"priority": [1, 2, 3], "jsq-local": [1, 2, 3]}


def test_what_else_varies_has_pictures_of_its_own() -> None:
    """Up to four; of more, the curves are named."""
    loads = {"traffic.load": [0.3, 0.5], "scheduler.policy": ["priority", "fifo"]}
    figure, _ = figure_of(loads | {"reading.tie_break": ["random", "index"]})
    assert [axes.get_title() for axes in figure.axes] == ["tie_break random", "tie_break index"]
    figure, _ = figure_of(loads | {"traffic.replicas": [1, 2, 3, 4, 5]})
    (axes,) = figure.axes
    assert len(curves(axes)) == 10
    assert "priority, replicas 3" in curves(axes)


def test_without_a_number_there_are_rows() -> None:
    """Each point has a row with its name; fields that a point does not have are left out."""
    figure, outcomes = figure_of(
        {"scheduler.policy": ["priority", "jsq-local"], "scheduler.threshold": ["auto", 3]}
    )
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["priority, threshold auto", "priority, threshold 3", "jsq-local"]
    found = [c[0].get_xdata()[0] for c in axes.containers]
    assert found == [outcome.mean_completion_time.mean for outcome in outcomes]


def test_points_where_nothing_completed_are_left_out() -> None:
    """A mean that is not there is not drawn."""
    figure, _ = figure_of({"run.slots": [1, 30, 60]})
    assert curves(figure.axes[0])["priority"] == [30, 60]


def test_values_are_named() -> None:
    """A policy is named alone, another field with its name."""
    (point,) = points(Scenario(**TABLES, sweep={"traffic.load": [0.3]}))
    assert describe_values(point, ["traffic.load", "scheduler.policy"]) == "load 0.3"
