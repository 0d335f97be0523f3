"""Logs on disk hold what happened, appear whole or not at all, and refuse bad paths early."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import DecisionError, ScenarioError
from cluster_sim.model.task import Task
from cluster_sim.policies import QueuePolicy
from cluster_sim.randomness import Key
from cluster_sim.recording import rows
from cluster_sim.recording.events import EventKind, EventRecorder
from cluster_sim.recording.logs import EVENT_COLUMNS, TASK_COLUMNS, EventLog, TaskLog
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System
from cluster_sim.testing import small_systems

N_SLOTS = 60
LOGS: list[type[EventLog] | type[TaskLog]] = [EventLog, TaskLog]


@pytest.fixture
def system() -> System:
    """Six servers in three racks, with three tiers."""
    return list(small_systems(policies.get("priority")))[2]


@pytest.fixture(params=[rows.ROWS_PER_CHUNK, 5, 1])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks larger than a run, smaller, and of one row."""
    monkeypatch.setattr(rows, "ROWS_PER_CHUNK", request.param)
    return int(request.param)


def table(path: Path) -> list[list[str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.reader(text.splitlines()))


def expected_events(recorder: EventRecorder, tiers: list[str]) -> list[list[str]]:
    def cells(event: Any) -> list[str]:
        server = "" if event.server is None else str(event.server)
        tier = "" if event.tier is None else tiers[event.tier]
        return [
            str(event.slot),
            event.kind.value,
            str(event.task),
            server,
            str(event.queue),
            tier,
        ]

    return [list(EVENT_COLUMNS), *map(cells, recorder.events)]


class Completed(Observer):
    """Keep completed tasks."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def completion(self, task: Task) -> None:
        self.tasks.append(task)


def expected_tasks(completed: Completed, tiers: list[str]) -> list[list[str]]:
    return [list(TASK_COLUMNS)] + [
        [
            str(task.number),
            str(task.arrival),
            str(task.start),
            str(task.start + task.service),
            str(task.queue),
            str(task.server),
            tiers[task.tier],
            " ".join(str(server) for server in task.replicas),
        ]
        for task in completed.tasks
    ]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("named", [False, True])
def test_logs_hold_what_happened(
    system: System, tmp_path: Path, suffix: str, named: bool, chunk: int
) -> None:
    """One row an event, one a completed task, in order; as plain text and compressed."""
    names = system.cluster.tier_names
    tiers = list(names) if named else ["0", "1", "2"]
    options: dict[str, Any] = {"tier_names": names} if named else {}
    events, tasks = tmp_path / f"events.{suffix}", tmp_path / f"tasks.{suffix}"
    recorder, completed = EventRecorder(), Completed()
    observers = [EventLog(events, **options), TaskLog(str(tasks), **options), recorder, completed]
    simulate(system, Key.of(1), slots=N_SLOTS, observers=observers)
    assert len(completed.tasks) > 50
    assert table(events) == expected_events(recorder, tiers)
    assert table(tasks) == expected_tasks(completed, tiers)
    assert sorted(tmp_path.iterdir()) == [events, tasks]


@pytest.mark.parametrize("log", LOGS)
def test_the_same_run_gives_the_same_bytes(
    system: System, tmp_path: Path, log: type[EventLog] | type[TaskLog]
) -> None:
    """A compressed log holds no name and no time of day, so equal runs give equal files."""
    paths = [tmp_path / f"{name}.csv.gz" for name in "ab"]
    for path in paths:
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[log(path)])
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("log", LOGS)
def test_nothing_appears_before_the_end(
    system: System, tmp_path: Path, log: type[EventLog] | type[TaskLog], chunk: int
) -> None:
    """While the run goes, an older file under the name stays as it was."""
    path = tmp_path / "log.csv"
    path.write_text("older")

    class Look(Observer):
        def observe(self, slot: int, state: StateView) -> None:
            assert path.read_text() == "older"

    simulate(system, Key.of(1), slots=N_SLOTS, observers=[Look(), log(path)])
    assert len(table(path)) > 50


@pytest.mark.parametrize("log", LOGS)
def test_a_run_without_tasks_gives_the_header(
    system: System, tmp_path: Path, log: type[EventLog] | type[TaskLog]
) -> None:
    """Where nothing happens, the columns are still there."""
    path = tmp_path / "log.csv"
    simulate(system, Key.of(1), slots=0, observers=[log(path)])
    assert table(path) == [list(EVENT_COLUMNS if log is EventLog else TASK_COLUMNS)]


class Stop(Observer):
    """Fail in a slot."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def observe(self, slot: int, state: StateView) -> None:
        if slot == N_SLOTS // 2:
            raise self._error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError("no more")])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_an_interrupted_run_keeps_what_was_finished(
    system: System, tmp_path: Path, suffix: str, error: BaseException, chunk: int
) -> None:
    """After Ctrl-C or a failure the logs hold every row until then, and no temporary file stays."""
    events, tasks = tmp_path / f"events.{suffix}", tmp_path / f"tasks.{suffix}"
    recorder, completed = EventRecorder(), Completed()
    observers = [EventLog(events), TaskLog(tasks), recorder, completed, Stop(error)]
    with pytest.raises(type(error)):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=observers)
    assert recorder.events[-1].slot == N_SLOTS // 2
    assert table(events) == expected_events(recorder, ["0", "1", "2"])
    assert table(tasks) == expected_tasks(completed, ["0", "1", "2"])
    assert sorted(tmp_path.iterdir()) == [events, tasks]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("method", ["seek", "write", "truncate", "flush"])
