"""What is wrong with a [sweep] table: its form, and the points that follow from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cluster_sim.errors import did_you_mean
from cluster_sim.scenario.problems import Finding, InvalidScenarioError, KeyPath, Problem, describe
from cluster_sim.scenario.ranges import range_problem
from cluster_sim.scenario.sweep import POINTS, Axis, Combination, applied, axes_of, combinations
from cluster_sim.scenario.tables import LEVEL_SUFFIX
from cluster_sim.scenario.tablewise import OPEN, TABLES, keys_of

__all__ = ["check_sweep"]

MOST_POINTS = 100_000
_NOT_SWEPT = {
    "run.replications": "it says how often every point is run",
    "run.precision": "it says how often every point is run",
    "run.max_replications": "it says how often every point is run",
    "run.engine": "both engines give the same results",
}
_LISTED = "list its values, [0.5, 0.9], or give a range, { from = 0.1, to = 0.9, n = 9 }"

FindProblems = Callable[[Mapping[str, Any]], list[Finding]]


def check_sweep(
    given: Mapping[str, Any], find_problems: FindProblems, *, is_base_valid: bool
) -> list[Finding]:
    """Return what is wrong with the [sweep] table of a scenario.

    Parameters
    ----------
    given : mapping
        The scenario.
    find_problems : callable
        Finds what is wrong with the scenario of a point.
    is_base_valid : bool
        Whether the scenario itself is right; only then its points are checked.

    Returns
    -------
    list of Finding
    """
    if "sweep" not in given:
        return []
    sweep = given["sweep"]
    if not isinstance(sweep, dict):
        return [Finding(("sweep",), "must be a table: write [sweep], with single brackets", sweep)]
    found = list(_form(sweep))
    if found or not is_base_valid:
        return found
    n = math.prod(len(axis.values()) for axis in axes_of(sweep)) * len(sweep.get(POINTS) or [0])
    if n > MOST_POINTS:
        message = f"has {n:,} points, more than {MOST_POINTS:,}; list fewer values"
        return [Finding(("sweep",), message)]
    return _points_problems(sweep, given, find_problems)


def _form(sweep: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the form of a sweep, whatever the scenario is."""
    rows = sweep.get(POINTS)
    if not list(axes_of(sweep)) and rows is None:
        yield Finding(("sweep",), 'names no field; add for example "traffic.load" = [0.5, 0.9]')
    if rows is not None and not (isinstance(rows, list) and rows):
        yield Finding(("sweep", POINTS), "must be tables: write [[sweep.points]] for each", rows)
        rows = None
    seen: dict[KeyPath, Axis] = {}
    for axis in axes_of(sweep):
        wrong = _name_problem(axis) or _values_problem(axis)
        if wrong is None and axis.field in seen:
            wrong = "is swept twice; keep one of the two"
        if wrong is not None:
            yield Finding(axis.place, wrong, axis.given)
        elif isinstance(axis.given, list):
            yield from _repeated(axis)
        seen[axis.field] = axis
    for number, row in enumerate(rows or []):
        place: KeyPath = ("sweep", POINTS, number)
        if not isinstance(row, dict) or not row:
            example = '"traffic.kind" = "even"'
            yield Finding(place, f"must be a table of fields, for example {example}", row)
            continue
        for axis in axes_of(row, place):
            wrong = _name_problem(axis)
            if wrong is None and axis.field in seen:
                wrong = "is a field of the grid as well; keep one of the two"
            if wrong is not None:
                yield Finding(axis.place, wrong, axis.given)


def _name_problem(axis: Axis) -> str | None:
    """Return what is wrong with the name of a swept field."""
    table, field = str(axis.field[0]), axis.field
    if axis.name in _NOT_SWEPT:
        return f"cannot be swept: {_NOT_SWEPT[axis.name]}; set it in [run]"
    homes = [name for name in TABLES if table in keys_of(name)]
    if table not in TABLES:
        if len(field) == 1 and homes:
            return f'name the table as well: "{homes[0]}.{table}"'
        return f"is no field of a scenario. {did_you_mean(table, TABLES)}"
    if len(field) == 1:
        return f'name a field of the table, for example "{table}.{sorted(keys_of(table))[0]}"'
    key = str(field[1])
    is_open = table in OPEN or (table == "service" and key.endswith(LEVEL_SUFFIX))
    if key not in keys_of(table) and not is_open:
        return f"unknown field. {did_you_mean(key, keys_of(table))}"
    return None


def _values_problem(axis: Axis) -> str | None:
    """Return what is wrong with the form of the values of a field of the grid."""
    if isinstance(axis.given, dict) and "from" in axis.given:
        return range_problem(axis.given)
    if not isinstance(axis.given, list):
        return f"must say which values the field takes: {_LISTED}"
    return None if axis.given else f"must not be empty: {_LISTED}"


def _repeated(axis: Axis) -> Iterator[Finding]:
    for number, value in enumerate(axis.given):
        if any(value == other and type(value) is type(other) for other in axis.given[:number]):
            yield Finding((*axis.place, number), "is listed twice; remove one", value)


def _points_problems(
    sweep: Mapping[str, Any], given: Mapping[str, Any], find_problems: FindProblems
) -> list[Finding]:
    """Return what is wrong with the points of a sweep, each mistake once."""
    base = {name: table for name, table in given.items() if name != "sweep"}

    def problems_at(combination: Combination) -> list[Finding]:
        try:
            return find_problems(applied(combination, base))
        except InvalidScenarioError as error:
            return [Finding((), problem.message) for problem in error.problems]

    first: dict[tuple[KeyPath, str], Finding] = {}
    known: set[str] = set()
    for combination in combinations(sweep, base):
        for finding in problems_at(combination):
            if repr(finding) in known:
                continue
            known.add(repr(finding))
            mapped = _at_its_place(finding, _cause(finding, combination, problems_at))
            first.setdefault((mapped.path, mapped.message), mapped)
    return list(first.values())


def _cause(
    finding: Finding, combination: Combination, problems_at: Callable[[Combination], list[Finding]]
) -> Combination:
    """Return the part of a point that alone leads to a problem."""
    for field in list(combination.values):
        values = {f: v for f, v in combination.values.items() if f != field}
        smaller = Combination(values, {f: combination.places[f] for f in values})
        if any(other.path == finding.path for other in problems_at(smaller)):
            combination = smaller
    return combination


def _at_its_place(finding: Finding, cause: Combination) -> Finding:
    """Return what is wrong with a point as something wrong with the sweep."""
    for field, place in cause.places.items():
        if finding.path[: len(field)] == field:
            rest = finding.path[len(field) :]
            others = {f: v for f, v in cause.values.items() if f != field}
            message = finding.message + (f" (with {Combination(others, {})})" if others else "")
            return Finding((*place, *rest), message, finding.value)
    places = list(cause.places.values())
    inside = str(Problem("", None, describe(finding.path), finding.value, finding.message))
    message = f"with {cause}: {inside.removeprefix(': ')}"
    return Finding(places[0] if len(places) == 1 else ("sweep",), message)
