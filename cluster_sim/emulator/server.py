"""A server: a SimPy process that asks for work, sleeps until it is given some, and serves it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy
from simpy.events import Event

from cluster_sim.emulator.base import Scheduler
from cluster_sim.emulator.phases import Bell, Ends

__all__ = ["serve_forever", "serve_until_broken"]


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


def serve_until_broken(
    server: int, scheduler: Scheduler, ends: Ends, repaired: Bell
) -> Generator[Event, Any, None]:
    """Run one server that may break down: whoever sees to that interrupts the process.

    Parameters
    ----------
    server : int
    scheduler : Scheduler
        Asked for work; it has been told of the breakdown.
    ends : Ends
        When services end.
    repaired : Bell
        Rung when the server is back.

    Yields
    ------
    simpy.events.Event
    """
    while True:
        try:
            yield from serve_forever(server, scheduler, ends)
        except simpy.Interrupt:
            yield repaired
