"""Figure 3: a plan that pairs every run, rows that keep their numbers, verdicts by rule."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from cluster_sim.errors import ClusterSimError
from cluster_sim.experiments.reproductions import figure_3, figure_3_plan
from cluster_sim.experiments.reproductions.figure_3_findings import (
    Shape,
    as_paper_on_both,
    finding,
    findings,
    lines,
)
from cluster_sim.experiments.reproductions.figure_3_page import page
from cluster_sim.experiments.reproductions.figure_3_plan import EVEN, HOT, Part, Size
from cluster_sim.experiments.reproductions.figure_3_rows import Row, of_part, read_rows, to_csv
from cluster_sim.experiments.reproductions.report import Verdict

DOCS = Path(__file__).resolve().parents[3] / "docs"
TINY = dataclasses.replace(
    figure_3_plan.quick(),
    loads=(0.3, 0.9),
    slots=60,
    slots_slow=60,
    replications=2,
    readings=((), (("tie_break", "index"),)),
    reading_loads=(0.3, 0.9),
    reading_slots=60,
    servers=(10, 100),
    thresholds=("0", "4"),
)


@pytest.mark.parametrize("size", [figure_3_plan.quick(), figure_3_plan.full()])
def test_every_case_is_paired(size: Size) -> None:
    """Each case has a baseline that meets the same tasks in the same slots."""
    cases = list(dict.fromkeys(size.cases()))
    for number, case in enumerate(cases):
        baseline = dataclasses.replace(case, policy="priority", threshold="auto")
        assert baseline in cases
        if number % 10:  # it takes a millisecond to build a scenario
            continue
        mine, theirs = (size.point(each).scenario for each in (case, baseline))
        assert (mine.run, mine.traffic) == (theirs.run, theirs.traffic)
        assert mine.reading == theirs.reading


def test_the_grid_is_every_combination_of_readings() -> None:
    """There are 2 * 2 * 3 * 2 * 3 readings, the default among them, none twice."""
    readings = figure_3_plan.full().readings
    assert len(set(readings)) == len(readings) == 72
    assert () in readings
    assert max(map(len, readings)) == 5


def test_the_figure_is_the_papers() -> None:
    """Both traffics and algorithms, 1000 servers, alpha = 1, gamma = 0.5, loads 0.1 to 0.99."""
    size = figure_3_plan.full()
    cases = [case for case in size.cases() if case.part is Part.FIGURE]
    assert {(case.traffic, case.policy) for case in cases} == {
        (traffic, policy) for traffic in (EVEN, HOT) for policy in ("priority", "jsq-maxweight")
    }
    assert (len(size.loads), size.loads[0], size.loads[-1]) == (12, 0.1, 0.99)
    scenario = size.point(next(case for case in cases if case.traffic == HOT)).scenario
    assert (scenario.cluster.servers, scenario.service.local, scenario.service.remote) == (
        1000,
        1.0,
        0.5,
    )
    hot = scenario.as_dict()["traffic"]
    assert (hot["hot_servers"], hot["hot_probability"], hot["replicas"]) == (500, 0.8, 3)
    assert scenario.run.precision == 0.01


def row(load: float, ratio: float, **values: object) -> Row:
    whole = {
        "part": "figure",
        "traffic": EVEN,
        "load": load,
        "servers": 1000,
        "reading": "default",
        "other": "jsq-maxweight",
        "n": 4,
        "time": 1.0,
        "time_ci95": 0.001,
        "other_time": ratio,
        "other_time_ci95": 0.002,
        "ratio": ratio,
        "ratio_ci95": math.nan,
        "settled": True,
    }
    return Row(**(whole | values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high", "shape", "is_as_paper"),
    [
        (1.0, 4.0, Shape.AS_PAPER, True),
        (1.2, 4.0, Shape.AS_PAPER, False),
        (0.85, 3.0, Shape.AS_PAPER, False),
        (1.0, 75.0, Shape.LARGER, False),
        (1.05, 2.0, Shape.SMALLER, False),
        (1.0, 0.93, Shape.NONE, False),
    ],
)
def test_shape_by_hand(low: float, high: float, shape: Shape, is_as_paper: bool) -> None:
    """Similar at low load and three to five above is what the paper reports; nothing else is."""
    found = finding([row(0.3, low), row(0.9, high)])
    assert (found.shape, found.is_as_paper) == (shape, is_as_paper)


def test_a_reading_must_show_it_on_both_traffics() -> None:
    """A reading counts if each of the two traffics shows what the paper reports."""
    rows = [
        row(load, ratio, part="readings", traffic=traffic, reading=reading)
        for reading, ratios in {"a": (4.0, 4.5), "b": (4.0, 60.0)}.items()
        for traffic, largest in zip((EVEN, HOT), ratios, strict=True)
        for load, ratio in ((0.3, 1.0), (0.9, largest))
    ]
    assert as_paper_on_both(findings(rows, Part.READINGS), "jsq-maxweight") == ["a"]
    assert as_paper_on_both(findings(rows, Part.READINGS), "maxweight") == []


def test_verdicts_by_hand() -> None:
    """Each claim has its verdict: similar, faster, by about four."""
    even = [row(0.1, 1.0), row(0.9, 0.95)]
    hot = [row(0.1, 1.0, traffic=HOT), row(0.9, 75.0, traffic=HOT, settled=False)]
    found = [(line.case, line.verdict) for line in lines([*even, *hot])]
    seen, not_seen = Verdict.SEEN, Verdict.NOT_SEEN
    assert found == [
        (EVEN, seen),
        (EVEN, not_seen),
        (EVEN, not_seen),
        (HOT, seen),
        (HOT, seen),
        (HOT, not_seen),
        ("all points of the figure", seen),
    ]
    assert "75+" in lines([*even, *hot])[4].measured_words


def test_rows_survive_their_file() -> None:
    """What is read is what was written, nan included."""
    rows = [row(0.1, 1.25), row(0.9, 4.0, settled=False, ratio_ci95=0.5, other="threshold = inf")]
    assert repr(read_rows(to_csv(rows))) == repr(rows)


def test_a_run_is_resumed_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start finds everything in the store, and the page and the table are the same."""
    monkeypatch.setattr(figure_3_plan, "quick", lambda: TINY)
    told: list[tuple[int, int]] = []
    first = figure_3.run(
        quick=True,
        directory=tmp_path,
        workers=1,
        progress=lambda _, done, n: told.append((done, n)),
    )
    texts = {path.name: path.read_bytes() for path in first.files if path.suffix != ".sqlite"}
    assert set(texts) == {"figure-3.csv", "figure-3.md"}
    assert told[-1][0] == told[-1][1]
    again: list[tuple[int, int]] = []
    second = figure_3.run(
        quick=True, directory=tmp_path, progress=lambda _, done, n: again.append((done, n))
    )
    assert again == []
    assert second.as_dict() == first.as_dict()
    assert {p.name: p.read_bytes() for p in second.files if p.suffix != ".sqlite"} == texts
    assert len(first.panels) == 4
    rows = read_rows(texts["figure-3.csv"].decode())
    assert len(of_part(rows, Part.FIGURE)) == 4
    # The system is in two parts; the figure's replications are there for both.
    assert all(r.n == 2 for r in of_part(rows, Part.FIGURE))


