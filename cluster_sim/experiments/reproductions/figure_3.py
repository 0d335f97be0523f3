"""Figure 3 of the paper: completion time against load, two algorithms, two traffics."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cluster_sim.errors import ClusterSimError
from cluster_sim.experiments.executors import threads
from cluster_sim.experiments.points import Point
from cluster_sim.experiments.reproductions import figure_3_plan as plan
from cluster_sim.experiments.reproductions.figure_3_findings import lines
from cluster_sim.experiments.reproductions.figure_3_page import page
from cluster_sim.experiments.reproductions.figure_3_plan import Case, Part, Size
from cluster_sim.experiments.reproductions.figure_3_rows import Row, of_part, rows_of, to_csv
from cluster_sim.experiments.reproductions.report import Curve, Panel, Report, Reproduction
from cluster_sim.experiments.store import Row as Replication
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.sweep import Progress, run_sweep
from cluster_sim.files import written_whole

__all__ = ["REPRODUCTION", "report_of"]

NAME = "figure-3"
TITLE = "Completion time against load, priority and JSQ-MaxWeight"
CLAIM = (
    "The two are similar at low load; priority is up to 4 times as fast at medium to high load, "
    "on both traffics (section 6, figure 3)."
)


def run(
    *,
    quick: bool = False,
    directory: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    workers: int | None = None,
) -> Report:
    """Run figure 3, its grid of readings, and its dependence on servers and threshold.

    Parameters
    ----------
    quick, directory, progress, workers
        See `cluster_sim.experiments.reproductions.report.Run`. With a directory the results are
        kept there: a second start runs only what is missing.

    Returns
    -------
    Report
    """
    size = plan.quick() if quick else plan.full()
    cases = list(dict.fromkeys(size.cases()))
    points = {case: size.point(case) for case in cases}
    with _store(directory) as store:
        found = _measure(points, store, progress, workers)
    rows = rows_of(cases, found)
    files: list[Path] = []
    if directory is not None:
        files = [directory / f"{NAME}{suffix}" for suffix in (".csv", ".md", ".sqlite")]
        _write(to_csv(rows), files[0])
        _write(page(rows, quick=quick), files[1])
    return report_of(rows, size, tuple(files))


@contextlib.contextmanager
def _store(directory: Path | None) -> Iterator[Store]:
    """Open the results in a folder, or some that are forgotten afterwards."""
    with contextlib.ExitStack() as stack:
        if directory is None:
            import tempfile

            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield stack.enter_context(Store(directory / f"{NAME}.sqlite"))


def _measure(
    points: dict[Case, Point],
    store: Store,
    progress: Callable[[str, int, int], None] | None,
    workers: int | None,
) -> dict[Case, list[Replication]]:
    """Run what is missing, and return the replications of each case."""

    def tell(state: Progress) -> None:
        if progress is not None:
            progress("figure 3, replications", state.n_done, state.n_total)

    # One system may be in several parts; it is run for the part that asks for most.
    most: dict[str, Point] = {}
    for point in sorted(points.values(), key=_n_asked):
        most[point.id] = point
    # The longest first, so that no worker is left with one of them at the end.
    listed = sorted(most.values(), key=_n_tasks, reverse=True)
    summary = run_sweep(
        listed, store, workers=None if workers is None else threads(workers), progress=tell
    )
    if summary.is_interrupted:
        raise KeyboardInterrupt
    failures = store.failures(listed)
    if failures:
        raise ClusterSimError(f"a replication failed: {failures[0].error}")
    kept = store.rows(listed)
    return {case: kept[point.id] for case, point in points.items()}


def _n_asked(point: Point) -> tuple[bool, int]:
    run = point.scenario.run
    return run.precision is not None, run.replications


def _n_tasks(point: Point) -> float:
    """Return about how many tasks a replication has, but for a common factor."""
    scenario = point.scenario
    return (scenario.run.slots or 0) * (scenario.traffic.load or 1.0) * scenario.cluster.servers


def report_of(rows: Sequence[Row], size: Size, files: tuple[Path, ...] = ()) -> Report:
    """Return the report on the rows of a run.

    Parameters
    ----------
    rows : sequence of Row
    size : Size
    files : tuple of Path
        What was written.

    Returns
    -------
    Report
    """
    system = "1000 servers, alpha = 1, gamma = 0.5, three replicas, the default reading"
    runs = f"runs of {size.slots:,} slots, {size.slots_slow:,} where the system settles slowly"
    more = f"{len(size.readings)} readings at {len(size.reading_loads)} loads"
    setting = (
        f"{system}; {len(size.loads)} loads.",
        f"{runs[0].upper()}{runs[1:]}; the first half is left out.",
        f"Then {more}, {len(size.servers)} sizes, {len(size.thresholds) + 1} thresholds.",
    )
    return Report(NAME, TITLE, CLAIM, setting, lines(rows), panels(rows), files)


def panels(rows: Sequence[Row]) -> tuple[Panel, ...]:
    """Return what the figure shows: two traffics, the number of servers, the threshold.

    Parameters
    ----------
    rows : sequence of Row

    Returns
    -------
    tuple of Panel
    """
    return (
        *(
            _by_load(rows, traffic, letter)
            for traffic, letter in zip(plan.TRAFFICS, "ab", strict=True)
        ),
        _by_servers(rows),
        _by_threshold(rows),
    )


def _by_load(rows: Sequence[Row], traffic: str, letter: str) -> Panel:
    found = of_part(rows, Part.FIGURE, traffic=traffic)
    loads = tuple(row.load for row in found)
    curves = (
        Curve(
            plan.BASELINE,
            loads,
            tuple(row.time for row in found),
            tuple(row.time_ci95 for row in found),
            plan.BASELINE,
        ),
        Curve(
            plan.RIVAL,
            loads,
            tuple(row.other_time for row in found),
            tuple(row.other_time_ci95 for row in found),
            plan.RIVAL,
        ),
    )
    title = f"({letter}) {traffic}"
    return Panel(title, "load", "mean completion time, slots", curves, vertical=1.0)


def _by_servers(rows: Sequence[Row]) -> Panel:
    curves = []
    for traffic in plan.TRAFFICS:
        for other in (plan.RIVAL, plan.OTHER_RIVAL):
            found = of_part(rows, Part.SERVERS, traffic=traffic, other=other)
            x, y = tuple(float(row.servers) for row in found), tuple(row.ratio for row in found)
            curves.append(Curve(f"{other}, {traffic}", x, y, None, other))
    four = Curve("the paper's 4", (10.0, 1000.0), (4.0, 4.0))
    title, y_label = "(c) ratio by number of servers, load 0.9", "completion time / priority"
    return Panel(title, "servers", y_label, (*curves, four), is_x_log=True, is_y_log=True)


def _by_threshold(rows: Sequence[Row]) -> Panel:
    found = [row for row in of_part(rows, Part.THRESHOLD) if math.isfinite(_threshold(row))]
    load = max(row.load for row in found)
    curves = []
    for traffic in plan.TRAFFICS:
        mine = [row for row in found if (row.traffic, row.load) == (traffic, load)]
        points = [(_threshold(row), row.other_time) for row in mine]
        points = sorted([*points, (2.0, mine[0].time)])
        x, y = zip(*points, strict=True)
        curves.append(Curve(traffic, x, y, None, plan.BASELINE))
    title = f"(d) priority by threshold, load {load:g}"
    return Panel(title, "threshold", "mean completion time, slots", tuple(curves), vertical=2.0)


def _threshold(row: Row) -> float:
    return float(row.other.partition("= ")[2])


def _write(text: str, path: Path) -> None:
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


REPRODUCTION = Reproduction(NAME, TITLE, run, "cluster_sim.views.completion:draw_report")
