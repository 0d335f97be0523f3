"""Batch means: exact sums, an honest check of correlation, and the interval of one run."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.experiments.batch_means import N_BATCHES, batch_means, lag_one_correlation
from cluster_sim.experiments.replications import run
from cluster_sim.experiments.statistics import Method, estimate
from tests.experiments.queues import MEAN, queue, result_of


def test_sums_of_the_series_are_exact() -> None:
    """Thinned or not, the batches add up to what the run counted between its points."""
    outcome = run(queue(50_000, warmup=0))
    result = outcome.results[0]
    series = result.series
    last = int(series.slots[-1])
    assert len(series.slots) < 2001
    assert series.arrived[-1] <= result.n_arrivals
    assert series.in_system_sum[-1] <= result.in_system_sum
    again = run(queue(last, warmup=0)).results[0]
    assert series.in_system_sum[-1] == again.in_system_sum
    assert series.waiting_sum[-1] == again.waiting_sum
    assert series.arrived[-1] == again.n_arrivals


def test_both_engines_have_the_same_sums() -> None:
    """The series with its sums is the same on both engines."""
    compiled, simpy = (run(queue(3000, warmup=100, engine=e)) for e in ("compiled", "simpy"))
    assert compiled.results[0] == simpy.results[0]


def test_independent_slots_have_the_interval_of_their_batches() -> None:
    """For independent values the half-width is that of the mean of twenty batches."""
    path = np.random.default_rng(5).poisson(4.0, 8001)
    found = batch_means(result_of(path))
    assert found.deviations is not None
    assert len(found.deviations) == N_BATCHES
    plain = estimate(path[:8000].reshape(N_BATCHES, -1).mean(axis=1).tolist())
    interval = found.estimate()
    assert interval.half_width == pytest.approx(plain.half_width, rel=0.05)
    assert (interval.method, interval.n) == (Method.BATCH_MEANS, 1)


def test_a_random_walk_has_no_interval() -> None:
    """Neighbours that follow each other closely are noticed, and the reason is given."""
    path = 100 + np.abs(np.cumsum(np.random.default_rng(6).integers(-1, 2, 8001)))
    found = batch_means(result_of(path))
    assert found.deviations is None
    assert found.estimate().half_width is None
    assert "the run is too short: neighbours among 400 batches" in str(found.reason)


def test_too_few_points_have_no_interval() -> None:
    """A short run, or one with a coarse series, says so."""
    path = np.random.default_rng(7).poisson(4.0, 399)
    assert "fewer than 400 points" in str(batch_means(result_of(path)).reason)
    empty = run(queue(1000, rate=1e-9, warmup=0)).batch_means
    assert empty.reason == "no task arrived"
    assert empty.estimate().n == 0


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.5, 0.9])
def test_correlation_is_that_of_the_process(rho: float) -> None:
    """An autoregressive series has the lag-one correlation it is made with."""
    noise = np.random.default_rng(8).normal(size=20_000)
    values = np.zeros_like(noise)
    for i in range(1, len(noise)):
        values[i] = rho * values[i - 1] + noise[i]
    assert lag_one_correlation(values) == pytest.approx(rho, abs=4 / np.sqrt(len(noise)))
    assert lag_one_correlation(np.ones(10)) == 0.0


def test_one_long_run_has_an_interval_that_holds_the_truth() -> None:
    """A single replication of Geo/Geo/1 is labelled batch means and agrees with the formula."""
    outcome = run(queue(200_000, warmup=1000))
    found = outcome.mean_completion_time
    assert found.method is Method.BATCH_MEANS
    assert found.half_width is not None
    assert abs(found.mean - MEAN) < 2 * found.half_width
    waiting = outcome.mean_waiting_time
    assert waiting.half_width is not None
    assert abs(waiting.mean - (MEAN - 2)) < 2 * waiting.half_width
    assert outcome.as_dict()["ci95_method"] == "batch means"
