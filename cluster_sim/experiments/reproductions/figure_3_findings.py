"""What the rows of figure 3 say: for each reading the largest ratio, where, and the verdicts."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

from cluster_sim.experiments.reproductions.figure_3_plan import TRAFFICS, Part
from cluster_sim.experiments.reproductions.figure_3_rows import Row, of_part
from cluster_sim.experiments.reproductions.report import Line, Verdict

__all__ = [
    "Finding",
    "Shape",
    "about_four_on_both",
    "as_paper_on_both",
    "finding",
    "findings",
    "lines",
]

LOW_LOAD = 0.3  # up to here the paper's figure shows no difference that the eye could see
SIMILAR = 0.1  # ratios from 0.9 to 1.1 are called similar
ABOUT_FOUR = (3.0, 5.0)


class Shape(enum.StrEnum):
    """What a ratio does over the loads, next to "up to 4-fold"."""

    AS_PAPER = "about four"
    LARGER = "larger"
    SMALLER = "smaller"
    NONE = "none"


@dataclass(frozen=True)
class Finding:
    """A rival over `priority` on one traffic under one reading, over all loads.

    Parameters
    ----------
    traffic, reading, other : str
    largest : Row
        That of the largest ratio.
    low_ratio : float
        The ratio farthest from 1 at low load; nan without a low load.
    """

    traffic: str
    reading: str
    other: str
    largest: Row
    low_ratio: float

    @property
    def low_deviation(self) -> float:
        """The distance of that ratio from 1."""
        return abs(self.low_ratio - 1)

    @property
    def is_similar_at_low_load(self) -> bool:
        """Whether both are within 10 percent at low load."""
        return self.low_deviation <= SIMILAR

    @property
    def shape(self) -> Shape:
        """How the largest ratio compares with four."""
        ratio = self.largest.ratio
        if ratio > ABOUT_FOUR[1]:
            return Shape.LARGER
        if ratio >= ABOUT_FOUR[0]:
            return Shape.AS_PAPER
        return Shape.SMALLER if ratio > 1 + SIMILAR else Shape.NONE

    @property
    def is_as_paper(self) -> bool:
        """Whether it is what the paper reports: similar at low load, up to about four above."""
        return self.is_similar_at_low_load and self.shape is Shape.AS_PAPER

    @property
    def ratio_words(self) -> str:
        """The largest ratio, with a plus if its runs had not settled."""
        return f"{self.largest.ratio:.3g}{'' if self.largest.settled else '+'}"


def finding(rows: Sequence[Row]) -> Finding:
    """Return what rows of one traffic, reading and rival say together.

    Parameters
    ----------
    rows : sequence of Row
        One a load, at least one.

    Returns
    -------
    Finding
    """
    low = [row.ratio for row in rows if row.load <= LOW_LOAD]
    first = rows[0]
    largest = max(rows, key=lambda row: row.ratio)
    low_ratio = max(low, key=lambda ratio: abs(ratio - 1), default=math.nan)
    return Finding(first.traffic, first.reading, first.other, largest, low_ratio)


def findings(rows: Sequence[Row], part: Part) -> list[Finding]:
    """Return a finding for each traffic, reading and rival of a part, in their order.

    Parameters
    ----------
    rows : sequence of Row
    part : Part

    Returns
    -------
    list of Finding
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in of_part(rows, part):
        groups.setdefault((row.traffic, row.reading, row.other), []).append(row)
    return [finding(group) for group in groups.values()]


def about_four_on_both(found: Sequence[Finding], other: str) -> dict[str, list[Finding]]:
    """Return the readings under which the largest ratio is about four on both traffics.

    Parameters
    ----------
    found : sequence of Finding
        Of the grid of readings.
    other : str
        The rival.

    Returns
    -------
    dict of str to list of Finding
        One a traffic, whatever the ratio at low load.
    """
    by_reading: dict[str, list[Finding]] = {}
    for each in found:
        if each.other == other:
            by_reading.setdefault(each.reading, []).append(each)
    return {
        reading: pair
        for reading, pair in by_reading.items()
        if len(pair) == len(TRAFFICS) and all(each.shape is Shape.AS_PAPER for each in pair)
    }


def as_paper_on_both(found: Sequence[Finding], other: str) -> list[str]:
    """Return the readings under which both traffics show what the paper reports.

    Parameters
    ----------
    found : sequence of Finding
        Of the grid of readings.
    other : str
        The rival.

    Returns
    -------
    list of str
        Those that are similar at low load as well.
    """
    four = about_four_on_both(found, other)
    return [reading for reading, pair in four.items() if all(each.is_as_paper for each in pair)]


def lines(rows: Sequence[Row]) -> tuple[Line, ...]:
    """Return the claim of the paper, part by part, with verdicts.

    Parameters
    ----------
    rows : sequence of Row

    Returns
    -------
    tuple of Line
    """
    found = [line for each in findings(rows, Part.FIGURE) for line in _of_traffic(each)]
    widest = max(
        ci / time
        for row in of_part(rows, Part.FIGURE)
        for time, ci in ((row.time, row.time_ci95), (row.other_time, row.other_time_ci95))
    )
    precision = Line(
        "all points of the figure",
        "widest 95 % interval",
        f"± {widest:.2%}",
        "± 1 % or better",
        Verdict.SEEN if widest <= 0.01 else Verdict.UNDECIDED,
        {"widest": widest},
        is_remark=True,
    )
    return (*found, precision, *_of_grid(rows))


def _of_traffic(found: Finding) -> list[Line]:
    largest = found.largest
    about = {"load": largest.load, "settled": largest.settled}
    ratio = largest.ratio_estimate
    is_faster = (ratio.low or ratio.mean) > 1 + SIMILAR
    return [
        Line(
            found.traffic,
            f"similar up to load {LOW_LOAD:g}",
            f"within {found.low_deviation:.1%}",
            f"within {SIMILAR:.0%}",
            _seen(found.is_similar_at_low_load),
            {"low_deviation": found.low_deviation},
        ),
        Line(
            found.traffic,
            f"{found.other} / priority, at most",
            f"{found.ratio_words} at load {largest.load:g}",
            f"above {1 + SIMILAR:g}: priority is faster",
            _seen(is_faster),
            {**about, "ratio": largest.ratio, "interval": _half(ratio.half_width)},
        ),
        Line(
            found.traffic,
            "factor of the improvement",
            f"{found.ratio_words} at load {largest.load:g}",
            f"about 4 ({ABOUT_FOUR[0]:g} to {ABOUT_FOUR[1]:g})",
            _seen(found.shape is Shape.AS_PAPER),
            {**about, "ratio": largest.ratio, "interval": _half(ratio.half_width)},
        ),
    ]


def _of_grid(rows: Sequence[Row]) -> list[Line]:
    found = findings(rows, Part.READINGS)
    grid = []
    for other in dict.fromkeys(each.other for each in found):
        mine = [each for each in found if each.other == other]
        n_readings = len({each.reading for each in mine})
        both = as_paper_on_both(found, other)
        grid.append(
            Line(
                f"{n_readings} readings, {other}",
                "as the paper on both traffics",
                f"{len(both)} of {n_readings}",
                "at least one",
                _seen(bool(both)),
                {"readings": both},
                is_remark=True,
            )
        )
    return grid


def _seen(is_seen: bool) -> Verdict:
    return Verdict.SEEN if is_seen else Verdict.NOT_SEEN


def _half(half_width: float | None) -> str:
    return "-" if half_width is None else f"± {half_width:.2g}"
