"""Every shipped script runs, in a short form, and prints what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cluster_sim import policies
from tests.scenarios.shipped import FOLDER, ROOT, SCRIPTS

SHORT = {
    "threshold_sweep": ("--slots", "200", "--servers", "20", "--loads", "0.5,0.9"),
    "own_policy": ("--slots", "300"),
    "queue_per_type": ("--servers", "10,40", "--slots", "60"),
    "four_fold": ("--slots", "100", "--servers", "20", "--loads", "0.9"),
    "league": ("--policies", "priority,balanced-pandas,fifo", "--slots", "300", "--load", "0.8"),
    "make_small_trace": ("--help",),  # tests/traces/test_small_trace.py runs it
}


def run_script(name: str, *arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_every_script_is_run() -> None:
    """A new script needs a short form here."""
    assert {script.stem for script in SCRIPTS} == set(SHORT)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_importing_a_script_runs_nothing(script: Path) -> None:
    """Scripts have a main guard and say in their docstring how to run them."""
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env python3\n")
    assert 'if __name__ == "__main__":\n' in text
    assert f"\n    python {script.name}" in text
    assert os.access(script, os.X_OK)


def test_league(tmp_path: Path) -> None:
    """A row a policy, the best first; FIFO, blind to locality, cannot carry the load anywhere."""
    header, *rows = run_script("league", *SHORT["league"], folder=tmp_path).splitlines()
    assert re.split(r" {2,}", header) == [
        *("policy", "even", "hot spot", "zipf", "trace", "three tiers", "over the best"),
    ]
    scores = [float(row.split()[-1]) for row in rows]
    assert scores == sorted(scores)
    assert min(scores) >= 1.0
    last = re.split(r" {2,}", rows[-1])
    assert last[0] == "fifo"
    assert all(cell.rstrip().endswith("+") for cell in last[1:-1])


@pytest.mark.parametrize("name", ["league.txt", "league_facebook.txt"])
def test_the_page_shows_the_recorded_league(name: str) -> None:
    """The tables of "Choosing a scheduler" are the recorded ones, with a row for every policy."""
    page = (ROOT / "docs/how-to/choosing-a-scheduler.md").read_text(encoding="utf-8")
    recorded = (FOLDER / name).read_text(encoding="utf-8")
    assert f"```text\n{recorded}```" in page
    rows = recorded.splitlines()[1:]
    assert {row.split()[0] for row in rows} == set(policies.names(None))


def test_threshold_sweep(tmp_path: Path) -> None:
    """One row for each threshold; in each column one least value or more is marked."""
    lines = run_script("threshold_sweep", *SHORT["threshold_sweep"], folder=tmp_path).splitlines()
    (header,) = (i for i, line in enumerate(lines) if line.startswith("threshold"))
    rows = [line.split() for line in lines[header + 1 :]]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4", "6", "10", "inf"]
    for column in zip(*(row[1:] for row in rows), strict=True):
        values = [float(cell.rstrip("*")) for cell in column]
        assert [cell.endswith("*") for cell in column] == [v == min(values) for v in values]


def test_own_policy(tmp_path: Path) -> None:
    """The policy keeps the laws, and fewer probes make it slower than the paper's."""
    shown = run_script("own_policy", *SHORT["own_policy"], folder=tmp_path)
    assert "FewProbes(probes=2) keeps the laws." in shown
    times = {
        name: float(re.search(rf"^{name} +([\d.]+)", shown, re.M)[1])
        for name in ("priority", "few-probes")
    }
    assert times["few-probes"] > times["priority"]


def test_own_policy_in_a_scenario(tmp_path: Path) -> None:
    """A scenario beside the script names the policy as its docstring says."""
    (tmp_path / "own_policy.py").write_text((FOLDER / "own_policy.py").read_text())
    text = (FOLDER / "locally-overloaded-small.toml").read_text()
    old = 'policy = "priority"'
    assert old in text
    new = 'policy = "own_policy:FewProbes"\nprobes = 2'
    (tmp_path / "mine.toml").write_text(text.replace(old, new))
    done = subprocess.run(
        [sys.executable, "-m", "cluster_sim", "check", tmp_path / "mine.toml"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "own_policy:FewProbes (probes = 2)" in done.stdout


def test_queue_per_type(tmp_path: Path) -> None:
    """The types are C(M, 3), few have a waiting task, and thresholds on them fail a hot spot."""
    shown = run_script("queue_per_type", *SHORT["queue_per_type"], folder=tmp_path)
    _, counted, _, even, _, hotspot = shown.split("\n\n")
    rows = [re.split("  +", line.strip()) for line in counted.splitlines()]
    assert rows[0] == ["servers", "types", "lengths", "non-empty", "queues", "per queue"]
    assert [row[:3] for row in rows[1:]] == [["10", "120", "960 B"], ["40", "9,880", "79 kB"]]
    assert all(0 < int(row[3]) <= 120 for row in rows[1:])
    assert all(float(row[5]) >= 1 for row in rows[1:])
    for table, is_hot in ((even, False), (hotspot, True)):
        heads, _, cells = (line.split() for line in table.splitlines())
        times = dict(zip(heads, map(float, cells), strict=True))
        assert (times["squillante"] > 2 * times["priority"]) is is_hot
        assert (times["bell-williams"] > 2 * times["priority"]) is is_hot
        assert times["maxweight-types"] < 2 * times["priority"]
