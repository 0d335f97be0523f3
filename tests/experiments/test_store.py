"""A results file keeps what it was given, and refuses what it cannot keep apart."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

import cluster_sim
from cluster_sim import prepare, run
from cluster_sim.errors import ResultsError, StorageError
from cluster_sim.experiments.others import others
from cluster_sim.experiments.points import points
from cluster_sim.experiments.results_file import APPLICATION_ID, FILE_FORMAT
from cluster_sim.experiments.store import COLUMNS, Store
from cluster_sim.experiments.sweep import outcome, run_sweep
from tests.experiments.sweeping import contents, finished, points_of, scenario, write_user_policy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.sqlite"


@pytest.fixture
def full(path: Path) -> Path:
    """A finished file of the small sweep."""
    finished(points(scenario()), path)
    return path


def test_results_come_back_as_they_were(full: Path) -> None:
    """The results of a point are those of a run of its scenario, in order."""
    with Store(full, read_only=True) as store:
        for point in points(scenario()):
            expected = run(prepare(point.scenario))
            assert store.results(point) == list(expected.results)
            found = outcome(point, store)
            assert found is not None
            assert found.mean_completion_time == expected.mean_completion_time
            assert found.stability == expected.stability
            assert found.warmup.method == expected.warmup.method
            assert found.is_complete


def test_headlines_are_those_of_the_result(full: Path) -> None:
    """Each column says what the whole result says."""
    listed = points(scenario())
    with Store(full, read_only=True) as store:
        for point in listed:
            for row, result in zip(
                store.rows([point])[point.id], store.results(point), strict=True
            ):
                assert row.columns.keys() == set(COLUMNS)
                assert row.seed == 7
                for name in ("slots", "warmup", "n_arrivals", "n_completed", "n_in_system"):
                    assert row.columns[name] == getattr(result, name)
                for name in ("mean_completion_time", "mean_waiting_time", "utilisation"):
                    assert row.columns[name] == getattr(result, name)
                assert row.columns["p99"] == result.completion_times.quantile(0.99)


def test_any_tool_can_read_it(full: Path) -> None:
    """Plain SQL finds the swept fields beside the numbers."""
    connection = sqlite3.connect(full)
    query = (
        "SELECT json_extract(scenario, '$.traffic.load'), avg(mean_completion_time) "
        "FROM results JOIN points ON id = point_id GROUP BY 1 ORDER BY 1"
    )
    rows = connection.execute(query).fetchall()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    connection.close()
    assert [load for load, _ in rows] == [0.5, 0.7, 0.9]
    assert all(mean >= 1 for _, mean in rows)
    assert application == APPLICATION_ID


def test_nothing_measured_is_null_and_nan(path: Path) -> None:
    """A run in which nothing completed has no mean; the file says NULL and Python nan."""
    listed = points(scenario(traffic__rate=1e-9).without_sweep())
    finished(listed, path)
    with Store(path, read_only=True) as store:
        row, _ = store.rows(listed)[listed[0].id]
        assert np.isnan(row.columns["mean_completion_time"])
        assert row.columns["p99"] is None
    (null,) = sqlite3.connect(path).execute("SELECT mean_completion_time FROM results").fetchone()
    assert null is None


def test_large_seeds_fit(path: Path) -> None:
    """A seed may be larger than SQLite's integers."""
    listed = points(scenario(run__seed=2**64 - 1).without_sweep())
    finished(listed, path)
    with Store(path, read_only=True) as store:
        assert store.rows(listed)[listed[0].id][0].seed == 2**64 - 1


def test_one_writer_many_readers(full: Path) -> None:
    """A second sweep is refused while one writes; readers are not."""
    with Store(full):
        with pytest.raises(
            ResultsError, match=rf"another sweep writes to it \(process {os.getpid()}"
        ):
            Store(full)
        with Store(full, read_only=True) as reader:
            assert len(reader.identities()) == 6
    with Store(full):
        pass
    assert not list(full.parent.glob("*.lock"))


def test_a_lock_left_behind_by_a_kill_holds_nobody_up(full: Path) -> None:
    """What counts is that a process holds the lock, not that its file is there."""
    full.with_name("r.sqlite.lock").write_text("4711")
    with Store(full):
        pass


