"""Lines of a trace file, plain or gzipped, read as a stream."""

from __future__ import annotations

import difflib
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from cluster_sim.errors import TraceError
from cluster_sim.traces.problems import Problems

__all__ = ["MAX_LINE_BYTES", "numbered_lines"]

MAX_LINE_BYTES = 65_536
"""A longer line means that the file is not a trace; reading on could fill the memory."""

_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def numbered_lines(path: str | os.PathLike[str], problems: Problems) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 text file with their numbers.

    Parameters
    ----------
    path : str or path-like
        The file. It is decompressed when it starts with gzip's magic bytes, whatever its name.
    problems : Problems
        Takes the lines that are not UTF-8; those are not yielded.

    Yields
    ------
    int
        Line number, from 1.
    str
        The line without its end (a line feed, or carriage return and line feed).

    Raises
    ------
    TraceError
        If the file cannot be opened or read to its end, or is not text; earlier problems are
        reported with it.
    """
    number = 0
    with _opened(path, problems.source) as stream:
        while True:
            try:
                raw = stream.readline(MAX_LINE_BYTES + 1)
            except (OSError, EOFError, zlib.error) as error:
                problems.add(number + 1, f"cannot be read further ({error}); get the file again")
                raise problems.error() from error
            if not raw:
                return
            number += 1
            text = _decoded(raw, number, problems)
            if text is not None:
                yield number, text


def _decoded(raw: bytes, number: int, problems: Problems) -> str | None:
    """Return one line as text; None if it is not UTF-8, which is noted."""
    if b"\0" in raw:
        problems.add(
            number,
            "holds a NUL byte, so this is a binary file: must be UTF-8 text, plain or gzipped; "
            "check the file name, or convert the file",
        )
        raise problems.error()
    if len(raw) > MAX_LINE_BYTES:
        problems.add(
            number,
            f"longer than {MAX_LINE_BYTES} bytes: must be one row of a trace; "
            "check that this is a trace with one row per line",
        )
        raise problems.error()
    if number == 1:
        raw = raw.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        problems.add(
            number,
            f"byte {raw[error.start]:#04x} at position {error.start + 1} of the line is not UTF-8: "
            "must be UTF-8 text; convert the file",
        )
        return None
    return text.removesuffix("\n").removesuffix("\r")


@contextmanager
def _opened(path: str | os.PathLike[str], source: str) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes, through gzip where it is compressed."""
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only the opening is guarded
    except FileNotFoundError as error:
        raise TraceError(f"{source}: no such file.{_nearest(path)}") from error
    except IsADirectoryError as error:
        raise TraceError(f"{source}: is a directory: must be a file; name a file in it") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TraceError(
            f"{source}: cannot be opened ({reason}): must be a file you may read"
        ) from error
    with file:
        try:
            is_gzip = file.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
        except OSError as error:
            raise TraceError(f"{source}: cannot be read ({error.strerror})") from error
        if is_gzip:
            with gzip.GzipFile(fileobj=file) as unzipped:
                yield cast("IO[bytes]", unzipped)
        else:
            yield file


def _nearest(path: str | os.PathLike[str]) -> str:
    """Return a sentence naming the file that was perhaps meant, or the remedy."""
    wanted = Path(path)
    try:
        names = [entry.name for entry in wanted.parent.iterdir() if entry.is_file()]
    except OSError:
        return f" The directory {str(wanted.parent)!r} does not exist either; check the path."
    near = difflib.get_close_matches(wanted.name, names, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else " Check the path."
