"""Comparisons are paired: same slots, same tasks, same number of replications."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.comparison import compare
from cluster_sim.experiments.statistics import Method, ratio_estimate
from cluster_sim.scenario.schema import Scenario

PAIR = ("priority", "jsq-local")


def scenario(**run: object) -> Scenario:
    """Two servers, each with its own type; the first is busy."""
    return Scenario(
        cluster={"servers": 2},
        service={"local": 0.8, "remote": 0.4},
        traffic={
            "kind": "types",
            "types": [{"replicas_on": [0], "weight": 0.8}, {"replicas_on": [1], "weight": 0.2}],
            "rate": 0.7,
            "arrivals": "bernoulli",
        },
        scheduler={"policy": "priority"},
        run={"slots": 2000, "replications": 6, **run},
    )


def test_ratio_is_that_of_the_means() -> None:
    """The ratio over replications is the ratio of the means, with the delta method's interval."""
    comparison = compare(scenario(warmup=100), PAIR)
    times = [[r.mean_completion_time for r in o.results] for o in comparison.outcomes]
    assert comparison.differences[0].ratio == ratio_estimate(times[1], times[0])


def test_policies_have_one_warmup_and_one_pairing() -> None:
    """The longest cut of the policies holds for all, so that pairs are over the same slots."""
    comparison = compare(scenario(), PAIR)
    assert len({outcome.prepared.warmup for outcome in comparison.outcomes}) == 1
    arrivals = [[result.n_arrivals for result in o.results] for o in comparison.outcomes]
    assert arrivals[0] == arrivals[1]


def test_pairing_reduces_the_variance() -> None:
    """Common random numbers make the difference more certain than independent runs would."""
    found = compare(scenario(warmup=100, replications=30), PAIR).differences[0]
    assert found.variance_reduction is not None
    assert found.variance_reduction > 1.5


def test_precision_keeps_the_policies_in_step() -> None:
    """All have as many replications as the one that needs most."""
    comparison = compare(scenario(warmup=100, precision=0.03), PAIR)
    numbers = {len(outcome.results) for outcome in comparison.outcomes}
    assert len(numbers) == 1
    assert all(outcome.is_precise for outcome in comparison.outcomes)
    assert numbers.pop() > 10


def test_single_runs_are_paired_batch_by_batch() -> None:
    """With one replication, differences and ratios have the intervals of paired batches."""
    long = {"slots": 60_000, "warmup": 1000, "replications": 1}
    found = compare(scenario(**long), PAIR).differences[0]
    assert found.difference.method is found.ratio.method is Method.BATCH_MEANS
    assert found.variance_reduction is not None
    assert found.variance_reduction > 1
    many = compare(scenario(warmup=1000, slots=7000, replications=10), PAIR).differences[0]
    assert found.difference.half_width is not None
    assert many.difference.half_width is not None
    spread = np.hypot(found.difference.half_width, many.difference.half_width)
    assert abs(found.difference.mean - many.difference.mean) < 2 * spread


def test_single_short_runs_have_no_interval() -> None:
    """Where the batches do not suffice there is no interval of the difference."""
    found = compare(scenario(slots=300, warmup=10, replications=1), PAIR).differences[0]
    assert found.difference.half_width is None
    assert found.as_dict()["ci95_method"] is None
    assert found.variance_reduction is None


@pytest.mark.parametrize(("names", "words"), [((), "name at least one"), (("a", "a"), "twice")])
def test_wrong_lists_are_refused(names: tuple[str, ...], words: str) -> None:
    """No policy, or one twice, is an error."""
    with pytest.raises(ScenarioError, match=words):
        compare(scenario(), names)
