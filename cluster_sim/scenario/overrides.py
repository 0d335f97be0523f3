"""Overrides: single values set from the command line over those of a file.

What an override sets wins over the file. Where that makes something else in the *file* meaningless,
it goes without a word:

- setting one of ``traffic.load``, ``traffic.rate``, ``traffic.slot_seconds`` takes out the others;
- setting ``cluster.racks`` where the file has ``levels`` sets ``levels.rack``; setting
  ``cluster.levels`` replaces ``racks``;
- setting ``traffic.kind`` takes out the keys that belong to other kinds only, ``traffic.arrivals``
  those of other arrivals, ``service.distribution`` those of other distributions;
- setting ``scheduler.policy`` to another policy takes out the parameters, which were chosen for the
  file's policy;
- setting ``replication.scheme`` to another scheme does the same with its parameters;
- setting a field that [sweep] varies, or setting what takes such a field out, takes it out of
  [sweep] as well: it then has the one value.

What overrides set themselves is never taken out: two that contradict each other are an error, and
so is a key that the new kind does not have.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cluster_sim.scenario.conditions import DISTRIBUTION_KEYS
from cluster_sim.scenario.problems import InvalidScenarioError, KeyPath, Problem, describe
from cluster_sim.scenario.tablewise import TABLES, keys_of, kind_of
from cluster_sim.scenario.traffic import ARRIVAL_KEYS, KINDS
from cluster_sim.scenario.writing import format_value

__all__ = ["Override", "apply_overrides", "merge", "parse_overrides", "split_key"]

_INTENSITIES = ("load", "rate", "slot_seconds")
_STRUCTURED = ('"', "'", "[", "{")  # text that starts so is meant as TOML, not as a bare word


@dataclass(frozen=True)
class Override:
    """One value to set.

    Parameters
    ----------
    place : str
        What a message calls it: ``--set traffic.load=0.9``.
    path : tuple of str or int
        Where to set it.
    value : object
        Plain data.
    """

    place: str
    path: KeyPath
    value: object


def apply_overrides(mapping: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return a copy of a scenario's data with values set as by ``--set``.

    Parameters
    ----------
    mapping : mapping
        Tables by name, as ``tomllib`` reads them. It is not validated here.
    overrides : iterable of str
        Each ``section.key=value``; the value is TOML, or a bare word for text.

    Returns
    -------
    dict

    Raises
    ------
    InvalidScenarioError
        If an override cannot be read, or leads through something that is no table.

    Examples
    --------
    >>> apply_overrides({"traffic": {"rate": 5.0}}, ["traffic.load=0.95", "scheduler.policy=fifo"])
    {'traffic': {'load': 0.95}, 'scheduler': {'policy': 'fifo'}}
    """
    return merge(mapping, parse_overrides(overrides))[0]


def parse_overrides(texts: Iterable[str]) -> list[Override]:
    """Read overrides of the form ``section.key=value``.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    list of Override

    Raises
    ------
    InvalidScenarioError
        With every override that cannot be read.
    """
    parsed: list[Override] = []
    problems: list[Problem] = []
    for text in texts:
        override = _parse(text)
        if isinstance(override, Problem):
            problems.append(override)
        else:
            parsed.append(override)
    if problems:
        raise InvalidScenarioError(problems)
    return parsed


def merge(
    mapping: Mapping[str, Any], overrides: Sequence[Override]
) -> tuple[dict[str, Any], list[Override]]:
    """Return a copy with the values set, and where each of them went.

    Parameters
    ----------
    mapping : mapping
        Plain data.
    overrides : sequence of Override

    Returns
    -------
    dict
        The new data.
    list of Override
        The overrides with the paths that they were set at: ``cluster.racks`` may go to
        ``cluster.levels.rack``.

    Raises
    ------
    InvalidScenarioError
        If a path leads through something that is no table.
    """
    result: dict[str, Any] = copy.deepcopy(dict(mapping))
    old_policy = _get(result, "scheduler", "policy")
    old_scheme = _get(result, "replication", "scheme")
    done: list[Override] = []
    problems: list[Problem] = []
    for override in overrides:
        path = _resolve_sweep(result, _resolve(result, override.path))
        placed = replace(override, path=path)
        obstacle = _set(result, placed)
        if obstacle is None:
            done.append(placed)
        else:
            problems.append(Problem(placed.place, None, "", None, obstacle))
    if problems:
        raise InvalidScenarioError(problems)
    _take_out(result, done, old_policy)
    _take_out_of_scheme(result.get("replication"), done, old_scheme)
    return result, done


