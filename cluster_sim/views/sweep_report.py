"""One page on a sweep, from its results file: question, answer, figure, prediction, repetition."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from typing import Any

from cluster_sim.experiments.comparison import Comparison, Difference
from cluster_sim.experiments.outcome import QUANTILES, Outcome
from cluster_sim.experiments.points import Point
from cluster_sim.experiments.stored import StoredSweep, sweep_document
from cluster_sim.scenario.writing import format_value
from cluster_sim.views.pages import content_policy, fill, package_text
from cluster_sim.views.report import expected_verdict
from cluster_sim.views.report_tables import Drawing, facts, figures, packages, table
from cluster_sim.views.sweeps import describe_values, short_names

__all__ = ["sweep_report_page"]

_POLICY = "scheduler.policy"
_MOST_SYSTEMS = 30  # for which bounds are computed: a large one takes some tenths of a second


def sweep_report_page(
    sweep: StoredSweep,
    drawings: Sequence[Drawing],
    *,
    name: str,
    command: str,
    notes: Sequence[str] = (),
) -> str:
    """Return a report on a sweep as a page.

    Parameters
    ----------
    sweep : StoredSweep
    drawings : sequence of Drawing
    name : str
        What to call the sweep if its scenario has no title.
    command : str
        What makes the page again.
    notes : sequence of str
        What the numbers alone do not tell.

    Returns
    -------
    str
        HTML without scripts and without any address of another host.
    """
    from cluster_sim import __version__

    style = package_text("cluster_sim.views", "report.css")
    return fill(
        package_text("cluster_sim.views", "report.html"),
        {
            "policy": content_policy(styles=[style]),
            "version": __version__,
            "title": sweep.points[0].scenario.title or name,
            "question": _question(sweep),
            "scenario": sweep_document(sweep.points),
            "command": command,
        },
        {
            "style": style,
            "answer": _answer(sweep, notes),
            "figures": figures(drawings),
            "theory": _theory(sweep),
            "versions": facts(_versions(sweep)),
        },
    )


def _question(sweep: StoredSweep) -> str:
    scenario, fields = sweep.points[0].scenario, sweep.fields
    varied = []
    for field, short in zip(fields, short_names(fields), strict=True):
        values = list(
            {repr(p.values.get(field)): p.values.get(field) for p in sweep.points}.values()
        )
        shown = ", ".join(_text(value) for value in values if value is not None)
        varied.append(f"{short} = {shown}")
    return (
        "How long do tasks take, and what does it depend on? "
        f"{scenario.cluster.servers:,} server{'' if scenario.cluster.servers == 1 else 's'}, "
        f"{len(sweep.points):,} point{'' if len(sweep.points) == 1 else 's'}"
        f"{': ' if varied else ''}{'; '.join(varied)}."
    )


def _answer(sweep: StoredSweep, notes: Sequence[str]) -> str:
    pairs = _pairs(sweep)
    sentences = list(_sentences(sweep, pairs)) or [
        f"{describe_values(point, sweep.fields) or outcome.policy}: a task takes "
        f"{outcome.mean_completion_time} slots."
        for point, outcome in _extremes(sweep)
    ]
    fields = sweep.fields
    head = [*short_names(fields), "runs", "completion time", *QUANTILES]
    head += [*(["ratio"] if pairs else []), "utilisation", "found"]
    rows = [
        [
            *(_text(point.values.get(field)) for field in fields),
            *_numbers(outcome),
            *([_ratio(pairs.get(point.id))] if pairs else []),
            f"{100 * outcome.over_replications(lambda r: r.utilisation).mean:.2f} %",
            outcome.stability.verdict,
        ]
        for point, outcome in zip(sweep.points, sweep.outcomes, strict=True)
    ]
    caption = (
        "Means with 95 % intervals, in slots. Quantiles are of the completion time."
        + (f" Ratios are to {_baseline(sweep)}, paired." if pairs else "")
        + " A mean of a point that is unstable says how long the run was, and nothing else."
    )
    paragraphs = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    remarks = "".join(f'<p class="muted">{html.escape(note)}</p>' for note in notes)
    return (
        paragraphs
        + table(caption, head if fields else ["point", *head], _named(rows, fields))
        + remarks
    )


def _named(rows: list[list[str]], fields: Sequence[str]) -> list[list[str]]:
    return rows if fields else [["the scenario", *row] for row in rows]


def _numbers(outcome: Outcome) -> list[str]:
    quantiles = [outcome.quantile(p).value for p in QUANTILES.values()]
    return [
        str(len(outcome.results)),
        str(outcome.mean_completion_time),
        *("-" if value is None else f"{value:,}" for value in quantiles),
    ]


def _ratio(difference: Difference | None) -> str:
    return "" if difference is None else str(difference.ratio)


def _extremes(sweep: StoredSweep) -> list[tuple[Point, Outcome]]:
    """Return the points with the shortest and the longest mean, of those that settle."""
    found = [
        (point, outcome)
        for point, outcome in zip(sweep.points, sweep.outcomes, strict=True)
        if outcome.stability.verdict != "unstable"
        and math.isfinite(outcome.mean_completion_time.mean)
    ]
    found.sort(key=lambda pair: pair[1].mean_completion_time.mean)
    return [found[0], found[-1]] if len(found) > 1 else found


def _baseline(sweep: StoredSweep) -> str:
    return str(sweep.points[0].values[_POLICY])


def _pairs(sweep: StoredSweep) -> dict[str, Difference]:
    """Return each point's difference from the first policy where all else is the same."""
    if len({p.values.get(_POLICY) for p in sweep.points}) < 2:
        return {}
    first, groups = _baseline(sweep), _groups(sweep)
    found = {}
    for group in groups.values():
        base = [outcome for point, outcome in group if point.values.get(_POLICY) == first]
        for point, outcome in group:
            # A pair is over the same slots.
            if base and outcome is not base[0] and outcome.warmup.slots == base[0].warmup.slots:
                (found[point.id],) = Comparison((base[0], outcome)).differences
    return found


