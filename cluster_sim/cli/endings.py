"""How a command ends: every way out is an exit status and, where needed, a message."""

from __future__ import annotations

import enum
import functools
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import ParamSpec

from cluster_sim.cli import streams
from cluster_sim.errors import (
    ClusterSimError,
    PolicyError,
    ResultsError,
    ScenarioError,
    TraceError,
    UnknownNameError,
)

__all__ = ["Endings", "Status"]

Arguments = ParamSpec("Arguments")

_REQUEST_WAS_WRONG = (ScenarioError, TraceError, UnknownNameError, PolicyError, ResultsError)
_PACKAGE = Path(__file__).resolve().parents[1]
_STANDARD_LIBRARY = Path(enum.__file__).resolve().parent


class Status(enum.IntEnum):
    """The exit statuses of ``cluster-sim``."""

    SUCCESS = 0
    FAILED = 1  # the request was right, the run failed
    WRONG = 2  # the request was wrong
    INTERRUPTED = 130  # 128 + SIGINT, as shells count


class Endings:
    """Give every way out of a command its status; while open, a second Ctrl-C kills the process.

    Parameters
    ----------
    is_debugging : bool
        Show the traceback of what nobody foresaw.
    """

    def __init__(self, *, is_debugging: bool = False) -> None:
        self._is_debugging = is_debugging
        self._is_interrupted = False
        self._is_installed = False

    def __enter__(self) -> Endings:
        is_main = threading.current_thread() is threading.main_thread()
        # Where SIGINT is ignored, as in a background job, it stays ignored.
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)
            self._is_installed = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def of(self, command: Callable[Arguments, Status]) -> Callable[Arguments, Status]:
        """Make a command end with a status, whatever happens in it.

        Parameters
        ----------
        command : callable

        Returns
        -------
        callable
            With the signature of the command.
        """

        @functools.wraps(command)
        def ended(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Status:
            try:
                status = command(*args, **kwargs)
                streams.flush()
            except BaseException as error:  # noqa: BLE001 - every way out has its status
                return self._after(error)
            return status

        return ended

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._is_interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    def _after(self, error: BaseException) -> Status:
        """Explain an exception in a message, and return its status."""
        # What goes wrong while an interrupt unwinds is a consequence of it.
        if isinstance(error, KeyboardInterrupt) or self._is_interrupted:
            streams.complain("cluster-sim: interrupted: nothing was finished, nothing to report")
            return Status.INTERRUPTED
        if isinstance(error, BrokenPipeError):
            streams.discard()  # the reader has what it wanted
            return Status.SUCCESS
        if isinstance(error, _REQUEST_WAS_WRONG):
            streams.complain(str(error))
            return Status.WRONG
        if isinstance(error, ClusterSimError):
            streams.complain(f"cluster-sim: the run failed: {error}")
            return Status.FAILED
        if self._is_debugging:
            traceback.print_exception(error)
        streams.complain(f"cluster-sim: {_explain(error)}")
        if isinstance(error, OSError):
            streams.discard()  # what is still buffered would fail again
        return Status.FAILED


def _explain(error: BaseException) -> str:
    """Return what to say of an exception that is none of ours."""
    named = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, MemoryError):
        detail = f" ({error})" if str(error) else ""
        return (
            f"not enough memory{detail}; lower cluster.servers, traffic.chunks, "
            "traffic.max_tasks_per_job or run.series_points"
        )
    foreign = _foreign_place(error.__traceback__)
    if foreign is not None:
        return f"your code failed: {foreign}: {named}; add --debug for the whole traceback"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else "cannot write: "
        return f"{where}{error.strerror or error}; free the disk or choose another place"
    return (
        f"this is a bug in cluster_sim: {named}; please report it, with the command, the scenario "
        "and what --debug prints"
    )


def _foreign_place(trace: TracebackType | None) -> str | None:
    """Return the innermost place in code of the user's own, such as a policy named module:Class."""
    libraries = [_PACKAGE, _STANDARD_LIBRARY]
    libraries += [Path(path).resolve() for path in sys.path if path.endswith("-packages")]
    place = None
    for frame, line in traceback.walk_tb(trace):
        path = Path(frame.f_code.co_filename).resolve()
        if path.is_file() and not any(path.is_relative_to(folder) for folder in libraries):
            place = f"{path}:{line} in {frame.f_code.co_name}"
    return place
