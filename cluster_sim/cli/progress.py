"""A progress bar on standard error, for people who wait."""

from __future__ import annotations

import contextlib
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

    from cluster_sim.scenario.tables import Run

__all__ = ["ProgressBar", "RunsInRow"]

_LONG = 1.0  # seconds; a run expected to end sooner needs no bar
_PATIENCE = 0.25  # seconds to measure the speed before deciding
_NOTEBOOK_PAUSE = 0.5  # seconds between two lines in a notebook


class ProgressBar:
    """Show how far a run is, with its rate and the time left, if somebody looks and it is long.

    On a terminal it is a bar that goes away at the end; in a notebook, where a bar would need
    widgets, a line of text.

    Parameters
    ----------
    n_total : int
        Slots of all replications together, or whatever is counted.
    is_quiet : bool
        Show nothing.
    unit : str
        What is counted, in the plural.
    n_before : int
        How many were done before the bar began; they do not count for the rate.
    """

    def __init__(
        self, n_total: int, *, is_quiet: bool = False, unit: str = "slots", n_before: int = 0
    ) -> None:
        self._n_total, self._unit, self._n_before = n_total, unit, n_before
        self._is_notebook = _is_notebook()
        self._is_wanted = not is_quiet and (self._is_notebook or sys.stderr.isatty())
        self._began = self._told = time.monotonic()
        self._bar: Progress | None = None
        self._task: Any = None
        self._width = 0  # of the line in a notebook

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
        if self._width:
            self._write_line("")

    def tell(self, n_done: int, what: str = "", *, n_total: int | None = None) -> None:
        """Say how many are done.

        Parameters
        ----------
        n_done : int
        what : str
            What is running.
        n_total : int, optional
            If it has changed.
        """
        self._n_total = n_total or self._n_total
        if not self._is_wanted:
            return
        if self._is_notebook:
            self._tell_notebook(n_done, what)
            return
        if self._bar is None and self._is_long(n_done):
            self._bar = _make_bar(self._unit)
            self._bar.start()
            self._task = self._bar.add_task(what, total=self._n_total, completed=self._n_before)
        if self._bar is not None:
            self._bar.update(self._task, completed=n_done, description=what, total=self._n_total)

    def _is_long(self, n_done: int) -> bool:
        elapsed = time.monotonic() - self._began
        n_new = max(n_done - self._n_before, 1)
        return elapsed > _PATIENCE and elapsed * (self._n_total - self._n_before) > _LONG * n_new

    def _tell_notebook(self, n_done: int, what: str) -> None:
        now = time.monotonic()
        if now - self._told < _NOTEBOOK_PAUSE or not (self._width or self._is_long(n_done)):
            return
        self._told = now
        rate = (n_done - self._n_before) / (now - self._began)
        left = f", {_clock((self._n_total - n_done) / rate)} left" if rate > 0 else ""
        self._write_line(
            f"{what} {n_done:,}/{self._n_total:,} {self._unit}, {rate:,.3g}/s{left}".strip()
        )

    def _write_line(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"\r{text.ljust(self._width)}" + ("" if text else "\r"))
            sys.stderr.flush()
        self._width = len(text)


class RunsInRow:
    """The runs of a scenario one after another: the pilot, if there is one, then replications.

    Parameters
    ----------
    run : Run
        How often; where a precision is requested, its first round. Later ones show as complete.
    slots : int
        Of a run.

    Attributes
    ----------
    n_slots : int
        Of all runs together.
    """

    def __init__(self, run: Run, slots: int) -> None:
        from cluster_sim.experiments.precision import first_round

        self._slots, self._n_pilots = slots, int(run.warmup == "auto")
        self.n_slots = slots * (self._n_pilots + first_round(run))

    def done(self, replication: int, slot: int) -> tuple[int, str]:
        """Return how many slots are done, and what is running.

        Parameters
        ----------
        replication : int
            Or `PILOT_RUN`.
        slot : int
            Slots of it that are done.

        Returns
        -------
        int
        str
        """
        from cluster_sim.experiments.replications import PILOT_RUN

        if replication == PILOT_RUN:
            return slot, "pilot run"
        n_done = (self._n_pilots + replication) * self._slots + slot
        return min(n_done, self.n_slots), f"replication {replication + 1}"


def _is_notebook() -> bool:
    """Return whether this process shows its output in a notebook."""
    shell = sys.modules.get("IPython")
    made = getattr(shell, "get_ipython", lambda: None)()
    return type(made).__name__ == "ZMQInteractiveShell"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _make_bar(unit: str) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.3g}/s")

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        Rate(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        # What the run prints itself keeps its stream.
        redirect_stdout=False,
        redirect_stderr=False,
    )
