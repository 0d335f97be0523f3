"""Comparing runs: the same events, or the same tasks."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_sim.model.task import Task
from cluster_sim.recording.events import Event, EventRecorder
from cluster_sim.recording.observer import Observer
from cluster_sim.testing.laws import Law, LawViolation

__all__ = ["TaskRecorder", "check_same_events", "check_same_tasks", "first_difference"]

N_AROUND = 3  # events told before and after the first difference


class TaskRecorder(Observer):
    """Keep what a policy has no say in: arrival, replicas and luck of every task.

    Attributes
    ----------
    tasks : list of (int, int, tuple of int, float)
        Number, slot of arrival, servers that hold the chunk, and luck.
    """

    def __init__(self) -> None:
        self.tasks: list[tuple[int, int, tuple[int, ...], float]] = []

    def arrival(self, task: Task) -> None:
        """Keep an arrival."""
        self.tasks.append((task.number, task.arrival, tuple(task.replicas), task.luck))


def first_difference(first: Sequence[object], second: Sequence[object]) -> int | None:
    """Return where two sequences first differ.

    Parameters
    ----------
    first, second : sequence

    Returns
    -------
    int or None
        None if they are equal; the shorter length if one begins the other.

    Examples
    --------
    >>> first_difference("abcd", "abxd"), first_difference("ab", "abc"), first_difference("a", "a")
    (2, 2, None)
    """
    for i, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return i
    shorter, longer = sorted((len(first), len(second)))
    return None if shorter == longer else shorter


def check_same_events(
    first: EventRecorder | Sequence[Event],
    second: EventRecorder | Sequence[Event],
    *,
    law: Law = Law.DETERMINISM,
    labels: tuple[str, str] = ("first run", "second run"),
) -> None:
    """Raise unless two runs had the same events in the same order.

    Parameters
    ----------
    first, second : EventRecorder or sequence of Event
    law : Law
        What is broken if they differ.
    labels : tuple of two str
        What the runs are, e.g. the names of two engines.

    Raises
    ------
    LawViolation
        With both stories around the first difference.

    Examples
    --------
    >>> arrival = Event(0, "arrival", 0, None, 1, None)
    >>> check_same_events([arrival], [arrival])
    """
    one = first.events if isinstance(first, EventRecorder) else first
    other = second.events if isinstance(second, EventRecorder) else second
    i = first_difference(one, other)
    if i is None:
        return
    stories = (
        f"{label}:\n{_story(events, i)}" for label, events in zip(labels, (one, other), strict=True)
    )
    raise LawViolation(law, f"the runs differ from event {i} on\n" + "\n".join(stories))


def check_same_tasks(first: TaskRecorder, second: TaskRecorder, *, labels: tuple[str, str]) -> None:
    """Raise unless two runs met the same tasks.

    Parameters
    ----------
    first, second : TaskRecorder
    labels : tuple of two str
        What the runs are.

    Raises
    ------
    LawViolation
    """
    i = first_difference(first.tasks, second.tasks)
    if i is None:
        return
    met = [str(run.tasks[i]) if i < len(run.tasks) else "no task" for run in (first, second)]
    raise LawViolation(
        Law.COMMON_RANDOM_NUMBERS,
        f"as task {i} (number, arrival, replicas, luck) {labels[0]} met {met[0]}, "
        f"{labels[1]} met {met[1]}",
    )


def _story(events: Sequence[Event], i: int) -> str:
    lines = []
    for j in range(max(i - N_AROUND, 0), min(i + N_AROUND + 1, len(events))):
        mark = ">" if j == i else " "
        lines.append(f"{mark} {j}: {_sentence(events[j])}")
    if i >= len(events):
        lines.append(f"> {i}: (the run has ended)")
    return "\n".join(lines)


def _sentence(event: Event) -> str:
    where = "" if event.server is None else f", server {event.server}, tier {event.tier}"
    return f"slot {event.slot} {event.kind!s} of task {event.task}, queue {event.queue}{where}"
