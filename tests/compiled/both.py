"""Run a system on both engines and compare everything that can be seen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from cluster_sim.compiled.engine import simulate as simulate_compiled
from cluster_sim.emulator.emulator import simulate as simulate_simpy
from cluster_sim.errors import DecisionError
from cluster_sim.model.task import Task
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System

N_AROUND = 4  # events shown before and after the first difference


class Seen(NamedTuple):
    """One call of an observer, with all that the task showed at that moment."""

    slot: int
    kind: str
    task: int
    server: int | None
    queue: int
    tier: int | None
    start: int | None
    service: int | None
    arrival: int
    replicas: tuple[int, ...]
    luck: float

    def __str__(self) -> str:
        words = [f"slot {self.slot}: {self.kind} of task {self.task}, queue {self.queue}"]
        if self.server is not None:
            words.append(f"server {self.server}, tier {self.tier}")
            words.append(f"started {self.start}, needs {self.service}")
        words.append(f"arrived {self.arrival}, chunk on {list(self.replicas)}, luck {self.luck!r}")
        return ", ".join(words)


class Story(Observer):
    """Keep what an observer is told, and the state that it is closed with."""

    def __init__(self) -> None:
        self.events: list[Seen] = []
        self.end: dict[str, Any] = {}

    def _keep(self, slot: int, kind: str, task: Task) -> None:
        def known(name: str) -> Any:
            return getattr(task, name, None)

        self.events.append(
            Seen(
                slot,
                kind,
                task.number,
                known("server"),
                task.queue,
                known("tier"),
                known("start"),
                known("service"),
                task.arrival,
                tuple(task.replicas),
                task.luck,
            )
        )

    def arrival(self, task: Task) -> None:
        self._keep(task.arrival, "arrival", task)

    def start(self, task: Task) -> None:
        self._keep(task.start, "start", task)

    def completion(self, task: Task) -> None:
        self._keep(task.start + task.service, "completion", task)

    def close(self, state: StateView) -> None:
        self.end = {
            "waiting": list(state.waiting),
            "lengths": list(state.lengths),
            "running": [
                None if task is None else (task.number, task.start, task.service)
                for task in state.running
            ],
            "n_waiting": state.n_waiting,
            "n_in_service": state.n_in_service,
        }


def first_difference(simpy_events: Sequence[object], compiled_events: Sequence[object]) -> str:
    """Return both stories around the first difference, or an empty text if there is none."""
    pairs = itertools.zip_longest(simpy_events, compiled_events)
    at = next((i for i, (one, other) in enumerate(pairs) if one != other), None)
    if at is None:
        return ""
    told = [f"the engines differ from event {at} on"]
    for label, events in (("simpy", simpy_events), ("compiled", compiled_events)):
        told.append(f"{label}:")
        for i in range(max(at - N_AROUND, 0), at + N_AROUND + 1):
            mark = ">" if i == at else " "
            if i < len(events):
                told.append(f"{mark} {i}: {events[i]}")
            elif i in {at, len(events)}:
                told.append(f"{mark} {i}: (the run has ended)")
    return "\n".join(told)


def different_fields(one: RunResult, other: RunResult) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two results differ."""
    pairs = {f.name: (getattr(one, f.name), getattr(other, f.name)) for f in fields(RunResult)}
    return {
        name: (a, b)
        for name, (a, b) in pairs.items()
        if not (a == b if not hasattr(a, "shape") else (a.shape == b.shape and (a == b).all()))
    }


def check_same(
    system: System,
    key: Key,
    slots: int,
    *,
    warmup: int = 0,
    series_points: int = 50,
    is_observed: bool = True,
) -> RunResult:
    """Fail with both stories unless the engines agree on every event and on the result."""
    stories = Story(), Story()
    results = []
    for simulate, story in zip((simulate_simpy, simulate_compiled), stories, strict=True):
        results.append(
            simulate(
                system,
                key,
                slots=slots,
                warmup=warmup,
                series_points=series_points,
                observers=[story] if is_observed else [],
            )
        )
    told = first_difference(stories[0].events, stories[1].events)
    assert not told, f"{system}\n{key}\n{told}"
    assert stories[0].end == stories[1].end, system
    assert results[0] == results[1], f"{system}: {different_fields(*results)}"
    return results[1]


def check_same_failure(system: System, key: Key, slots: int) -> str:
    """Fail unless both engines refuse a decision alike; return what they say."""
    stories, messages = (Story(), Story()), []
    for simulate, story in zip((simulate_simpy, simulate_compiled), stories, strict=True):
        try:
            simulate(system, key, slots=slots, observers=[story])
        except DecisionError as error:
            messages.append(str(error))
        else:
            messages.append("no error")
    assert messages[0] == messages[1]
    assert messages[0] != "no error"
    told = first_difference(stories[0].events, stories[1].events)
    assert not told, told
    assert stories[0].events, "what happened before the failure is told"
    return messages[0]
