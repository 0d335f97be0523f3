"""The figure of a sweep: completion times against what varies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cluster_sim.experiments.points import Point, fields_of
from cluster_sim.experiments.reproductions.report import Curve
from cluster_sim.scenario.writing import format_value
from cluster_sim.views.completion import draw_completion, plot_completion
from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cluster_sim.experiments.outcome import Outcome

__all__ = ["describe_values", "draw_sweep", "short_names"]

_LOADS = ("traffic.load", "traffic.rate")
_POLICY = "scheduler.policy"
_MOST_PANELS = 4
_FEWEST_VALUES = 3  # of a number, to be drawn as a curve
_MOST_ROWS = 40

Found = Sequence[tuple[Point, "Outcome"]]


def short_names(fields: Sequence[str]) -> list[str]:
    """Return the names of fields without their tables, where that tells them apart.

    Parameters
    ----------
    fields : sequence of str
        Dotted names.

    Returns
    -------
    list of str

    Examples
    --------
    >>> short_names(["traffic.load", "scheduler.policy"])
    ['load', 'policy']
    >>> short_names(["traffic.kind", "other.kind"])
    ['traffic.kind', 'other.kind']
    """
    last = [field.rpartition(".")[2] for field in fields]
    return [
        short if last.count(short) == 1 else field
        for short, field in zip(last, fields, strict=True)
    ]


def describe_values(point: Point, fields: Sequence[str]) -> str:
    """Return the values of some fields at a point, for people.

    Parameters
    ----------
    point : Point
    fields : sequence of str

    Returns
    -------
    str
        A policy is named alone; a field that the point does not have is left out.
    """
    pairs = zip(fields, short_names(fields), strict=True)
    return ", ".join(
        _text(point.values[field]) if field == _POLICY else f"{short} {_text(point.values[field])}"
        for field, short in pairs
        if field in point.values
    )


def draw_sweep(points: Sequence[Point], outcomes: Sequence[Outcome], title: str) -> Figure:
    """Draw the mean completion times of a sweep, with their intervals.

    Against load, where that is swept, low and high loads apart; else against the number that has
    the most values; else a row for each point. Policies have their own looks. What else varies has
    pictures of its own, up to four, or else names the curves.

    Parameters
    ----------
    points : sequence of Point
    outcomes : sequence of Outcome
        Of each point; points where no task completed are left out.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    found = [
        (point, outcome)
        for point, outcome in zip(points, outcomes, strict=True)
        if math.isfinite(outcome.mean_completion_time.mean)
    ]
    fields = fields_of(points)
    along = _axis(points, fields)
    if along is None:
        return _draw_rows(found, fields, title)
    others = [field for field in fields if field not in (along, _POLICY)]
    panels = _panels(found, others) if _POLICY in fields else {"": found}
    named = [field for field in fields if field != along and (len(panels) == 1 or field == _POLICY)]
    curves = {name: _curves(part, along, named) for name, part in panels.items()}
    if along in _LOADS and len(curves) == 1:
        return draw_completion(next(iter(curves.values())), title)
    with new_figure(4.6 * len(curves), 3.7) as figure:
        grid = figure.subplots(1, len(curves), squeeze=False, sharey=True)
        for axes, (name, part) in zip(grid[0], curves.items(), strict=True):
            plot_completion(axes, part) if along in _LOADS else _plot(axes, part, along)
            axes.set_title(name)
        figure.suptitle(title, fontsize=10)
    return figure


def _axis(points: Sequence[Point], fields: Sequence[str]) -> str | None:
    """Return the field that goes along x, if there is a number with enough values."""
    values = {field: {repr(p.values.get(field)) for p in points} for field in fields}
    for field in _LOADS:
        if len(values.get(field, ())) > 1:
            return field
    numbers = [
        field
        for field in fields
        if len(values[field]) >= _FEWEST_VALUES
        and all(_is_number(p.values.get(field)) for p in points)
    ]
    return max(numbers, key=lambda field: len(values[field]), default=None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _panels(found: Found, others: Sequence[str]) -> dict[str, Found]:
    """Return the points by what varies besides policy and x; all together if that is too much."""
    parts: dict[str, list[tuple[Point, Outcome]]] = {}
    for point, outcome in found:
        parts.setdefault(describe_values(point, others), []).append((point, outcome))
    return dict(parts) if len(parts) <= _MOST_PANELS else {"": found}


def _curves(found: Found, along: str, named: Sequence[str]) -> list[Curve]:
    parts: dict[str, list[tuple[float, Outcome]]] = {}
    for point, outcome in found:
        x = outcome.prepared.load if along == _LOADS[1] else float(point.values[along])
        parts.setdefault(describe_values(point, named), []).append((x, outcome))
    curves = []
    for label, pairs in parts.items():
        pairs.sort(key=lambda pair: pair[0])
        means = [outcome.mean_completion_time for _, outcome in pairs]
        curves.append(
            Curve(
                label or pairs[0][1].policy,
                tuple(x for x, _ in pairs),
                tuple(mean.mean for mean in means),
                tuple(mean.half_width or 0.0 for mean in means),
                # With a name of its own, a curve has a look of its own too.
                pairs[0][1].policy if list(named) in ([], [_POLICY]) else None,
            )
        )
    return curves


def _plot(axes: Axes, curves: Sequence[Curve], along: str) -> None:
    for curve in curves:
        look = look_of(curve.policy or curve.label).as_arguments()
        axes.errorbar(curve.x, curve.y, yerr=curve.half_width, label=curve.label, **look)
    xs = [x for curve in curves for x in curve.x]
    ys = [y for curve in curves for y in curve.y]
    if xs and min(xs) > 0 and max(xs) >= 20 * min(xs):
        axes.set_xscale("log")
    if ys and max(ys) > 15 * min(ys):
        axes.set_yscale("log")
    axes.set(xlabel=along, ylabel="mean completion time, slots")
    axes.legend()


def _draw_rows(found: Found, fields: Sequence[str], title: str) -> Figure:
    """Draw a row for each point: its mean and its interval."""
    shown = found[:_MOST_ROWS]
    with new_figure(7.2, 1.1 + 0.28 * len(shown)) as figure:
        axes = figure.add_subplot()
        for row, (_, outcome) in enumerate(shown):
            mean, look = outcome.mean_completion_time, look_of(outcome.policy)
            style = look.as_arguments() | {"linestyle": ""}
            axes.errorbar(mean.mean, row, xerr=mean.half_width, **style)
        means = [outcome.mean_completion_time.mean for _, outcome in shown]
        if means and max(means) > 20 * min(means):
            axes.set_xscale("log")
        names = [describe_values(point, fields) or outcome.policy for point, outcome in shown]
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        left = "" if len(shown) == len(found) else f"; the first {len(shown)} of {len(found)}"
        axes.set(xlabel=f"mean completion time, slots, 95 % interval{left}")
        figure.suptitle(title, fontsize=10)
    return figure


def _text(value: Any) -> str:
    return value if isinstance(value, str) else format_value(value)