def split_key(key: str) -> KeyPath:
    """Return the path of a dotted key; whole numbers index arrays.

    Parameters
    ----------
    key : str

    Returns
    -------
    tuple of str or int

    Raises
    ------
    InvalidScenarioError
        If it is no dotted key.

    Examples
    --------
    >>> split_key("traffic.types.0.weight")
    ('traffic', 'types', 0, 'weight')
    """
    path: list[str | int] = []
    try:
        inner: object = tomllib.loads(f"{key} = 0")
    except (ValueError, RecursionError):
        inner = None
    while isinstance(inner, dict) and len(inner) == 1:
        name, inner = next(iter(inner.items()))
        path.append(int(name) if path and re.fullmatch(r"\d{1,9}", name, re.ASCII) else name)
    if not path or inner != 0 or "\n" in key or "=" in key:
        message = "is no key of a scenario; write table.key, for example traffic.load"
        raise InvalidScenarioError([Problem(format_value(key), None, "", None, message)])
    return tuple(path)


def _parse(text: str) -> Override | Problem:
    place = f"--set {text if text.isprintable() else format_value(text)}"
    key, equals, raw = text.partition("=")
    if not equals:
        message = "must be table.key=value, for example traffic.load=0.9"
        return Problem(place, None, "", None, message)
    try:
        path = split_key(key.strip())
    except InvalidScenarioError as error:
        return Problem(place, None, "", None, f"{key!r} {error.problems[0].message}")
    homes = [name for name in TABLES if path[0] in keys_of(name)]
    if len(path) == 1 and homes and path[0] not in TABLES:
        message = f"name the table as well: {homes[0]}.{text}"
        return Problem(place, None, "", None, message)
    try:
        return Override(place, path, _parse_value(raw.strip()))
    except (ValueError, RecursionError):
        message = (
            f"the value {raw.strip()} is not complete TOML; write a number, true, false, text in "
            "quotes, [a, b] or { key = value }"
        )
        return Problem(place, None, "", None, message)


def _parse_value(raw: str) -> object:
    try:
        read = tomllib.loads(f"value = {raw}")
    except (ValueError, RecursionError):
        if raw.startswith(_STRUCTURED):
            raise
        return raw
    return read["value"] if len(read) == 1 else raw  # a line break would start another key


def _get(mapping: Mapping[str, Any], table: str, key: str) -> Any:
    inner = mapping.get(table)
    return inner.get(key) if isinstance(inner, dict) else None


def _resolve(result: dict[str, Any], path: KeyPath) -> KeyPath:
    """Treat racks as what it is short for, where the file and the override use both forms."""
    cluster = result.get("cluster")
    if not isinstance(cluster, dict):
        return path
    if path == ("cluster", "racks") and isinstance(cluster.get("levels"), dict):
        cluster["levels"] = {"rack": None, **cluster["levels"]}
        return ("cluster", "levels", "rack")
    if path[:2] == ("cluster", "levels") and "racks" in cluster:
        cluster["levels"] = {"rack": cluster.pop("racks")}
    return path


def _resolve_sweep(result: dict[str, Any], path: KeyPath) -> KeyPath:
    """Return where the file has a swept field: as ``"traffic.load"``, or as a table in a table."""
    from cluster_sim.scenario.sweep import axes_of

    sweep = result.get("sweep")
    if path[0] != "sweep" or not isinstance(sweep, dict):
        return path
    fields = [axis.field for axis in axes_of({".".join(map(str, path[1:])): []})]
    return next((axis.place for axis in axes_of(sweep) if [axis.field] == fields), path)


