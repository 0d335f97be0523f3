"""A server: a SimPy process that asks for work, sleeps until it is given some, and serves it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Protocol

from simpy.events import Event

from cluster_sim.emulator.phases import Bell, Ends
from cluster_sim.model.task import Task

__all__ = ["Scheduler", "serve_forever"]


class Scheduler(Protocol):
    """What gives a server its work."""

    def ask_for_work(self, server: int) -> Bell:
        """Return what is rung with a task when there is one for the server."""
        ...

    def complete(self, server: int, task: Task) -> None:
        """Take note that the server has completed its task."""
        ...


def serve_forever(server: int, scheduler: Scheduler, ends: Ends) -> Generator[Event, Any, None]:
    """Run one server, one task at a time and without preemption.

    Parameters
    ----------
    server : int
    scheduler : Scheduler
        Asked for work.
    ends : Ends
        When services end.

    Yields
    ------
    simpy.events.Event
    """
    while True:
        task = yield scheduler.ask_for_work(server)
        yield ends.at(task.start + task.service)
        scheduler.complete(server, task)
