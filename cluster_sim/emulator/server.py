"""A server: a SimPy process that asks for work, sleeps until it is given some, and serves it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from simpy.events import Event

from cluster_sim.emulator.phases import Ends
from cluster_sim.emulator.scheduler import CentralScheduler

__all__ = ["serve_forever"]


def serve_forever(
    server: int, scheduler: CentralScheduler, ends: Ends
) -> Generator[Event, Any, None]:
    """Run one server, one task at a time and without preemption.

    Parameters
    ----------
    server : int
    scheduler : CentralScheduler
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
