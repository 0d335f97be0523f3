"""``replay``, ``report`` and ``export`` write what was asked for, or say what was wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.shell import OF_TRACE, SCENARIO, TRACE, call, change
from tests.views.html_checks import check_page


def test_a_replay_of_two_policies(folder: Path) -> None:
    """One file with both, of the slots asked for; what it says can be typed again."""
    result = call(
        "replay", "six.toml", "--policies", "priority,fifo", "--from", "20", "--slots", "30"
    )
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("replay.html: ")
    assert "slots 20 to 49" in result.out
    page = check_page((folder / "replay.html").read_text())
    meta = json.loads(page.data["meta"])
    assert (meta["first"], meta["slots"], meta["servers"]) == (20, 30, 6)
    assert [run["policy"] for run in meta["runs"]] == ["priority", "fifo"]
    command = meta["repeat"].split(": ", 1)[1].split()[1:]
    before = (folder / "replay.html").read_bytes()
    assert call(*command).status == 0
    assert (folder / "replay.html").read_bytes() == before


def test_a_replay_of_a_log_is_that_of_the_run(folder: Path) -> None:
    """But for numbers of replicas, which a log does not hold, both pages are the same run."""
    assert call("run", "six.toml", "--events", "events.csv.gz", "--quiet").status == 0
    assert call("replay", "six.toml", "--events", "events.csv.gz", "-o", "log.html").status == 0
    assert call("replay", "six.toml", "-o", "run.html").status == 0
    runs = []
    for name in ("log.html", "run.html"):
        page = check_page((folder / name).read_text())
        (about,) = json.loads(page.data["meta"])["runs"]
        kept = {stream for stream, _ in about["streams"]} - {"names", "replicas"}
        runs.append((about["tasks"], kept))
    assert runs[0] == runs[1]


def test_states_are_noted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that had to leave something out says so, on the terminal too."""
    monkeypatch.setattr("cluster_sim.views.replay.page.BUDGET", 10)
    result = call("replay", "six.toml")
    assert result.status == 0
    assert "note: the page does not hold which server took which task" in result.err
    assert call("replay", "six.toml", "--detail", "states").err == ""


def test_a_trace_can_be_replayed(folder: Path) -> None:
    """A trace knows how long it is."""
    (folder / "day.tsv").write_text(TRACE)
    (folder / "trace.toml").write_text(OF_TRACE.replace("slots = 60\n", ""))
    result = call("replay", "trace.toml", "--set", "run.warmup=0")
    assert result.status == 0, result.err
    assert "tasks, under priority" in result.out


def test_a_report_of_a_comparison(folder: Path) -> None:
    """The page holds both policies, figures, theory and the command."""
    pytest.importorskip("matplotlib")
    result = call("report", "six.toml", "--policies", "priority,fifo", "-o", "r.html")
    assert (result.status, result.err) == (0, "")
    page = check_page((folder / "r.html").read_text())
    words = " ".join(page.words)
    assert "cluster-sim report six.toml --policies priority,fifo" in words
    assert "helpers, beneficiaries and bounds are defined for two tiers only" in words
    assert page.text.count("<svg ") == 1


def test_a_report_of_one_policy_draws_the_decomposition(folder: Path) -> None:
    """With two tiers and below the capacity there is one."""
    pytest.importorskip("matplotlib")
    (folder / "two.toml").write_text(change("rack_local = 0.8\n", ""))
    assert call("report", "two.toml", "--set", "run.replications=1").status == 0
    page = check_page((folder / "report.html").read_text())
    assert page.text.count("<svg ") == 2
    assert "one replication" in page.text


@pytest.mark.parametrize(
    ("output", "kind"),
    [("t.json", "chrome-trace"), ("t.json.gz", "chrome-trace"), ("t.csv", "vidigi")],
)
def test_exports_are_named_by_their_suffix(folder: Path, output: str, kind: str) -> None:
    """Format, slots and tasks are told."""
    result = call("export", "six.toml", "-o", output, "--slots", "20")
    assert result.status == 0
    assert f", {kind}, slots 0 to 19, " in result.out
    assert (folder / output).stat().st_size > 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("replay none.toml", "none.toml: no such file"),
        ("replay six.toml --from 60", "--from 60: the run has slots 0 to 59; choose one of these"),
        ("replay six.toml --from 50 --slots 11", "--slots 11: from slot 50 the run has 10"),
        ("replay six.toml --slots 0", "--slots 0: from slot 0 the run has 60; choose 1 to 60"),
        ("replay six.toml -o a.txt", "--output a.txt: is a page; end the name with .html"),
        ("replay six.toml -o no/a.html", "--output no/a.html: there is no folder no; create it"),
        ("report six.toml -o dir.html", "--output dir.html: is a folder"),
        ("replay six.toml --policies fifo,fifo", "--policies fifo,fifo: names one twice"),
        ("report six.toml --policies fifo,fifo", "names one twice"),
        ("replay six.toml --policies fifo,prioritty", "Did you mean 'priority'?"),
        ("replay events.csv", "name the scenario it is of: cluster-sim replay SCENARIO --events"),
        ("replay six.toml --events no.csv", "no.csv: cannot be read (No such file"),
        ("replay six.toml --events a.csv --policies fifo,priority", "is the log of one policy"),
        ("replay six.toml --detail all", "'all'"),
        ("export six.toml -o a.txt", "--output a.txt: end the name as its format does"),
        ("export six.toml -o a.csv --format chrome-trace", "chrome-trace files end in .json or"),
        ("export six.toml -o no/a.csv", "there is no folder no"),
        (
            "replay six.toml --set run.slots=10000000 --slots 9000000",
            "6 servers with 3 tasks per slot are more than a recording can hold; choose --slots",
        ),
    ],
)
def test_wrong_requests_are_refused(folder: Path, arguments: str, message: str) -> None:
    """Status 2, what is wrong and what to do, no traceback, and no file."""
    (folder / "dir.html").mkdir()
    before = sorted(path.name for path in folder.iterdir())
    result = call(*arguments.split())
    assert result.status == 2
    assert message in result.err
    assert "Traceback" not in result.err
    assert sorted(path.name for path in folder.iterdir()) == before


def test_no_output_overwrites_an_input(folder: Path) -> None:
    """Not even where the scenario's name ends like a page's."""
    (folder / "six.html").write_text(SCENARIO)
    for command in ("replay", "report"):
        result = call(command, "six.html", "-o", "six.html")
        assert result.status == 2
        assert "would overwrite the scenario six.html" in result.err


def test_a_report_needs_matplotlib(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything runs; a replay needs none."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name, _package=None: None)
    result = call("report", "six.toml")
    assert result.status == 2
    assert "pip install 'cluster_sim[plot]'" in result.err
