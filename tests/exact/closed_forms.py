"""Queues with known answers under the slot protocol, seen at the observation point.

One queue of a slotted server obeys ``N' = N + A - B``, where ``A`` tasks arrive after the
observation and then ``B`` ends with the service probability if ``N + A > 0``. A task may be served
in the slot of its arrival ("early arrivals").
"""

from __future__ import annotations

from exact.arrivals import Arrivals


def completion_time(mean_in_system: float, rate: float) -> float:
    """Return slots from arrival to completion by Little's law at the observation point.

    A task that arrives in slot ``a`` and ends at ``c`` is seen at the points ``a + 1 .. c - 1``,
    one point fewer than its completion time.
    """
    return 1 + mean_in_system / rate


def geo_geo_1_probabilities(p: float, mu: float, *, n_levels: int) -> list[float]:
    """Return the probability of 0, 1, ... tasks with Bernoulli(p) arrivals and service rate mu.

    Up by one: an arrival and no completion, ``p (1 - mu)`` from every level. Down by one: no
    arrival and a completion, ``(1 - p) mu``. Detailed balance gives a geometric distribution with
    ratio ``p (1 - mu) / ((1 - p) mu)``.
    """
    ratio = p * (1 - mu) / ((1 - p) * mu)
    return [(1 - ratio) * ratio**n for n in range(n_levels)]


def geo_geo_1_completion_time(p: float, mu: float) -> float:
    """Return ``(1 - p) / (mu - p)``: the mean of the above is ``p (1 - mu) / (mu - p)``."""
    return (1 - p) / (mu - p)


def batch_geo_1_mean_in_system(arrivals: Arrivals, mu: float) -> float:
    """Return the mean number in system with any arrivals and service rate mu.

    With ``X = N + A``, the mean of ``N'`` gives ``P(X > 0) = E[A] / mu``, and the mean of its
    square ``0 = E[X^2] - E[N^2] - 2 mu E[X] + E[A]``, which is solved for ``E[N]``. With ``mu = 1``
    it is Kingman's bound with equality, ``(Var[A] + E[A]^2 - E[A]) / (2 (1 - E[A]))``.
    """
    rate = arrivals.rate
    return (arrivals.second_moment + rate - 2 * mu * rate) / (2 * (mu - rate))


def batch_geo_1_completion_time(arrivals: Arrivals, mu: float) -> float:
    """Return the mean completion time of the above."""
    return completion_time(batch_geo_1_mean_in_system(arrivals, mu), arrivals.rate)


def slotted_deterministic_mean_in_system(arrivals: Arrivals) -> float:
    """Return the mean number in system when every service takes one slot."""
    rate = arrivals.rate
    variance = arrivals.second_moment - rate**2
    return (variance + rate**2 - rate) / (2 * (1 - rate))
