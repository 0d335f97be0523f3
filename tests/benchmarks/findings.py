"""What a benchmark found, next to its goal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.measuring import Measured


@dataclass(frozen=True)
class Finding:
    """One measured quantity; without a goal it is for information."""

    what: str
    measured: Measured
    unit: str = "times"
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def value(self) -> float:
        """The median over the rounds."""
        return self.measured.median

    @property
    def is_missed(self) -> bool:
        """Whether there is a goal, and it is not met."""
        too_low = self.at_least is not None and self.value < self.at_least
        return too_low or (self.at_most is not None and self.value > self.at_most)

    @property
    def goal(self) -> str:
        """The goal in words; empty if there is none."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "" if self.at_most is None else f"at most {self.at_most:g}"

    def row(self) -> list[str]:
        """Return the finding as cells."""
        verdict = "" if not self.goal else ("**missed**" if self.is_missed else "met")
        spread = (
            ""
            if len(self.measured.values) == 1
            else (f"{digits(self.measured.low)} to {digits(self.measured.high)}")
        )
        return [
            self.what,
            f"{digits(self.value)} {self.unit}",
            spread,
            self.goal,
            verdict,
            self.note,
        ]


HEADER = ("what", "measured", "range", "goal", "", "note")


def digits(value: float) -> str:
    """Return a number with three significant digits and no exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.5f}"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, its columns padded so that it reads well as it is."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
