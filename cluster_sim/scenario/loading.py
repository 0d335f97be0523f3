"""Reading scenarios: a file, a text or a mapping becomes a `Scenario`, or all its problems."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cluster_sim.scenario.checking import CheckScheduler, find_problems
from cluster_sim.scenario.overrides import Override, merge, parse_overrides
from cluster_sim.scenario.problems import Finding, InvalidScenarioError, Problem
from cluster_sim.scenario.reporting import report, usable
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.syntax import explain_syntax

__all__ = ["load_mapping", "parse_scenario", "read_scenario"]

_LARGEST_FILE = 64 * 2**20  # bytes; refuses what never ends, such as a device


def read_scenario(
    path: str | Path,
    overrides: Iterable[str] = (),
    *,
    check_scheduler: CheckScheduler | None = None,
) -> Scenario:
    """Read a scenario file.

    Parameters
    ----------
    path : str or Path
        A TOML file.
    overrides : iterable of str, optional
        ``section.key=value`` each, as after ``--set``.
    check_scheduler : callable, optional
        As for `load_mapping`.

    Returns
    -------
    Scenario
        A relative `traffic.path` or `service.durations` of the file is joined to the file's folder;
        one given by an override stays as it is, relative to the current folder.

    Raises
    ------
    InvalidScenarioError
        With every problem of the file, one a line, each with its place and remedy.
    """
    name = str(path)
    text = _read_text(Path(path), name)
    tables = _parse_toml(text, name)
    _join_trace(tables, Path(path).parent)
    return _build(tables, name, text, parse_overrides(overrides), check_scheduler, is_file=True)


def parse_scenario(
    text: str,
    name: str = "scenario",
    overrides: Iterable[str] = (),
    *,
    check_scheduler: CheckScheduler | None = None,
) -> Scenario:
    r"""Parse the text of a scenario file.

    Parameters
    ----------
    text : str
        TOML.
    name : str, optional
        What messages call it.
    overrides : iterable of str, optional
        ``section.key=value`` each, as after ``--set``.
    check_scheduler : callable, optional
        As for `load_mapping`.

    Returns
    -------
    Scenario

    Raises
    ------
    InvalidScenarioError
        With every problem of the text.

    Examples
    --------
    >>> try:
    ...     parse_scenario("[run]\nslots = 0\nsed = 1", "a.toml")
    ... except InvalidScenarioError as error:
    ...     print(error.problems[-1])
    a.toml:3: [run] sed = 1: unknown key. Did you mean 'seed'? Known: engine,
    max_replications, precision, replications, seed, series_points, slots, warmup.
    """
    tables = _parse_toml(text, name)
    return _build(tables, name, text, parse_overrides(overrides), check_scheduler)


def load_mapping(
    mapping: Mapping[str, Any],
    name: str = "scenario",
    overrides: Iterable[str] = (),
    *,
    check_scheduler: CheckScheduler | None = None,
) -> Scenario:
    """Validate a scenario given as a mapping of tables.

    Parameters
    ----------
    mapping : mapping
        As a scenario file: ``{"cluster": {"servers": 4}, ...}``.
    name : str, optional
        What messages call it.
    overrides : iterable of str, optional
        ``section.key=value`` each, as after ``--set``.
    check_scheduler : callable, optional
        ``check_scheduler(policy, parameters)`` returns pairs of a key inside [scheduler] and a
        message; by default the registry of policies does.

    Returns
    -------
    Scenario

    Raises
    ------
    InvalidScenarioError
        With every problem of the mapping.
    """
    return _build(usable(mapping, name), name, None, parse_overrides(overrides), check_scheduler)


def _build(
    tables: dict[str, Any],
    name: str,
    text: str | None,
    overrides: list[Override],
    check_scheduler: CheckScheduler | None,
    *,
    is_file: bool = False,
) -> Scenario:
    merged, overrides = merge(usable(tables, name), overrides)
    given = usable(merged, name)
    found = find_problems(given, check_scheduler)
    if is_file:
        found += _missing_trace(given)
    if found:
        raise report(found, name, text=text, overrides=overrides)
    return Scenario.from_valid(given)


def _read_text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise _refuse(name, "no such file; check the path" + _neighbours(path)) from None
    except IsADirectoryError:
        raise _refuse(name, "is a folder; name a scenario file in it" + _neighbours(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(name, f"cannot be read: {reason}") from None
    if len(data) > _LARGEST_FILE:
        raise _refuse(name, f"is larger than {_LARGEST_FILE // 2**20} MiB: is it a scenario file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte {data[error.start]:#04x} is not UTF-8; save the file as UTF-8 text"
        raise _refuse(name, message, line) from None
    if not text.strip():
        raise _refuse(name, "the file is empty; a scenario starts with [cluster] and servers = 10")
    return text


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    try:
        text.encode()
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, message = explain_syntax(str(error), text)
        raise _refuse(name, message, line) from None
    except UnicodeEncodeError:
        raise _refuse(name, "holds half of a character; it is not valid text") from None
    except RecursionError:
        message = "arrays or tables are nested too deeply for a scenario; flatten them"
        raise _refuse(name, message) from None
    except ValueError:  # Python refuses to read thousands of digits
        raise _refuse(name, "a number has too many digits; shorten it") from None


def _neighbours(path: Path) -> str:
    """Return which scenario files there are where one was looked for."""
    try:
        folder = path if path.is_dir() else path.parent
        names = sorted(file.name for file in folder.glob("*.toml"))
    except (OSError, ValueError):
        names = []
    return f" (there: {', '.join(names[:8])})" if names else ""


def _join_trace(tables: dict[str, Any], folder: Path) -> None:
    traffic = tables.get("traffic")
    if isinstance(traffic, dict) and isinstance(traffic.get("path"), str) and traffic["path"]:
        traffic["path"] = str(folder / traffic["path"])
    service = tables.get("service")
    if isinstance(service, dict) and isinstance(service.get("durations"), str):
        service["durations"] = str(folder / service["durations"])


def _missing_trace(given: dict[str, Any]) -> list[Finding]:
    traffic = given.get("traffic")
    if not isinstance(traffic, dict) or traffic.get("kind") != "trace":
        return []
    path = traffic.get("path")
    if not isinstance(path, str) or not path:
        return []
    try:
        is_there = Path(path).is_file()
    except (OSError, ValueError):
        is_there = False
    message = "no such file; the path of a trace is relative to the scenario file"
    return [] if is_there else [Finding(("traffic", "path"), message, path)]


def _refuse(name: str, message: str, line: int | None = None) -> InvalidScenarioError:
    return InvalidScenarioError([Problem(name, line, "", None, message)])