def test_versions_are_not_mixed(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another version is left as it is, and the message says why."""
    before = contents(full)
    monkeypatch.setattr(cluster_sim, "__version__", "99.0")
    with (
        Store(full) as store,
        pytest.raises(
            ResultsError, match=r"holds results of cluster_sim .*, and this is 99\.0; .* not mixed"
        ),
    ):
        run_sweep(points(scenario()), store, workers=1)
    assert contents(full) == before


def test_points_of_other_settings_are_kept_and_explained(full: Path) -> None:
    """Changed settings are other points; the file says in what the old ones differ."""
    listed = points(scenario(run__slots=50))
    with Store(full) as store:
        assert run_sweep(listed, store, workers=1).n_run == 12
        found = others(listed, store)
        assert others([*listed, *points(scenario())], store) is None
    assert found is not None
    assert (found.n, found.reasons) == (6, ("run.slots (60 there, 50 here)",))


def test_an_edited_policy_is_explained(tmp_path: Path, path: Path) -> None:
    """Results of the policy as it was are told from those of the policy as it is."""
    file = write_user_policy(tmp_path)
    listed = points_of(file)
    finished(listed, path)
    identity = listed[1].identity | {"sources": {"scheduler.policy": "of the edited file"}}
    edited = dataclasses.replace(listed[1], id="0" * 32, identity=identity)
    with Store(path, read_only=True) as store:
        found = others([edited], store)
    assert found is not None
    assert "the source of the policy" in found.reasons


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"title = 'a scenario'\n", r"is not a results file \(it is not SQLite\)"),
        (b"x" * 5000, r"is not a results file \(it is not SQLite\)"),
        (None, "is an SQLite file of another application"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_foreign_files_are_refused_untouched(
    path: Path, data: bytes | None, message: str, read_only: bool
) -> None:
    """What is no results file stays as it is."""
    if data is None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE mine (x)")
        connection.commit()
        connection.close()
        data = path.read_bytes()
    path.write_bytes(data)
    with pytest.raises(ResultsError, match=message):
        Store(path, read_only=read_only)
    assert path.read_bytes() == data
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_newer_formats_are_refused(full: Path) -> None:
    """A file of a later version says which format it has."""
    connection = sqlite3.connect(full)
    connection.execute(f"PRAGMA user_version = {FILE_FORMAT + 1}")
    connection.close()
    with pytest.raises(ResultsError, match=f"has format {FILE_FORMAT + 1}, and this version of"):
        Store(full)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_cut_file_is_noticed(full: Path, kept: float) -> None:
    """A file that lost its end is damaged, and says so."""
    data = full.read_bytes()
    full.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ResultsError, match="is damaged"):
        Store(full)


def test_an_overwritten_file_is_noticed(full: Path) -> None:
    """A page of rubbish in the middle is noticed at the start."""
    data = bytearray(full.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"\xa5" * 4096
    full.write_bytes(bytes(data))
    with pytest.raises(ResultsError, match=r"is damaged .*restore it from a copy"):
        Store(full)


def test_a_file_killed_as_it_was_made_is_made_anew(path: Path) -> None:
    """An empty file, or one without tables, is a new one."""
    path.touch()
    with Store(path, read_only=False) as store:
        assert store.identities() == {}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "is a folder; name a file in it"),
        (lambda path: path.touch(), "is empty; start the sweep first"),
        (lambda path: None, "no such file; start the sweep first"),
    ],
)
def test_reading_what_is_not_there(path: Path, make: object, message: str) -> None:
    """To look at a sweep it must have begun."""
    make(path)  # type: ignore[operator]
    with pytest.raises(ResultsError, match=message):
        Store(path, read_only=True)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A file in a folder that is not there cannot be made."""
    with pytest.raises(FileNotFoundError, match=r"No such file .*nowhere/r\.sqlite'"):
        Store(tmp_path / "nowhere" / "r.sqlite")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A read-only folder is an error that names the file; nothing is left in it."""
    tmp_path.chmod(0o500)
    folder = Path("/sys") if os.access(tmp_path, os.W_OK) else tmp_path
    try:
        with pytest.raises(OSError, match=rf"{folder}/r\.sqlite"):
            Store(folder / "r.sqlite")
    finally:
        tmp_path.chmod(0o700)


def test_another_program_that_holds_the_file(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exclusive lock of somebody else is named as such."""
    with Store(full) as store:
        store._connection.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(full, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ResultsError, match="another program holds it locked"):
            run_sweep(points(scenario(run__replications=3)), store, workers=1)
        other.execute("ROLLBACK")
        other.close()
        assert run_sweep(points(scenario(run__replications=3)), store, workers=1).is_complete


def test_a_full_disk_loses_nothing(path: Path, tmp_path: Path) -> None:
    """What was finished before the disk was full is kept; with room, the rest is added."""
    listed = points(scenario(run__replications=8))
    with Store(path) as store:
        (n_pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {n_pages + 4}")
        with pytest.raises(
            StorageError, match=r"is the disk full.*start again, only what is missing"
        ):
            run_sweep(listed, store, workers=1)
        n_kept = sum(len(rows) for rows in store.rows(listed).values())
        assert 0 < n_kept < 48
    with Store(path) as store:
        summary = run_sweep(listed, store, workers=1)
    assert (summary.n_found, summary.n_run) == (n_kept, 48 - n_kept)
    assert contents(path) == finished(listed, tmp_path / "other.sqlite")
