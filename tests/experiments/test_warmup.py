"""The warm-up is a function of scenario and seed, and is where the start no longer shows."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments import warmup
from cluster_sim.experiments.replications import PILOT_RUN, run
from cluster_sim.experiments.warmup import PILOT, WarmupMethod, find_warmup, mser_cut, with_warmup
from cluster_sim.randomness import Key
from cluster_sim.scenario.build import prepare
from cluster_sim.scenario.schema import Scenario
from tests.experiments.queues import queue

N = 400


def by_definition(values: np.ndarray) -> int:
    errors = [
        ((values[d:] - values[d:].mean()) ** 2).sum() / (len(values) - d) ** 2
        for d in range(len(values) // 2)
    ]
    return int(np.argmin(errors))


@pytest.mark.parametrize("scale", [0.0, 5.0, 1e9])
def test_cut_is_where_the_standard_error_is_least(scale: float) -> None:
    """Running sums give the cut of the definition, also for large values."""
    noise = np.random.default_rng(3).normal(size=N)
    values = scale + 6 * (1 - np.exp(-np.arange(N) / 20)) + noise
    assert mser_cut(values) == by_definition(values)
    assert 20 < by_definition(values) < 200


def test_growth_without_end_is_undecided() -> None:
    """A path that never settles has its least in the second half, and there is no cut."""
    assert mser_cut(np.arange(float(N))) is None


def test_a_calm_end_is_chance_and_a_late_step_is_not() -> None:
    """A later cut must lower the error by half to say that the series has not settled."""
    noise = np.random.default_rng(4).normal(size=N)
    calm = np.where(np.arange(N) < 0.9 * N, noise, 0.4 * noise)
    step = np.where(np.arange(N) < 0.6 * N, noise, noise + 8)
    assert mser_cut(calm) is not None
    assert mser_cut(step) is None


def test_a_settled_path_is_kept_from_its_start() -> None:
    """Where nothing changes, nothing is left out."""
    assert mser_cut(np.tile([1.0, 2.0], N // 2)) == 0


def test_warmup_is_the_same_each_time_and_for_any_number_of_replications() -> None:
    """Nothing but scenario and seed decides, so replications can be added later."""
    found = [find_warmup(queue(5000, replications=n)) for n in (1, 7)]
    again = find_warmup(queue(5000, seed=2))
    assert found[0].slots == found[1].slots
    assert found[0].method is WarmupMethod.MSER
    assert found[0].note is None
    assert found[0].series != again.series


def test_pilot_shares_its_key_with_no_replication() -> None:
    """The pilot's number is beyond the largest count of replications."""
    assert PILOT > 2**63
    assert Key.of(1, PILOT) not in {Key.of(1, i) for i in range(100)}


def test_overload_is_said_to_be_undecided() -> None:
    """Beyond capacity, half of the run is left out and a note says why."""
    found = find_warmup(queue(4000, rate=0.6))
    assert (found.slots, found.method) == (2000, WarmupMethod.HALF)
    assert found.note is not None
    assert "had not settled" in found.note


def test_a_run_too_short_for_the_rule_says_so() -> None:
    """With fewer than twenty batches a quarter is left out."""
    found = find_warmup(queue(80))
    assert (found.slots, found.method) == (20, WarmupMethod.QUARTER)
    assert found.note is not None
    assert "too short for MSER-5" in found.note


def test_a_given_warmup_is_taken() -> None:
    """A number needs no pilot run."""
    found = find_warmup(queue(500, warmup=17))
    assert (found.slots, found.method, found.series) == (17, WarmupMethod.GIVEN, None)


def test_a_trace_has_no_warmup() -> None:
    """A trace begins where it begins."""
    scenario = Scenario(
        cluster={"servers": 10},
        service={"local": 1.0, "remote": 0.5},
        traffic={"kind": "trace", "load": 0.5},
        scheduler={"policy": "priority"},
        run={},
    )
    found = find_warmup(prepare(scenario))
    assert (found.slots, found.method) == (0, WarmupMethod.TRACE)


def test_undecided_warmup_is_refused_where_a_number_is_needed() -> None:
    """Who asks a prepared scenario for its warm-up too early is told what to do."""
    prepared = queue(500)
    with pytest.raises(ScenarioError, match=r'warmup = "auto": not decided yet; give a number'):
        _ = prepared.warmup
    assert with_warmup(prepared, 20).warmup == 20
    assert with_warmup(with_warmup(prepared, 20), 20).warmup == 20


def test_run_decides_first_and_tells_of_the_pilot() -> None:
    """A run reports the cut and its method, and its results leave that many slots out."""
    told: set[int] = set()
    outcome = run(queue(5000, replications=2), progress=lambda i, _: told.add(i))
    assert told == {PILOT_RUN, 0, 1}
    assert {result.warmup for result in outcome.results} == {outcome.warmup.slots}
    found = outcome.as_dict()
    assert found["warmup_method"] == WarmupMethod.MSER.value
    assert found["warmup"] == outcome.warmup.slots == outcome.prepared.warmup


def test_cut_falls_on_a_point_of_the_series() -> None:
    """The cut is the slot of a point of the pilot's series."""
    found = find_warmup(queue(20_000))
    assert found.series is not None
    assert found.slots in found.series.slots
    assert warmup.BATCH == 5
