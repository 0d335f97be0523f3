"""Does a run report what happened in it? Its measurements, made again from its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cluster_sim.recording.events import Event, EventKind
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.result import RunResult
from cluster_sim.testing.laws import Law, LawViolation

__all__ = ["check_result"]

NEVER = 2**62  # a slot after every run


@dataclass
class _Life:
    """When and where a task arrived, started and completed."""

    arrival: int
    start: int = NEVER
    completion: int = NEVER
    server: int = -1
    tier: int = -1


def check_result(result: RunResult, events: Sequence[Event]) -> None:
    """Raise unless the measurements of a run are what its events say.

    Parameters
    ----------
    result : RunResult
    events : sequence of Event
        All events of the run.

    Raises
    ------
    LawViolation
        Result, or Little's law for the sums over observation points.

    Notes
    -----
    With T slots and a warm-up of w, a task that arrives in slot a, starts in s and completes in c
    is seen at the observation points t with w <= t < T and a < t < c, and it waits where t <= s.
    The sums over observation points must be the sums over tasks of these numbers of slots; see
    `LittlesLaw` for w = 0.
    """
    lives = _lives(events)
    begin, end = result.warmup, result.slots
    measured = [life for life in lives if begin <= life.completion < end]
    started = [life for life in lives if begin <= life.start < end]
    busy = [0] * len(result.busy)
    for life in lives:
        if life.start < end:
            busy[life.server] += _overlap(life.start, life.completion, begin, end)
    n_completed = sum(life.completion < end for life in lives)
    in_system = sum(_overlap(life.arrival + 1, life.completion, begin, end) for life in lives)
    waiting = sum(_overlap(life.arrival + 1, life.start + 1, begin, end) for life in lives)
    for law, name, found, expected in (
        (Law.RESULT, "n_arrivals", result.n_arrivals, len(lives)),
        (Law.RESULT, "n_completed", result.n_completed, n_completed),
        (Law.RESULT, "n_in_system", result.n_in_system, len(lives) - n_completed),
        (
            Law.RESULT,
            "starts",
            Counter(dict(enumerate(result.starts.tolist()))),
            Counter(life.tier for life in started),
        ),
        (Law.RESULT, "busy", result.busy.tolist(), busy),
        (
            Law.RESULT,
            "completion_times",
            _counts(result.completion_times),
            Counter(life.completion - life.arrival for life in measured),
        ),
        (
            Law.RESULT,
            "waiting_times",
            _counts(result.waiting_times),
            Counter(life.start - life.arrival for life in measured),
        ),
        (Law.LITTLES_LAW, "in_system_sum", result.in_system_sum, in_system),
        (Law.LITTLES_LAW, "waiting_sum", result.waiting_sum, waiting),
    ):
        if found != expected:
            raise LawViolation(law, f"{name} is {found}, the events say {expected}")


def _lives(events: Iterable[Event]) -> list[_Life]:
    lives: dict[int, _Life] = {}
    for event in events:
        if event.kind == EventKind.ARRIVAL:
            lives[event.task] = _Life(event.slot)
        elif event.kind == EventKind.START:
            life = lives[event.task]
            life.start, life.server, life.tier = event.slot, event.server or 0, event.tier or 0
        else:
            lives[event.task].completion = event.slot
    return list(lives.values())


def _overlap(first: int, after: int, begin: int, end: int) -> int:
    """Return how many slots from `first` to before `after` are from `begin` to before `end`."""
    return max(min(after, end) - max(first, begin), 0)


def _counts(histogram: Histogram) -> Counter[int]:
    return Counter(dict(zip(histogram.values.tolist(), histogram.counts.tolist(), strict=True)))
