"""What a lesson claims, beside what its run showed."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from cluster_sim.errors import ClusterSimError

__all__ = ["Check", "LessonError", "above", "below", "holds", "near", "require", "table"]


class LessonError(ClusterSimError, AssertionError):
    """A lesson claims what its run does not show."""


@dataclass(frozen=True)
class Check:
    """A claim and what was seen.

    Parameters
    ----------
    claim : str
    expected, seen : str
    is_so : bool
    """

    claim: str
    expected: str
    seen: str
    is_so: bool

    def __str__(self) -> str:
        word = "yes" if self.is_so else "NO "
        return f"{word}  {self.claim}: {self.expected}; seen {self.seen}"


def near(claim: str, expected: float, seen: float, *, within: float) -> Check:
    """Check that a number is near the one expected.

    Parameters
    ----------
    claim : str
    expected, seen : float
    within : float
        Largest relative difference.

    Returns
    -------
    Check

    Examples
    --------
    >>> near("mean completion time", 6.0, 6.1, within=0.05).is_so
    True
    """
    is_so = math.isclose(expected, seen, rel_tol=within)
    return Check(claim, f"{expected:.4g}, within {100 * within:g}%", f"{seen:.4g}", is_so)


def above(claim: str, larger: float, smaller: float) -> Check:
    """Check that one number is above another.

    Parameters
    ----------
    claim : str
    larger, smaller : float

    Returns
    -------
    Check

    Examples
    --------
    >>> str(above("the sum of the queues keeps its bound", 38.1, 25.5))
    'yes  the sum of the queues keeps its bound: above 25.5; seen 38.1'
    """
    return Check(claim, f"above {smaller:.4g}", f"{larger:.4g}", bool(larger > smaller))


def below(claim: str, smaller: float, larger: float) -> Check:
    """Check that one number is below another.

    Parameters
    ----------
    claim : str
    smaller, larger : float

    Returns
    -------
    Check

    Examples
    --------
    >>> str(below("two choices beat one", 3.2, 9.9))
    'yes  two choices beat one: below 9.9; seen 3.2'
    """
    return Check(claim, f"below {larger:.4g}", f"{smaller:.4g}", bool(smaller < larger))


def holds(claim: str, expected: str, seen: str, *, is_so: bool) -> Check:
    """Check what is no comparison of two numbers.

    Parameters
    ----------
    claim : str
    expected, seen : str
    is_so : bool

    Returns
    -------
    Check
    """
    return Check(claim, expected, seen, bool(is_so))


def table(checks: Sequence[Check]) -> str:
    """Return checks as a table in HTML.

    Parameters
    ----------
    checks : sequence of Check

    Returns
    -------
    str
    """
    cell = "padding:.25em 1.2em .25em 0;text-align:left;vertical-align:top"
    names = ("", "you should see", "expected", "seen here")
    head = "".join(f'<th style="{cell}">{each}</th>' for each in names)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="{cell}">{html.escape(text)}</td>'
            for text in ("✓" if c.is_so else "✗ not here", c.claim, c.expected, c.seen)
        )
        + "</tr>"
        for c in checks
    )
    return f'<table class="checks" style="font-size:.95em"><tr>{head}</tr>{rows}</table>'


def require(checks: Sequence[Check]) -> str:
    """Check that every claim holds, as a lesson does when it runs as a script.

    Parameters
    ----------
    checks : sequence of Check

    Returns
    -------
    str
        The checks, one a line.

    Raises
    ------
    LessonError
        If one does not hold.

    Examples
    --------
    >>> print(require([near("load", 0.8, 0.8, within=0.01)]))
    yes  load: 0.8, within 1%; seen 0.8
    """
    failed = [str(check) for check in checks if not check.is_so]
    if failed:
        raise LessonError(
            f"the lesson claims what its run does not show: {'; '.join(failed)}; a slider was "
            "moved, or the engine or the lesson is wrong"
        )
    return "\n".join(map(str, checks))
