"""SWIM: the format of the Facebook Hadoop workloads of the SWIM workload repository."""

from __future__ import annotations

import os
from array import array

import numpy as np

from cluster_sim.traces.lines import numbered_lines
from cluster_sim.traces.problems import Problems, shown
from cluster_sim.traces.trace import Trace

__all__ = ["COLUMNS", "MAX_VALUE", "read_swim"]

COLUMNS = (
    "job id",
    "submit seconds",
    "gap seconds",
    "map input bytes",
    "shuffle bytes",
    "reduce output bytes",
    "input path",
    "empty",
    "empty",
)
"""Names of the columns. The last three are all there, or none of them is."""

MAX_VALUE = 2**53
"""Largest number of seconds or bytes: 8 PiB, and the last whole number before doubles have gaps."""

_N_SHORT, _N_LONG = 6, 9
_N_DIGITS = len(str(MAX_VALUE))
_NUMBERS = range(1, 6)


def read_swim(path: str | os.PathLike[str]) -> Trace:
    r"""Read a SWIM workload file.

    Parameters
    ----------
    path : str or path-like
        A tab-separated file without a header, plain or gzipped, of six columns (job id, submit
        time in seconds, gap since the submission before in seconds, map input, shuffle and
        reduce output in bytes) or of nine (the same, the anonymised input path, two empty ones).

    Returns
    -------
    Trace
        The jobs, as columns. A file of six columns gives a trace without paths.

    Raises
    ------
    TraceError
        If the file cannot be read, is empty, or has malformed rows. All rows are checked: the
        message has a line ``FILE:LINE: ...`` for each of the first twenty problems and the
        count of the rest.

    Notes
    -----
    The reader is strict. Each row must have the columns of the first one. Numbers are whole, from
    0 to 2**53, in plain digits. Job ids are distinct and submit times never go back. The gap,
    shuffle and reduce columns must be numbers and are not used.

    Time and memory are linear in the number of rows; the file is read line by line.

    References
    ----------
    Chen, Ganapathi, Griffith, Katz, "The Case for Evaluating MapReduce Performance Using Workload
    Suites", IEEE MASCOTS 2011; the repository is github.com/SWIMProjectUCB/SWIM.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "day.tsv")
    ...     _ = path.write_text("job0\t5\t5\t900\t0\t10\njob1\t7\t2\t0\t0\t10\n")
    ...     trace = read_swim(path)
    >>> trace.submit_seconds, trace.n_zero_byte_jobs, trace.has_paths
    (array([5, 7]), 1, False)
    """
    problems = Problems(os.fsdecode(path))
    rows = _Rows(problems)
    for number, text in numbered_lines(path, problems):
        rows.add(number, text)
    if not problems and not rows.submit:
        problems.add(
            None, f"is empty: must have at least one row of {_N_SHORT} or {_N_LONG} columns"
        )
    problems.check()
    return rows.trace()


