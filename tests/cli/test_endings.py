"""Every way out of a command has its exit status and its message, and none a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cluster_sim.emulator.emulator import simulate
from cluster_sim.experiments import replications
from cluster_sim.experiments.engines import Engine
from cluster_sim.scenario.build import Prepared
from tests.cli.shell import SCENARIO, call, start

ENDLESS = SCENARIO.replace("slots = 60", "slots = 2000").replace(
    "replications = 2", "replications = 1000000"
)


def interrupt_when(process: subprocess.Popen[str], folder: Path, pattern: str) -> float:
    """Press Ctrl-C once a file appears; return the seconds until the process has ended."""
    deadline = time.monotonic() + 60
    while not list(folder.glob(pattern)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the run never began"
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    pressed = time.monotonic()
    process.wait(60)
    return time.monotonic() - pressed


def test_ctrl_c_reports_what_is_finished(folder: Path) -> None:
    """An interrupt ends a run at once; the finished replications are reported, with status 130."""
    (folder / "six.toml").write_text(ENDLESS)
    process = start("run", "six.toml", "--json", "--events", "e.csv", folder=folder)
    seconds = interrupt_when(process, folder, "e.csv")  # there when the first replication has ended
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert seconds < 5
    found = json.loads(out)
    assert found["complete"] is False
    assert 1 <= found["replications"] < 1000000
    assert f"interrupted: {found['replications']} of 1000000 replications were finished" in err
    assert "Traceback" not in err


def test_ctrl_c_with_nothing_finished_says_so(folder: Path) -> None:
    """An interrupt in the first replication leaves standard output empty."""
    (folder / "six.toml").write_text(ENDLESS.replace("slots = 2000", "slots = 2000000000"))
    process = start("run", "six.toml", "--json", "--events", "e.csv", folder=folder)
    seconds = interrupt_when(process, folder, ".*.part")
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert seconds < 5
    assert err.strip() == "cluster-sim: interrupted: nothing was finished, nothing to report"
    assert not list(folder.glob(".*.part"))


def interrupted_after(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the n-th replication from now on be interrupted as it begins."""
    calls = iter(range(1_000_000))

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if next(calls) >= n:
            raise KeyboardInterrupt
        return simulate(*args, **kwargs)

    engine = Engine("simpy", interrupted, runs_in_threads=False)
    monkeypatch.setattr(replications, "choose_engine", lambda *_: engine)


@pytest.mark.parametrize(
    ("n", "finished"), [(1, {"priority": 1}), (2, {"priority": 2}), (3, {"priority": 2, "fifo": 1})]
)
def test_interrupted_comparison_stops(
    folder: Path, monkeypatch: pytest.MonkeyPatch, n: int, finished: dict[str, int]
) -> None:
    """No further policy is run after an interrupt, and what was finished is kept."""
    interrupted_after(n, monkeypatch)
    result = call("compare", "six.toml", "--json", "--policies", "priority,fifo")
    assert result.status == 130
    found = result.json
    assert found["complete"] is False
    counts = [entry["replications"] for entry in found["results"]]
    assert dict(zip(found["policies"], counts, strict=True)) == finished
    assert "interrupted: the numbers are of what was finished" in result.err


def test_interrupted_readings_keep_the_finished_rows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of readings is cut after the row that was interrupted."""
    interrupted_after(9, monkeypatch)
    result = call("compare", "six.toml", "--readings")
    assert result.status == 130
    rows = result.out.splitlines()[6:]
    assert [row.split("  ")[0] for row in rows] == [
        "default",
        "queue_length = waiting",
        "routing_view = slot-start",
    ]


def test_interrupted_table_says_how_far_it_came(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy of which replications are missing is marked in the table."""
    interrupted_after(3, monkeypatch)
    assert "jsq-maxweight (1 of 2)" in call("compare", "six.toml").out


def test_interrupt_before_anything_is_finished(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing to report, the comparison says so."""
    interrupted_after(0, monkeypatch)
    result = call("compare", "six.toml", "--readings", "--json")
    assert (result.status, result.out) == (130, "")
    assert "nothing was finished" in result.err


def failing(error: BaseException) -> Any:
    def run(prepared: Prepared, **options: Any) -> NoReturn:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "not enough memory; lower cluster.servers, traffic.chunks"),
        (MemoryError("8 GiB"), "not enough memory (8 GiB); lower"),
        (KeyError("x"), "this is a bug in cluster_sim: KeyError: 'x'; please report it"),
        (AssertionError(), "this is a bug in cluster_sim: AssertionError; please report it"),
        (RecursionError("deep"), "this is a bug in cluster_sim: RecursionError: deep"),
        (OSError(28, "No space left on device"), "No space left on device; free the disk"),
        (OSError(5, "I/O error", "a.csv"), "a.csv: I/O error; free the disk"),
    ],
)
def test_unforeseen_failure_is_a_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, message: str
) -> None:
    """What nobody foresaw ends with status 1 and a message; ``--debug`` adds the traceback."""
    # Raised where the command calls the library: the frames of this file are not the user's code.
    monkeypatch.setattr("cluster_sim.cli.endings._foreign_place", lambda trace: None)
    monkeypatch.setattr(replications, "run", failing(error))
    result = call("run", "six.toml", "--json")
    assert (result.status, result.out) == (1, "")
    assert message in result.err
    assert "Traceback" not in result.err
    assert "Traceback" in call("run", "six.toml", "--debug").err


def test_reader_that_leaves_is_no_error(folder: Path) -> None:
    """A closed pipe, as after ``| head``, ends the command in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    process = start("check", "--schema", folder=folder, stdout=writing)
    os.close(writing)
    assert process.communicate()[1] == ""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_told(folder: Path) -> None:
    """Output that cannot be written is an error, not a silent loss."""
    with Path("/dev/full").open("w") as full:
        process = start("cite", folder=folder, stdout=full)
        err = process.communicate()[1]
    assert process.returncode == 1
    assert err.startswith("cluster-sim: cannot write: No space left on device; free the disk")
    assert err.count("\n") == 1


def test_plain_terminals_get_plain_text(folder: Path) -> None:
    """Where the encoding has no ± the table has +/-, and nothing fails."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = start(
        "run", "six.toml", folder=folder, env=environment | {"PYTHONIOENCODING": "ascii"}
    )
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert " +/- " in out


def test_incomplete_outcome_is_marked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was interrupted between replications reports the others and ends with 130."""
    interrupted_after(1, monkeypatch)
    result = call("run", "six.toml")
    assert result.status == 130
    assert "1 replication of 60 slots" in result.out
    assert "interrupted: 1 of 2 replications were finished" in result.err
