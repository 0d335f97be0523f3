"""What is written for other tools is what was recorded, in their form."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.recording.recording import UNKNOWN
from cluster_sim.views import chrome_trace as chrome
from cluster_sim.views.chrome_trace import SLOT, chrome_trace
from cluster_sim.views.line_files import save_lines
from cluster_sim.views.replay.page import Shown
from cluster_sim.views.vidigi import VIDIGI_COLUMNS, vidigi_log
from tests.views.replay.cases import HOTSPOT, RACKS, shown


def events_of(run: Shown) -> list[dict[str, Any]]:
    trace = json.loads("\n".join(chrome_trace(run.prepared, run.recording)))
    assert trace["displayTimeUnit"] == "ms"
    return list(trace["traceEvents"])


@pytest.mark.parametrize("policy", ["priority", "jsq-maxweight", "balanced-pandas"])
def test_a_slice_is_a_service(policy: str) -> None:
    """Its thread is the server, its process the rack, its length the service."""
    (run,) = shown([policy], RACKS, first=30, n_slots=50)
    r = run.recording
    slices = [event for event in events_of(run) if event["ph"] == "X"]
    found = Counter((e["ts"], e["dur"], e["tid"], e["pid"]) for e in slices)
    rows = np.flatnonzero(r.start != UNKNOWN)
    begin = np.maximum(r.start[rows], 30)
    end = np.where(r.end[rows] == UNKNOWN, 80, r.end[rows])
    server = r.server[rows]
    columns = (begin * SLOT, (end - begin) * SLOT, server + 1, 2 + server // 3)
    assert found == Counter(zip(*(column.tolist() for column in columns), strict=True))


def test_services_of_a_server_do_not_overlap() -> None:
    """A viewer draws slices of a thread in one line."""
    (run,) = shown(["priority"])
    ends: defaultdict[int, int] = defaultdict(int)
    for event in events_of(run):
        if event["ph"] == "X":
            assert event["ts"] >= ends[event["tid"]]
            ends[event["tid"]] = event["ts"] + event["dur"]


@pytest.mark.parametrize("most", [100, 5])
def test_counters_count_what_waits(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By server, or by rack in large clusters, the last value of each counter is the queue."""
    monkeypatch.setattr(chrome, "MOST_COUNTERS", most)
    (run,) = shown(["jsq-maxweight"], RACKS, first=30, n_slots=50)
    r = run.recording
    waits = (r.start == UNKNOWN) | (r.start >= 80)
    last: dict[tuple[int, str], dict[str, int]] = {}
    for event in events_of(run):
        if event["ph"] == "C":
            last[event["pid"], event["name"]] = event["args"]
    total = last.pop((1, "tasks"))
    assert total["waiting"] == waits.sum()
    assert total["in service"] == ((r.start != UNKNOWN) & (r.end == UNKNOWN)).sum()
    assert last.pop((1, "common queue"))["waiting"] == (waits & (r.queue == 12)).sum()
    own = np.bincount(r.queue[waits], minlength=13)[:12]
    if most == 5:
        expected = {(2 + rack, "queues"): own[3 * rack : 3 * rack + 3].sum() for rack in range(4)}
    else:
        expected = {(2 + m // 3, f"queue of server {m}"): own[m] for m in range(12)}
    assert {track: args["waiting"] for track, args in last.items()} == expected


def test_racks_and_servers_have_names() -> None:
    """Without racks, all servers are one process."""

    def names(run: Shown) -> list[str]:
        return [e["args"]["name"] for e in events_of(run) if e["name"].endswith("_name")]

    (racks,), (flat,) = shown(["priority"], RACKS), shown(["priority"], HOTSPOT)
    assert names(racks)[1:5] == ["rack 0", "rack 1", "rack 2", "rack 3"]
    assert names(flat) == ["10 servers: priority", "servers", *(f"server {m}" for m in range(10))]


def test_vidigi_gets_every_step_of_a_task() -> None:
    """A task arrives, waits, is served and departs, in this order; time never goes back."""
    (run,) = shown(["priority"], first=30, n_slots=50)
    r = run.recording
    lines = list(vidigi_log(r, tier_names=["local", "remote"]))
    rows = list(csv.DictReader(lines))
    assert tuple(rows[0]) == VIDIGI_COLUMNS
    times = [int(row["time"]) for row in rows]
    assert times == sorted(times)
    steps: defaultdict[int, list[tuple[str, str, int, str]]] = defaultdict(list)
    for row in rows:
        step = (row["event_type"], row["event"], int(row["time"]), row["resource_id"])
        steps[int(row["entity_id"])].append(step)
    assert sorted(steps) == r.number[r.arrival >= 30].tolist()
    for i in np.flatnonzero(r.arrival >= 30):
        a, s, e, server = r.arrival[i], r.start[i], r.end[i], str(r.server[i] + 1)
        expected = [
            ("arrival_departure", "arrival", a, ""),
            ("queue", f"queue_{r.queue[i]}", a, ""),
        ]
        if s != UNKNOWN:
            expected.append(("resource_use", "service", s, server))
        if e != UNKNOWN:
            expected.append(("resource_use_end", "service_ends", e, server))
            expected.append(("arrival_departure", "depart", e, ""))
        assert steps[int(r.number[i])] == expected


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_lines_are_saved_whole(tmp_path: Path, name: str) -> None:
    """The same lines give the same bytes, compressed or not."""
    path = save_lines(["a", "é"], tmp_path / name)
    data = path.read_bytes()
    assert (gzip.decompress(data) if name.endswith("gz") else data).decode() == "a\né\n"
    assert save_lines(["a", "é"], path).read_bytes() == data
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """Neither where the folder is missing nor where the lines fail halfway."""

    def failing() -> Iterator[str]:
        yield "a"
        raise ScenarioError("halfway")

    with pytest.raises(ScenarioError, match="halfway"):
        save_lines(failing(), tmp_path / "a.csv")
    with pytest.raises(ScenarioError, match=r"cannot be written \(No such file"):
        save_lines(["a"], tmp_path / "missing" / "a.csv")
    assert list(tmp_path.iterdir()) == []
