"""What the policies that look at a few servers share: how many, drawn from one uniform."""

from __future__ import annotations

from cluster_sim.errors import ScenarioError

__all__ = ["MOST_SAMPLES", "check_samples", "check_samples_of"]

# A uniform has 53 bits. What is left of them decides the last sample to within one in a hundred.
MOST_SAMPLES = 2**46


def check_samples(d: object) -> None:
    """Raise unless a number of samples is a whole number from 1 on.

    Parameters
    ----------
    d : object
        What the user gave.

    Raises
    ------
    ScenarioError
    """
    if not (isinstance(d, int) and not isinstance(d, bool) and d >= 1):
        raise ScenarioError(f"d = {d!r}: must be a whole number from 1 on, the servers looked at")


def check_samples_of(d: int, n_servers: int) -> None:
    """Raise unless one uniform is enough to draw so many servers.

    Parameters
    ----------
    d, n_servers : int

    Raises
    ------
    ScenarioError

    Examples
    --------
    >>> check_samples_of(4, 1000)
    """
    if n_servers**d > MOST_SAMPLES:
        raise ScenarioError(
            f"d = {d}: too many for {n_servers} servers; d samples are drawn from one uniform of "
            f"53 bits, so {n_servers}^d may be 2^46 at most: take a smaller d"
        )
