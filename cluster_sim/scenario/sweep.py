"""The [sweep] table: which fields of a scenario take which values, and the points that follow."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field

from cluster_sim.errors import ClusterSimError
from cluster_sim.scenario.fields import Table
from cluster_sim.scenario.overrides import Override, merge, split_key
from cluster_sim.scenario.problems import InvalidScenarioError, KeyPath, describe
from cluster_sim.scenario.ranges import range_values
from cluster_sim.scenario.tablewise import TABLES
from cluster_sim.scenario.traffic import KINDS
from cluster_sim.scenario.writing import format_value

__all__ = [
    "POINTS",
    "Axis",
    "Combination",
    "Sweep",
    "applied",
    "axes_of",
    "combinations",
    "without_axes",
]

POINTS = "points"


class Sweep(Table):
    """The fields that a sweep varies, as a grid, a list of points, or both.

    Every key but `points` is the dotted name of a field, such as ``"traffic.load"``; its value
    lists what the field becomes. All combinations are run. Each entry of `points` sets several
    fields at once and is combined with the whole grid.

    Examples
    --------
    >>> Sweep(**{"traffic.load": [0.5, 0.9]}).model_dump(exclude_none=True)
    {'traffic.load': [0.5, 0.9]}
    """

    model_config = ConfigDict(title="Sweep", extra="allow")
    __pydantic_extra__: dict[str, Any]

    points: tuple[dict[str, Any], ...] | None = Field(
        default=None,
        description="Points given one by one: each sets several fields together, and is combined "
        "with every combination of the other keys.",
        examples=[[{"traffic.kind": "even"}, {"traffic.kind": "zipf", "traffic.chunks": 5000}]],
        min_length=1,
        strict=False,
    )


@dataclass(frozen=True)
class Axis:
    """A field that a sweep varies.

    Parameters
    ----------
    place : tuple of str or int
        Where in the scenario it is written: ``("sweep", "traffic.load")``.
    field : tuple of str or int
        The field it varies: ``("traffic", "load")``.
    given : object
        What is written there.
    """

    place: KeyPath
    field: KeyPath
    given: Any

    @property
    def name(self) -> str:
        """The dotted name of the field."""
        return describe(self.field)

    def values(self) -> list[tuple[KeyPath, Any]]:
        """Return each value with the place where it is written."""
        if isinstance(self.given, list):
            return [((*self.place, i), value) for i, value in enumerate(self.given)]
        return [(self.place, value) for value in range_values(self.given)]


@dataclass(frozen=True)
class Combination:
    """One point of a sweep: what each swept field is there, and where that is written.

    Parameters
    ----------
    values : dict of tuple to object
        From field to value.
    places : dict of tuple to tuple
        From field to the place of its value in the scenario.
    """

    values: dict[KeyPath, Any]
    places: dict[KeyPath, KeyPath]

    def __str__(self) -> str:
        return ", ".join(
            f"{describe(field)} = {format_value(v)}" for field, v in self.values.items()
        )


def axes_of(table: Mapping[str, Any], place: KeyPath = ("sweep",)) -> Iterator[Axis]:
    """Yield the fields that a table of a sweep names, valid or not.

    Parameters
    ----------
    table : mapping
        The [sweep] table, or one of its points. ``"traffic.load" = ...`` and the same without
        quotes, which makes a table in a table, mean the same.
    place : tuple of str or int
        Where the table is.

    Yields
    ------
    Axis

    Examples
    --------
    >>> [axis.name for axis in axes_of({"traffic.load": [0.5], "run": {"slots": [10, 20]}})]
    ['traffic.load', 'run.slots']
    """
    for key, value in table.items():
        if key == POINTS and place == ("sweep",):
            continue
        try:
            field = split_key(key)
        except InvalidScenarioError:
            field = (key,)
        yield from _inner_axes((*place, key), field, value)


def _inner_axes(place: KeyPath, field: KeyPath, value: Any) -> Iterator[Axis]:
    is_range = isinstance(value, dict) and "from" in value
    # In a point, a table is the value of cluster.levels; in the grid it must hold lists.
    is_holder = field in _TABLES or (field == ("cluster", "levels") and POINTS not in place)
    if isinstance(value, dict) and value and not is_range and is_holder:
        for key, inner in value.items():
            yield from _inner_axes((*place, key), (*field, key), inner)
    else:
        yield Axis(place, field, value)


_TABLES: set[KeyPath] = {(name,) for name in TABLES}


def combinations(sweep: Mapping[str, Any], base: Mapping[str, Any]) -> list[Combination]:
    """Return the points of a sweep, the first field varying slowest.

    Parameters
    ----------
    sweep : mapping
        A [sweep] table whose form is right.
    base : mapping
        The scenario that it varies, as plain data.

    Returns
    -------
    list of Combination
        A parameter that the policy of a point does not have, or a field that its kind of traffic
        does not have, is left out of that point, if another point of the sweep has it. What is
        then the same point twice is one point.
    """
    bundles: list[list[tuple[KeyPath, KeyPath, Any]]] = [
        [(axis.field, axis.place, axis.given) for axis in axes_of(row, ("sweep", POINTS, number))]
        for number, row in enumerate(sweep.get(POINTS) or [])
    ] or [[]]
    grid = [
        [(axis.field, place, value) for place, value in axis.values()] for axis in axes_of(sweep)
    ]
    found = [
        Combination(
            {field: value for field, _, value in (*bundle, *row)},
            {field: place for field, place, _ in (*bundle, *row)},
        )
        for bundle in bundles
        for row in itertools.product(*grid)
    ]
    return _without_strangers(found, base)


def _without_strangers(found: list[Combination], base: Mapping[str, Any]) -> list[Combination]:
    """Leave out of a point what its policy or kind of traffic lacks and another's has."""
    owners: dict[KeyPath, bool] = {}
    strange = [{f for f in c.values if _is_strange(f, c, base)} for c in found]
    for combination, fields in zip(found, strange, strict=True):
        for field in combination.values:
            owners[field] = owners.get(field, False) or field not in fields
    kept: dict[str, Combination] = {}
    for combination, fields in zip(found, strange, strict=True):
        gone = {
            f
            for f in fields
            # What a point names itself is its own mistake.
            if owners[f] and combination.places[f][:2] != ("sweep", POINTS)
        }
        values = {f: v for f, v in combination.values.items() if f not in gone}
        places = {f: p for f, p in combination.places.items() if f not in gone}
        kept.setdefault(repr(sorted(values.items(), key=repr)), Combination(values, places))
    return list(kept.values())


