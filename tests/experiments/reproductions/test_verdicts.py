"""A verdict follows from interval and prediction, and can come out either way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster_sim.experiments.reproductions import Line, Report, Verdict
from cluster_sim.experiments.reproductions.verdicts import (
    at_least,
    equals,
    is_less,
    stays_bounded,
    with_queues,
)
from cluster_sim.experiments.statistics import Estimate

SEEN, NOT_SEEN, UNDECIDED = Verdict.SEEN, Verdict.NOT_SEEN, Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("judge", "mean", "half_width", "verdict"),
    [
        (lambda e: at_least(e, 1.0), 1.0, 0.5, SEEN),
        (lambda e: at_least(e, 1.0), 0.9, 0.2, UNDECIDED),
        (lambda e: at_least(e, 1.0), 0.9, 0.05, NOT_SEEN),
        (lambda e: at_least(e, 1.0), 0.9, None, UNDECIDED),
        (lambda e: equals(e, 10.0), 10.9, 0.5, SEEN),
        (lambda e: equals(e, 10.0), 11.1, 0.5, NOT_SEEN),
        (lambda e: equals(e, 10.0), 10.0, 3.0, UNDECIDED),
        (lambda e: equals(e, 10.0), 10.0, None, UNDECIDED),
        (lambda e: is_less(e, 1.0), 0.8, 0.1, SEEN),
        (lambda e: is_less(e, 1.0), 0.95, 0.1, UNDECIDED),
        (lambda e: is_less(e, 1.0), 1.2, 0.1, NOT_SEEN),
        (lambda e: is_less(e, 1.0), 0.5, None, UNDECIDED),
        (stays_bounded, 0.05, 0.1, SEEN),
        (stays_bounded, 0.2, 0.1, UNDECIDED),
        (stays_bounded, 1.0, 0.1, NOT_SEEN),
        (stays_bounded, 0.0, None, UNDECIDED),
        (with_queues, 1.0, 0.1, SEEN),
        (with_queues, 0.45, 0.1, UNDECIDED),
        (with_queues, 0.0, 0.1, NOT_SEEN),
        (with_queues, 1.0, None, UNDECIDED),
    ],
)
def test_a_verdict_is_that_of_the_interval(
    judge: Callable[[Estimate], Verdict], mean: float, half_width: float | None, verdict: Verdict
) -> None:
    """Seen and not seen need an interval on one side; an interval on both decides nothing."""
    assert judge(Estimate(mean, half_width, 8)) is verdict


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([SEEN, SEEN], SEEN),
        ([SEEN, UNDECIDED], UNDECIDED),
        ([UNDECIDED, NOT_SEEN, SEEN], NOT_SEEN),
        ([None, SEEN], SEEN),
        ([None], UNDECIDED),
    ],
)
def test_a_claim_is_as_good_as_its_worst_line(
    verdicts: list[Verdict | None], whole: Verdict
) -> None:
    """One line not seen, and the claim is not seen; lines without a verdict do not count."""
    lines = tuple(Line("case", "quantity", "1", "1", verdict) for verdict in verdicts)
    assert Report("name", "title", "claim", (), lines).verdict is whole


def test_a_remark_does_not_decide_the_claim() -> None:
    """What another policy does for contrast is told, and leaves the verdict alone."""
    lines = (
        Line("ours", "quantity", Estimate(1.0, 0.1, 8), "1", SEEN),
        Line("theirs", "quantity", Estimate(0.0, 0.1, 8), "1", NOT_SEEN, is_remark=True),
    )
    report = Report("name", "title", "claim", (), lines)
    assert report.verdict is SEEN
    assert [line["verdict"] for line in report.as_dict()["lines"]] == ["seen", "not seen"]
