"""What a reproduction hands back: lines with verdicts, and what its figure shows."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cluster_sim.experiments.statistics import Estimate

__all__ = ["Curve", "Line", "Panel", "Report", "Reproduction", "Run", "Verdict", "worst"]


class Verdict(enum.StrEnum):
    """Whether what was claimed is what was measured."""

    SEEN = "seen"
    NOT_SEEN = "not seen"
    UNDECIDED = "undecided"


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict on a claim of several parts: as good as its worst part.

    Parameters
    ----------
    verdicts : list of Verdict

    Returns
    -------
    Verdict
        Undecided if there are none.

    Examples
    --------
    >>> worst([Verdict.SEEN, Verdict.UNDECIDED]).value
    'undecided'
    """
    for verdict in (Verdict.NOT_SEEN, Verdict.UNDECIDED, Verdict.SEEN):
        if verdict in verdicts:
            return verdict
    return Verdict.UNDECIDED


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Parameters
    ----------
    case : str
        What ran: traffic, policy, distance to the boundary.
    quantity : str
        What was measured.
    measured : Estimate or str
        With its interval, or in words.
    predicted : str
        What should come out.
    verdict : Verdict or None
        None for a line that only shows numbers.
    values : mapping of str to object
        Further plain values for ``--json``.
    is_remark : bool
        Whether it is beside the claim, such as another policy for contrast. Its verdict is not that
        of the claim.
    """

    case: str
    quantity: str
    measured: Estimate | str
    predicted: str
    verdict: Verdict | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    is_remark: bool = False

    @property
    def measured_words(self) -> str:
        """The measured value without its interval."""
        if isinstance(self.measured, str):
            return self.measured
        return str(self.measured).partition(" ±")[0]

    @property
    def interval_words(self) -> str:
        """The interval, or a dash."""
        if isinstance(self.measured, str):
            return str(self.values.get("interval", "-"))
        _, _, half = str(self.measured).partition("± ")
        return f"± {half}" if half else "-"

    def as_dict(self) -> dict[str, Any]:
        """Return the line as plain JSON types.

        Returns
        -------
        dict
        """
        number = isinstance(self.measured, Estimate)
        return {
            "case": self.case,
            "quantity": self.quantity,
            "measured": self.measured.mean if number else self.measured,  # type: ignore[union-attr]
            "ci95": self.measured.half_width if number else None,  # type: ignore[union-attr]
            "predicted": self.predicted,
            "verdict": None if self.verdict is None else self.verdict.value,
            "is_remark": self.is_remark,
            **self.values,
        }


@dataclass(frozen=True)
class Curve:
    """Points of a panel that belong together.

    Parameters
    ----------
    label : str
        For the legend.
    x, y : tuple of float
        nan where there is no value.
    half_width : tuple of float or None
        Half the interval at each point.
    policy : str or None
        Whose look the curve has; None for a prediction, which is drawn as a plain line.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    half_width: tuple[float, ...] | None = None
    policy: str | None = None


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Parameters
    ----------
    title, x_label, y_label : str
    curves : tuple of Curve
    is_x_log, is_y_log : bool
        Whether an axis is logarithmic.
    vertical : float or None
        Where to draw a vertical line: the boundary of the capacity region.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    is_x_log: bool = False
    is_y_log: bool = False
    vertical: float | None = None


@dataclass(frozen=True)
class Report:
    """What a reproduction found.

    Parameters
    ----------
    name, title : str
        Of the reproduction.
    claim : str
        What the paper says, in a sentence.
    setting : tuple of str
        How it was measured, a sentence each.
    lines : tuple of Line
    panels : tuple of Panel
        Of its figure.
    files : tuple of Path
        What it has written itself, besides the table and the figure.
    """

    name: str
    title: str
    claim: str
    setting: tuple[str, ...]
    lines: tuple[Line, ...]
    panels: tuple[Panel, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict on the claim: that of its worst line, remarks left out."""
        own = [line.verdict for line in self.lines if not line.is_remark]
        return worst([verdict for verdict in own if verdict is not None])

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types: the object that ``reproduce --json`` prints.

        Returns
        -------
        dict
        """
        return {
            "name": self.name,
            "title": self.title,
            "claim": self.claim,
            "setting": list(self.setting),
            "verdict": self.verdict.value,
            "lines": [line.as_dict() for line in self.lines],
            "files": [str(path) for path in self.files],
        }


class Run(Protocol):
    """Carry out a reproduction."""

    def __call__(
        self,
        *,
        quick: bool = False,
        directory: Path | None = None,
        progress: Callable[[str, int, int], None] | None = None,
        workers: int | None = None,
    ) -> Report:
        """Run, measure, judge.

        Parameters
        ----------
        quick : bool
            Shorter runs, fewer points, wider intervals.
        directory : Path, optional
            An existing folder for files of its own, such as results to resume from. The table and
            the figure are written by whoever asked.
        progress : callable, optional
            Told what runs, the slots done and the slots in all.
        workers : int, optional
            Threads; by default one a processor.

        Returns
        -------
        Report
        """
        ...


@dataclass(frozen=True)
class Reproduction:
    """Something of the paper that can be run again.

    Parameters
    ----------
    name : str
        As ``cluster-sim reproduce`` takes it.
    title : str
        One line for the list.
    run : callable
        See `Run`.
    figure : str
        ``module:function`` of the function that draws a report's figure: from a `Report` to a
        matplotlib figure. A name, because experiments do not import views.
    """

    name: str
    title: str
    run: Run
    figure: str = "cluster_sim.views.theorems:draw_report"
