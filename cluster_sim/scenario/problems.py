"""What is wrong with a scenario: one `Problem` each, and the error that carries all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cluster_sim.errors import ScenarioError
from cluster_sim.scenario.writing import format_key, format_value

__all__ = ["Finding", "InvalidScenarioError", "KeyPath", "Problem", "describe"]

_OUTERMOST = re.compile(r'("(?:[^"\\]|\\.)*"|[^."]+)\.(.+)', re.DOTALL)
KeyPath = tuple[str | int, ...]  # ("traffic", "types", 1, "weight")


@dataclass(frozen=True)
class Finding:
    """A problem whose place in a file is not known yet.

    Parameters
    ----------
    path : tuple of str or int
        Where in the mapping, from the outermost table inwards.
    message : str
        What is allowed, and the remedy.
    value : object, optional
        The offending value; None where there is none, as for a missing key.
    """

    path: KeyPath
    message: str
    value: object = None


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a scenario, and where.

    Parameters
    ----------
    path : str
        The file, the name given to a text or mapping, or the override (``--set traffic.lod=0.9``).
    line : int or None
        Line in the file, counted from 1; None where there is no file or no such line.
    key : str
        Dotted key, ``traffic.types[1].weight``; empty for the file as a whole.
    value : object
        The offending value; None where there is none.
    message : str
        What is wrong, what is allowed, the remedy.

    Examples
    --------
    >>> print(Problem("a.toml", 7, "run.slots", 0, "must be an integer of at least 1"))
    a.toml:7: [run] slots = 0: must be an integer of at least 1
    """

    path: str
    line: int | None
    key: str
    value: object
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        match = _OUTERMOST.match(self.key)
        table, rest = match.groups() if match else (self.key, "")
        is_table = (
            bool(self.key) and not rest and (self.value is None or isinstance(self.value, dict))
        )
        what = f"[{table}] {rest}" if rest else f"[{table}]" if is_table else self.key
        if self.value is not None and not is_table:
            what += f" = {format_value(self.value)}"
        return f"{place}: {what}: {self.message}" if what else f"{place}: {self.message}"


class InvalidScenarioError(ScenarioError):
    """A scenario that breaks its schema; the text has one line a problem.

    Parameters
    ----------
    problems : iterable of Problem
        At least one.

    Attributes
    ----------
    problems : tuple of Problem
        All of them, in the order of the file.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InvalidScenarioError], tuple[tuple[Problem, ...]]]:
        """Pickle by the problems, so that the error survives a worker process."""
        return type(self), (self.problems,)


def describe(path: KeyPath) -> str:
    """Return a key path as one dotted key.

    Parameters
    ----------
    path : tuple of str or int

    Returns
    -------
    str

    Examples
    --------
    >>> describe(("traffic", "types", 1, "weight"))
    'traffic.types[1].weight'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + format_key(part)
    return text
