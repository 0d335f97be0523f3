"""Bring a scenario nearer and nearer to the boundary of the capacity region, and measure it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.sampling import sample_queues
from cluster_sim.experiments.statistics import Estimate, estimate
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.task_types import arrival_variance, decomposition_of
from cluster_sim.theory.bounds import (
    HeavyTraffic,
    collapse_direction,
    heavy_traffic_bounds,
    split_queues,
)
from cluster_sim.theory.decomposition import Decomposition

__all__ = [
    "Distance",
    "Plan",
    "at_distance",
    "growth_exponents",
    "intercepts",
    "measure",
    "plan",
    "queue_parts",
]

_WARMUP = 10.0  # relaxation times from the empty system
_SAMPLES = 100.0  # looks per relaxation time


@dataclass(frozen=True, eq=False)
class Distance:
    """What was measured at one distance to the boundary.

    Parameters
    ----------
    scenario : Scenario
        What ran.
    bounds : HeavyTraffic
        What the theory says; `bounds.epsilon` is the distance.
    values : dict of str to list of float
        Time averages of each replication; see `queue_parts`.
    """

    scenario: Scenario
    bounds: HeavyTraffic
    values: dict[str, list[float]]

    @property
    def epsilon(self) -> float:
        """The distance, tasks per slot (Eqs. 10 and 20)."""
        return self.bounds.epsilon

    def estimate(self, name: str, factor: float = 1.0) -> Estimate:
        """Return a measured mean with its interval.

        Parameters
        ----------
        name : str
            A key of `values`.
        factor : float
            To multiply by.

        Returns
        -------
        Estimate
        """
        return estimate([factor * value for value in self.values[name]])


def at_distance(scenario: Scenario, epsilon: float) -> Scenario:
    """Return a scenario at another distance to the boundary, as the paper approaches it.

    Parameters
    ----------
    scenario : Scenario
        Inside the capacity region, two tiers.
    epsilon : float
        Tasks per slot, above 0.

    Returns
    -------
    Scenario
        Without beneficiaries, every arrival rate is scaled (Eq. 20). With beneficiaries, only the
        types in L_B are: those local to a helper keep their rates, hence Phi (Eqs. 9 and 10).

    Raises
    ------
    ScenarioError
        If the set of beneficiaries would change, or the traffic cannot be scaled by parts.
    """
    prepared = prepare(scenario)
    ideal = decomposition_of(prepared)
    inside = ideal.types.rate_inside(ideal.is_beneficiary)
    own, rest = inside + ideal.epsilon - epsilon, ideal.types.total_rate - inside
    changed = scenario
    if not ideal.n_beneficiaries:
        rate = ideal.types.total_rate + ideal.epsilon - epsilon
        changed = scenario.with_values({"traffic.rate": rate})
    elif own > 0:
        changed = scenario.with_values(_scaled(scenario, ideal, own, rest))
    moved = decomposition_of(prepare(changed))
    if (
        not math.isclose(moved.epsilon, epsilon, rel_tol=1e-6)
        or (moved.is_beneficiary != ideal.is_beneficiary).any()
    ):
        raise ScenarioError(
            f"epsilon = {epsilon:g}: at this distance other servers are overloaded than at "
            f"{ideal.epsilon:.6g}; choose a smaller one"
        )
    return changed


def _scaled(scenario: Scenario, ideal: Decomposition, own: float, rest: float) -> dict[str, object]:
    """Return what to set so that the types in L_B have rate `own` together, the others `rest`."""
    traffic: Any = scenario.traffic
    if traffic.kind == "hotspot" and ideal.n_beneficiaries == traffic.hot_servers:
        return {"traffic.rate": own + rest, "traffic.hot_probability": own / (own + rest)}
    if traffic.kind != "types":
        raise ScenarioError(
            f"traffic.kind = {traffic.kind!r}: its beneficiaries' part cannot be scaled by itself; "
            'use kind = "types", or "hotspot" with every hot server overloaded'
        )
    members = set(ideal.beneficiaries.tolist())
    is_own = [members.issuperset(t.replicas_on) for t in traffic.types]
    weights = [float(t.weight) for t in traffic.types]
    sums = {
        flag: sum(w for w, own in zip(weights, is_own, strict=True) if own is flag)
        for flag in (True, False)
    }
    goal = {True: own, False: rest}
    types = [
        {"replicas_on": list(t.replicas_on), "weight": weight * goal[flag] / sums[flag]}
        for t, weight, flag in zip(traffic.types, weights, is_own, strict=True)
        if sums[flag] > 0
    ]
    return {"traffic.types": types, "traffic.rate": own + rest}


def queue_parts(
    lengths: npt.NDArray[np.int64], is_beneficiary: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """Return the means over samples of what the theorems speak of.

    Parameters
    ----------
    lengths : int64 array, shape (n_samples, n_queues)
        Queues of the servers come first; a policy's further queues are left out.
    is_beneficiary : bool array, shape (n_servers,)

    Returns
    -------
    dict of str to float
        ``bounded``: sum of the queues that the bounds concern, those of B, or all without B.
        ``helpers``: sum over H, 0 without B. ``parallel``, ``perpendicular``: norms of the parts
        of the whole queue vector along c, and across it. ``perpendicular_squared``: the square.

    References
    ----------
    Theorems 2 to 8; Eq. (13).

    Examples
    --------
    >>> parts = queue_parts(np.array([[1, 4, 4]]), np.array([False, True, True]))
    >>> parts["bounded"], parts["helpers"], round(parts["parallel"], 3), parts["perpendicular"]
    (8.0, 1.0, 5.657, 1.0)
    """
    queues = lengths[:, : len(is_beneficiary)]
    all_alike = not is_beneficiary.any()
    bounded = queues if all_alike else queues[:, is_beneficiary]
    parallel, rest = split_queues(queues, collapse_direction(is_beneficiary))
    across = np.linalg.norm(rest, axis=1)
    return {
        "bounded": float(bounded.sum(axis=1).mean()),
        "helpers": 0.0 if all_alike else float(queues[:, ~is_beneficiary].sum(axis=1).mean()),
        "parallel": float(np.linalg.norm(parallel, axis=1).mean()),
        "perpendicular": float(across.mean()),
        "perpendicular_squared": float((across**2).mean()),
    }


@dataclass(frozen=True, eq=False)
class Plan:
    """A run to be made at one distance to the boundary.

    Parameters
    ----------
    prepared : Prepared
    ideal : Decomposition
    bounds : HeavyTraffic
    look_every : int
        Slots from one sample of the queues to the next.
    """

    prepared: Prepared
    ideal: Decomposition
    bounds: HeavyTraffic
    look_every: int

    @property
    def n_slots(self) -> int:
        """Slots of all replications together."""
        return self.prepared.slots * self.prepared.scenario.run.replications


def plan(scenario: Scenario, epsilon: float, *, precision: float, replications: int = 8) -> Plan:
    """Plan runs at a distance to the boundary, long enough for a precision.

    Parameters
    ----------
    scenario : Scenario
    epsilon : float
        Tasks per slot.
    precision : float
        Standard error of the mean sum of the queues, as a fraction of it, about.
    replications : int

    Returns
    -------
    Plan

    Raises
    ------
    ScenarioError
        As for `at_distance`.

    Notes
    -----
    Near the boundary the sum of the queues moves like a reflected Brownian motion of drift
    -epsilon and variance s^2 per slot. Its relaxation time is ``2 s^2 / epsilon^2``, and its mean
    over T slots has the relative variance ``2 s^2 / (epsilon^2 T)``. This sets the slots; the
    interval is measured.
    """
    moved = at_distance(scenario, epsilon)
    prepared = prepare(moved)
    ideal = decomposition_of(prepared)
    bounds = heavy_traffic_bounds(ideal, arrival_variance=arrival_variance(prepared))
    relaxation = 4.0 * bounds.limit / epsilon**2
    warmup = math.ceil(_WARMUP * relaxation)
    slots = warmup + math.ceil(relaxation / precision**2 / replications)
    run = {"run.slots": slots, "run.warmup": warmup, "run.replications": replications}
    return Plan(prepare(moved.with_values(run)), ideal, bounds, max(1, int(relaxation / _SAMPLES)))


def measure(
    planned: Plan,
    *,
    progress: Callable[[int], None] | None = None,
    workers: int | None = None,
) -> Distance:
    """Run what is planned.

    Parameters
    ----------
    planned : Plan
    progress : callable, optional
        Told slots done.
    workers : int, optional

    Returns
    -------
    Distance
    """
    values = sample_queues(
        planned.prepared,
        lambda lengths: queue_parts(lengths, planned.ideal.is_beneficiary),
        look_every=planned.look_every,
        progress=progress,
        workers=workers,
    )
    return Distance(planned.prepared.scenario, planned.bounds, values)


def intercepts(distances: Sequence[Distance], name: str) -> Estimate:
    """Return epsilon times a mean, extrapolated to epsilon = 0.

    Parameters
    ----------
    distances : sequence of Distance
        At least three, the same number of replications at each.
    name : str
        A key of their values.

    Returns
    -------
    Estimate

    Notes
    -----
    A straight line in epsilon through the three smallest distances, replication by replication; the
    interval is that of the replications' intercepts, so it needs no independence between distances.
    It does not include the error of the straight line.
    """
    nearest = sorted(distances, key=lambda distance: distance.epsilon)[:3]
    x = np.array([distance.epsilon for distance in nearest])
    y = np.array([distance.values[name] for distance in nearest]) * x[:, None]
    return estimate(list(np.polyfit(x, y, 1)[1]))


def growth_exponents(distances: Sequence[Distance], name: str) -> Estimate:
    """Return p where a mean grows like epsilon^-p between the two smallest distances.

    Parameters
    ----------
    distances : sequence of Distance
        At least two, the same number of replications at each.
    name : str
        A key of their values.

    Returns
    -------
    Estimate
        About 0 for what stays bounded, 1 for what grows with the queues.
    """
    near, far = sorted(distances, key=lambda distance: distance.epsilon)[:2]
    grown = np.log(np.array(near.values[name]) / np.array(far.values[name]))
    return estimate(list(grown / math.log(far.epsilon / near.epsilon)))
