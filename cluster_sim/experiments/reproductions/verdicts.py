"""Verdicts on estimates: each is computed from an interval and a prediction."""

from __future__ import annotations

from cluster_sim.experiments.reproductions.report import Verdict
from cluster_sim.experiments.statistics import Estimate

__all__ = ["at_least", "equals", "is_less", "stays_bounded", "with_queues"]

_FLAT = 0.25  # a growth exponent below it counts as none ...
_STEEP = 0.5  # ... and one above this is nearer to 1, the queues' own, than to none
_NEAR = 0.05  # of a limit: what a straight line to epsilon = 0 may be off


def at_least(measured: Estimate, bound: float) -> Verdict:
    """Return whether a mean is at least a lower bound.

    Parameters
    ----------
    measured : Estimate
    bound : float

    Returns
    -------
    Verdict
        Seen if the mean is, not seen if the whole interval is below.

    Examples
    --------
    >>> at_least(Estimate(2.0, 0.1, 8), 1.5).value, at_least(Estimate(1.0, 0.1, 8), 1.5).value
    ('seen', 'not seen')
    """
    if measured.mean >= bound:
        return Verdict.SEEN
    return (
        Verdict.UNDECIDED if measured.high is None or measured.high >= bound else Verdict.NOT_SEEN
    )


def equals(measured: Estimate, value: float) -> Verdict:
    """Return whether a mean is a value, within five percent of it.

    Parameters
    ----------
    measured : Estimate
    value : float
        Above 0.

    Returns
    -------
    Verdict
        Seen if the interval is at most a tenth of the value on either side and meets the five
        percent around it; not seen if it does not meet them; undecided if it is too wide.

    Examples
    --------
    >>> equals(Estimate(3.9, 0.05, 8), 4.0).value, equals(Estimate(3.0, 0.05, 8), 4.0).value
    ('seen', 'not seen')
    """
    if measured.half_width is None:
        return Verdict.UNDECIDED
    if abs(measured.mean - value) > measured.half_width + _NEAR * value:
        return Verdict.NOT_SEEN
    return Verdict.SEEN if measured.half_width <= 2 * _NEAR * value else Verdict.UNDECIDED


def stays_bounded(exponent: Estimate) -> Verdict:
    """Return whether something stays bounded, by its growth exponent.

    Parameters
    ----------
    exponent : Estimate
        p in epsilon^-p.

    Returns
    -------
    Verdict
        Seen if the whole interval is below 0.25, not seen if it is all above.

    Examples
    --------
    >>> stays_bounded(Estimate(0.02, 0.05, 8)).value, stays_bounded(Estimate(0.9, 0.1, 8)).value
    ('seen', 'not seen')
    """
    if exponent.low is None or exponent.high is None:
        return Verdict.UNDECIDED
    if exponent.high < _FLAT:
        return Verdict.SEEN
    return Verdict.NOT_SEEN if exponent.low > _FLAT else Verdict.UNDECIDED


def with_queues(exponent: Estimate) -> Verdict:
    """Return whether something grows as the queues do, like 1 / epsilon.

    Parameters
    ----------
    exponent : Estimate

    Returns
    -------
    Verdict
        Seen if the whole interval is above 0.5, not seen if it is all below. Well before the limit
        the exponent of what grows is still below 1, for what does not grow weighs in.

    Examples
    --------
    >>> with_queues(Estimate(1.02, 0.05, 8)).value, with_queues(Estimate(0.1, 0.1, 8)).value
    ('seen', 'not seen')
    """
    if exponent.low is None or exponent.high is None:
        return Verdict.UNDECIDED
    if exponent.low > _STEEP:
        return Verdict.SEEN
    return Verdict.NOT_SEEN if exponent.high < _STEEP else Verdict.UNDECIDED


def is_less(measured: Estimate, than: float) -> Verdict:
    """Return whether a mean is below a value.

    Parameters
    ----------
    measured : Estimate
    than : float

    Returns
    -------
    Verdict
        Seen if the whole interval is below, not seen if it is all above.

    Examples
    --------
    >>> is_less(Estimate(1.0, 0.1, 8), 1.5).value, is_less(Estimate(1.45, 0.1, 8), 1.5).value
    ('seen', 'undecided')
    """
    if measured.low is None or measured.high is None:
        return Verdict.UNDECIDED
    if measured.high < than:
        return Verdict.SEEN
    return Verdict.NOT_SEEN if measured.low > than else Verdict.UNDECIDED
