"""``cluster-sim sweep`` as a user meets it."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import pytest

from cluster_sim.errors import StorageError
from cluster_sim.experiments import tasks
from cluster_sim.experiments.store import Store
from tests.cli.shell import call, start
from tests.experiments.sweeping import (
    SWEPT,
    contents,
    count,
    finished,
    points_of,
    wait_until,
    write_user_policy,
)

ENDLESS = SWEPT.replace("replications = 2", "replications = 1000").replace(
    "slots = 60", "slots = 2000"
)


@pytest.fixture
def file(folder: Path) -> Path:
    """The small sweep in the current directory."""
    path = folder / "swept.toml"
    path.write_text(SWEPT)
    return path


def test_a_row_a_point(file: Path) -> None:
    """The table has the swept fields by their short names, and a verdict on each point."""
    done = call("sweep", "swept.toml", "--workers", "1")
    assert done.status == 0, done.err
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == "Six servers"
    assert lines[1].startswith("6 points; 12 replications in ")
    assert lines[1].endswith("results in swept.sqlite")
    header = next(line for line in lines if "policy" in line).split()
    assert header[:2] == ["load", "policy"]
    assert sum(line.endswith(("stable", "undecided")) for line in lines) == 6
    assert {path.name for path in file.parent.glob("swept.*")} == {"swept.toml", "swept.sqlite"}


def test_a_second_start_says_that_nothing_was_missing(file: Path) -> None:
    """Run again, the same table comes from the file."""
    first = call("sweep", "swept.toml", "--workers", "1")
    second = call("sweep", "swept.toml", "--workers", "1")
    assert "nothing was run: 12 of 12 replications were there" in second.out
    assert second.out.splitlines()[3:] == first.out.splitlines()[3:]


def test_json_is_one_object(file: Path) -> None:
    """Standard output is one object, with a point for each row."""
    done = call("sweep", "swept.toml", "--json", "--workers", "1", "-o", "r.sqlite")
    assert (done.status, done.err) == (0, "")
    found = done.json
    assert (found["results"], found["complete"]) == ("r.sqlite", True)
    assert found["replications"] == {"wanted": 12, "done": 12, "failed": 0, "run_now": 12}
    assert [point["values"]["traffic.load"] for point in found["points"]] == [
        0.5,
        0.5,
        0.7,
        0.7,
        0.9,
        0.9,
    ]
    assert all(point["mean_completion_time"] >= 1 for point in found["points"])
    assert all(point["stable"]["reason"] for point in found["points"])
    assert call("sweep", "swept.toml", "--json", "--status", "-o", "r.sqlite").json == (
        found | {"replications": found["replications"] | {"run_now": 0}}
    )


def test_status_runs_nothing(file: Path) -> None:
    """It shows what is there of what is wanted; before the first start there is nothing to show."""
    before = call("sweep", "swept.toml", "--status")
    assert (before.status, before.out) == (2, "")
    assert "swept.sqlite: no such file; start the sweep first" in before.err
    call("sweep", "swept.toml", "--workers", "1", "--quiet")
    done = call("sweep", "swept.toml", "--status", "--replications", "3")
    assert done.status == 0
    assert "12 of 18 replications are there" in done.out


def test_more_replications_are_added(file: Path) -> None:
    """``--replications`` runs those that are missing and says how many were there."""
    call("sweep", "swept.toml", "--workers", "1")
    done = call("sweep", "swept.toml", "--workers", "1", "--replications", "3")
    assert "6 replications in" in done.out
    assert "12 were there" in done.out


def test_what_is_set_is_not_swept(file: Path) -> None:
    """``--set`` of a swept field leaves one value of it; old points are explained in a note."""
    call("sweep", "swept.toml", "--workers", "1")
    done = call("sweep", "swept.toml", "--workers", "1", "--set", "traffic.load=0.8")
    assert done.out.splitlines()[1].startswith("2 points")
    assert "note: swept.sqlite also holds 6 points that this sweep does not have" in done.err
    assert "differs in traffic.load (0.9 there, 0.8 here)" in done.err


def test_export_beside_the_table(file: Path) -> None:
    """A row a replication goes to a file."""
    done = call("sweep", "swept.toml", "--workers", "1", "--export", "out.csv")
    assert done.status == 0
    with open("out.csv", newline="") as rows:  # noqa: PTH123
        assert len(list(csv.DictReader(rows))) == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "swept.toml"], "-o swept.toml: would overwrite the scenario swept.toml"),
        (["--export", "swept.toml"], "--export swept.toml: would overwrite the scenario"),
        (["--export", "swept.sqlite"], "--export swept.sqlite: would overwrite the file of -o"),
        (["--export", "out.txt"], "--export out.txt: the name must end in .csv or .parquet"),
        (["--workers", "0"], "--workers 0: must be at least 1"),
        (["--cluster", "here"], "--cluster here: must be the address of a Dask scheduler"),
        (["-o", "."], ".: is a folder; name a file in it, such as ./results.sqlite"),
        (["-o", "six.toml"], "six.toml: is not a results file (it is not SQLite)"),
        (["--set", "sweep.traffic.lod=[1]"], "unknown field. Did you mean 'load'?"),
        (["--replications", "0"], "run.replications"),
    ],
)
def test_wrong_requests(file: Path, arguments: list[str], message: str) -> None:
    """What cannot be is refused before anything runs, with status 2."""
    done = call("sweep", "swept.toml", *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert not Path("swept.sqlite").exists() or Path("swept.sqlite").stat().st_size


def test_standard_input_needs_a_name_for_its_results(file: Path) -> None:
    """A scenario that is piped in has no name to take the results' from."""
    done = call("sweep", "-", stdin=SWEPT.encode())
    assert done.status == 2
    assert "-o: name the results file" in done.err
    done = call("sweep", "-", "-o", "r.sqlite", "--workers", "1", stdin=SWEPT.encode())
    assert done.status == 0


