"""Service times: geometric, by inversion from the task's own uniform."""

from __future__ import annotations

import math

__all__ = ["service_time"]


def service_time(uniform: float, rate: float) -> int:
    """Return the service time that a task's uniform gives at a rate.

    Inversion makes the time monotone: the same task is never slower at a higher rate, which pairs
    policies and tiers under common random numbers. Numba compiles this function unchanged.

    Parameters
    ----------
    uniform : float
        In [0, 1), the task's service uniform.
    rate : float
        Probability of completion per slot, in (0, 1].

    Returns
    -------
    int
        Slots, at least 1; geometric with mean 1 / rate.

    Notes
    -----
    ``D = 1 + floor(log(1 - u) / log(1 - p))``, so that ``P(D > d) = (1 - p)**d``.

    References
    ----------
    Paper, section 2 ("Services").

    Examples
    --------
    >>> [service_time(u, 0.5) for u in (0.0, 0.49, 0.5, 0.75, 0.9)]
    [1, 1, 2, 3, 4]
    """
    if rate >= 1.0:
        return 1
    return 1 + int(math.log1p(-uniform) / math.log1p(-rate))
