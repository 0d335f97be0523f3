"""The page on figure 3, written from its rows: what is reproduced and what is not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cluster_sim.experiments.reproductions.figure_3_findings import (
    LOW_LOAD,
    SIMILAR,
    Finding,
    Shape,
    about_four_on_both,
    as_paper_on_both,
    findings,
    lines,
)
from cluster_sim.experiments.reproductions.figure_3_plan import (
    EVEN,
    HOT,
    OTHER_RIVAL,
    RIVAL,
    TRAFFICS,
    Part,
)
from cluster_sim.experiments.reproductions.figure_3_rows import Row, of_part
from cluster_sim.experiments.statistics import Estimate

__all__ = ["page"]

_SHAPES = {
    Shape.AS_PAPER: "about four",
    Shape.LARGER: "more than five",
    Shape.SMALLER: "from 1.1 to 3",
    Shape.NONE: "no improvement",
}


def page(rows: Sequence[Row], *, quick: bool = False, figure: str = "figure-3.svg") -> str:
    """Return the page, in Markdown.

    Parameters
    ----------
    rows : sequence of Row
    quick : bool
        Whether the rows are of a quick run; the page then says so.
    figure : str
        Where the figure is, seen from the page.

    Returns
    -------
    str
    """
    command = f"cluster-sim reproduce figure-3{' --quick' if quick else ''} -o reproduction"
    parts = [
        "# The paper's figure 3",
        _INTRODUCTION.format(command=command),
        "## What is reproduced, and what is not",
        _verdicts(rows),
        *_summary(rows),
        "## Mean completion times",
        f"![Completion time against load]({figure})",
        _TIMES,
        *(f"**{_capital(traffic)}**\n\n{_times(rows, traffic)}" for traffic in TRAFFICS),
        "## The readings",
        _READINGS.format(low=LOW_LOAD, similar=f"{SIMILAR:.0%}"),
        *_readings(rows),
        "## The number of servers",
        _servers_words(rows),
        _servers(rows),
        "## The threshold",
        _threshold_words(rows),
        _thresholds(rows),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_INTRODUCTION = """\
Section 6 of the paper compares `priority` with JSQ-MaxWeight on 1000 servers with $\\alpha = 1$ and
$\\gamma = 0.5$. Three replicas are drawn uniformly among all servers (evenly loaded), or with
probability 0.8 among the first 500 and else among the others (locally overloaded). It reports that
the two "have similar performance at low load", and that `priority` "achieves up to 4-fold
improvement over medium to high load", on both traffics. The paper gives the curves but no numbers,
and does not state the choices that {{doc}}`concepts/readings` names. This page says what comes out
under each of them.

The page is written by a program, from the results of one command:

<!-- not run: it takes some minutes; the tests run it with --quick and compare the verdicts -->
```console
$ {command}
```

