"""``report`` of a results file: what a sweep found, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_sim.experiments.points import points
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.stored import stored_sweep
from cluster_sim.scenario import parse_scenario
from tests.cli.shell import SCENARIO, call
from tests.views.html_checks import Checked, check_page

pytest.importorskip("matplotlib")

SWEEP = (
    '\n[sweep]\n"traffic.load" = [0.5, 0.9, 1.1]\n"scheduler.policy" = ["priority", "maxweight"]\n'
)


@pytest.fixture
def swept(folder: Path) -> Path:
    """A finished sweep of the scenario, in ``six.sqlite``."""
    (folder / "six.toml").write_text(SCENARIO + SWEEP)
    assert call("sweep", "six.toml", "--workers", "1", "--quiet").status == 0
    return folder


def page_of(folder: Path, *arguments: str) -> Checked:
    done = call("report", "six.sqlite", *arguments)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("report.html: ")
    return check_page((folder / "report.html").read_text())


def test_the_page_has_question_answer_figure_theory_and_repetition(swept: Path) -> None:
    """Every mean with its interval, the paired ratio, verdicts, seed, version, and a figure."""
    page = page_of(swept)
    words = " ".join(page.words)
    with Store("six.sqlite", read_only=True) as store:
        sweep = stored_sweep(store)
    for outcome in sweep.outcomes:
        assert str(outcome.mean_completion_time) in words
    assert "load = 0.5, 0.9, 1.1; policy = priority, maxweight" in words
    assert "times as long as under priority, over the points where both settle." in words
    assert "unstable under any policy: the load, 1.1, is not below 1" in words
    assert "two tiers (Theorems 1, 5, 8)" in words
    assert "At and beyond capacity they only say how long the runs were." in words
    assert "cluster-sim report six.sqlite -o report.html" in words
    assert page.text.count("<svg ") == 1


def test_the_scenario_on_the_page_gives_the_same_points(swept: Path) -> None:
    """What the page shows can be saved and swept: nothing is missing then."""
    page = page_of(swept)
    (text,) = [words for words in page.words if words.startswith('title = "Six servers"')]
    listed = points(parse_scenario(text))
    with Store("six.sqlite", read_only=True) as store:
        assert {p.id for p in listed} == {p.id for p in stored_sweep(store).points}
        assert all(len(rows) == 2 for rows in store.rows(listed).values())


def test_what_is_there_and_not_shown_is_said(swept: Path) -> None:
    """Points of another sweep, and points without results."""
    given = ["--workers", "1", "--quiet", "--set", "traffic.load=0.6"]
    assert call("sweep", "six.toml", *given).status == 0
    words = " ".join(page_of(swept).words)
    assert "six.sqlite also holds 6 other points, of earlier sweeps; not shown here." in words
    with Store("six.sqlite") as store:
        store.register(points(parse_scenario(SCENARIO + SWEEP.replace("0.5", "0.4"))))
    words = " ".join(page_of(swept).words)
    assert "2 of 6 points have no results yet" in words


def test_a_single_point_is_a_sweep_too(folder: Path) -> None:
    """Without a [sweep] table there is one row and no comparison."""
    assert call("sweep", "six.toml", "--workers", "1", "--quiet").status == 0
    words = " ".join(page_of(folder).words)
    assert "6 servers, 1 point." in words
    assert "priority: a task takes" in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--policies fifo", "--policies: six.sqlite holds results, and nothing is run"),
        ("--set run.seed=2", "--set: six.sqlite holds results"),
        ("--engine simpy", "--engine: six.sqlite holds results"),
        ("-o r.txt", "is a page; end the name with .html"),
    ],
)
def test_wrong_requests_are_refused(swept: Path, arguments: str, message: str) -> None:
    """Status 2 and what to do; results are never changed by a report."""
    done = call("report", "six.sqlite", *arguments.split())
    assert done.status == 2
    assert message in done.err


def test_the_results_are_not_overwritten(swept: Path) -> None:
    """Not even where their name ends like a page's."""
    Path("six.sqlite").rename("six.html")
    done = call("report", "six.html", "-o", "six.html")
    assert done.status == 2
    assert "--output six.html: would overwrite the results" in done.err


def test_another_database_is_refused(folder: Path) -> None:
    """A file of SQLite that is no results file is told apart."""
    import sqlite3

    with sqlite3.connect("other.sqlite") as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    done = call("report", "other.sqlite")
    assert done.status == 2
    assert "is an SQLite file of another application" in done.err


def test_sweep_plots(swept: Path) -> None:
    """``--plot`` saves the figure, also of a sweep that is only looked at."""
    assert call("sweep", "six.toml", "--status", "--plot", "a.svg", "--quiet").status == 0
    text = Path("a.svg").read_text()
    for word in ("low load", "high load", "priority", "maxweight", "load, fraction of capacity"):
        assert word in text
    done = call("sweep", "six.toml", "--plot", "a.pdf")
    assert done.status == 2
    assert "a figure is saved as .svg or .png" in done.err
