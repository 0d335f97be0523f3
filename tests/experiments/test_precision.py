"""Replications are added until the requested precision, or the cap."""

from __future__ import annotations

import pytest

from cluster_sim.experiments.precision import FIRST_ROUND, cap, first_round, is_precise, next_round
from cluster_sim.experiments.replications import add_replications, begin, run
from cluster_sim.experiments.statistics import Estimate
from cluster_sim.scenario.tables import Run
from tests.experiments.queues import queue


def test_without_precision_as_many_as_asked_for() -> None:
    """Nothing is added where nothing is requested."""
    asked = Run(slots=10, replications=3)
    assert (first_round(asked), cap(asked)) == (3, 3)
    assert next_round(Estimate(1.0, 0.9, 3), 3, asked) == 3


@pytest.mark.parametrize(
    ("half", "n", "expected"),
    [
        (0.009, 10, 10),  # reached
        (0.012, 10, 15),  # 10 * 1.2**2 = 14.4
        (0.5, 10, 20),  # at most twice as many
        (0.5, 40, 50),  # the cap
        (0.0100001, 10, 11),  # at least one more
        (None, 10, 20),  # no interval: not known
    ],
)
def test_rounds_follow_the_forecast(half: float | None, n: int, expected: int) -> None:
    """The next round is what the last interval forecasts, at most double, at most the cap."""
    asked = Run(slots=10, precision=0.01, max_replications=50)
    assert next_round(Estimate(1.0, half, n), n, asked) == expected


def test_first_round_is_large_enough_to_trust_its_variance() -> None:
    """A precision starts with ten replications, the asked number if larger, the cap if smaller."""
    assert first_round(Run(slots=10, precision=0.1)) == FIRST_ROUND
    assert first_round(Run(slots=10, precision=0.1, replications=30)) == 30
    assert first_round(Run(slots=10, precision=0.1, max_replications=4)) == 4
    assert cap(Run(slots=10, precision=0.1)) == 100


def test_nothing_to_measure_is_not_precise() -> None:
    """Without an interval, or with mean 0, no precision is reached."""
    assert not is_precise(Estimate(1.0, None, 1), 0.5)
    assert not is_precise(Estimate(0.0, 0.0, 3), 0.5)


def test_run_stops_when_it_is_precise() -> None:
    """The run ends with an interval as narrow as requested, and says so."""
    outcome = run(queue(2000, warmup=100, precision=0.05))
    assert outcome.is_complete
    assert outcome.is_precise is True
    assert len(outcome.results) >= FIRST_ROUND
    relative = outcome.mean_completion_time.relative
    assert relative is not None
    assert relative <= 0.05
    assert outcome.as_dict()["precision_reached"] is True


def test_run_stops_at_the_cap() -> None:
    """A precision out of reach ends at the cap, complete and not precise."""
    outcome = run(queue(100, warmup=10, precision=1e-6, max_replications=12))
    assert (len(outcome.results), outcome.is_complete, outcome.is_precise) == (12, True, False)


def test_adding_replications_is_the_same_as_running_them_at_once() -> None:
    """Replications are keyed by number: five and then three more are eight."""
    prepared = queue(500, warmup=50, replications=8)
    some = add_replications(begin(prepared), 5)
    assert not some.is_complete
    assert add_replications(some, 8).results == run(prepared).results