def test_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replication that fails ends the reproduction with its reason."""
    monkeypatch.setattr(figure_3_plan, "quick", lambda: TINY)
    monkeypatch.setattr(
        "cluster_sim.experiments.tasks._simulate", lambda *_: (_ for _ in ()).throw(ValueError("x"))
    )
    with pytest.raises(ClusterSimError, match=r"a replication failed: .*x"):
        figure_3.run(quick=True, workers=1)


def test_the_page_of_the_docs_is_written_from_its_table(pytestconfig: pytest.Config) -> None:
    """docs/reproduction.md is what the program makes of docs/reproduction/figure-3.csv.

    ``--update-docs`` writes it.
    """
    rows = read_rows((DOCS / "reproduction" / "figure-3.csv").read_text(encoding="utf-8"))
    text = page(rows, figure="reproduction/figure-3.svg")
    if pytestconfig.getoption("--update-docs"):
        (DOCS / "reproduction.md").write_text(text, encoding="utf-8")
    assert (DOCS / "reproduction.md").read_text(encoding="utf-8") == text


@pytest.mark.slow
def test_a_quick_run_has_the_verdicts_of_the_docs() -> None:
    """The verdicts on the paper's claims are those of the page, though the runs are short."""
    rows = read_rows((DOCS / "reproduction" / "figure-3.csv").read_text(encoding="utf-8"))
    written = [(x.case, x.quantity, x.verdict) for x in lines(rows) if not x.is_remark]
    quick = figure_3.run(quick=True).lines
    assert [(x.case, x.quantity, x.verdict) for x in quick if not x.is_remark] == written
