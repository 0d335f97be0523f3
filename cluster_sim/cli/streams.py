"""Standard output for results, standard error for everything else."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = [
    "complain",
    "discard",
    "finite",
    "flush",
    "make_robust",
    "note",
    "only_json",
    "print_json",
    "print_rich",
]

_UNWRAPPED = 10_000  # columns
_PLAIN = {"±": "+/-", "–": "-", "—": "-", "→": "->", "×": "x", "≥": ">=", "…": "..."}


def make_robust() -> None:
    """Make the standard streams take any text: a terminal that knows ASCII only gets ASCII."""
    codecs.register_error("cluster_sim", _in_ascii)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123 - open as long as the process
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="cluster_sim")


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(char) or _escaped(char) for char in text), error.end


def _escaped(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode("ascii")


def complain(message: str) -> None:
    """Print an error message to standard error.

    Parameters
    ----------
    message : str
    """
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr, flush=True)


def note(message: str, *, is_quiet: bool = False) -> None:
    """Print a note to standard error.

    Parameters
    ----------
    message : str
    is_quiet : bool
        Leave it out.
    """
    if not is_quiet:
        with contextlib.suppress(OSError):
            print(f"note: {message}", file=sys.stderr, flush=True)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object; what JSON has no number for becomes null.

    Parameters
    ----------
    value : mapping of str to object
        Plain JSON types; floats may be nan or infinite.
    """
    # The bytes go out in one piece: an interrupt leaves a whole object or none.
    sys.stdout.write(json.dumps(finite(value), indent=2, allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """Return plain data with nothing that JSON has no number for: such floats become None.

    Parameters
    ----------
    value : object
        Plain JSON types; floats may be nan or infinite.

    Returns
    -------
    object
    """
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextlib.contextmanager
def only_json(is_json: bool) -> Iterator[None]:
    """Keep standard output clean: what a user's policy prints goes to standard error.

    Parameters
    ----------
    is_json : bool
        Whether standard output is for one JSON object.
    """
    with contextlib.redirect_stdout(sys.stderr) if is_json else contextlib.nullcontext():
        yield


def print_rich(*parts: RenderableType) -> None:
    """Print tables and styled text to standard output, without trailing blanks.

    Parameters
    ----------
    *parts : rich renderable
        Text in them is taken literally.
    """
    from rich.console import Console

    # Where nobody looks, as in a pipe, lines are as long as they are: wrapped tables are hard
    # to read.
    is_seen = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(
        file=sys.stdout,
        width=None if is_seen else _UNWRAPPED,
        markup=False,
        highlight=False,
        emoji=False,
    )
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    lines = capture.get().splitlines()
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in lines))


def flush() -> None:
    """Write out what is buffered, so that a failure is noticed while it can be reported."""
    sys.stdout.flush()


def discard() -> None:
    """Send what is still buffered for standard output nowhere: its reader has gone."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
