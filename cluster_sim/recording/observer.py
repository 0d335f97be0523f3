"""How observers are told what happens, at no cost where nobody listens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from cluster_sim.model.task import Task

__all__ = ["Observer", "ObserverHub", "StateView"]


class StateView(Protocol):
    """What an observer may look at; it must not change it.

    Attributes
    ----------
    waiting, lengths : sequence of int, length n_queues
        Waiting tasks per queue, and lengths under the reading `queue_length`.
    running : sequence of Task or None, length n_servers
        Who serves what.
    n_waiting, n_in_service : int
        Tasks, over all queues.
    """

    waiting: list[int]
    lengths: list[int]
    running: list[Task | None]
    n_waiting: int
    n_in_service: int


class Observer:
    """What wants to be told of a run; a subclass overrides what it needs: only that is called."""

    def arrival(self, task: Task) -> None:
        """Take note of a task that has joined ``task.queue``."""

    def start(self, task: Task) -> None:
        """Take note of a task that has just started on ``task.server``."""

    def completion(self, task: Task) -> None:
        """Take note of a task that has completed, in slot ``task.start + task.service``."""

    def observe(self, slot: int, state: StateView) -> None:
        """Look at the state at the observation point of a slot, the paper's Q(t)."""

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
        self.observe: list[Callable[[int, StateView], None]] = self._overridden("observe")

    def _overridden(self, name: str) -> list[Callable[..., None]]:
        return [
            getattr(observer, name)
            for observer in self._observers
            if getattr(type(observer), name) is not getattr(Observer, name)
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