def _is_strange(field: KeyPath, combination: Combination, base: Mapping[str, Any]) -> bool:
    """Return whether the policy or kind of traffic of a point lacks a field."""
    table, key = field[0], field[-1 if len(field) < 2 else 1]
    if table == "scheduler" and key != "policy":
        policy = combination.values.get(("scheduler", "policy"), _at(base, "scheduler", "policy"))
        known = _parameters_of(policy)
        return known is not None and key not in known
    if table == "traffic" and key != "kind":
        kind = combination.values.get(("traffic", "kind"), _at(base, "traffic", "kind"))
        return isinstance(kind, str) and kind in KINDS and key not in KINDS[kind].model_fields
    return False


def _parameters_of(policy: object) -> set[str] | None:
    """Return the parameters of a policy; None if there is no such policy."""
    from cluster_sim.policies import find  # lazily: policies bring numpy and the model

    try:
        return {field.name for field in dataclasses.fields(find(str(policy))) if field.init}
    except ClusterSimError:
        return None


def _at(base: Mapping[str, Any], table: str, key: str) -> Any:
    inner = base.get(table)
    return inner.get(key) if isinstance(inner, Mapping) else None


def applied(combination: Combination, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scenario of one point, as plain data.

    Parameters
    ----------
    combination : Combination
    base : mapping
        The scenario that the sweep varies, as plain data.

    Returns
    -------
    dict
        As if each value was set with ``--set``: another policy starts from its own defaults.

    Raises
    ------
    InvalidScenarioError
        If a field leads through something that is no table.
    """
    overrides = [Override("[sweep]", field, value) for field, value in combination.values.items()]
    return merge({name: table for name, table in base.items() if name != "sweep"}, overrides)[0]


def without_axes(sweep: Mapping[str, Any], is_gone: Callable[[KeyPath], bool]) -> dict[str, Any]:
    """Return a sweep without some of its fields.

    Parameters
    ----------
    sweep : mapping
        A [sweep] table, right or not.
    is_gone : callable
        Told the path of a field, says whether to leave it out.

    Returns
    -------
    dict
        Empty if nothing is left to vary.

    Examples
    --------
    >>> without_axes({"traffic.load": [0.5], "run.slots": [9]}, lambda f: f[0] == "traffic")
    {'run.slots': [9]}
    """
    kept = _without(sweep, ("sweep",), is_gone)
    rows = kept.pop(POINTS, None)
    if isinstance(rows, list):
        rows = [
            _without(row, ("sweep", POINTS, number), is_gone) if isinstance(row, dict) else row
            for number, row in enumerate(rows)
        ]
        rows = [row for row in rows if row != {}]
    return {**kept, **({POINTS: rows} if rows else {})}


def _without(
    table: Mapping[str, Any], place: KeyPath, is_gone: Callable[[KeyPath], bool]
) -> dict[str, Any]:
    gone = {axis.place for axis in axes_of(table, place) if is_gone(axis.field)}

    def pruned(value: Any, at: KeyPath) -> Any:
        if not isinstance(value, dict) or not any(g[: len(at)] == at for g in gone):
            return value
        kept = {k: pruned(v, (*at, k)) for k, v in value.items() if (*at, k) not in gone}
        return {k: v for k, v in kept.items() if v != {} or value[k] == {}}

    result: dict[str, Any] = pruned(table, place)
    return result
