"""A recording as a Chrome trace, which https://ui.perfetto.dev and chrome://tracing open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from cluster_sim.recording.recording import UNKNOWN, Recording
from cluster_sim.scenario.build import Prepared

__all__ = ["MOST_COUNTERS", "SLOT", "chrome_trace"]

SLOT = 1000
"""Microseconds of the trace that stand for a slot: one slot is shown as 1 ms."""

MOST_COUNTERS = 100
"""Servers; of more, the waiting tasks are counted by rack and not by server."""

_CLUSTER = 1  # process of what concerns the whole cluster; racks follow


def chrome_trace(prepared: Prepared, recording: Recording) -> Iterator[str]:
    """Yield the lines of a trace: a rack is a process, a server a thread, a service a slice.

    Parameters
    ----------
    prepared : Prepared
    recording : Recording
        Of a run of it.

    Yields
    ------
    str
        Together one JSON object, in the trace event format.

    Notes
    -----
    Counters hold the tasks in the system, and the waiting tasks of each server's queues, or of
    each rack's in clusters of more than 100 servers. They are as after the dispatch of the slot.
    A service that goes on after the recording is cut at its end.
    """
    racks = _racks(prepared)
    yield '{"displayTimeUnit":"ms",'
    yield f'"otherData":{_text({"one slot is": "1 ms", "policy": _policy(prepared)})},'
    yield '"traceEvents":['
    yield from (f"{_text(event)}," for event in _names(prepared, racks))
    yield from (f"{_text(event)}," for event in _slices(prepared, recording, racks))
    yield from (f"{_text(event)}," for event in _counters(prepared, recording, racks))
    # The list needs an end without a comma.
    end = {"name": "end", "ph": "i", "s": "g", "ts": recording.end_slot * SLOT}
    yield _text(end | {"pid": _CLUSTER, "tid": 0})
    yield "]}"


def _text(event: dict[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":"))


def _policy(prepared: Prepared) -> str:
    return str(prepared.scenario.scheduler.policy)


def _racks(prepared: Prepared) -> list[int]:
    """Return the process of each server."""
    topology = prepared.system.cluster.topology
    racks = topology.ancestors[1] if topology.n_levels > 2 else np.zeros(topology.n_servers)
    return [_CLUSTER + 1 + int(rack) for rack in racks]


def _names(prepared: Prepared, racks: list[int]) -> Iterator[dict[str, Any]]:
    def named(kind: str, pid: int, tid: int, value: object) -> dict[str, Any]:
        key = "sort_index" if kind.endswith("sort_index") else "name"
        return {"name": kind, "ph": "M", "pid": pid, "tid": tid, "args": {key: value}}

    topology = prepared.system.cluster.topology
    level = topology.level_names[1] if topology.n_levels > 2 else None
    title = prepared.scenario.title or f"{topology.n_servers} servers"
    yield named("process_name", _CLUSTER, 0, f"{title}: {_policy(prepared)}")
    for pid in sorted(set(racks)):
        name = "servers" if level is None else f"{level} {pid - _CLUSTER - 1}"
        yield named("process_name", pid, 0, name)
        yield named("process_sort_index", pid, 0, pid)
    for server, pid in enumerate(racks):
        yield named("thread_name", pid, server + 1, f"server {server}")
        yield named("thread_sort_index", pid, server + 1, server)


def _slices(prepared: Prepared, recording: Recording, racks: list[int]) -> Iterator[dict[str, Any]]:
    cluster = prepared.system.cluster
    owners = list(prepared.system.policy.owners(cluster.n_servers, cluster.n_tiers))
    order = np.lexsort((recording.number, recording.start))
    for row in order[recording.start[order] != UNKNOWN].tolist():
        start, end = int(recording.start[row]), int(recording.end[row])
        server, queue = int(recording.server[row]), int(recording.queue[row])
        tier = cluster.tier_names[int(recording.tier[row])].replace("_", "-")
        begin, arrival = max(start, recording.first_slot), int(recording.arrival[row])
        args: dict[str, Any] = {
            "arrived in slot": arrival,
            "waited": start - arrival,
            "queue": queue,
            "from another queue": owners[queue] != server,
        }
        if end == UNKNOWN:
            args["not complete"] = True
        else:
            args["completion time"] = end - arrival
        replicas = recording.replicas[row]
        if replicas.size:
            args["chunk on"] = " ".join(str(each) for each in replicas[replicas >= 0])
        yield {
            "name": f"{tier} task {int(recording.number[row])}",
            "cat": tier,
            "ph": "X",
            "ts": begin * SLOT,
            "dur": ((recording.end_slot if end == UNKNOWN else end) - begin) * SLOT,
            "pid": racks[server],
            "tid": server + 1,
            "args": args,
        }


def _counters(
    prepared: Prepared, recording: Recording, racks: list[int]
) -> Iterator[dict[str, Any]]:
    cluster = prepared.system.cluster
    owners = np.array(list(prepared.system.policy.owners(cluster.n_servers, cluster.n_tiers)))
    is_fine = cluster.n_servers <= MOST_COUNTERS
    # The tracks: those of nobody first, then by server or by rack.
    pids = np.array(racks)
    tracks = np.where(owners < 0, 0, (1 + owners) if is_fine else pids[owners])
    first, n_slots = recording.first_slot, recording.n_slots
    started = recording.start != UNKNOWN
    n_tracks = int(tracks.max()) + 1
    changes = np.zeros((n_slots, n_tracks), dtype=np.int64)
    at = np.maximum(recording.arrival - first, 0)
    np.add.at(changes, (at, tracks[recording.queue]), 1)
    leaving = np.maximum(recording.start[started] - first, 0)
    np.subtract.at(changes, (leaving, tracks[recording.queue[started]]), 1)
    in_system = np.zeros(n_slots, dtype=np.int64)
    np.add.at(in_system, at, 1)
    np.subtract.at(in_system, recording.end[recording.end != UNKNOWN] - first, 1)
    waiting, in_system = np.cumsum(changes, axis=0), np.cumsum(in_system)
    names = {track: _track(track, is_fine, racks) for track in np.unique(tracks).tolist()}
    for index in range(n_slots):
        ts = (first + index) * SLOT
        tasks = {"waiting": int(waiting[index].sum()), "in service": 0}
        tasks["in service"] = int(in_system[index]) - tasks["waiting"]
        yield {"name": "tasks", "ph": "C", "ts": ts, "pid": _CLUSTER, "args": tasks}
        for track, (name, pid) in names.items():
            if index and not changes[index, track]:
                continue
            args = {"waiting": int(waiting[index, track])}
            yield {"name": name, "ph": "C", "ts": ts, "pid": pid, "args": args}


def _track(track: int, is_fine: bool, racks: list[int]) -> tuple[str, int]:
    """Return the name and the process of a counter."""
    if track == 0:
        return "common queue", _CLUSTER
    return (f"queue of server {track - 1}", racks[track - 1]) if is_fine else ("queues", track)
