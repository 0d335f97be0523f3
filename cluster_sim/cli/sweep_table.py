"""What ``cluster-sim sweep`` prints: a row a point, for people or as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cluster_sim.cli.compare_table import print_table
from cluster_sim.cli.run_table import percent, plural
from cluster_sim.scenario.writing import format_value

if TYPE_CHECKING:
    from cluster_sim.experiments.others import Others
    from cluster_sim.experiments.points import Point
    from cluster_sim.experiments.replications import Outcome
    from cluster_sim.experiments.store import Failure, Store
    from cluster_sim.experiments.sweep import Summary

__all__ = ["Found", "as_json", "failure_lines", "look", "notes", "print_points"]

_MOST_SHOWN = 5  # errors


@dataclass(frozen=True)
class Found:
    """What a results file holds of a sweep.

    Parameters
    ----------
    path : str
        The file.
    points : sequence of Point
    outcomes : dict of str to Outcome or None
        From the id of a point to what it showed; None where nothing is there.
    failures : sequence of Failure
    others : Others or None
        What else is in the file.
    n_done, n_wanted : int
        Replications.
    summary : Summary or None
        What this start did; None if it only looked.
    """

    path: str
    points: Sequence[Point]
    outcomes: Mapping[str, Outcome | None]
    failures: Sequence[Failure]
    others: Others | None
    n_done: int
    n_wanted: int
    summary: Summary | None


def look(points: Sequence[Point], store: Store, summary: Summary | None) -> Found:
    """Read what there is of a sweep.

    Parameters
    ----------
    points : sequence of Point
    store : Store
    summary : Summary or None
        What this start did, if it ran.

    Returns
    -------
    Found
    """
    from cluster_sim.experiments.others import others
    from cluster_sim.experiments.plan import Plan
    from cluster_sim.experiments.sweep import outcome

    plan = Plan(points, store)
    return Found(
        store.path,
        points,
        {point.id: outcome(point, store) for point in points},
        store.failures(points),
        others(points, store),
        plan.n_done,
        plan.n_total,
        summary,
    )


def print_points(name: str, found: Found) -> None:
    """Print a sweep as a table.

    Parameters
    ----------
    name : str
        What to call the scenario if it has no title.
    found : Found
    """
    from cluster_sim.experiments.points import fields_of

    fields = fields_of(found.points)
    columns = [*_short(fields), "runs", "completion time", "p99", "utilisation", "verdict"]
    rows = [
        [*(_cell(point, field) for field in fields), *_numbers(found.outcomes[point.id])]
        for point in found.points
    ]
    n = plural(len(found.points), "point")
    lines = [f"{n}; {_progress_words(found)}; results in {found.path}", "means ± 95 % in slots"]
    print_table(found.points[0].scenario.title or name, lines, columns, rows)


def _progress_words(found: Found) -> str:
    there = f"{found.n_done:,} of {plural(found.n_wanted, 'replication')}"
    summary = found.summary
    if summary is None:
        return f"{there} are there"
    if not summary.n_run:
        return f"nothing was run: {there} were there"
    before = f", {summary.n_found:,} were there" if summary.n_found else ""
    run = plural(summary.n_run, "replication")
    return f"{run} in {summary.wall_seconds:.1f} s on {summary.workers}{before}"


def _numbers(outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return ["0", "-", "-", "-", "-"]
    mean, p99 = outcome.mean_completion_time, outcome.completion_times.quantile(0.99)
    return [
        str(len(outcome.results)),
        "-" if math.isnan(mean.mean) else str(mean),
        "-" if p99 is None else f"{p99:,}",
        percent(outcome.over_replications(lambda result: result.utilisation).mean),
        outcome.stability.verdict,
    ]


def _cell(point: Point, field: str) -> str:
    if field not in point.values:
        return "-"
    value = point.values[field]
    return value if isinstance(value, str) else format_value(value)


def _short(fields: Sequence[str]) -> list[str]:
    """Return the names of fields without their tables, where that tells them apart."""
    last = [field.rpartition(".")[2] for field in fields]
    return [
        short if last.count(short) == 1 else field
        for short, field in zip(last, fields, strict=True)
    ]


def as_json(found: Found) -> dict[str, Any]:
    """Return a sweep as plain JSON types.

    Parameters
    ----------
    found : Found

    Returns
    -------
    dict
        For each of its `points`: its `id`, its `values`, its `failures`, and what ``run --json``
        prints less the scenario and times; the first three only where nothing is there.
    """
    from cluster_sim import __version__

    return {
        "version": __version__,
        "results": found.path,
        "complete": found.n_done == found.n_wanted,
        "replications": {
            "wanted": found.n_wanted,
            "done": found.n_done,
            "failed": len(found.failures),
            "run_now": 0 if found.summary is None else found.summary.n_run,
        },
        "points": [_point_as_json(point, found) for point in found.points],
    }


def _point_as_json(point: Point, found: Found) -> dict[str, Any]:
    outcome = found.outcomes[point.id]
    numbers = {} if outcome is None else outcome.as_dict()
    for key in ("scenario", "wall_seconds", "tasks_per_second"):
        numbers.pop(key, None)
    failures = [
        {"replication": f.replication, "seed": f.seed, "error": f.error, "attempts": f.n_attempts}
        for f in found.failures
        if f.point_id == point.id
    ]
    values = {key: _plain(value) for key, value in point.values.items()}
    return {"id": point.id, "values": values, "failures": failures, **numbers}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: infinity is text."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def notes(found: Found) -> Iterator[str]:
    """Yield what the numbers alone do not tell.

    Parameters
    ----------
    found : Found

    Yields
    ------
    str
    """
    if found.others is not None:
        n = found.others.n
        held, them = ("a point", "it is") if n == 1 else (plural(n, "point"), "they are")
        last = "It" if n == 1 else "The last one"
        yield (
            f"{found.path} also holds {held} that this sweep does not have; {them} kept and not "
            f"used. {last} differs in {', '.join(found.others.reasons)}"
        )
    outcomes = [outcome for outcome in found.outcomes.values() if outcome is not None]
    for note in dict.fromkeys(outcome.warmup.note for outcome in outcomes):
        if note is not None:
            yield f"{plural(sum(o.warmup.note == note for o in outcomes), 'point')}: {note}"
    n_imprecise = sum(o.is_precise is False and o.is_complete for o in outcomes)
    if n_imprecise:
        yield (
            f"{plural(n_imprecise, 'point')}: the requested precision was not reached with "
            "run.max_replications; raise run.slots or run.max_replications"
        )


def failure_lines(found: Found) -> list[str]:
    """Return what failed: a line for each kind of error, with the first place where it came.

    Parameters
    ----------
    found : Found

    Returns
    -------
    list of str
    """
    values = {point.id: point.values for point in found.points}
    by_error: dict[str, list[Failure]] = {}
    for failure in found.failures:
        by_error.setdefault(failure.error, []).append(failure)
    lines = []
    for error, failures in list(by_error.items())[:_MOST_SHOWN]:
        first, n_more = failures[0], len(failures) - 1
        where = [f"{key} = {format_value(value)}" for key, value in values[first.point_id].items()]
        where.append(f"replication {first.replication}, seed {first.seed}")
        more = f" (and {n_more:,} more like it)" if n_more else ""
        lines.append(f"  {', '.join(where)}: {error}{more}")
    if len(by_error) > _MOST_SHOWN:
        lines.append(f"  and {len(by_error) - _MOST_SHOWN:,} other errors")
    return lines
