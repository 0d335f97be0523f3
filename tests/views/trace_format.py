"""A checker of the trace event format, by its published description, not by our writer.

"Trace Event Format", Google, 2016: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

NEEDED = {
    "X": {"name", "ts", "dur", "pid", "tid"},
    "C": {"name", "ts", "pid", "args"},
    "M": {"name", "pid", "args"},
    "i": {"name", "ts", "pid", "tid"},
}
METADATA = {
    "process_name": ("name", str),
    "process_sort_index": ("sort_index", int),
    "thread_name": ("name", str),
    "thread_sort_index": ("sort_index", int),
}
SCOPES = {"g", "p", "t"}


def problems(trace: Any) -> list[str]:
    """Return what is wrong with a trace in the object form; nothing if it is sound."""
    if not isinstance(trace, dict) or not isinstance(trace.get("traceEvents"), list):
        return ["not an object with a list of traceEvents"]
    found = []
    if trace.get("displayTimeUnit", "ms") not in ("ms", "ns"):
        found.append(f"displayTimeUnit {trace['displayTimeUnit']}")
    for number, event in enumerate(trace["traceEvents"]):
        found += [f"event {number}: {what}" for what in _of_event(event)]
    return found or [*_of_tracks(trace["traceEvents"])]


def _of_event(event: dict[str, Any]) -> list[str]:
    phase = event.get("ph")
    if phase not in NEEDED:
        return [f"phase {phase!r} is not one of {', '.join(NEEDED)}"]
    found = [f"{key} is missing" for key in sorted(NEEDED[phase] - event.keys())]
    for key in ("ts", "dur", "pid", "tid"):
        value = event.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            found.append(f"{key} = {value!r} is not a whole number from 0 on")
    if not isinstance(event.get("name", ""), str):
        found.append("name is not text")
    if phase == "C" and not _is_counter(event.get("args")):
        found.append(f"args of a counter are not numbers: {event.get('args')}")
    if phase == "M":
        found += _of_metadata(event)
    if phase == "i" and event.get("s", "t") not in SCOPES:
        found.append(f"scope {event['s']!r}")
    return found


def _is_counter(args: Any) -> bool:
    return isinstance(args, dict) and bool(args) and all(_is_number(v) for v in args.values())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_metadata(event: dict[str, Any]) -> list[str]:
    if event.get("name") not in METADATA:
        return [f"metadata {event.get('name')!r} is unknown"]
    key, kind = METADATA[event["name"]]
    right = isinstance(event.get("args"), dict) and isinstance(event["args"].get(key), kind)
    return [] if right else [f"args of {event['name']} lack {key}"]


def _of_tracks(events: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong between events: time goes back, slices overlap, tracks without names."""
    found: list[str] = []
    slices: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    counters: dict[tuple[int, str], tuple[int, set[str]]] = {}
    named: set[tuple[int, int | None]] = set()
    for event in events:
        pid, tid = event["pid"], event.get("tid")
        if event["ph"] == "M":
            named.add((pid, tid if event["name"].startswith("thread") else None))
        elif event["ph"] == "X":
            slices[pid, event["tid"]].append((event["ts"], event["dur"]))
        elif event["ph"] == "C":
            track = pid, event["name"]
            then, series = counters.get(track, (-1, set(event["args"])))
            if event["ts"] <= then:
                found.append(f"counter {track}: {event['ts']} comes after {then}")
            if series != set(event["args"]):
                found.append(f"counter {track}: its series change")
            counters[track] = event["ts"], series
    for track, pairs in slices.items():
        if pairs != sorted(pairs):
            found.append(f"thread {track}: time goes back")
        for (ts, dur), (after, _) in itertools.pairwise(pairs):
            if ts + dur > after:
                found.append(f"thread {track}: a slice at {after} begins before {ts + dur}")
        if track not in named:
            found.append(f"thread {track} has no name")
    pids = {event["pid"] for event in events}
    found += [f"process {pid} has no name" for pid in sorted(pids) if (pid, None) not in named]
    return found
