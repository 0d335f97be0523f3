"""What people see while they wait."""

from __future__ import annotations

import io
import re
import sys
import types
from typing import Any

import pytest

from cluster_sim.cli import progress
from cluster_sim.cli.progress import ProgressBar, RunsInRow
from cluster_sim.experiments.replications import PILOT_RUN
from cluster_sim.scenario import Run


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until the test moves it."""
    now = [100.0]
    fake = types.SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(progress, "time", fake)
    return now


def in_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    class ZMQInteractiveShell:
        pass

    shell = types.SimpleNamespace(get_ipython=ZMQInteractiveShell)
    monkeypatch.setitem(sys.modules, "IPython", shell)  # type: ignore[arg-type]


def test_a_terminal_gets_a_bar_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    """What was done before the bar began counts for the bar, not for the rate."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "120")
    with ProgressBar(100, unit="replications", n_before=40) as bar:
        clock[0] += 2
        bar.tell(50, "sweep")
        made: Any = bar._bar
        assert (made.tasks[0].completed, made.tasks[0].total) == (50, 100)
        bar.tell(60, "sweep", n_total=120)
        assert made.tasks[0].total == 120
    assert "replications" in stream.getvalue()


@pytest.mark.parametrize("is_quiet", [True, False])
def test_nobody_looks(monkeypatch: pytest.MonkeyPatch, clock: list[float], is_quiet: bool) -> None:
    """In a pipe, or where quiet is asked for, nothing is written."""
    stream = Terminal() if is_quiet else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with ProgressBar(100, is_quiet=is_quiet) as bar:
        clock[0] += 10
        bar.tell(1, "run")
    assert stream.getvalue() == ""


def test_a_short_run_needs_no_bar(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    """What will be over in a moment is not worth a bar."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with ProgressBar(100) as bar:
        clock[0] += 0.3
        bar.tell(90, "run")
    assert stream.getvalue() == ""


def test_a_notebook_gets_a_line(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    """Plain text that replaces itself, with rate and time left, and goes away at the end."""
    in_notebook(monkeypatch)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with ProgressBar(110, unit="replications", n_before=10) as bar:
        for n_done in (15, 20):
            clock[0] += 2
            bar.tell(n_done, "sweep")
        clock[0] += 0.01
        bar.tell(21, "sweep")  # too soon after the last
    first, second, *rest = [line for line in re.split("\r", stream.getvalue()) if line.strip()]
    assert first.strip() == "sweep 15/110 replications, 2.5/s, 0:00:38 left"
    assert second.strip() == "sweep 20/110 replications, 2.5/s, 0:00:36 left"
    assert rest == []
    assert stream.getvalue().endswith("\r")


def test_runs_in_a_row_count_slots() -> None:
    """A pilot comes first where the warm-up is to be found; replications follow."""
    row = RunsInRow(Run(slots=100, warmup=10, replications=3), 100)
    assert (row.n_slots, row.done(2, 50)) == (300, (250, "replication 3"))
    row = RunsInRow(Run(slots=100, replications=3), 100)
    assert row.n_slots == 400
    assert row.done(PILOT_RUN, 30) == (30, "pilot run")
    assert row.done(0, 30) == (130, "replication 1")
    assert row.done(50, 0)[0] == row.n_slots  # a round that a requested precision added
