"""Checks of parameters that policies share."""

from __future__ import annotations

__all__ = ["is_number"]


def is_number(value: object) -> bool:
    """Return whether a parameter is a number, of which true and false are none.

    Parameters
    ----------
    value : object
        As a scenario gives it.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_number(2), is_number(0.5), is_number("auto"), is_number(True)
    (True, True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)
