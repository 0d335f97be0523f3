"""A report says what was found, with intervals, and what it takes to find it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster_sim import Scenario, compare, prepare
from cluster_sim.experiments.comparison import Comparison
from cluster_sim.scenario.task_types import decomposition_of
from cluster_sim.views.decomposition import draw_decomposition
from cluster_sim.views.inline_svg import inline_svg
from cluster_sim.views.overview import draw_comparison
from cluster_sim.views.report import Drawing, expected_verdict, report_page
from tests.views.html_checks import Checked, check_page


def scenario(**values: Any) -> Scenario:
    return Scenario(
        title="A hot spot <b>",
        cluster={"servers": 10},
        service={"local": 1.0, "remote": 0.5},
        traffic={"kind": "hotspot", "hot_servers": 5, "hot_probability": 0.8, "load": 0.9},
        scheduler={"policy": "priority"},
        run={"slots": 600, "warmup": 100, "replications": 3},
    ).with_values(values)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(scenario(), ["priority", "jsq-local"])


def page_of(comparison: Comparison, *drawings: Drawing, **changed: Any) -> Checked:
    given: dict[str, Any] = {"theory": [("load", "0.9")], "name": "x.toml", "command": "a & b"}
    return check_page(report_page(comparison, drawings, **given | changed))


def test_a_report_stands_alone(comparison: Comparison) -> None:
    """With all its figures: ids are unique, nothing is styled in place, nothing is loaded."""
    prepared = comparison.outcomes[0].prepared
    figures = [draw_comparison(comparison), draw_decomposition(decomposition_of(prepared))]
    drawings = [
        Drawing(inline_svg(f, f"f{i}", "what it <shows>"), "") for i, f in enumerate(figures)
    ]
    page = page_of(comparison, *drawings)
    assert page.text.count("<svg ") == 2
    assert page.text.count('aria-label="what it &lt;shows&gt;"') == 2
    assert "script" not in page.blocks
    assert "script-src" not in page.policy


def test_it_holds_the_answer_and_what_repeats_it(comparison: Comparison) -> None:
    """The means with their intervals, the difference, the scenario, seed, command."""
    words = " ".join(page_of(comparison, notes=["Mind this."]).words)
    first, second = comparison.outcomes
    (difference,) = comparison.differences
    for text in (
        "A hot spot <b>",
        "How long do tasks take under priority and jsq-local?",
        str(first.mean_completion_time),
        str(second.mean_waiting_time),
        f"jsq-local less priority: {difference.difference} slots; ratio {difference.ratio}.",
        "Tasks take longer under jsq-local than under priority.",
        second.stability.reason,
        "hot_probability = 0.8",
        "a & b",
        "Mind this.",
    ):
        assert text in words, text


def test_what_is_not_shown_is_not_claimed() -> None:
    """One run says nothing of the error; a policy compared with its twin shows no difference."""
    single = compare(scenario(**{"run.replications": 1, "run.slots": 105}), ["priority", "fifo"])
    assert single.differences[0].difference.half_width is None
    assert "tells nothing of the error" in " ".join(page_of(single).words)
    # At a load this low, a task never waits under either: the same completion times.
    idle = compare(
        scenario(**{"traffic.load": 0.01, "service.remote": 1.0}), ["priority", "jsq-local"]
    )
    assert "No difference is shown between" in " ".join(page_of(idle).words)


def test_a_run_alone_says_what_a_task_takes() -> None:
    """Without a second policy the answer is a mean."""
    alone = compare(scenario(), ["priority"])
    words = " ".join(page_of(alone).words)
    assert f"A task takes {alone.outcomes[0].mean_completion_time} slots" in words


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "stable: the load is below 1, and the policy is throughput-optimal"),
        ({"traffic.load": 1.2}, "unstable under any policy: the load, 1.2, is not below 1"),
        ({"scheduler.policy": "jsq-local"}, "open: .* not throughput-optimal"),
        (
            {"cluster.racks": 2, "service.rack_local": 0.8},
            "open: the load is below 1, but with these tiers nothing is proved",
        ),
        (
            {
                "cluster.racks": 2,
                "service.rack_local": 0.8,
                "scheduler.policy": "maxweight",
            },
            "stable: .*any number of tiers",
        ),
    ],
)
def test_the_theory_is_quoted_within_its_bounds(values: dict[str, Any], expected: str) -> None:
    """A theorem for two tiers is none for three; at the capacity nothing is stable."""
    import re

    assert re.match(expected, expected_verdict(prepare(scenario(**values))))


def test_a_figure_keeps_its_colours(comparison: Comparison, tmp_path: Path) -> None:
    """What styles said is said by attributes, which a strict page applies."""
    svg = inline_svg(draw_comparison(comparison), "f", "d")
    assert 'stroke="#0072b2"' in svg.lower()
    assert "style=" not in svg
    assert 'font-size="' in svg
    assert "<metadata" not in svg
