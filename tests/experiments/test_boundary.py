"""A sweep finds the load at which a policy stops settling, from growth alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cluster_sim import Scenario, prepare
from cluster_sim.experiments import boundary
from cluster_sim.experiments.boundary import Boundary, Load, sweep_boundary
from cluster_sim.experiments.stability import Growth
from cluster_sim.experiments.statistics import Estimate

SCENARIO = Scenario(
    cluster={"servers": 8},
    service={"local": 1.0, "remote": 0.5},
    traffic={"kind": "hotspot", "hot_servers": 4, "hot_probability": 1.0, "load": 0.5},
    scheduler={"policy": "priority"},
    run={"slots": 800, "warmup": 200, "replications": 3},
)


def test_a_policy_without_help_loses_capacity() -> None:
    """Four hot servers alone serve 4 of the 6 tasks per slot that the cluster can; growth by hand.

    All tasks are local to them, so above that load the backlog grows by what they cannot serve.
    """
    found = sweep_boundary(SCENARIO, "jsq-local", [0.9, 0.5], workers=1)
    assert [each.verdict for each in found.loads] == [Growth.SETTLED, Growth.GROWING]
    assert found.bracket == (0.5, 0.9)
    growth = found.loads[1].growth
    assert abs(growth.mean - (0.9 * 6 - 4) / (0.9 * 6)) < 3 * growth.half_width


def test_help_keeps_it_stable() -> None:
    """With remote service the same load settles, and nothing settles beyond capacity."""
    told: list[int] = []
    found = sweep_boundary(SCENARIO, "priority", [0.9, 1.2], progress=told.append, workers=1)
    assert found.bracket == (0.9, 1.2)
    assert told == [1, 2]


def test_bracket_ends_where_settling_ends() -> None:
    """An undecided load ends what was sustained; without any growth there is no upper end."""

    def of(*verdicts: Growth) -> Boundary:
        loads = [Load(0.1 * i, Estimate(0.0, 0.0, 2), v) for i, v in enumerate(verdicts, 1)]
        return Boundary("any", tuple(loads))

    settled, unclear, growing = Growth.SETTLED, Growth.UNCLEAR, Growth.GROWING
    assert of(settled, unclear, settled, growing).bracket == (0.1, 0.4)
    assert of(growing, settled).bracket == (0.0, 0.1)
    assert of(settled, settled).bracket == (0.2, math.inf)


def test_an_interrupted_run_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the sweep, also where some replications of a load were finished."""
    whole = boundary.run(prepare(SCENARIO), workers=1)
    part = replace(whole, results=whole.results[:1])
    monkeypatch.setattr(boundary, "run", lambda prepared, **_: part)
    with pytest.raises(KeyboardInterrupt):
        sweep_boundary(SCENARIO, "priority", [0.5])
