"""A progress bar on standard error, for people who wait."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["ProgressBar"]

_LONG = 1.0  # seconds; a run expected to end sooner needs no bar
_PATIENCE = 0.25  # seconds to measure the speed before deciding


class ProgressBar:
    """Show how far a run is, if standard error is a terminal and the run is long.

    Parameters
    ----------
    n_slots : int
        Slots of all replications together.
    is_quiet : bool
        Show nothing.
    """

    def __init__(self, n_slots: int, *, is_quiet: bool = False) -> None:
        self._n_slots = n_slots
        self._is_wanted = not is_quiet and sys.stderr.isatty()
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, n_done: int, what: str = "") -> None:
        """Say how many slots are done.

        Parameters
        ----------
        n_done : int
        what : str
            What is running.
        """
        if not self._is_wanted:
            return
        if self._bar is None and self._is_long(n_done):
            self._bar = _make_bar()
            self._bar.start()
            self._task = self._bar.add_task(what, total=self._n_slots)
        if self._bar is not None:
            self._bar.update(self._task, completed=n_done, description=what)

    def _is_long(self, n_done: int) -> bool:
        elapsed = time.monotonic() - self._began
        return elapsed > _PATIENCE and elapsed * self._n_slots > _LONG * max(n_done, 1)


def _make_bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("slots"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        # What the run prints itself keeps its stream.
        redirect_stdout=False,
        redirect_stderr=False,
    )
