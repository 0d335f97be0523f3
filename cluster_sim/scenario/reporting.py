"""From findings to problems: each gets the place where its author can mend it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster_sim.scenario.checking import plain
from cluster_sim.scenario.lines import find_line, index_lines
from cluster_sim.scenario.overrides import Override
from cluster_sim.scenario.problems import Finding, InvalidScenarioError, KeyPath, Problem, describe

__all__ = ["report", "usable"]


def report(
    found: Iterable[Finding],
    name: str,
    *,
    text: str | None = None,
    overrides: Sequence[Override] = (),
) -> InvalidScenarioError:
    """Return the error that carries all findings, each with its place.

    Parameters
    ----------
    found : iterable of Finding
        At least one.
    name : str
        The file, or a name for what is not in a file.
    text : str, optional
        The TOML text, for line numbers.
    overrides : sequence of Override, optional
        What came from the command line; a value set there has its place there.

    Returns
    -------
    InvalidScenarioError
        Problems of the file in the order of its lines, then those of overrides.
    """
    lines = {} if text is None else index_lines(text)
    rows = []
    for finding in found:
        override = _override_of(finding.path, overrides, lines)
        line = None if override else find_line(lines, finding.path)
        place = override.place if override else name
        key, value = describe(finding.path), finding.value
        problem = Problem(place, line, key, value, finding.message)
        rows.append(((override is not None, line or 0), problem))
    rows.sort(key=lambda row: row[0])
    return InvalidScenarioError(problem for _, problem in rows)


def usable(mapping: object, name: str) -> dict[str, Any]:
    """Return a mapping as plain data.

    Parameters
    ----------
    mapping : object
        What was given as a scenario.
    name : str
        What it is called in messages.

    Returns
    -------
    dict

    Raises
    ------
    InvalidScenarioError
        If it is no mapping, or is nested too deeply.
    """
    if not isinstance(mapping, Mapping):
        message = f"must be a mapping of tables, not a {type(mapping).__name__}"
        raise InvalidScenarioError([Problem(name, None, "", None, message)])
    try:
        given: dict[str, Any] = plain(mapping)
    except RecursionError:
        message = "arrays or tables are nested too deeply for a scenario; flatten them"
        raise InvalidScenarioError([Problem(name, None, "", None, message)]) from None
    return given


def _override_of(
    path: KeyPath, overrides: Sequence[Override], lines: Mapping[KeyPath, int]
) -> Override | None:
    """Return the override that set the value at a path; the last one wins."""
    for override in reversed(overrides):
        n_shared = min(len(path), len(override.path))
        is_at_or_above = len(override.path) == n_shared
        if path[:n_shared] == override.path[:n_shared] and (is_at_or_above or path not in lines):
            return override
    return None
