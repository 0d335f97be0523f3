"""Theorems 3, 5, 6 and 8: the mean sum of the queues near the boundary, and its bounds."""

from __future__ import annotations

from cluster_sim.experiments.reproductions.approach import intercepts
from cluster_sim.experiments.reproductions.heavy_traffic import (
    Found,
    Theorem,
    case,
    curve,
    values,
)
from cluster_sim.experiments.reproductions.report import Curve, Line, Panel, Verdict
from cluster_sim.experiments.reproductions.verdicts import at_least, equals, is_less
from cluster_sim.experiments.statistics import Estimate

__all__ = ["THEOREMS", "lower_bound_lines", "upper_bound_lines"]

_SUM = "epsilon E[sum Q]"


def lower_bound_lines(found: Found) -> tuple[Line, ...]:
    """Return the lines of Theorem 3 or 6: no mean is below its bound.

    Parameters
    ----------
    found : dict of str to list of Distance

    Returns
    -------
    tuple of Line
    """
    distances = found["priority"]
    lines = []
    for each in distances:
        bound = each.epsilon * each.bounds.lower_bound
        mean = each.estimate("bounded", each.epsilon)
        verdict = at_least(mean, bound)
        lines.append(
            Line(case(each), _SUM, mean, f"at least {bound:.4g}", verdict, values(each, bound))
        )
    limit, end = distances[-1].bounds.limit, intercepts(distances, "bounded")
    # A lower bound that is met with equality is not exceeded, up to the error of extrapolation.
    is_met = equals(end, limit) is Verdict.SEEN
    last = Line(
        "priority, epsilon to 0",
        f"{_SUM}, extrapolated",
        end,
        f"at least {limit:.4g}",
        Verdict.SEEN if is_met else at_least(end, limit),
        {"predicted_value": limit},
    )
    return (*lines, last)


def upper_bound_lines(found: Found) -> tuple[Line, ...]:
    """Return the lines of Theorem 5 or 8: epsilon times the mean falls to the limit.

    Parameters
    ----------
    found : dict of str to list of Distance

    Returns
    -------
    tuple of Line
    """
    distances = found["priority"]
    limit = distances[-1].bounds.limit
    means = [each.estimate("bounded", each.epsilon) for each in distances]
    lines = [
        Line(case(each), _SUM, mean, f"tends to {limit:.4g}", None, values(each, limit))
        for each, mean in zip(distances, means, strict=True)
    ]
    far, near, end = means[0], means[-1], intercepts(distances, "bounded")
    fallen = Line(
        f"priority, epsilon = {distances[-1].epsilon:g}",
        f"{_SUM} less the limit",
        Estimate(near.mean - limit, near.half_width, near.n),
        f"less than {far.mean - limit:.4g}, as at {distances[0].epsilon:g}",
        is_less(near, far.mean),
    )
    last = Line(
        "priority, epsilon to 0",
        f"{_SUM}, extrapolated",
        end,
        f"{limit:.4g}",
        equals(end, limit),
        {"predicted_value": limit},
    )
    return (*lines, fallen, last)


def _panels(found: Found) -> tuple[Panel, ...]:
    distances = found["priority"]
    epsilons = tuple(each.epsilon for each in distances)
    lower = tuple(each.epsilon * each.bounds.lower_bound for each in distances)
    limit = tuple(each.bounds.limit for each in distances)
    panel = Panel(
        str(distances[0].scenario.title),
        "epsilon, tasks per slot",
        "epsilon x mean sum of the queues",
        (
            curve("priority", distances, "bounded", scaled=True),
            Curve("limit", epsilons, limit),
            Curve("lower bound", epsilons, lower),
        ),
        is_x_log=True,
    )
    return (panel,)


_LOWER = (
    "In steady state the mean sum of the queues is at least (sigma^2 + nu^2 + epsilon^2) / "
    "(2 epsilon) - M / 2, whatever the load."
)
_UPPER = (
    "epsilon times the mean sum of the queues tends to (sigma^2 + nu^2) / 2, the least that any "
    "algorithm can have."
)

THEOREMS = (
    Theorem(
        3,
        "Lower bound (locally overloaded)",
        _LOWER,
        "locally-overloaded",
        lower_bound_lines,
        _panels,
    ),
    Theorem(
        5,
        "Upper bound and heavy-traffic limit (locally overloaded)",
        _UPPER,
        "locally-overloaded",
        upper_bound_lines,
        _panels,
    ),
    Theorem(6, "Lower bound (evenly loaded)", _LOWER, "evenly-loaded", lower_bound_lines, _panels),
    Theorem(
        8,
        "Upper bound and heavy-traffic limit (evenly loaded)",
        _UPPER,
        "evenly-loaded",
        upper_bound_lines,
        _panels,
    ),
)
"""Theorems 3, 5, 6 and 8."""
