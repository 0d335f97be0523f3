"""A sweep killed at any moment, as often as one likes, ends with the same file."""

from __future__ import annotations

import random
import resource
import signal
from pathlib import Path

import pytest

from cluster_sim.experiments.points import points
from cluster_sim.scenario import parse_scenario
from tests.experiments.sweeping import (
    SWEPT,
    contents,
    count,
    finished,
    start,
    wait_until,
    write_user_policy,
)


def swept(n_loads: int, slots: int, engine: str) -> str:
    """Return a sweep of ``2 n_loads`` points of one replication."""
    return (
        SWEPT.replace("[0.5, 0.7, 0.9]", f"{{ from = 0.3, to = 0.95, n = {n_loads} }}")
        .replace("slots = 60", f"slots = {slots}")
        .replace("replications = 2", "replications = 1")
        .replace('engine = "simpy"', f'engine = "{engine}"')
    )


def kill_and_finish(folder: Path, text: str, n_kills: int, *options: str) -> int:
    """Kill a sweep `n_kills` times while it makes progress, then finish it; return its results.

    The moments are drawn: soon after the results reach a drawn number. Every third kill comes
    earlier, at any time from the start of the process.
    """
    (folder / "s.toml").write_text(text)
    path, draw = folder / "r.sqlite", random.Random(20150426)
    n_total = len(points(parse_scenario(text)))
    command = ["s.toml", "-o", str(path), "--quiet", *options]
    n_killed = 0
    while n_killed < n_kills:
        process = start(*command, folder=folder)
        before = count(path)
        if n_killed % 3 == 2:
            wait_until(lambda: draw.random() < 0.01)
        else:
            step = (n_total - before) // (n_kills - n_killed + 1)
            wanted = before + draw.randint(1, max(step, 1))
            wait_until(lambda wanted=wanted: count(path) >= wanted, process)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        n_killed += 1
        assert before <= count(path) < n_total
    done = start(*command, folder=folder)
    _, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    return count(path)


def test_a_sweep_killed_a_few_times(tmp_path: Path) -> None:
    """Three kills of a small sweep leave the file of an uninterrupted one, byte for byte."""
    text = swept(15, 150, "simpy")
    assert kill_and_finish(tmp_path, text, 3, "--workers", "1") == 30
    listed = points(parse_scenario(text))
    assert contents(tmp_path / "r.sqlite") == finished(listed, tmp_path / "other.sqlite")


@pytest.mark.slow
def test_a_sweep_of_five_hundred_points_killed_twenty_times(tmp_path: Path) -> None:
    """Twenty-one kills of 500 points leave the file of an uninterrupted one, byte for byte."""
    pytest.importorskip("numba")
    text = swept(250, 800, "compiled")
    assert kill_and_finish(tmp_path, text, 21, "--workers", "2") == 500
    listed = points(parse_scenario(text))
    assert contents(tmp_path / "r.sqlite") == finished(listed, tmp_path / "other.sqlite")


@pytest.mark.slow
def test_killed_processes_leave_nobody_behind(tmp_path: Path) -> None:
    """When the sweep is killed, its worker processes end by themselves; the rest is as ever."""
    path = write_user_policy(tmp_path, file=swept(20, 1000, "simpy"))
    results = tmp_path / "r.sqlite"
    command = [path.name, "-o", str(results), "--workers", "2", "--quiet"]
    for _ in range(3):
        process = start(*command, folder=tmp_path)
        before = count(results)
        wait_until(lambda before=before: count(results) > before, process)
        children = workers_of(process.pid)
        assert len(children) >= 2
        process.send_signal(signal.SIGKILL)
        process.communicate()
        wait_until(lambda children=children: not any(map(is_running, children)))
    done = start(*command, folder=tmp_path)
    _, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    assert count(results) == 40


def workers_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell the children of a process")
    return [int(child) for child in children.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.slow
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """No room for the file to grow: status 1, the remedy, and nothing lost."""
    text = swept(30, 60, "simpy")
    (tmp_path / "s.toml").write_text(text)
    path = tmp_path / "r.sqlite"

    def leave_little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    command = ["s.toml", "-o", str(path), "--quiet", "--workers", "1"]
    process = start(*command, folder=tmp_path, preexec_fn=leave_little_room)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, ""), err
    assert "cannot be written any more" in err
    assert "start again, only what is missing is run" in err
    assert "Traceback" not in err
    assert 0 < count(path) < 60
    done = start(*command, folder=tmp_path)
    _, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    listed = points(parse_scenario(text))
    assert contents(path) == finished(listed, tmp_path / "other.sqlite")
