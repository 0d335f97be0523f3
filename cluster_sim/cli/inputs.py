"""What a command reads: a scenario from a file or standard input, and the modules beside it."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cluster_sim.errors import PolicyError, ScenarioError, UnknownNameError

if TYPE_CHECKING:
    from cluster_sim.scenario.schema import Scenario

__all__ = ["STANDARD_INPUT", "check_outputs", "name_of", "named", "read", "user_modules"]

STANDARD_INPUT = "-"
_LARGEST_INPUT = 64 * 2**20  # bytes, as for files


def name_of(file: str) -> str:
    """Return what to call a scenario file.

    Parameters
    ----------
    file : str

    Returns
    -------
    str
    """
    return "standard input" if file == STANDARD_INPUT else file


def read(file: str, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario from a file, or from standard input if it is ``-``.

    Parameters
    ----------
    file : str
    overrides : sequence of str
        ``section.key=value`` each.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With every problem of the scenario.
    """
    from cluster_sim.scenario.loading import parse_scenario, read_scenario

    if file != STANDARD_INPUT:
        return read_scenario(file, overrides)
    name = name_of(file)
    data = b"" if sys.stdin is None else sys.stdin.buffer.read(_LARGEST_INPUT + 1)
    if len(data) > _LARGEST_INPUT:
        raise ScenarioError(f"{name}: is larger than 64 MiB: is it a scenario?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError(
            f"{name}:{line}: byte {data[error.start]:#04x} is not UTF-8; send UTF-8 text"
        ) from None
    if not text.strip():
        raise ScenarioError(f"{name}: is empty; pipe a scenario into the command, or name a file")
    return parse_scenario(text, name, overrides)


@contextlib.contextmanager
def named(file: str) -> Iterator[None]:
    """Let what is wrong with a scenario as a whole name its file; single fields name it already.

    Parameters
    ----------
    file : str
    """
    from cluster_sim.scenario.problems import InvalidScenarioError

    try:
        yield
    except InvalidScenarioError:
        raise
    except (ScenarioError, PolicyError, UnknownNameError) as error:
        raise type(error)(f"{name_of(file)}: {error}") from error


@contextlib.contextmanager
def user_modules(file: str) -> Iterator[None]:
    """Let policies and placements named ``module:Class`` be found beside a scenario file.

    Parameters
    ----------
    file : str
        The scenario file.

    Notes
    -----
    The folder goes last on the path, so that no file in it can stand in for a library. Afterwards
    what was imported from there is forgotten: two scenarios may have modules of the same name.
    """
    folder = os.path.realpath("." if file == STANDARD_INPUT else Path(file).parent)
    known = set(sys.modules)
    added = folder not in sys.path
    if added:
        sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if added:
            sys.path.remove(folder)
        for name in set(sys.modules) - known:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and os.path.dirname(os.path.realpath(origin)) == folder:  # noqa: PTH120
                del sys.modules[name]


def check_outputs(outputs: dict[str, str | None], file: str, scenario: Scenario) -> None:
    """Check that no output would overwrite an input or another output.

    Parameters
    ----------
    outputs : dict of str to str or None
        From option to path; None where the option is not given.
    file : str
        The scenario file.
    scenario : Scenario
        Its trace is an input too.

    Raises
    ------
    ScenarioError
        If one would.
    """
    taken = {} if file == STANDARD_INPUT else {os.path.realpath(file): f"the scenario {file}"}
    trace = getattr(scenario.traffic, "path", None)
    if trace is not None:
        taken[os.path.realpath(trace)] = f"the trace {trace}"
    for option, path in outputs.items():
        if path is None:
            continue
        try:
            real = os.path.realpath(path)
        except ValueError:  # a path that cannot be; whoever opens it says so
            continue
        if real in taken:
            raise ScenarioError(
                f"{option} {path}: would overwrite {taken[real]}; choose another name"
            )
        taken[real] = f"the file of {option}"