def _set(result: dict[str, Any], override: Override) -> str | None:
    """Set one value; return what stands in the way, if anything does."""
    inner: Any = result
    *parents, last = override.path
    for depth, part in enumerate([*parents, last]):
        at = describe(override.path[:depth])
        if isinstance(inner, list):
            if not isinstance(part, int) or part >= len(inner):
                return f"{at} is an array of {len(inner)}; index it by a number below {len(inner)}"
        elif not isinstance(inner, dict):
            return f"{at} = {format_value(inner)} is not a table"
        key: Any = part if isinstance(inner, list) else str(part)
        if depth == len(parents):
            inner[key] = copy.deepcopy(override.value)
        else:
            inner = inner[key] if isinstance(inner, list) else inner.setdefault(key, {})
    return None


def _take_out(result: dict[str, Any], done: Sequence[Override], old_policy: object) -> None:
    """Take out of the file what the overrides made meaningless; see the module's words."""
    traffic, scheduler = result.get("traffic"), result.get("scheduler")

    def is_set(*path: str) -> bool:
        return any(path[: len(o.path)] == o.path[: len(path)] for o in done)

    if isinstance(traffic, dict):
        gone: set[str] = set()
        if any(is_set("traffic", key) for key in _INTENSITIES):
            gone.update(_INTENSITIES)
        kind = kind_of(traffic)
        if is_set("traffic", "kind") and kind is not None:
            gone |= keys_of("traffic") - set(KINDS[kind].model_fields)
        if is_set("traffic", "arrivals"):
            gone |= {key for key, owner in ARRIVAL_KEYS.items() if owner != traffic["arrivals"]}
        for key in gone:
            if not is_set("traffic", key):
                traffic.pop(key, None)
    if is_set("service", "distribution"):
        set_there = [override.path[-1] for override in done if override.path[0] == "service"]
        _take_out_of_service(result["service"], set_there)
    if isinstance(scheduler, dict) and is_set("scheduler", "policy"):
        is_other = scheduler.get("policy") != old_policy and old_policy is not None
        for key in [k for k in scheduler if k != "policy" and is_other]:
            if not is_set("scheduler", key):
                del scheduler[key]
    if isinstance(result.get("sweep"), dict) and done:
        _take_out_of_sweep(result, done, old_policy)


def _take_out_of_scheme(table: object, done: Sequence[Override], old_scheme: object) -> None:
    """Take out the parameters of another replication scheme than the one that was set."""
    if not isinstance(table, dict) or table.get("scheme") == old_scheme or old_scheme is None:
        return
    is_set = {override.path[1:2] for override in done if override.path[0] == "replication"}
    if () not in is_set:
        for key in [key for key in table if key != "scheme" and (key,) not in is_set]:
            del table[key]


def _take_out_of_service(service: object, is_set: Collection[str | int]) -> None:
    """Take out the keys of other distributions than the one that was set."""
    if isinstance(service, dict):
        for key, owner in DISTRIBUTION_KEYS.items():
            if owner != service.get("distribution") and key not in is_set:
                service.pop(key, None)


def _take_out_of_sweep(
    result: dict[str, Any], done: Sequence[Override], old_policy: object
) -> None:
    """Take out of [sweep] the fields that overrides set, or made meaningless."""
    from cluster_sim.scenario.sweep import without_axes

    paths = [override.path for override in done]
    is_other_policy = ("scheduler", "policy") in paths and old_policy not in (
        None,
        _get(result, "scheduler", "policy"),
    )
    kind = kind_of(result["traffic"]) if isinstance(result.get("traffic"), dict) else None
    has_intensity = any(path == ("traffic", key) for path in paths for key in _INTENSITIES)

    def is_gone(field: KeyPath) -> bool:
        if any(field[: len(path)] == path[: len(field)] for path in paths):
            return True
        if field[0] == "scheduler":
            return is_other_policy
        if field[0] != "traffic" or len(field) < 2:
            return False
        if has_intensity and field[1] in _INTENSITIES:
            return True
        is_foreign = kind is not None and field[1] not in KINDS[kind].model_fields
        return ("traffic", "kind") in paths and is_foreign

    result["sweep"] = without_axes(result["sweep"], is_gone)
    if not result["sweep"]:
        del result["sweep"]