It writes this text (`figure-3.md`), its figure, the numbers behind each table (`figure-3.csv`) and
the results of all replications (`figure-3.sqlite`). If it is stopped, the same command goes on
where it was. `--quick` takes a minute or so and has fewer loads and readings."""

_TIMES = """\
In slots, with 95 % intervals over replications. A plus marks runs whose backlog still grew when
they ended: their numbers depend on how long they were."""

_READINGS = """\
For each reading, the largest ratio of the completion times, the rival's over that of `priority`,
and the load where it is found. Then the ratio at low load, up to {low:g}; it is called similar
within {similar}. These are single runs of 1000 measured slots. The ratios hold to a percent or two;
a plus marks runs that had not settled, where a longer run may give a larger ratio. First one change
at a time, with two rivals. `maxweight` is MaxWeight without a common queue, of Xie, Yekkehkhany and
Lu (2016)."""


def _verdicts(rows: Sequence[Row]) -> str:
    body = [
        (
            line.case,
            line.quantity,
            f"{line.measured_words} {line.interval_words.replace('-', '')}".strip(),
            line.predicted,
            "" if line.verdict is None else f"**{line.verdict.value}**",
        )
        for line in lines(rows)
    ]
    return _table(("case", "claim", "measured", "expected", "verdict"), body)


def _summary(rows: Sequence[Row]) -> list[str]:
    """Return sentences on the default reading, and on the grid."""
    sentences = []
    for found in findings(rows, Part.FIGURE):
        start = "Similar" if found.is_similar_at_low_load else "Not similar"
        what = {
            Shape.AS_PAPER: f"and then up to {found.ratio_words} times as slow as `priority`",
            Shape.LARGER: f"and then up to {found.ratio_words} times as slow as `priority`: the "
            "improvement is there, and it is far more than four-fold",
            Shape.SMALLER: f"and then at most {found.ratio_words} times as slow as `priority`: an "
            "improvement, but a smaller one",
            Shape.NONE: f"and at most {found.ratio_words} times as slow at any load: no "
            "improvement to speak of",
        }[found.shape]
        sentences.append(
            f"- **{_capital(found.traffic)}**, default reading: JSQ-MaxWeight is "
            f"{start.lower()} at low load, {what}."
        )
    grid = findings(rows, Part.READINGS)
    for other in dict.fromkeys(found.other for found in grid):
        n = len({found.reading for found in grid if found.other == other})
        both, four = as_paper_on_both(grid, other), about_four_on_both(grid, other)
        which = f": {'; '.join(f'`{reading}`' for reading in both)}" if both else ""
        n_both = f"{len(both)} show" if len(both) > 1 else f"{len(both) or 'none'} shows"
        sentences.append(
            f"- Of {n} readings with `{other}` as the rival, {n_both} what the paper reports on "
            f"both traffics{which}.{_near(four, len(both))}"
        )
    return ["\n".join(sentences)]


def _near(four: dict[str, list[Finding]], n_as_paper: int) -> str:
    """Return how near the readings come that are about four on both traffics."""
    if len(four) == n_as_paper:
        return ""
    ratios = [each.largest.ratio for pair in four.values() for each in pair]
    low = [max(each.low_ratio for each in pair) for pair in four.values()]
    common = set.intersection(*(set(reading.split(", ")) for reading in four))
    shared = f" They have `{'`, `'.join(sorted(common))}` in common." if common else ""
    return (
        f" {len(four)} give {min(ratios):.2g} to {max(ratios):.2g} on both at high load, but the "
        f"rival is {min(low):.2g} to {max(low):.2g} times as slow at load {LOW_LOAD:g} already."
        f"{shared}"
    )


def _times(rows: Sequence[Row], traffic: str) -> str:
    body = [
        (
            f"{row.load:g}",
            _with_interval(row.time, row.time_ci95, row.n),
            _with_interval(row.other_time, row.other_time_ci95, row.n)
            + ("" if row.settled else " +"),
            str(row.ratio_estimate),
        )
        for row in of_part(rows, Part.FIGURE, traffic=traffic)
    ]
    return _table(("load", "priority", "JSQ-MaxWeight", "ratio"), body)


def _readings(rows: Sequence[Row]) -> Iterable[str]:
    found = findings(rows, Part.READINGS)
    for traffic in TRAFFICS:
        mine = [
            each for each in found if each.traffic == traffic and each.reading.count(" = ") <= 1
        ]
        names = dict.fromkeys(each.reading for each in mine)
        body = []
        for name in names:
            rivals = {each.other: each for each in mine if each.reading == name}
            cells = [_cell(rivals[other]) for other in (RIVAL, OTHER_RIVAL)]
            body.append((name, *cells))
        header = ("reading", f"{RIVAL} / priority", f"{OTHER_RIVAL} / priority")
        yield f"**{_capital(traffic)}**\n\n{_table(header, body)}"
    for other in (RIVAL, OTHER_RIVAL):
        yield from _grid([each for each in found if each.other == other])


def _cell(found: Finding) -> str:
    mark = "" if found.is_similar_at_low_load else " (not similar)"
    return f"{found.ratio_words} at {found.largest.load:g}; low {found.low_ratio:.3g}{mark}"


def _grid(found: Sequence[Finding]) -> Iterable[str]:
    n, other = len({each.reading for each in found}), found[0].other
    yield (
        f"All {n} readings with `{other}` as the rival: how many have a largest ratio of which "
        "size, and in brackets how many of these are similar at low load."
    )
    body = []
    for shape in (Shape.NONE, Shape.SMALLER, Shape.AS_PAPER, Shape.LARGER):
        cells = [_SHAPES[shape]]
        for traffic in TRAFFICS:
            mine = [each for each in found if (each.traffic, each.shape) == (traffic, shape)]
            n_similar = sum(each.is_similar_at_low_load for each in mine)
            cells.append(f"{len(mine)} ({n_similar})" if mine else "0")
        body.append(tuple(cells))
    yield _table(("largest ratio", *TRAFFICS), body)
    hot = {each.reading: each for each in found if each.traffic == HOT}
    near = [each for each in found if each.traffic == EVEN and each.shape is Shape.AS_PAPER]
    four = about_four_on_both(found, other)
    best = [each for each in near if each.reading in four]
    if not near:
        yield f"None of them gives about four on evenly loaded traffic with `{other}`."
        return
    yield (
        "Those that give about four on both traffics:"
        if best
        else "None gives about four on both traffics. Those that do on evenly loaded traffic:"
    )
    shown = [(each.reading, _cell(each), _cell(hot[each.reading])) for each in best or near]
    yield _table(("reading", *TRAFFICS), shown)


def _servers_words(rows: Sequence[Row]) -> str:
    found = of_part(rows, Part.SERVERS, traffic=HOT, other=RIVAL)
    crossing = next((row for row in found if row.ratio >= 4), None)
    first, last = found[0], found[-1]
    where = "" if crossing is None else f" It passes four below {crossing.servers} servers."
    return (
        f"At load 0.9 on the hot spot, the ratio for JSQ-MaxWeight is {first.ratio:.3g} with "
        f"{first.servers} servers and {last.ratio:.3g} with {last.servers}: it is no constant of "
        f"the two algorithms.{where} {{doc}}`concepts/four-fold` says why. Without a common queue "
        "it levels off."
    )


def _servers(rows: Sequence[Row]) -> str:
    columns = [(traffic, other) for traffic in TRAFFICS for other in (RIVAL, OTHER_RIVAL)]
    sizes = dict.fromkeys(row.servers for row in of_part(rows, Part.SERVERS))
    body = []
    for servers in sizes:
        cells = [f"{servers:,}"]
        for traffic, other in columns:
            found = of_part(rows, Part.SERVERS, traffic=traffic, other=other, servers=servers)
            cells.append(f"{found[0].ratio:.3g}{'' if found[0].settled else ' +'}")
        body.append(tuple(cells))
    return _table(("servers", *(f"{other}, {traffic}" for traffic, other in columns)), body)


def _threshold_words(rows: Sequence[Row]) -> str:
    found = of_part(rows, Part.THRESHOLD)
    better = [row for row in found if row.ratio < 0.99]
    start = (
        "Mean completion times of `priority` with other thresholds, in slots; the paper's is "
        r"$\alpha / \gamma = 2$. "
    )
    if not better:
        return start + "None of those tried is better by more than a percent at any of these loads."
    best = min(better, key=lambda row: row.ratio)
    return start + (
        f"It is not always the best: with {best.other}, at load {best.load:g} on {best.traffic} "
        f"traffic, tasks take {1 - best.ratio:.1%} less."
    )


def _thresholds(rows: Sequence[Row]) -> str:
    found = of_part(rows, Part.THRESHOLD)
    columns = list(dict.fromkeys((row.traffic, row.load) for row in found))
    names = dict.fromkeys(row.other for row in found)
    times: dict[str, list[str]] = {"2 (the paper's)": []}
    for traffic, load in columns:
        mine = of_part(rows, Part.THRESHOLD, traffic=traffic, load=load)
        times["2 (the paper's)"].append(f"{mine[0].time:.4g}")
        for row in mine:
            mark = "" if row.settled else " +"
            times.setdefault(row.other.partition("= ")[2], []).append(f"{row.other_time:.4g}{mark}")
    assert len(times) == len(names) + 1
    ordered = sorted(times.items(), key=lambda item: float(item[0].split()[0]))
    header = ("threshold", *(f"{traffic}, {load:g}" for traffic, load in columns))
    return _table(header, [(name, *cells) for name, cells in ordered])


def _with_interval(mean: float, ci95: float, n: int) -> str:
    return str(Estimate(mean, None if math.isnan(ci95) else ci95, n))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
