"""Ranges of a sweep: ``{ from = 0.1, to = 0.9, n = 9 }``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cluster_sim.errors import did_you_mean

__all__ = ["SCALES", "range_problem", "range_values"]

SCALES = ("linear", "log")
_KEYS = ("from", "to", "n", "scale")
_MOST = 100_000


def range_values(given: Mapping[str, Any]) -> list[int | float]:
    """Return the values of a range.

    Parameters
    ----------
    given : mapping
        `from`, `to` and `n` (at least 2), and perhaps `scale`, ``"linear"`` or ``"log"``. Both
        ends are among the values.

    Returns
    -------
    list of int or float
        Where both ends are whole numbers, so are the values; on a log scale they are rounded.

    Examples
    --------
    >>> range_values({"from": 0.1, "to": 0.5, "n": 5})
    [0.1, 0.2, 0.3, 0.4, 0.5]
    >>> range_values({"from": 10, "to": 1000, "n": 5, "scale": "log"})
    [10, 32, 100, 316, 1000]
    """
    low, high, n = given["from"], given["to"], given["n"]
    is_log = given.get("scale") == "log"
    is_whole = isinstance(low, int) and isinstance(high, int)
    values: list[int | float] = []
    for i in range(n):
        share = i / (n - 1)
        if is_log:
            exact = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            exact = low + (high - low) * i / (n - 1)
        if i in (0, n - 1):
            values.append(low if i == 0 else high)
        else:
            # Twelve digits: 0.3, not 0.30000000000000004.
            values.append(round(exact) if is_whole else float(f"{exact:.12g}"))
    return values


def range_problem(given: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a range.

    Parameters
    ----------
    given : mapping

    Returns
    -------
    str or None
    """
    for key in given:
        if key not in _KEYS:
            return f"has an unknown key {key}. {did_you_mean(key, _KEYS)}"
    missing = [key for key in ("from", "to", "n") if key not in given]
    if missing:
        return f"needs {' and '.join(missing)} as well, as in {{ from = 0.1, to = 0.9, n = 9 }}"
    low, high, n, scale = given["from"], given["to"], given["n"], given.get("scale", "linear")
    if not (_is_number(low) and _is_number(high) and low != high):
        return "from and to must be two different numbers"
    if isinstance(n, bool) or not isinstance(n, int) or not 2 <= n <= _MOST:
        return f"n must be an integer from 2 to {_MOST:,}: the number of values, both ends included"
    if scale not in SCALES:
        return f'scale must be "linear" or "log", not {scale!r}'
    if scale == "log" and min(low, high) <= 0:
        return "a log scale needs from and to above 0"
    if isinstance(low, int) and isinstance(high, int):
        return _whole_problem(low, high, n, scale)
    return None


def _whole_problem(low: int, high: int, n: int, scale: str) -> str | None:
    """Return what is wrong with a range of whole numbers."""
    if scale == "linear" and (high - low) % (n - 1):
        return (
            f"{n} values from {low} to {high} are not all whole numbers; change n, or write "
            f"{low}.0 for a range of fractions"
        )
    values = range_values({"from": low, "to": high, "n": n, "scale": scale})
    if len(set(values)) < n:
        return f"{n} whole numbers from {low} to {high} would repeat; lower n"
    return None


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