def test_an_interrupt_within_a_write_loses_and_doubles_nothing(
    system: System,
    tmp_path: Path,
    suffix: str,
    method: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C while a chunk is being written leaves each row in the file once."""
    monkeypatch.setattr(rows, "ROWS_PER_CHUNK", 10)
    opened = rows.RowFile._open
    n_calls = [0]

    class Interrupted:
        """A file whose method is interrupted just after it has done its work."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    def interrupted(self: Interrupted, *arguments: Any) -> Any:
        result = getattr(self._file, method)(*arguments)
        n_calls[0] += 1
        if n_calls[0] == 4:
            raise KeyboardInterrupt
        return result

    setattr(Interrupted, method, interrupted)
    monkeypatch.setattr(rows.RowFile, "_open", lambda self: Interrupted(opened(self)))
    path, recorder = tmp_path / f"events.{suffix}", EventRecorder()
    with pytest.raises(KeyboardInterrupt):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[recorder, EventLog(path)])
    assert table(path) == expected_events(recorder, ["0", "1", "2"])
    assert list(tmp_path.iterdir()) == [path]


def test_a_refused_decision_leaves_a_log(system: System, tmp_path: Path) -> None:
    """The log of a run that a policy's mistake ended shows how it came to that."""

    class Mistaken(policies.Priority):  # type: ignore[misc]
        @staticmethod
        def serve(server: int, lengths: Any, waiting: Any, *others: Any) -> int:
            return server if sum(waiting) < 5 and waiting[server] else 99

    mistaken: QueuePolicy = Mistaken()
    path = tmp_path / "events.csv"
    with pytest.raises(DecisionError, match="returned 99"):
        simulate(
            System(system.cluster, system.workload, mistaken),
            Key.of(1),
            slots=N_SLOTS,
            observers=[EventLog(path)],
        )
    assert table(path)[0] == list(EVENT_COLUMNS)
    assert [path] == list(tmp_path.iterdir())


class Full:
    """A file on a disk that takes no more."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("chunk")
def test_a_full_disk_is_told_and_leaves_nothing(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes no more ends the run with the path and the remedy; no file stays."""
    opened = rows.RowFile._open
    path = tmp_path / "events.csv"
    log = EventLog(path)
    monkeypatch.setattr(rows.RowFile, "_open", lambda self: Full(opened(self)))
    with pytest.raises(
        ScenarioError,
        match=r"event log .*events\.csv: cannot be written \(No space left on device\)",
    ):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[log])
    assert list(tmp_path.iterdir()) == []


def folder(tmp_path: Path) -> Path:
    return tmp_path


def missing(tmp_path: Path) -> Path:
    return tmp_path / "nowhere" / "log.csv"


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "log.csv"


def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def too_long(tmp_path: Path) -> Path:
    return tmp_path / ("a" * 300 + ".csv")


def with_null(tmp_path: Path) -> str:
    return f"{tmp_path}/a\0b.csv"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (folder, "is a folder; give the name of a file in it"),
        (missing, "there is no folder .*nowhere; create it or choose another"),
        (below_a_file, "there is no folder .*file; create it"),
        (pipe, "is not a regular file; choose another name"),
        (too_long, r"cannot be written \(File name too long\); choose a path"),
        (with_null, r"cannot be written \(.*null.*\); choose a path"),
    ],
)
@pytest.mark.parametrize(("log", "what"), [(EventLog, "event log"), (TaskLog, "task log")])
def test_a_bad_path_is_refused_before_the_run(
    tmp_path: Path,
    make: Callable[[Path], Path | str],
    message: str,
    log: type[EventLog] | type[TaskLog],
    what: str,
) -> None:
    """A path that cannot be written is refused when the log is made, and nothing is left there."""
    path = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ScenarioError, match=f"(?s)^{what} .*: {message}"):
        log(path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that one may not write to is noticed by trying, before the run begins."""

    def refused(self: Path, *arguments: Any, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ScenarioError, match=r"cannot be written \(Permission denied\); choose"):
        EventLog(tmp_path / "log.csv")


def test_a_link_stays_a_link(system: System, tmp_path: Path) -> None:
    """Writing through a symbolic link replaces the file that it points to."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real" / "log.csv")
    simulate(system, Key.of(1), slots=N_SLOTS, observers=[EventLog(link)])
    assert link.is_symlink()
    assert table(tmp_path / "real" / "log.csv")[0] == list(EVENT_COLUMNS)


@pytest.mark.parametrize("log", LOGS)
def test_a_log_is_for_one_run(
    system: System, tmp_path: Path, log: type[EventLog] | type[TaskLog]
) -> None:
    """A second run with the same log is refused, so that it does not replace the first."""
    observer = log(tmp_path / "log.csv")
    simulate(system, Key.of(1), slots=N_SLOTS, observers=[observer])
    rows_before = table(tmp_path / "log.csv")
    with pytest.raises(ScenarioError, match="is closed, it holds the run that has ended; make a"):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[observer])
    assert table(tmp_path / "log.csv") == rows_before


def test_event_kinds_are_told_by_name() -> None:
    """A recorded event equals a plain tuple with the kind's name."""
    task = Task(3, arrival=1, replicas=[0, 4], luck=0.5)
    task.queue, task.server, task.start, task.tier, task.service = 4, 2, 5, 1, 3
    recorder = EventRecorder()
    recorder.arrival(task)
    recorder.start(task)
    recorder.completion(task)
    assert recorder.events == [
        (1, "arrival", 3, None, 4, None),
        (5, "start", 3, 2, 4, 1),
        (8, "completion", 3, 2, 4, 1),
    ]
    assert [event.kind for event in recorder.events] == list(EventKind)
