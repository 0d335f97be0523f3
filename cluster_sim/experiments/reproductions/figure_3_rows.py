"""The table of figure 3: a row for each pair of policies compared, and its CSV file."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cluster_sim.experiments.reproductions.figure_3_plan import AUTO, BASELINE, Case, Part
from cluster_sim.experiments.stability import GROWTH_TO_NOTICE
from cluster_sim.experiments.statistics import Estimate, Method, estimate, ratio_estimate
from cluster_sim.experiments.store import Row as Replication

__all__ = ["Row", "of_part", "read_rows", "rows_of", "to_csv"]


@dataclass(frozen=True)
class Row:
    """One system under `priority` with the paper's threshold, and under something else.

    Parameters
    ----------
    part : str
    traffic : str
    load : float
    servers : int
    reading : str
    other : str
        The rival: another policy, or ``"threshold = 4"`` for the same policy with that threshold.
    n : int
        Replications.
    time, time_ci95, other_time, other_time_ci95 : float
        Mean completion times in slots, and the half-widths of their intervals; nan where there is
        none.
    ratio, ratio_ci95 : float
        The other's over that of priority, paired.
    settled : bool
        Whether neither backlog still grew.
    """

    part: str
    traffic: str
    load: float
    servers: int
    reading: str
    other: str
    n: int
    time: float
    time_ci95: float
    other_time: float
    other_time_ci95: float
    ratio: float
    ratio_ci95: float
    settled: bool

    @property
    def ratio_estimate(self) -> Estimate:
        """The ratio with its interval."""
        if math.isnan(self.ratio_ci95):
            return Estimate(self.ratio, None, self.n)
        return Estimate(self.ratio, self.ratio_ci95, self.n, Method.REPLICATIONS)


def rows_of(cases: Sequence[Case], found: Mapping[Case, Sequence[Replication]]) -> list[Row]:
    """Return a row for each case that is compared with `priority`.

    Parameters
    ----------
    cases : sequence of Case
    found : mapping of Case to sequence of store rows
        The replications of each case; a case without any is left out.

    Returns
    -------
    list of Row
    """
    rows = []
    for case in cases:
        baseline = dataclasses.replace(case, policy=BASELINE, threshold=AUTO)
        mine, theirs = found.get(case, ()), found.get(baseline, ())
        if case != baseline and mine and theirs:
            rows.append(_row(case, theirs, mine))
    return rows


def _row(case: Case, baseline: Sequence[Replication], other: Sequence[Replication]) -> Row:
    times, others = _times(baseline), _times(other)
    n = min(len(times), len(others))
    mine, theirs, ratio = estimate(times), estimate(others), ratio_estimate(others[:n], times[:n])
    return Row(
        part=case.part.value,
        traffic=case.traffic,
        load=case.load,
        servers=case.servers,
        reading=case.reading_words,
        other=case.policy if case.policy != BASELINE else f"threshold = {case.threshold}",
        n=n,
        time=_short(mine.mean),
        time_ci95=_short(mine.half_width),
        other_time=_short(theirs.mean),
        other_time_ci95=_short(theirs.half_width),
        ratio=_short(ratio.mean),
        ratio_ci95=_short(ratio.half_width),
        settled=not (_is_growing(baseline) or _is_growing(other)),
    )


def _short(value: float | None) -> float:
    """Return a number with six digits, as the file holds it."""
    return math.nan if value is None else float(f"{value:.6g}")


def _times(replications: Sequence[Replication]) -> list[float]:
    return [float(each.columns["mean_completion_time"]) for each in replications]


def _is_growing(replications: Sequence[Replication]) -> bool:
    shares = [float(each.columns["growth"]) / float(each.columns["rate"]) for each in replications]
    return estimate(shares).mean > GROWTH_TO_NOTICE


def to_csv(rows: Iterable[Row]) -> str:
    """Return rows as the text of a CSV file.

    Parameters
    ----------
    rows : iterable of Row

    Returns
    -------
    str
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(Row)])
    for row in rows:
        writer.writerow(
            ["" if isinstance(v, float) and math.isnan(v) else v for v in dataclasses.astuple(row)]
        )
    return text.getvalue()


def read_rows(text: str) -> list[Row]:
    """Return the rows of a CSV file.

    Parameters
    ----------
    text : str
        From `to_csv`.

    Returns
    -------
    list of Row
    """
    rows = []
    for found in csv.DictReader(io.StringIO(text)):
        values: dict[str, object] = dict(found)
        for name in ("load", "time", "time_ci95", "other_time", "other_time_ci95", "ratio"):
            values[name] = float(found[name] or "nan")
        values["ratio_ci95"] = float(found["ratio_ci95"] or "nan")
        values["servers"], values["n"] = int(found["servers"]), int(found["n"])
        values["settled"] = found["settled"] == "True"
        rows.append(Row(**values))  # type: ignore[arg-type]
    return rows


def of_part(rows: Iterable[Row], part: Part, **values: object) -> list[Row]:
    """Return the rows of a part whose fields have these values.

    Parameters
    ----------
    rows : iterable of Row
    part : Part
    **values : object
        By field.

    Returns
    -------
    list of Row
    """
    return [
        row
        for row in rows
        if row.part == part.value
        and all(getattr(row, name) == value for name, value in values.items())
    ]
