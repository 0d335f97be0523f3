"""Compare policies on the same tasks with the same luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.replications import Outcome, run
from cluster_sim.experiments.statistics import Estimate, estimate
from cluster_sim.scenario.build import prepare
from cluster_sim.scenario.schema import Scenario

__all__ = ["Comparison", "Difference", "compare"]


@dataclass(frozen=True)
class Difference:
    """One policy against the first, replication by replication.

    Parameters
    ----------
    policy, baseline : str
    difference : Estimate
        Mean completion time of the policy less that of the baseline, slots, paired by replication.
    ratio : Estimate
        The policy's over the baseline's, paired.
    variance_reduction : float or None
        Variance of the difference of independent runs over that of the paired ones; above 1,
        pairing helped. None with fewer than two replications.
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
        Told policy, replication and slots done.

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
    outcomes: list[Outcome] = []
    for policy, prepared in zip(policies, ready, strict=True):

        def tell(replication: int, slot: int, policy: str = policy) -> None:
            if progress is not None:
                progress(policy, replication, slot)

        try:
            outcome = run(prepared, progress=tell)
        except KeyboardInterrupt:
            if not outcomes:
                raise
            break
        outcomes.append(outcome)
        if not outcome.is_complete:
            break
    return Comparison(tuple(outcomes))


def _difference(outcome: Outcome, baseline: Outcome) -> Difference:
    n = min(len(outcome.results), len(baseline.results))
    mine = np.array([result.mean_completion_time for result in outcome.results[:n]])
    theirs = np.array([result.mean_completion_time for result in baseline.results[:n]])
    reduction = None
    if n > 1:
        paired = float(np.var(mine - theirs, ddof=1))
        independent = float(np.var(mine, ddof=1) + np.var(theirs, ddof=1))
        reduction = independent / paired if paired > 0 else None
    return Difference(
        outcome.policy,
        baseline.policy,
        estimate(list(mine - theirs)),
        estimate(list(mine / theirs)),
        reduction,
    )
