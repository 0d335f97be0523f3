"""A table that is written as the run goes, and takes its name when the run has ended."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cluster_sim.errors import ScenarioError

__all__ = ["RowFile"]

ROWS_PER_CHUNK = 2_048  # what is held in memory; enough for gzip to find repetitions

Row = Sequence[object]


class RowFile:
    """A CSV file, compressed if its name ends in ``.gz``.

    Rows go in chunks to a temporary file beside the target, which takes the target's name on
    `close`. A chunk is written whole or not at all, also where an interrupt cuts in, so what is
    closed can be read. The same rows give the same bytes. A path that cannot be written is refused
    here, before a run begins.

    Parameters
    ----------
    path : str or path-like
        An existing file is replaced on `close`.
    header : sequence of str
        First row.
    what : str
        What the file is, for messages.

    Raises
    ------
    ScenarioError
        If the file cannot be created there.
    """

    def __init__(self, path: str | os.PathLike[str], header: Sequence[str], *, what: str) -> None:
        self._label = f"{what} {os.fspath(path)}"
        self._path = self._checked_path(path)
        self._part = self._path.with_name(f".{secrets.token_hex(4)}.part")
        self._pending: list[Row] = [header]
        self._file: BinaryIO | None = None
        self._end = 0  # bytes of the chunks that are written
        self._is_closed = False
        # Try it now: nobody wants to hear of a read-only folder after an hour's run.
        self._open().close()
        self._part.unlink()

    def write(self, row: Row) -> None:
        """Add a row.

        Parameters
        ----------
        row : sequence
            As many cells as the header.

        Raises
        ------
        ScenarioError
            If the file is closed, or the disk does not take it.
        """
        if self._is_closed:
            raise ScenarioError(
                f"{self._label}: is closed, it holds the run that has ended; "
                "make a new one for another run"
            )
        self._pending.append(row)
        if len(self._pending) >= ROWS_PER_CHUNK:
            self._flush()

    def close(self) -> None:
        """Write what is pending and give the file its name; a second call does nothing.

        Raises
        ------
        ScenarioError
            If the disk does not take it; then nothing is left behind.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._flush()
            if self._file is not None:
                self._file.close()
            self._part.replace(self._path)
        except OSError as error:
            raise self._problem(error) from error
        finally:
            if self._file is not None:
                with contextlib.suppress(OSError):  # it would write once more what failed above
                    self._file.close()
            self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self._pending)
        data = text.getvalue().encode()
        if self._path.suffix == ".gz":
            data = gzip.compress(data, compresslevel=6, mtime=0)  # one gzip member a chunk
        try:
            if self._file is None:
                self._file = self._open()
            self._file.seek(self._end)
            self._file.write(data)
            self._file.truncate()
            self._file.flush()
        except OSError as error:
            raise self._problem(error) from error
        # An interrupt before this line leaves the rows pending: the next flush overwrites them.
        self._end += len(data)
        self._pending = []

    def _open(self) -> BinaryIO:
        try:
            return self._part.open("xb")
        except OSError as error:
            raise self._problem(error) from error

    def _checked_path(self, path: str | os.PathLike[str]) -> Path:
        try:
            # Through links: the file they point to is replaced, not the link.
            target = Path(os.path.realpath(path))
            is_folder, is_taken = target.is_dir(), target.exists() and not target.is_file()
        except (OSError, ValueError) as error:
            raise self._problem(error) from error
        if is_folder:
            raise ScenarioError(f"{self._label}: is a folder; give the name of a file in it")
        if is_taken:
            raise ScenarioError(f"{self._label}: is not a regular file; choose another name")
        if not target.parent.is_dir():
            raise ScenarioError(
                f"{self._label}: there is no folder {os.fspath(target.parent)}; "
                "create it or choose another"
            )
        return target

    def _problem(self, error: Exception) -> ScenarioError:
        reason = getattr(error, "strerror", None) or error
        return ScenarioError(
            f"{self._label}: cannot be written ({reason}); choose a path on a disk with room, "
            "in a folder that you may write to"
        )
