"""How observers are told what happens, at no cost where nobody listens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from math import gcd
from typing import Protocol

from cluster_sim.errors import ScenarioError
from cluster_sim.model.task import Task

__all__ = ["Observer", "ObserverHub", "StateView"]


class StateView(Protocol):
    """What an observer may look at; it must not change it."""

    @property
    def waiting(self) -> list[int]:
        """Waiting tasks per queue."""
        ...

    @property
    def lengths(self) -> list[int]:
        """Lengths per queue, under the reading `queue_length`."""
        ...

    @property
    def n_waiting(self) -> int:
        """Tasks waiting, over all queues; where chunks may be away, those that wait for one too."""
        ...

    @property
    def n_in_service(self) -> int:
        """Tasks in service."""
        ...

    @property
    def running(self) -> list[Task | None]:
        """Who serves what, by server.

        The compiled engine knows it only for observers that define more than `Observer.observe`.
        """
        ...


class Observer:
    """What wants to be told of a run; a subclass overrides what it needs: only that is called.

    Attributes
    ----------
    look_every : int
        `observe` is called in the slots that are multiples of it.
    """

    look_every: int = 1

    def arrival(self, task: Task) -> None:
        """Take note of a task that has joined ``task.queue``."""

    def start(self, task: Task) -> None:
        """Take note of a task that has just started on ``task.server``."""

    def completion(self, task: Task) -> None:
        """Take note of a task that has completed, in slot ``task.start + task.service``."""

    def displaced(self, task: Task, slot: int) -> None:
        """Take note of a task that neither waits nor runs any more, for a breakdown in that slot.

        If it ran, it has ``task.start``, and the run is lost.
        """

    def rejoined(self, task: Task, slot: int) -> None:
        """Take note of a displaced task that has joined ``task.queue`` anew.

        It is another object of the same number.
        """

    def failed(self, task: Task, slot: int) -> None:
        """Take note of a task that leaves without service, because its chunk is lost."""

    def observe(self, slot: int, state: StateView) -> None:
        """Look at the state at the observation point of a slot, the paper's Q(t).

        The state is that of the moment; what is to be kept must be copied.
        """

    def close(self, state: StateView) -> None:
        """Finish: the run has ended, or was interrupted, in this state."""


class ObserverHub:
    """The observers' methods, by event; a method that is not overridden is left out.

    Parameters
    ----------
    observers : sequence of Observer
    """

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self.arrival: list[Callable[[Task], None]] = self._overridden("arrival")
        self.start: list[Callable[[Task], None]] = self._overridden("start")
        self.completion: list[Callable[[Task], None]] = self._overridden("completion")
        # Of runs in which something breaks down.
        self.displaced: list[Callable[[Task, int], None]] = self._overridden("displaced")
        self.rejoined: list[Callable[[Task, int], None]] = self._overridden("rejoined")
        self.failed: list[Callable[[Task, int], None]] = self._overridden("failed")
        observe: list[Callable[[int, StateView], None]] = self._overridden("observe")
        lookers = [each for each in self._observers if _overrides(each, "observe")]
        for each in lookers:
            if each.look_every < 1:
                raise ScenarioError(
                    f"observer {type(each).__name__}: look_every = {each.look_every}; it must be "
                    "at least 1"
                )
        # Each with how often it looks.
        self.observe = [
            (looker.look_every, look) for looker, look in zip(lookers, observe, strict=True)
        ]

    @property
    def look_every(self) -> int:
        """Slots from one look at the state to the next; 0 if nobody looks."""
        return gcd(*(every for every, _ in self.observe))

    @property
    def wants_events(self) -> bool:
        """Whether somebody defines more than `Observer.observe`."""
        names = ("arrival", "start", "completion", "close")
        return any(_overrides(each, name) for each in self._observers for name in names)

    def _overridden(self, name: str) -> list[Callable[..., None]]:
        return [
            getattr(observer, name) for observer in self._observers if _overrides(observer, name)
        ]

    def close(self, state: StateView) -> None:
        """Close every observer.

        Parameters
        ----------
        state : StateView
            As it is at the end.
        """
        with contextlib.ExitStack() as stack:  # closes all, even if one raises
            for observer in reversed(self._observers):
                stack.callback(observer.close, state)


def _overrides(observer: Observer, name: str) -> bool:
    return getattr(type(observer), name) is not getattr(Observer, name)