def _groups(sweep: StoredSweep) -> dict[str, list[tuple[Point, Outcome]]]:
    """Return the points by their values but for the policy."""
    groups: dict[str, list[tuple[Point, Outcome]]] = {}
    for point, outcome in zip(sweep.points, sweep.outcomes, strict=True):
        rest = repr({k: v for k, v in point.values.items() if k != _POLICY})
        groups.setdefault(rest, []).append((point, outcome))
    return groups


def _sentences(sweep: StoredSweep, pairs: dict[str, Difference]) -> Iterator[str]:
    """Yield how each policy compares with the first, over the points where both settle."""
    unstable = {
        repr({k: v for k, v in point.values.items() if k != _POLICY})
        for point, outcome in zip(sweep.points, sweep.outcomes, strict=True)
        if outcome.stability.verdict == "unstable"
    }
    found: dict[str, list[tuple[Difference, Point]]] = {}
    others = [field for field in sweep.fields if field != _POLICY]
    for point in sweep.points:
        rest = repr({k: v for k, v in point.values.items() if k != _POLICY})
        if point.id in pairs:
            listed = found.setdefault(pairs[point.id].policy, [])
            if rest not in unstable and math.isfinite(pairs[point.id].ratio.mean):
                listed.append((pairs[point.id], point))
    for policy, listed in found.items():
        if not listed:
            yield f"{policy}: there is no point where both it and {_baseline(sweep)} settle."
            continue
        listed.sort(key=lambda pair: pair[0].ratio.mean)
        (low, at_low), (high, at_high) = listed[0], listed[-1]
        first = f"{low.ratio}{_where(at_low, others)}"
        last = f" to {high.ratio}{_where(at_high, others)}" if len(listed) > 1 else ""
        yield (
            f"Under {policy}, tasks take {first}{last} times as long as under {low.baseline}"
            f"{', over the points where both settle' if unstable else ''}."
        )


def _where(point: Point, fields: Sequence[str]) -> str:
    return f" ({describe_values(point, fields)})" if fields else ""


def _theory(sweep: StoredSweep) -> str:
    bounds = _bounds(sweep)
    rows: list[list[str]] = []
    reasons: dict[str, str] = {}
    for point, outcome in zip(sweep.points, sweep.outcomes, strict=True):
        expected = expected_verdict(outcome.prepared)
        reasons.setdefault(f"{outcome.policy}: {expected.partition(':')[0]}", expected)
        in_system = outcome.over_replications(lambda result: result.mean_in_system)
        bound = bounds.get(_system(point))
        rows.append(
            [
                describe_values(point, sweep.fields) or outcome.policy,
                f"{outcome.prepared.load:.4g}",
                f"{outcome.prepared.capacity.rate:.6g}",
                expected.partition(":")[0],
                str(outcome.stability.verdict),
                "-" if bound is None else f"{bound:.4g}",
                str(in_system),
            ]
        )
    caption = (
        "Capacity is the largest arrival rate that any scheduler sustains, in tasks per slot. The "
        "lower bound is that of Theorems 3 and 6, on the mean number of tasks in the queues that "
        "the paper sums, in its model (0 where the formula is negative); beside it all tasks in "
        "the system, as found."
    )
    head = ["point", "load", "capacity", "stable, expected", "found", "lower bound", "tasks"]
    return table(caption, head, rows) + facts(
        [(name.partition(":")[0], why) for name, why in reasons.items()]
    )


def _bounds(sweep: StoredSweep) -> dict[str, float]:
    """Return the lower bound of each system where one is defined."""
    from cluster_sim.scenario.task_types import list_types, report_of

    found: dict[str, float] = {}
    systems = {
        _system(point): outcome.prepared
        for point, outcome in zip(sweep.points, sweep.outcomes, strict=True)
    }
    for key, prepared in list(systems.items())[:_MOST_SYSTEMS]:
        bound = report_of(prepared, list_types(prepared)).heavy_traffic
        if bound is not None:
            found[key] = max(0.0, bound.lower_bound)
    return found


def _system(point: Point) -> str:
    """Return what the bounds depend on."""
    tables = point.scenario.as_dict()
    return repr([tables[name] for name in ("cluster", "service", "traffic")])


def _versions(sweep: StoredSweep) -> list[tuple[str, str]]:
    from cluster_sim import __version__

    of = ", ".join(sweep.versions)
    made = "" if sweep.versions == (__version__,) else f"; this page was made by {__version__}"
    runs = [len(outcome.results) for outcome in sweep.outcomes]
    n = f"{min(runs):,}" if min(runs) == max(runs) else f"{min(runs):,} to {max(runs):,}"
    return [
        ("cluster_sim", f"{of}{made}"),
        ("seed", ", ".join(dict.fromkeys(str(p.scenario.run.seed) for p in sweep.points))),
        ("replications", f"{n} a point"),
        ("engine", ", ".join(dict.fromkeys(outcome.engine for outcome in sweep.outcomes))),
        packages(),
    ]


def _text(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else format_value(value)
