"""Compare policies on the same tasks with the same luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.batch_means import batch_means
from cluster_sim.experiments.precision import first_round, next_round
from cluster_sim.experiments.replications import PILOT_RUN, Outcome, add_replications, begin
from cluster_sim.experiments.statistics import Estimate, Method, estimate, ratio_estimate
from cluster_sim.experiments.warmup import Warmup, find_warmup
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario

__all__ = ["Comparison", "Difference", "compare"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """One policy against the first, replication by replication.

    Parameters
    ----------
    policy, baseline : str
    difference : Estimate
        Mean completion time of the policy less that of the baseline, slots, paired by replication.
    ratio : Estimate
        The mean of the policy over that of the baseline, paired.
    variance_reduction : float or None
        Variance of the difference of independent runs over that of the paired ones; above 1,
        pairing helped. None where there is no interval.
    """

    policy: str
    baseline: str
    difference: Estimate
    ratio: Estimate
    variance_reduction: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain JSON types.

        Returns
        -------
        dict
        """
        return {
            "policy": self.policy,
            "baseline": self.baseline,
            "difference": self.difference.mean,
            "difference_ci95": self.difference.half_width,
            "ci95_method": None if self.difference.method is None else self.difference.method.value,
            "ratio": self.ratio.mean,
            "ratio_ci95": self.ratio.half_width,
            "variance_reduction": self.variance_reduction,
        }


@dataclass(frozen=True)
class Comparison:
    """Outcomes of several policies under common random numbers.

    Parameters
    ----------
    outcomes : tuple of Outcome
        One a policy, in the order asked for; the first is the baseline.
    """

    outcomes: tuple[Outcome, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every policy but the first against the first, over replications that both finished."""
        return tuple(_difference(other, self.outcomes[0]) for other in self.outcomes[1:])

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types: the object that ``compare --json`` prints.

        Returns
        -------
        dict
        """
        return {
            "policies": [outcome.policy for outcome in self.outcomes],
            "results": [outcome.as_dict() for outcome in self.outcomes],
            "differences": [difference.as_dict() for difference in self.differences],
        }


def compare(
    scenario: Scenario,
    policies: Sequence[str],
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Run a scenario under several policies, all with the same seeds.

    Parameters
    ----------
    scenario : Scenario
    policies : sequence of str
        At least one. The scenario's own policy keeps its parameters, the others have their
        defaults.
    progress : callable, optional
        Told policy, replication (`PILOT_RUN` for the pilot) and slots done.

    Returns
    -------
    Comparison
        After an interrupt (Ctrl-C), of what was finished, if anything was.

    Raises
    ------
    KeyboardInterrupt
        If interrupted before the first replication was finished.
    ScenarioError
        If no policy is named, or one twice.
    """
    if not policies:
        raise ScenarioError("policies: name at least one, e.g. priority,jsq-maxweight")
    if len(set(policies)) != len(policies):
        raise ScenarioError(f"policies = {','.join(policies)}: names one twice; leave it out")
    ready = [
        prepare(
            scenario
            if policy == scenario.scheduler.policy
            else scenario.with_values({"scheduler.policy": policy})
        )
        for policy in policies
    ]

    def tell(policy: str, replication: int, slot: int) -> None:
        if progress is not None:
            progress(policy, replication, slot)

    warmup = _common_warmup(ready, tell)
    outcomes = [begin(prepared, warmup) for prepared in ready]
    asked, n = scenario.run, first_round(scenario.run)
    while len(outcomes[-1].results) < n and _add(outcomes, n, tell):
        # The policies keep the same number of replications, so that every one has its pair.
        n = max(next_round(outcome.mean_completion_time, n, asked) for outcome in outcomes)
    return Comparison(tuple(outcome for outcome in outcomes if outcome.results))


def _add(outcomes: list[Outcome], n: int, tell: Callable[[str, int, int], None]) -> bool:
    """Give each policy `n` replications in all; return whether that was not interrupted."""
    for i, outcome in enumerate(outcomes):
        try:
            outcomes[i] = add_replications(outcome, n, progress=partial(tell, outcome.policy))
        except KeyboardInterrupt:
            if i == 0:
                raise
            return False
        if len(outcomes[i].results) < n:
            return False
    return True


def _common_warmup(ready: Sequence[Prepared], tell: Callable[[str, int, int], None]) -> Warmup:
    """Return the longest warm-up of the policies: a pair must be compared over the same slots."""
    found = [
        find_warmup(
            prepared, progress=partial(tell, str(prepared.scenario.scheduler.policy), PILOT_RUN)
        )
        for prepared in ready
    ]
    return max(found, key=lambda warmup: warmup.slots)


def _difference(outcome: Outcome, baseline: Outcome) -> Difference:
    n = min(len(outcome.results), len(baseline.results))
    if n == 1:
        return _difference_in_batches(outcome, baseline)
    mine = np.array([result.mean_completion_time for result in outcome.results[:n]])
    theirs = np.array([result.mean_completion_time for result in baseline.results[:n]])
    return Difference(
        outcome.policy,
        baseline.policy,
        estimate((mine - theirs).tolist()),
        ratio_estimate(mine.tolist(), theirs.tolist()),
        _reduction(mine, theirs),
    )


def _difference_in_batches(outcome: Outcome, baseline: Outcome) -> Difference:
    """Compare two single runs by their batches, which are over the same slots."""
    mine, theirs = batch_means(outcome.results[0]), batch_means(baseline.results[0])
    difference, ratio = mine.mean - theirs.mean, mine.mean / theirs.mean
    if mine.deviations is None or theirs.deviations is None:
        n = int(not np.isnan(difference))
        alone = (Estimate(difference, None, n), Estimate(ratio, None, n))
        return Difference(outcome.policy, baseline.policy, *alone, None)
    spread = estimate((mine.deviations - theirs.deviations).tolist())
    ratio_spread = estimate(((mine.deviations - ratio * theirs.deviations) / theirs.mean).tolist())
    return Difference(
        outcome.policy,
        baseline.policy,
        Estimate(difference, spread.half_width, 1, Method.BATCH_MEANS),
        Estimate(ratio, ratio_spread.half_width, 1, Method.BATCH_MEANS),
        _reduction(mine.deviations, theirs.deviations),
    )


def _reduction(mine: FloatArray, theirs: FloatArray) -> float | None:
    """Return the variance of the difference without pairing over that with it."""
    paired = float(np.var(mine - theirs, ddof=1))
    independent = float(np.var(mine, ddof=1) + np.var(theirs, ddof=1))
    return independent / paired if paired > 0 else None
