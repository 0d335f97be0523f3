"""A verdict on stability follows from growth, load and whether the workload is stationary."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim import Scenario, prepare, run
from cluster_sim.experiments.stability import Growth, growth, judge, watch
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.result import RunResult
from cluster_sim.recording.series import Series


def result(slope: float, *, n_points: int = 300, start: float = 1_000.0) -> RunResult:
    """Return a run whose backlog grows by `slope` tasks a slot."""
    slots = np.arange(n_points)
    backlog = np.rint(start + slope * slots).astype(np.int64)
    empty = Histogram.of({})
    return RunResult(
        slots=n_points,
        warmup=0,
        n_arrivals=0,
        n_completed=0,
        n_in_system=0,
        completion_times=empty,
        waiting_times=empty,
        starts=np.zeros(2, dtype=np.int64),
        busy=np.zeros(1, dtype=np.int64),
        in_system_sum=0,
        waiting_sum=0,
        n_bound_hits=0,
        series=Series(slots, backlog, backlog, *np.zeros((3, n_points), dtype=np.int64)),
        counts_service=True,
    )


@pytest.mark.parametrize(
    ("slopes", "load", "is_stationary", "verdict"),
    [
        ((0.0, 0.0), 0.9, True, "stable"),
        ((2.0, 2.1), 0.9, True, "unstable"),
        ((2.0, -1.0), 0.9, True, "stable"),  # the interval holds 0
        ((0.0, 0.0), 1.0, True, "unstable"),  # none is stable there, however it looks
        ((0.0, 0.0), 0.9, False, "undecided"),
        ((0.0, 0.0), 1.2, False, "undecided"),
        ((2.0, 2.1), 0.9, False, "undecided"),  # a trace may end in a busy hour
        ((20.0, 21.0), 0.9, False, "unstable"),
    ],
)
def test_verdict(slopes: tuple[float, ...], load: float, is_stationary: bool, verdict: str) -> None:
    """At a rate of 100, growth of 2 percent unsettles a stationary run, one of 20 any."""
    found = judge(
        [result(slope) for slope in slopes], rate=100.0, load=load, is_stationary=is_stationary
    )
    assert found.verdict == verdict
    assert found.growth == pytest.approx(np.mean(slopes), abs=0.01)


def test_growth_alone_knows_no_load() -> None:
    """`watch` says what the backlog does; `judge` knows that above capacity nothing settles."""
    runs = [result(0.0), result(0.0)]
    assert watch(runs, rate=100.0) is Growth.SETTLED
    assert judge(runs, rate=100.0, load=1.5).verdict == "unstable"
    assert watch([result(3.0), result(3.1)], rate=100.0) is Growth.GROWING
    assert watch([result(3.0), result(-1.0)], rate=100.0) is Growth.UNCLEAR
    assert growth([result(3.0), result(5.0)]).mean == pytest.approx(4.0, abs=0.01)


def test_too_short_to_see() -> None:
    """Without ten points a third, growth is unknown and the verdict is the load's, or none."""
    short = [result(5.0, n_points=20)]
    assert watch(short, rate=100.0) is Growth.UNCLEAR
    assert judge(short, rate=100.0, load=0.9).verdict == "undecided"
    assert judge(short, rate=100.0, load=1.1).verdict == "unstable"
    assert judge(short, rate=100.0, load=1.1, is_stationary=False).verdict == "undecided"
    assert judge(short, rate=0.0, load=0.0).verdict == "stable"


def test_a_trace_is_not_called_stable() -> None:
    """A trace that a cluster takes with ease leaves the verdict open, and says why."""
    scenario = Scenario(
        cluster={"servers": 20},
        service={"local": 1.0, "remote": 0.5},
        traffic={"kind": "trace", "max_tasks_per_job": 20, "load": 0.3},
        scheduler={"policy": "priority"},
        run={"slots": 400, "warmup": 0},
    )
    stability = run(prepare(scenario), workers=1).stability
    assert stability.verdict == "undecided"
    assert "a trace has no steady state" in stability.reason
