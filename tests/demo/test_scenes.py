"""Scenes are scenarios; the theory beside them is that of the theory package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cluster_sim.demo import panels
from cluster_sim.demo.classroom import mean_field_time, queue_tail
from cluster_sim.demo.helping import HelpAnyone
from cluster_sim.demo.predictions import boundary, boundary_chart, predict, rows
from cluster_sim.demo.scenes import Measured, Scene, measure, record_scene
from cluster_sim.scenario.build import prepare
from cluster_sim.testing.conformance import check_policy

SMALL = Scene(n_servers=12, n_hot=3, load=0.8)


def test_the_boundary_goes_through_the_capacity() -> None:
    """In the direction of the scene's traffic the boundary is its capacity, with any tiers."""
    for scene in (SMALL, Scene(n_servers=12, n_racks=3, n_hot=4, load=0.8)):
        hot, other = boundary(scene.n_servers, scene.n_racks, scene.n_hot, scene.rates)
        capacity = prepare(scene.scenario("priority", slots=1)).capacity.rate
        sigma = scene.hot_probability
        share = hot / (hot + other)
        total = np.interp(sigma, share, hot + other)
        assert total == pytest.approx(capacity, rel=0.01)
        assert np.all(np.diff(hot) >= -1e-9), "hot tasks go from none to all"


def test_the_prediction_is_met_near_capacity() -> None:
    """The estimate is the leading term: what it leaves out does not grow with it."""
    left = []
    for load in (0.9, 0.98):
        scene = Scene(n_servers=12, n_hot=3, load=load, local=0.5, remote=0.25)
        seen = measure(scene.scenario("priority", 200_000, warmup=20_000))
        found = predict(scene)
        assert found.report.heavy_traffic is not None
        assert seen.bounded_sum > found.report.heavy_traffic.lower_bound
        gap = seen.result.mean_completion_time - found.completion_time
        assert gap > 0
        left.append(gap / (found.completion_time - found.service_time))
    assert left[1] < 0.6 * left[0]


def test_every_setting_of_the_controls_is_a_scenario() -> None:
    """Whatever the sliders say, the scenario is valid, and the page has its numbers."""
    slid = {"load": 1.1, "hot_probability": 0.0, "hot_share": 0.9, "local": 0.1}
    slid |= {"rack_local": 1.0, "remote": 0.5}
    chosen = {"n_servers": 20, "n_racks": 5, "threshold": float("inf"), "seed": 2}
    scene = panels.scene_of(slid, chosen)
    assert scene.rates == (0.1, 0.1, 0.1), "no tier is faster than a nearer one"
    measured = [measure(scene.scenario(name, 400, warmup=100)) for name in ("priority", "fifo")]
    words = dict(rows(scene, measured))
    assert "note" in words
    assert not measured[0].is_stable, "above the capacity"
    assert "fifo" in words["mean completion time"]
    assert boundary_chart(scene).startswith("<svg ")
    assert "<table" in panels.theory_html(rows(scene, measured), measured)


def test_one_policy_twice_is_shown_once() -> None:
    """Two panels are for two policies."""
    assert panels.policies_of({"first": "fifo", "second": "fifo"}) == ["fifo"]
    assert panels.policies_of({"first": "fifo", "second": "none"}) == ["fifo"]
    assert panels.policies_of({"first": "fifo", "second": "priority"}) == ["fifo", "priority"]


def test_a_recording_is_the_start_of_the_measured_run() -> None:
    """What is watched is what is counted: the same tasks, with the same luck."""
    recorded = record_scene(SMALL.scenario("priority", 200)).recording
    measured = measure(SMALL.scenario("priority", 200)).result
    assert recorded.n_tasks == measured.n_arrivals
    assert int((recorded.end >= 0).sum()) == measured.completion_times.total


def test_without_the_compiler_less_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SimPy engine answers too, from fewer slots, and says why."""
    monkeypatch.setattr("cluster_sim.compiled.assembly.is_available", lambda: False)
    measured = measure(Scene(n_servers=6, n_hot=3, seed=8).scenario("fifo", 5_000, warmup=1_000))
    assert measured.engine.name == "simpy"
    assert "numba" in str(measured.engine.note)
    assert measured.result.slots == 1_500


@pytest.mark.slow
def test_the_plan_for_five_minutes_shows_what_it_says() -> None:
    """The numbers of docs/how-to/teach.md, at the settings that it names."""

    def seen(policy: str, **values: Any) -> Measured:
        scenario = Scene(**values).scenario(policy, panels.N_MEASURED, warmup=panels.N_WARMUP)
        return measure(scenario)

    assert not seen("jsq-local").is_stable
    assert len(predict(Scene()).report.beneficiaries or ()) == Scene().n_hot
    assert predict(Scene(hot_probability=0.2)).report.beneficiaries == ()
    assert seen("jsq-local", hot_probability=0.2).is_stable
    assert seen("priority", load=0.98).is_stable
    assert not seen("priority", load=1.05).is_stable
    never = seen("priority", threshold=float("inf")).result
    assert never.completion_times == seen("jsq-local").result.completion_times
    patient, eager = (seen("priority", load=0.5, threshold=each) for each in ("auto", 0.0))
    assert round(patient.result.mean_completion_time, 1) == 4.7
    assert round(eager.result.mean_completion_time, 1) == 6.3
    assert eager.remote_share == pytest.approx(0.9, abs=0.02)


@pytest.mark.slow
def test_help_for_anyone_is_a_policy() -> None:
    """The policy of the lesson keeps the laws."""
    check_policy(HelpAnyone())


def test_the_tail_of_one_choice_is_geometric() -> None:
    """One choice is many queues of their own: the mean is that of M/M/1."""
    assert queue_tail(1, 0.5, 3).tolist() == [1.0, 0.5, 0.25]
    assert mean_field_time(1, 0.8, 0.5) == pytest.approx(1 / (0.5 * (1 - 0.8)))
    assert mean_field_time(2, 0.8, 0.5) < mean_field_time(1, 0.8, 0.5)
