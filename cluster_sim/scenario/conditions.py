"""Tables for conditions that the paper does not have: slow servers, wrong rates, phases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import ConfigDict, Field

from cluster_sim.scenario.fields import (
    LARGEST_CLUSTER,
    Choice,
    Must,
    NonNegative,
    Positive,
    Probability,
    ServerIndex,
    Table,
)

__all__ = ["DISTRIBUTION_KEYS", "Estimates", "Phases", "ServerSpeed", "speeds_of"]

DISTRIBUTION_KEYS = {"cv": "log-normal", "shape": "pareto", "durations": "empirical"}
"""Each key of [service] that belongs to one value of `distribution` only."""

ServerChoice = Annotated[
    Annotated[int, Field(ge=1, le=LARGEST_CLUSTER)]
    | Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    | Annotated[tuple[ServerIndex, ...], Field(min_length=1, strict=False)],
    Must("be a number of servers (10), a fraction of them (0.1), or their indices ([0, 1])"),
]
Stay = Annotated[
    float,
    Field(ge=1, le=1e12, allow_inf_nan=False),
    Must("be a number of slots, from 1 to 1e12"),
]
Move = Annotated[
    int, Field(ge=0, le=LARGEST_CLUSTER), Must("be an integer of at least 0 (servers)")
]


class ServerSpeed(Table):
    """Some servers that are slower, or faster, than the others."""

    model_config = ConfigDict(title="Speed of some servers")

    servers: ServerChoice = Field(
        description="Which: a number or a fraction of those that no entry before has, spread "
        "evenly over the cluster; or the indices of servers, counted from 0.",
        examples=[10, 0.1, [0, 1]],
    )
    factor: Positive = Field(
        description="What multiplies their service rate at every tier; 0.5 is half as fast. No "
        "rate may exceed 1.",
        examples=[0.5],
    )


class Estimates(Table):
    """What the scheduler believes of the rates, as a factor on the true rate of each tier.

    Examples
    --------
    >>> Estimates(remote=1.5, pod_local=0.8).factors
    {'remote': 1.5, 'pod_local': 0.8}
    """

    model_config = ConfigDict(title="Estimates", extra="allow")
    __pydantic_extra__: dict[str, Positive]

    local: Positive | None = Field(
        default=None, description="Factor on the rate of local service.", examples=[0.8]
    )
    rack_local: Positive | None = Field(
        default=None,
        description="Factor on the rate in the rack. Any other level with a rate may have one: "
        "pod_local for the level pod.",
        examples=[1.1],
    )
    remote: Positive | None = Field(
        default=None, description="Factor on the rate of remote service.", examples=[1.5]
    )

    @property
    def factors(self) -> dict[str, float]:
        """Factor per tier, for the tiers that have one here."""
        given = {name: getattr(self, name) for name in ("local", "rack_local", "remote")}
        named = {name: factor for name, factor in given.items() if factor is not None}
        return named | (self.__pydantic_extra__ or {})


class Phases(Table):
    """Phases of the traffic, which follow each other in a circle.

    Examples
    --------
    >>> Phases(stay=(100, 900), factor=(4.0, 0.5)).stays
    'geometric'
    """

    model_config = ConfigDict(title="Phases")

    stay: tuple[Stay, ...] = Field(
        description="Slots that a visit to each phase takes: the mean, or exactly.",
        examples=[[100, 900]],
        min_length=1,
        strict=False,
    )
    stays: Annotated[Literal["geometric", "fixed"], Choice()] = Field(
        default="geometric",
        description="Whether a visit ends by chance (geometric: Markov-modulated arrivals) or is "
        "always as long as said (fixed: periodic).",
        examples=["geometric"],
    )
    factor: tuple[NonNegative, ...] | None = Field(
        default=None,
        description="Arrival rate of each phase in proportion to the others; load and rate keep "
        "meaning the long run. The same in all where it is left out.",
        examples=[[4.0, 0.5]],
        min_length=1,
        strict=False,
    )
    hot_probability: tuple[Probability, ...] | None = Field(
        default=None,
        description="kind = hotspot: probability of a hot task in each phase, instead of "
        "traffic.hot_probability.",
        examples=[[0.9, 0.2]],
        min_length=1,
        strict=False,
    )
    move: Move = Field(
        default=0,
        description="kind = hotspot: by how many servers the hot spot moves on at each change of "
        "phase.",
        examples=[50],
    )


def speeds_of(entries: Sequence[ServerSpeed], n_servers: int) -> list[float]:
    """Return the speed of each server.

    Parameters
    ----------
    entries : sequence of ServerSpeed
        Each for servers that no entry before has.
    n_servers : int

    Returns
    -------
    list of float, length n_servers

    Examples
    --------
    >>> speeds_of([ServerSpeed(servers=2, factor=0.5), ServerSpeed(servers=[0], factor=0.2)], 6)
    [0.2, 0.5, 1.0, 1.0, 0.5, 1.0]
    """
    speeds = np.ones(n_servers)
    is_free = np.ones(n_servers, dtype=np.bool_)
    for entry in entries:
        chosen = _chosen(entry.servers, np.flatnonzero(is_free), n_servers)
        speeds[chosen] = entry.factor
        is_free[chosen] = False
    return [float(speed) for speed in speeds]


def _chosen(
    servers: int | float | Sequence[int], free: np.ndarray, n_servers: int
) -> Sequence[int] | np.ndarray:
    if not isinstance(servers, int | float):
        return list(servers)
    n = servers if isinstance(servers, int) else round(servers * n_servers)
    n = min(n, len(free))
    # The middles of n equal parts: spread over racks, and over hot and other servers.
    return np.asarray(free[(2 * np.arange(n) + 1) * len(free) // (2 * max(n, 1))])
