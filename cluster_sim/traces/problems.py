"""Collecting what is wrong with a trace file, so that one error can report it all."""

from __future__ import annotations

from cluster_sim.errors import TraceError

__all__ = ["MAX_SHOWN", "Problems", "shown"]

MAX_SHOWN = 20
"""Number of problems that an error spells out; further ones are counted."""

_MAX_VALUE_LENGTH = 40


def shown(value: str) -> str:
    """Return a value as an error message shows it: quoted, and cut when it is long.

    Parameters
    ----------
    value : str
        What the file has.

    Returns
    -------
    str
        Its repr, of at most about forty characters of the value.

    Examples
    --------
    >>> shown("12x")
    "'12x'"
    >>> len(shown("9" * 5000))
    45
    """
    if len(value) <= _MAX_VALUE_LENGTH:
        return repr(value)
    return repr(value[:_MAX_VALUE_LENGTH]) + "..."


class Problems:
    """What is wrong with one file: the first few problems in words, all of them counted.

    Parameters
    ----------
    source : str
        The file's name as the user gave it.

    Examples
    --------
    >>> problems = Problems("day.tsv")
    >>> problems.add(3, "column 2 is wrong; correct it")
    >>> print(problems.error())
    day.tsv:3: column 2 is wrong; correct it
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.n_problems = 0
        self._messages: list[str] = []

    def __bool__(self) -> bool:
        return self.n_problems > 0

    def add(self, line: int | None, message: str) -> None:
        """Note one problem.

        Parameters
        ----------
        line : int or None
            Line number, from 1; None for a problem of the whole file.
        message : str
            What is wrong, the value, what is allowed, the remedy.
        """
        self.n_problems += 1
        if len(self._messages) < MAX_SHOWN:
            place = self.source if line is None else f"{self.source}:{line}"
            self._messages.append(f"{place}: {message}")

    def error(self) -> TraceError:
        """Return the error that reports the problems, one per line.

        Returns
        -------
        TraceError
            To be raised by the caller.
        """
        messages = list(self._messages)
        n_hidden = self.n_problems - len(messages)
        if n_hidden:
            messages.append(
                f"{self.source}: {self.n_problems} problems in all; {n_hidden} are not shown."
            )
        return TraceError("\n".join(messages))

    def check(self) -> None:
        """Raise if anything was noted.

        Raises
        ------
        TraceError
            With everything noted so far.
        """
        if self:
            raise self.error()
