"""The notebooks that there are: the demo itself, and the lessons."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from cluster_sim.errors import ScenarioError, UnknownNameError, did_you_mean

__all__ = ["LESSONS", "Lesson", "check_extra", "notebook"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Parameters
    ----------
    name : str
        As after ``cluster-sim demo``.
    title : str
    question : str
        What it asks.
    """

    name: str
    title: str
    question: str

    @property
    def path(self) -> Path:
        """Its notebook."""
        return _FOLDER / "lessons" / f"{self.name.replace('-', '_')}.py"


LESSONS = (
    Lesson("one-queue", "One queue", "Why do queues grow near load 1?"),
    Lesson("power-of-choice", "The power of choice", "How much does a second choice help?"),
    Lesson("locality", "Locality", "What does it cost not to know where the data is?"),
    Lesson("hot-spots", "Hot spots and helpers", "Why is the longest queue the right one to help?"),
    Lesson("heavy-traffic", "Heavy traffic", "What does the queue vector look like near capacity?"),
    Lesson("racks", "Rack tiers", "What changes with a tier between local and remote?"),
)
"""In the order in which they are taught."""


def notebook(name: str | None) -> Path:
    """Return the notebook of a lesson.

    Parameters
    ----------
    name : str or None
        None for the demo itself.

    Returns
    -------
    Path

    Raises
    ------
    UnknownNameError
        If there is no such lesson.
    """
    if name is None:
        return _FOLDER / "app.py"
    known = {lesson.name: lesson for lesson in LESSONS}
    if name not in known:
        hint = did_you_mean(name, known)
        raise UnknownNameError(f"lesson {name!r}: is not known. {hint}")
    return known[name].path


def check_extra() -> None:
    """Check that what serves notebooks is installed.

    Raises
    ------
    ScenarioError
        If marimo or anywidget is missing.
    """
    for package in ("marimo", "anywidget"):
        if importlib.util.find_spec(package) is None:
            raise ScenarioError(
                f"the demo needs {package}, which is not installed; pip install 'cluster_sim[demo]'"
            )
