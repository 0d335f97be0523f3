"""``cluster-sim demo``: the live demo and the lessons, in a browser."""

from __future__ import annotations

import os
import threading
from typing import Annotated

import typer

from cluster_sim.cli import streams
from cluster_sim.cli.endings import Status
from cluster_sim.errors import ScenarioError

__all__ = ["demo"]


def demo(
    lesson: Annotated[
        str | None,
        typer.Argument(metavar="[LESSON]", help="A lesson; without one, the demo itself."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the lessons.")] = False,
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="Port; by default any that is free.")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address.")
    ] = False,
) -> Status:
    """Open the live demo, or a lesson, in a browser.

    Sliders for load, hot spot, rates, threshold and policy; the replay of a run; the theory beside
    it. It is served on this machine only, at 127.0.0.1, and needs no network. Ctrl-C stops it.
    """
    from cluster_sim.demo.catalogue import LESSONS, check_extra, notebook

    if list_:
        if lesson is not None:
            raise ScenarioError(f"--list and {lesson}: give one of the two")
        width = max(len(each.name) for each in LESSONS)
        for each in LESSONS:
            print(f"{each.name:<{width}}  {each.title}: {each.question}")
        return Status.SUCCESS
    path = notebook(lesson)
    check_extra()
    from cluster_sim.demo.server import serve

    serve(path, port=port, open_browser=not no_browser, tell=_tell)
    print("stopped")
    _leave()
    return Status.SUCCESS


def _leave() -> None:
    """End the process where the notebook of an open page would keep it.

    Python waits for the workers of all thread pools before it ends, and those of such a notebook
    wait for a page that no longer reaches them.
    """
    if threading.active_count() > 1:
        streams.flush()
        os._exit(Status.SUCCESS)


def _tell(address: str) -> None:
    print(f"{address}  (Ctrl-C stops it)", flush=True)