def test_two_sweeps_on_one_file(file: Path) -> None:
    """The second one is refused, and the first not disturbed."""
    with Store("swept.sqlite"):
        done = call("sweep", "swept.toml")
    assert done.status == 2
    assert "swept.sqlite: another sweep writes to it (process " in done.err


def test_the_other_commands_leave_the_sweep_aside(file: Path) -> None:
    """``run``, ``compare`` and ``check`` take the scenario itself, and still check the table."""
    done = call("run", "swept.toml", "--json")
    assert done.status == 0
    assert "sweep" not in done.json["scenario"]
    assert done.json["load"] == pytest.approx(0.5)
    assert call("compare", "swept.toml", "--policies", "priority,fifo").status == 0
    assert call("check", "swept.toml").status == 0
    file.write_text(SWEPT.replace("0.9]", "99]"))
    for command in ("run", "compare", "check", "sweep"):
        wrong = call(command, "swept.toml")
        assert wrong.status == 2
        assert 'swept.toml:25: [sweep] "traffic.load"[2] = 99: must be' in wrong.err


def test_a_file_without_a_sweep_is_one_point(folder: Path) -> None:
    """A scenario alone can be run so too: kept, and continued."""
    done = call("sweep", "six.toml")
    assert done.status == 0
    assert "1 point; 2 replications in" in done.out


def test_failures_end_with_status_1(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are shown, the failed ones listed with seed and replication."""
    prepare = tasks._prepare

    def prepare_or_not(task: tasks.Task) -> object:
        if task.scenario["scheduler"]["policy"] == "fifo":
            raise ZeroDivisionError("no")
        return prepare(task)

    tasks._READY._kept.clear()
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_prepare", prepare_or_not)
        done = call("sweep", "swept.toml", "--workers", "1")
    tasks._READY._kept.clear()
    assert done.status == 1
    lines = done.err.splitlines()
    assert lines[0] == (
        "cluster-sim: 6 replications failed; start the sweep again to try them again:"
    )
    assert lines[1] == (
        '  traffic.load = 0.5, scheduler.policy = "fifo", replication 0, seed 7: '
        "ZeroDivisionError: no (and 5 more like it)"
    )
    assert len(lines) == 2
    again = call("sweep", "swept.toml", "--workers", "1")
    assert (again.status, again.err) == (0, "")
    assert "6 replications in" in again.out


def test_a_policy_beside_the_scenario(folder: Path) -> None:
    """The user's module is found from another folder."""
    inner = folder / "inner"
    inner.mkdir()
    write_user_policy(inner)
    done = call("sweep", "inner/mine.toml", "--workers", "1", "--json")
    assert done.status == 0, done.err
    assert contents(folder / "mine.sqlite") == finished(
        points_of(inner / "mine.toml"), folder / "other.sqlite"
    )


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_ctrl_c_keeps_what_is_finished(folder: Path, workers: str) -> None:
    """An interrupt ends at once with status 130 and what is there; the next start goes on."""
    (folder / "swept.toml").write_text(ENDLESS)
    results = folder / "swept.sqlite"
    process = start("sweep", "swept.toml", "--json", "--workers", workers, folder=folder)
    wait_until(lambda: count(results) > 3, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    found = json.loads(out)
    assert found["complete"] is False
    assert 3 < found["replications"]["done"] == count(results) < 6000
    assert "Traceback" not in err
    assert "interrupted: " in err
    assert "replications are kept; start the sweep again for the others" in err
    assert not (folder / "swept.sqlite.lock").exists()


def test_nothing_is_written_to_a_full_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full is the machine's failure, not the request's: status 1."""

    def refuse(self: Store, reports: object) -> None:
        raise StorageError("swept.sqlite: cannot be written any more")

    monkeypatch.setattr(Store, "add", refuse)
    done = call("sweep", "swept.toml", "--workers", "1")
    assert (done.status, done.out) == (1, "")
    assert "the run failed: swept.sqlite: cannot be written any more" in done.err
