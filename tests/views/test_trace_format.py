"""Chrome traces keep the trace event format, so that Perfetto and others can open them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from cluster_sim.views import chrome_trace as chrome
from cluster_sim.views.chrome_trace import chrome_trace
from tests.views.replay.cases import HOTSPOT, RACKS, shown
from tests.views.trace_format import problems


def trace_of(policy: str, tables: dict[str, Any], first: int) -> Any:
    (run,) = shown([policy], tables, first=first, n_slots=50)
    return json.loads("\n".join(chrome_trace(run.prepared, run.recording)))


@pytest.mark.parametrize("policy", ["priority", "jsq-maxweight", "balanced-pandas", "delay"])
@pytest.mark.parametrize(("tables", "first"), [(HOTSPOT, 0), (RACKS, 30)])
@pytest.mark.parametrize("most", [100, 5])
def test_a_trace_keeps_the_format(
    policy: str, tables: dict[str, Any], first: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, types, names of tracks, times that never go back, with counters by server or rack."""
    monkeypatch.setattr(chrome, "MOST_COUNTERS", most)
    assert problems(trace_of(policy, tables, first)) == []


@pytest.fixture(scope="module")
def sound() -> Any:
    return trace_of("priority", RACKS, 30)


def broken(trace: Any, phase: str, **changed: Any) -> list[str]:
    """Return the problems of a trace in which the last event of a phase is another."""
    trace = copy.deepcopy(trace)
    event = [event for event in trace["traceEvents"] if event["ph"] == phase][-1]
    event.update(changed)
    for key in [key for key, value in changed.items() if value is None]:
        del event[key]
    return problems(trace)


@pytest.mark.parametrize(
    ("phase", "changed", "message"),
    [
        ("X", {"dur": None}, "dur is missing"),
        ("X", {"ts": -1}, "ts = -1 is not a whole number from 0 on"),
        ("X", {"ts": 0.5}, "ts = 0.5 is not a whole number"),
        ("X", {"ts": 0, "dur": 10**9}, "time goes back"),
        ("X", {"pid": 99}, "thread (99, "),
        ("X", {"ph": "Z"}, "phase 'Z' is not one of"),
        ("C", {"args": {"waiting": "3"}}, "args of a counter are not numbers"),
        ("C", {"args": {"other": 3}}, "its series change"),
        ("C", {"ts": 0}, "0 comes after"),
        ("M", {"args": {}}, "lack sort_index"),
        ("M", {"name": "colour"}, "metadata 'colour' is unknown"),
        ("i", {"s": "q"}, "scope 'q'"),
    ],
)
def test_the_checker_notices(sound: Any, phase: str, changed: dict[str, Any], message: str) -> None:
    """One thing wrong is one thing found."""
    assert message in " ".join(broken(sound, phase, **changed))


def test_the_checker_wants_the_object_form(sound: Any) -> None:
    """A bare list is allowed by the format, but not what is written here."""
    assert problems(sound["traceEvents"]) == ["not an object with a list of traceEvents"]
    assert problems({**sound, "displayTimeUnit": "s"}) == ["displayTimeUnit s"]


def test_the_checker_notices_overlap(sound: Any) -> None:
    """A service that begins before the last one of its server ends."""
    trace = copy.deepcopy(sound)
    first = next(event for event in trace["traceEvents"] if event["ph"] == "X")
    first["dur"] += 10**6
    assert "begins before" in " ".join(problems(trace))
