"""The figures of a run and of a comparison show what the results hold."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim import Scenario, compare, prepare, run
from cluster_sim.experiments.queue_history import history_of, queue_kinds, sampler
from cluster_sim.experiments.warmup import find_warmup
from cluster_sim.recording.histogram import Histogram
from cluster_sim.views.distributions import draw_distributions
from cluster_sim.views.overview import draw_comparison, draw_outcome
from cluster_sim.views.queues import draw_queues, draw_warmup
from cluster_sim.views.style import look_of


def scenario(policy: str = "jsq-maxweight", **run_table: object) -> Scenario:
    """Ten servers, five of them hot."""
    return Scenario(
        cluster={"servers": 10},
        service={"local": 1.0, "remote": 0.5},
        traffic={"kind": "hotspot", "hot_servers": 5, "hot_probability": 0.8, "load": 0.9},
        scheduler={"policy": policy},
        run={"slots": 1000, "warmup": 100, **run_table},
    )


def test_a_distribution_is_the_share_above() -> None:
    """The curve falls at each value by its share, and ends where no task is longer."""
    times = Histogram.of({1: 60, 3: 30, 7: 10})
    figure = draw_distributions({"priority": times, "fifo": Histogram.of({})}, "Title")
    line = figure.axes[0].get_lines()[0]
    assert list(line.get_xdata()) == [0, 1, 3, 7]
    assert np.allclose(np.asarray(line.get_ydata())[:3], [1.0, 0.4, 0.1])
    assert np.isnan(np.asarray(line.get_ydata())[3])
    assert line.get_color() == look_of("priority").colour
    assert len(figure.axes[0].get_lines()) == 1, "nothing is drawn for no task"


def test_a_long_tail_has_a_logarithmic_axis_of_its_own() -> None:
    """Both a short and a very long tail can be seen in one picture."""
    times = {"priority": Histogram.of({1: 9, 2: 1}), "fifo": Histogram.of({1: 1, 5000: 9})}
    axes = draw_distributions(times, "Title").axes[0]
    assert axes.get_xscale() == "symlog"
    assert axes.get_xlim() == (0.0, pytest.approx(5250))


def test_queues_are_told_apart_by_kind() -> None:
    """Beneficiaries, helpers and the common queue are those of the decomposition and the policy."""
    prepared = prepare(scenario())
    kinds = queue_kinds(prepared)
    assert kinds["beneficiaries"].tolist() == [0, 1, 2, 3, 4]
    assert kinds["helpers"].tolist() == [5, 6, 7, 8, 9]
    assert kinds["common queue"].tolist() == [10]
    overload = prepare(scenario().with_values({"traffic.load": 1.2}))
    assert list(queue_kinds(overload)) == ["servers", "common queue"]


def test_history_is_what_the_queues_were() -> None:
    """Samples are equally spaced; the mean line of a kind is the mean of its queues."""
    prepared = prepare(scenario())
    samples = sampler(prepared)
    outcome = run(prepared, observers=[samples])
    history = history_of(prepared, samples)
    assert np.array_equal(history.slots, np.arange(1000))
    assert history.lengths.shape == (1000, 11)
    # Every task in the system is in a queue, waiting or in service.
    assert np.array_equal(history.lengths.sum(axis=1), outcome.results[0].series.in_system)
    axes = draw_queues(history, "jsq-maxweight", outcome.warmup).axes[0]
    total = sum(
        np.asarray(line.get_ydata()) * len(members)
        for line, members in zip(axes.get_lines(), history.kinds.values(), strict=False)
    )
    steps = outcome.results[0].series.in_system[:999].reshape(333, 3).mean(axis=1)
    assert np.allclose(total, steps)
    assert axes.get_lines()[-1].get_label() == "warm-up, 100 (given)"


def test_the_cut_is_drawn_where_it_is() -> None:
    """The figure of the warm-up has a line at the cut, with its method."""
    warmup = find_warmup(prepare(scenario(warmup="auto")))
    axes = draw_warmup(warmup, "jsq-maxweight").axes[0]
    cut = axes.get_lines()[-1]
    assert set(cut.get_xdata()) == {warmup.slots}
    assert str(cut.get_label()).startswith(f"warm-up, {warmup.slots:,}")


def test_a_run_has_a_picture_for_each_question() -> None:
    """Tasks over time, queues if they were sampled, and completion times."""
    outcome = run(prepare(scenario(warmup=0)))
    assert len(draw_outcome(outcome).axes) == 2


def test_a_comparison_shows_all_policies_everywhere() -> None:
    """Means, paths and distributions have every policy in its own colour."""
    names = ["priority", "jsq-maxweight", "jsq-local"]
    comparison = compare(scenario(replications=2), names)
    means, over_time, distribution = draw_comparison(comparison).axes
    colours = [look_of(name).colour for name in names]
    assert [label.get_text() for label in means.get_yticklabels()] == names
    assert [c[0].get_color() for c in means.containers] == colours
    for axes in (over_time, distribution):
        assert [line.get_color() for line in axes.get_lines()[:3]] == colours
    found = [c[0].get_xdata()[0] for c in means.containers]
    assert found == [outcome.mean_completion_time.mean for outcome in comparison.outcomes]
