"""The registry of trace formats: one name, one reader."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import MappingProxyType

from cluster_sim.errors import UnknownNameError, did_you_mean
from cluster_sim.traces.swim import read_swim
from cluster_sim.traces.trace import Trace

__all__ = ["formats", "read"]

_READERS: MappingProxyType[str, Callable[[str | os.PathLike[str]], Trace]] = MappingProxyType(
    {"swim": read_swim}
)


def formats() -> tuple[str, ...]:
    """Return the names of the formats that `read` knows.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> formats()
    ('swim',)
    """
    return tuple(sorted(_READERS))


def read(path: str | os.PathLike[str], format: str = "swim") -> Trace:  # noqa: A002 - the scenario field's name
    """Read a workload trace in a named format.

    Parameters
    ----------
    path : str or path-like
        The trace file.
    format : str
        One of `formats()`.

    Returns
    -------
    Trace
        The jobs, as columns.

    Raises
    ------
    UnknownNameError
        If no such format is known.
    TraceError
        If the file cannot be read; the message names file and line.

    Examples
    --------
    >>> read("day.tsv", "swin")
    Traceback (most recent call last):
        ...
    cluster_sim.errors.UnknownNameError: trace format 'swin' is not known. Did you mean 'swim'? \
Known: swim.
    """
    reader = _READERS.get(format)
    if reader is None:
        raise UnknownNameError(
            f"trace format {format!r} is not known. {did_you_mean(format, _READERS)}"
        )
    return reader(path)
