"""A recording holds each task of its stretch, and reads back from the log of the same run."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventKind, EventRecorder
from cluster_sim.recording.log_reading import read_event_log
from cluster_sim.recording.logs import EventLog
from cluster_sim.recording.recording import UNKNOWN, Recorder, Recording
from cluster_sim.system import System
from cluster_sim.testing import small_systems

N_SLOTS = 80
COLUMNS = ("number", "arrival", "queue", "start", "server", "tier", "end")
TIERS = ("local", "rack_local", "remote")


@pytest.fixture
def system() -> System:
    """Six servers in three racks, with three tiers."""
    return list(small_systems(policies.get("priority")))[2]


def record(system: System, first: int, n_slots: int, *others: Any) -> Recording:
    recorder = Recorder(first, n_slots)
    simulate(system, Key.of(5), slots=first + n_slots, observers=[recorder, *others])
    return recorder.recording()


def test_a_recording_holds_every_event(system: System) -> None:
    """Arrivals, starts and completions are those that an event recorder sees."""
    events = EventRecorder()
    recording = record(system, 0, N_SLOTS, events)
    rows = list(zip(*(getattr(recording, name).tolist() for name in COLUMNS), strict=True))
    found = {(arrival, "arrival", task, queue) for task, arrival, queue, *_ in rows}
    found |= {(start, "start", task, m, t) for task, _, _, start, m, t, _ in rows if m != UNKNOWN}
    found |= {(end, "completion", task) for task, *_, end in rows if end != UNKNOWN}
    expected: set[tuple[object, ...]] = set()
    for slot, kind, task, server, queue, tier in events.events:
        extra = {EventKind.ARRIVAL: (queue,), EventKind.START: (server, tier)}.get(kind, ())
        expected.add((slot, kind.value, task, *extra))
    assert found == expected
    assert recording.is_fifo


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_a_later_stretch_is_a_part_of_the_whole(system: System, engine: str) -> None:
    """Tasks that left before are gone; the others are as in the recording of all slots."""
    if engine == "compiled":
        pytest.importorskip("numba")
        from cluster_sim.compiled.engine import simulate as run
    else:
        run = simulate
    whole, part = Recorder(0, N_SLOTS), Recorder(30, 20)
    run(system, Key.of(5), slots=N_SLOTS, observers=[whole, part])
    full, cut = whole.recording(), part.recording()
    is_there = (full.arrival < 50) & ~((full.end != UNKNOWN) & (full.end < 30))
    assert cut.number.tolist() == full.number[is_there].tolist()
    assert np.array_equal(cut.replicas, full.replicas[is_there])
    started = is_there & (full.start != UNKNOWN) & (full.start < 50)
    assert np.array_equal(cut.start[cut.start != UNKNOWN], full.start[started])
    ended = is_there & (full.end != UNKNOWN) & (full.end < 50)
    assert np.array_equal(cut.end[cut.end != UNKNOWN], full.end[ended])


def test_an_empty_stretch_is_a_recording(system: System) -> None:
    """A run in which nothing arrives leaves no rows."""
    recording = Recorder(0, 5).recording()
    assert recording.n_tasks == 0
    assert repr(recording) == "<Recording: slots 0 to 4, 0 tasks>"
    assert recording.is_fifo


def test_more_tasks_than_memory_are_refused(system: System) -> None:
    """The recorder stops at its bound and says what to do."""
    with pytest.raises(ScenarioError, match=r"more than 10 tasks.*record fewer slots"):
        simulate(system, Key.of(5), slots=N_SLOTS, observers=[Recorder(0, N_SLOTS, most_tasks=10)])


def read(path: Path, **changed: Any) -> Recording:
    given: dict[str, Any] = {"first_slot": 20, "n_slots": 30, "tier_names": TIERS}
    return read_event_log(path, **given | {"n_servers": 6, "n_queues": 6} | changed)


@pytest.mark.parametrize("name", ["events.csv", "events.csv.gz"])
def test_a_log_reads_back(system: System, tmp_path: Path, name: str) -> None:
    """But for the replicas, which it does not hold, a log gives the recording of its run."""
    recorder, path = Recorder(20, 30), tmp_path / name
    log = EventLog(path, tier_names=TIERS)
    simulate(system, Key.of(5), slots=N_SLOTS, observers=[log, recorder])
    found, expected = read(path), recorder.recording()
    for column in COLUMNS:
        assert np.array_equal(getattr(found, column), getattr(expected, column)), column
    assert found.replicas.shape == (expected.n_tasks, 0)


HEAD = "slot,event,task,server,queue,tier\n"
ARRIVAL = "0,arrival,0,,3,\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", r"events\.csv: its first row is 'a,b'; an event log has slot,event"),
        ("", r"its first row is ''"),
        (HEAD + "0,arrival,0,,9,\n", r"events\.csv:2: queue 9: the scenario has queues 0 to 5"),
        (HEAD + ARRIVAL + "1,start,0,6,3,local\n", r"csv:3: server 6: .* servers 0 to 5"),
        (HEAD + ARRIVAL + "1,start,0,1,3,near\n", r"csv:3: tier 'near': .* local, rack_local"),
        (HEAD + "1,start,7,1,3,local\n", r"csv:2: task 7 has not arrived before"),
        (HEAD + ARRIVAL + "1,completion,0,1,3,local\n", r"csv:3: .* is no event"),
        (HEAD + "0,arrived,0,,3,\n", r"csv:2: '0,arrived,0,,3,' is no event"),
        (HEAD + "0,arrival\n", r"csv:2: '0,arrival' is no event"),
    ],
)
def test_what_is_no_log_of_this_system_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The error names file and line, and what is wrong there."""
    (tmp_path / "events.csv").write_text(text)
    with pytest.raises(ScenarioError, match=message):
        read(tmp_path / "events.csv")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """One that is missing, and one that is cut off."""
    with pytest.raises(ScenarioError, match=r"cannot be read \(No such file"):
        read(tmp_path / "events.csv")
    cut = gzip.compress((HEAD + ARRIVAL * 9).encode())[:-12]
    (tmp_path / "events.csv.gz").write_bytes(cut)
    with pytest.raises(ScenarioError, match=r"cannot be read \(.*end-of-stream"):
        read(tmp_path / "events.csv.gz")
