"""Everything that is wrong with a scenario, found in one go."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from cluster_sim.errors import ClusterSimError
from cluster_sim.scenario.problems import Finding, KeyPath
from cluster_sim.scenario.rules import RULES, Values
from cluster_sim.scenario.sweep_checks import check_sweep
from cluster_sim.scenario.tablewise import (
    TABLES,
    check_table,
    check_title,
    is_missing,
    kind_of,
    model_of,
    unknown_tables,
)

__all__ = ["CheckScheduler", "check_with_registry", "find_problems", "plain"]

CheckScheduler = Callable[[str, Mapping[str, Any]], list[tuple[str, str]]]
"""From a policy's name and parameters to pairs of a key inside [scheduler] and a message."""

_DEEPEST = 20
_INFINITY = {"inf": float("inf"), "+inf": float("inf"), "-inf": float("-inf")}


def find_problems(
    given: Mapping[str, Any], check_scheduler: CheckScheduler | None = None
) -> list[Finding]:
    """Return everything that is wrong with a scenario.

    Parameters
    ----------
    given : mapping
        Plain data, from `plain`.
    check_scheduler : callable, optional
        Checks the policy and its parameters; by default the registry of policies does.

    Returns
    -------
    list of Finding
        Empty for a valid scenario.

    Examples
    --------
    >>> found = find_problems({"cluster": {"servers": 0}})
    >>> found[0].path, found[0].message
    (('cluster', 'servers'), 'must be an integer from 1 to 10000000')
    """
    found = [*check_title(given), *unknown_tables(given)]
    for name in TABLES:
        found += check_table(name, given)
    values = Values(_valid(given, found), given)
    for rule in RULES:
        found += [_with_value(values, breach) for breach in rule(values)]
    check = check_scheduler or check_with_registry
    found += _parameters(given, found, ("scheduler", "policy"), check)
    found += _parameters(given, found, ("replication", "scheme"), check_scheme)
    found += check_sweep(
        given, lambda point: find_problems(point, check_scheduler), is_base_valid=not found
    )
    return _without_echoes(found)


def check_with_registry(policy: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Check a policy and its parameters against the registry of policies.

    Parameters
    ----------
    policy : str
        Registered name or ``module:Class``.
    parameters : mapping

    Returns
    -------
    list of (str, str)
        A key inside [scheduler] and what is wrong with its value.
    """
    from cluster_sim.policies import check_parameters  # lazily: policies bring numpy and the model

    return check_parameters(policy, dict(parameters))


def check_scheme(scheme: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Check a replication scheme and its parameters against the registry of schemes.

    Parameters
    ----------
    scheme : str
        Registered name or ``module:Class``.
    parameters : mapping

    Returns
    -------
    list of (str, str)
        A key inside [replication] and what is wrong with its value.
    """
    from cluster_sim.policies.replication import check_parameters  # lazily, as above

    return check_parameters(scheme, dict(parameters))


def plain(value: object, path: KeyPath = ()) -> Any:
    """Return a scenario given in Python as a file would give it.

    Parameters
    ----------
    value : object
        A mapping, with mappings or tables of the schema inside.
    path : tuple of str or int, optional
        Where `value` is.

    Returns
    -------
    object
        Dictionaries, lists and scalars; a key whose value is None is left out. In [scheduler],
        [replication] and [sweep] the texts ``"inf"`` and ``"-inf"``, JSON's way out, become
        numbers.

    Raises
    ------
    RecursionError
        If it is nested deeper than any scenario.

    Examples
    --------
    >>> plain({"scheduler": {"threshold": "inf"}, "run": {"slots": 5, "seed": None}})
    {'scheduler': {'threshold': inf}, 'run': {'slots': 5}}
    """
    if len(path) > _DEEPEST:
        raise RecursionError
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="python")
    if isinstance(value, Mapping):
        items = ((str(key), inner) for key, inner in value.items() if inner is not None)
        return {key: plain(inner, (*path, key)) for key, inner in items}
    if isinstance(value, list | tuple):
        return [plain(inner, (*path, number)) for number, inner in enumerate(value)]
    if isinstance(value, str) and path[:1] in (("scheduler",), ("replication",), ("sweep",)):
        return _INFINITY.get(value, str(value))
    return str(value) if isinstance(value, str) else value


def _valid(given: Mapping[str, Any], found: list[Finding]) -> dict[str, Any]:
    """Return the valid values, table by table, with defaults for what is not given."""
    valid = copy.deepcopy({name: given.get(name, {}) for name in TABLES})
    for finding in found:
        _prune(valid, finding.path)
    for name, table in valid.items():
        if not isinstance(given.get(name, {}), dict):
            continue
        fields = model_of(name, table).model_fields
        if name == "traffic" and kind_of(table) is None:
            # Of no known kind: only what was checked as the likeliest kind is known to be valid.
            valid[name] = {key: value for key, value in table.items() if key in fields}
            continue
        for key, field in fields.items():
            is_given = key in given.get(name, {})
            if not is_given and not field.is_required() and field.default is not None:
                table[key] = field.default
    return valid


def _prune(valid: dict[str, Any], path: KeyPath) -> None:
    """Take one invalid value out of the valid ones."""
    inner: Any = valid
    for part in path[:-1]:
        is_there = part in inner if isinstance(inner, dict) else isinstance(inner, list)
        if not is_there:
            return
        inner = inner[part]
    if isinstance(inner, list) and isinstance(path[-1], int):
        inner[path[-1]] = None
    elif isinstance(inner, dict) and len(path) == 1:
        inner.update({path[0]: {}} if path[0] in inner else {})
    elif isinstance(inner, dict):
        inner.pop(path[-1], None)


def _with_value(values: Values, breach: Finding) -> Finding:
    """Return what a rule found, with the value at the place it names."""
    path, value = breach.path, values.given
    for part in path:
        try:
            value = value[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
    else:
        return replace(breach, value=value)
    default = values[f"{path[0]}.{path[1]}"] if len(path) == 2 else None
    if default is None:
        return breach
    return Finding(path, f"the default; {breach.message}", default)


def _parameters(
    given: Mapping[str, Any],
    found: list[Finding],
    place: tuple[str, str],
    check: CheckScheduler,
) -> Iterator[Finding]:
    """Let a policy or scheme check its parameters, unless something more basic is wrong.

    `place` is the table and its key that names the class.
    """
    table, key = place
    if table not in given or any(finding.path[0] == table for finding in found):
        return
    parameters = dict(given[table])
    name = parameters.pop(key)
    try:
        broken = check(name, parameters)
    except ClusterSimError as error:
        broken = [(key, str(error))]
    for where, message in broken:
        path: KeyPath = (table, *([where] if where in given[table] else where.split(".")))
        value: Any = given[table]
        for part in path[1:]:
            value = value.get(part) if isinstance(value, dict) else None
        yield Finding(path, message, value)


def _without_echoes(found: list[Finding]) -> list[Finding]:
    """Drop a missing key whose misspelling is reported: one mistake, one line."""
    unknown = [f for f in found if f.message.startswith("unknown")]
    echoes = {
        (*f.path[:-1], name)
        for f in unknown
        for name in re.findall(r"Did you mean '(\w+)'", f.message)
    }
    return [f for f in found if not (is_missing(f) and f.path in echoes)]