class _Rows:
    """The rows read so far: checked columns, and what is wrong with the others."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        # Typed arrays hold 8 bytes per value; lists of ints would hold five times that.
        self.submit = array("q")
        self.input_bytes = array("q")
        self.path_index = array("q")
        self.paths: dict[str, int] = {}
        self.line_of_job: dict[str, int] = {}
        self.width = 0
        self.width_line = 0
        self.last_submit = 0
        self.last_line = 0

    def add(self, line: int, text: str) -> None:
        """Take one row, or note everything that is wrong with it."""
        fields = text.split("\t")
        if len(fields) != self.width and not self._check_width(line, text, fields):
            return
        if line == 1 and not any(_has_digit(fields[column]) for column in _NUMBERS):
            self.problems.add(
                line, f"{shown(text)} is a header: SWIM files have none; delete the line"
            )
            return
        numbers = [self._number(line, column, fields[column]) for column in _NUMBERS]
        submit, input_bytes = numbers[0], numbers[2]
        self._check_job(line, fields[0])
        if submit is not None:
            self._check_order(line, submit)
        if len(fields) == _N_LONG:
            self._check_path(line, fields)
        if submit is None or input_bytes is None or self.problems:
            return
        self.submit.append(submit)
        self.input_bytes.append(input_bytes)
        if len(fields) == _N_LONG:
            self.path_index.append(self.paths.setdefault(fields[6], len(self.paths)))

    def trace(self) -> Trace:
        """Return the rows as a trace."""
        has_paths = bool(self.paths)
        return Trace(
            source=self.problems.source,
            submit_seconds=np.frombuffer(self.submit, dtype=np.int64),
            input_bytes=np.frombuffer(self.input_bytes, dtype=np.int64),
            path_index=(
                np.frombuffer(self.path_index, dtype=np.int64)
                if has_paths
                else np.arange(len(self.submit), dtype=np.int64)
            ),
            path_names=tuple(self.paths),
        )

    def _check_width(self, line: int, text: str, fields: list[str]) -> bool:
        """Note a wrong number of columns; the first good row says what is right."""
        width = len(fields)
        if not self.width and width in (_N_SHORT, _N_LONG):
            self.width, self.width_line = width, line
            return True
        if not text.strip():
            self.problems.add(line, "blank line: must be a row; delete the line")
        elif width in (_N_SHORT, _N_LONG):
            self.problems.add(
                line,
                f"{width} columns: must be {self.width} as in line {self.width_line}; "
                "give all rows the same columns",
            )
        else:
            allowed = self.width or f"{_N_SHORT} or {_N_LONG}"
            self.problems.add(
                line,
                f"{_counted(width)}: must be {allowed}, separated by single tabs; "
                f"{_width_remedy(fields)}",
            )
        return False

    def _number(self, line: int, column: int, field: str) -> int | None:
        """Return a field as a number, or note that it is none."""
        # isdigit alone lets other scripts' digits through; int alone lets '+1' and '1_0' through.
        if field.isascii() and field.isdigit() and len(field) <= _N_DIGITS:
            value = int(field)
            if value <= MAX_VALUE:
                return value
        self.problems.add(
            line,
            f"column {column + 1} ({COLUMNS[column]}) = {shown(field)}: must be a whole number "
            f"from 0 to {MAX_VALUE} in plain digits; correct it or delete the row",
        )
        return None

    def _check_job(self, line: int, job: str) -> None:
        if not job.strip():
            self.problems.add(
                line, f"column 1 ({COLUMNS[0]}) = {shown(job)}: must be a name; name the job"
            )
            return
        first = self.line_of_job.setdefault(job, line)
        if first != line:
            self.problems.add(
                line,
                f"column 1 ({COLUMNS[0]}) = {shown(job)}: already in line {first}; "
                "must be distinct; rename the job or delete the row",
            )

    def _check_order(self, line: int, submit: int) -> None:
        # Against the row before, not the latest time so far: one wrong time is one problem.
        if submit < self.last_submit:
            self.problems.add(
                line,
                f"column 2 ({COLUMNS[1]}) = {submit}: must be at least {self.last_submit}, "
                f"the time in line {self.last_line}; sort the rows by submit time",
            )
        self.last_submit, self.last_line = submit, line

    def _check_path(self, line: int, fields: list[str]) -> None:
        if not fields[6].strip():
            self.problems.add(
                line,
                f"column 7 ({COLUMNS[6]}) = {shown(fields[6])}: must be a name; "
                f"name the path, or give all rows {_N_SHORT} columns",
            )
        for column in (7, 8):
            if fields[column]:
                self.problems.add(
                    line,
                    f"column {column + 1} = {shown(fields[column])}: must be empty; delete it",
                )


def _has_digit(field: str) -> bool:
    return any(character.isdigit() for character in field)


def _counted(width: int) -> str:
    return "1 column" if width == 1 else f"{width} columns"


def _width_remedy(fields: list[str]) -> str:
    """Return what to do about a wrong number of columns, by its likely cause."""
    if len(fields) == 1:
        return "separate the columns by tabs, or name a SWIM file"
    if len(fields) in (_N_SHORT + 1, _N_LONG - 1):
        return f"the empty columns 8 and 9 count, so end the row with tabs up to {_N_LONG} columns"
    return "correct or delete the row"
