"""The intervals hold the true value about as often as they say: measured, on known systems."""

from __future__ import annotations

import math

import pytest

from cluster_sim.experiments.reproductions import coverage
from cluster_sim.experiments.reproductions.coverage import Score
from cluster_sim.experiments.reproductions.report import Report, Verdict
from cluster_sim.recording.histogram import Histogram
from cluster_sim.views.coverage import draw_coverage
from tests.experiments.queues import MEAN


def test_scores_by_hand() -> None:
    """As promised is what the binomial interval cannot tell from 95 percent."""
    assert Score(950, 1000).verdict is Verdict.SEEN
    assert Score(880, 1000).verdict is Verdict.NOT_SEEN
    assert Score(18, 20).verdict is Verdict.UNDECIDED
    assert Score(950, 1000).coverage.half_width == pytest.approx(0.0137, abs=2e-4)
    assert math.isnan(Score(0, 0).coverage.mean)


def test_scores_are_drawn_where_they_are() -> None:
    """The figure has a point for each line of the report."""
    lines = [coverage._line("case", "mean", Score(n, 1000)) for n in (940, 860)]
    figure = draw_coverage(Report("coverage", "Title", "Claim", (), tuple(lines)))
    shown = [c[0].get_xdata()[0] for c in figure.axes[0].containers]
    assert shown == [pytest.approx(94.0), pytest.approx(86.0)]


def test_the_queue_is_geometric() -> None:
    """A long run of the queue has the quantiles and the mean that the scores are held against."""
    result = coverage._Pool(1).results(coverage._queue(400_000), 1)[0]
    times: Histogram = result.completion_times
    assert coverage._true_mean() == MEAN
    assert times.mean == pytest.approx(MEAN, rel=0.03)
    for p in (0.5, 0.9, 0.99):
        assert abs(times.quantile(p) - coverage._true_quantile(p)) <= 1


@pytest.mark.slow
def test_coverage_is_near_what_it_says() -> None:
    """No kind of interval misses much more often than one time in twenty.

    An interval that truly holds 93 percent is scored below these floors once in thousands of runs.
    Batch means of runs that just pass the check of correlation are the known exception.
    """
    report = coverage.run(quick=True)
    for line in report.lines:
        n, share = int(line.values["intervals"]), float(line.values["coverage"])
        floor = 0.93 - 4 * math.sqrt(0.93 * 0.07 / n)
        if "4000 slots" in line.case and line.quantity == "mean, batch means":
            assert float(line.values["given_and_wrong"]) < 0.25
        else:
            assert share > floor, line
    assert any("batch means" in line.quantity for line in report.lines)
