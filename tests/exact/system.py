"""A tiny cluster with every option spelt out."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from typing import Literal, get_args, get_type_hints

from exact.arrivals import Arrivals

Policy = Literal[
    "priority",
    "jsq-maxweight",
    "maxweight",
    "balanced-pandas",
    "balanced-pandas-pod",
    "jsq-maxweight-pod",
    "jfsq",
    "jfiq",
    "jiq",
    "jsq-local",
    "jsq-d",
    "random-local",
    "fifo",
]
QueueLength = Literal["in-system", "waiting"]
RoutingView = Literal["live", "slot-start"]
DispatchOrder = Literal["random", "index", "locals-first"]
ServiceTier = Literal["replica", "queue"]
TieBreak = Literal["random", "local", "index"]

LOCAL = 0


@dataclass(frozen=True)
class TinySystem:
    """One to three servers, a policy, and a value for every reading.

    ``types`` holds pairs (servers with a replica, weight); the weights need not sum to 1.
    ``rates`` holds the service probability per slot of each tier, nearest first: two tiers, or
    three with ``racks`` (the rack of each server). ``threshold`` matters to ``priority`` only.
    The readings have the defaults of a scenario file.
    """

    name: str
    n_servers: int
    types: tuple[tuple[tuple[int, ...], float], ...]
    arrivals: Arrivals
    rates: tuple[float, ...]
    policy: Policy
    threshold: float = math.inf
    racks: tuple[int, ...] | None = None
    queue_length: QueueLength = "in-system"
    routing_view: RoutingView = "live"
    dispatch_order: DispatchOrder = "random"
    service_tier: ServiceTier = "replica"
    tie_break: TieBreak = "random"

    def __post_init__(self) -> None:
        hints = get_type_hints(TinySystem)
        for field in fields(self):
            allowed, value = get_args(hints[field.name]), getattr(self, field.name)
            if isinstance(value, str) and allowed and value not in allowed:
                raise ValueError(f"{field.name} = {value!r}: must be one of {allowed}")
        if len(self.rates) != (2 if self.racks is None else 3):
            raise ValueError(f"rates = {self.rates}: must be two, or three if racks are given")

    @property
    def n_tiers(self) -> int:
        """Number of locality tiers."""
        return len(self.rates)

    @property
    def remote(self) -> int:
        """The last tier, which holds wherever no nearer one does."""
        return len(self.rates) - 1

    @cached_property
    def owners(self) -> tuple[int | None, ...]:
        """The server whose local queue each queue is; ``None`` for a queue of the whole cluster."""
        own = tuple(range(self.n_servers))
        others: dict[str, tuple[int | None, ...]] = {
            "fifo": (None,),
            "jsq-maxweight": (*own, None),
            "balanced-pandas": own * self.n_tiers,
            "balanced-pandas-pod": own * 2,
        }
        return others.get(self.policy, own)

    @property
    def uses_lengths(self) -> bool:
        """Whether any decision of the policy looks at queue lengths."""
        return self.policy not in {"random-local", "fifo"}

    @cached_property
    def type_probabilities(self) -> tuple[float, ...]:
        """The probability of each type."""
        total = sum(weight for _, weight in self.types)
        return tuple(weight / total for _, weight in self.types)

    @cached_property
    def exact_rates(self) -> tuple[Fraction, ...]:
        """Rates as the fractions that their decimals stand for."""
        return tuple(Fraction(str(rate)) for rate in self.rates)

    @cached_property
    def integer_rates(self) -> tuple[int, ...]:
        """Rates as integers in the same proportion.

        Products of a rate and a length are compared for equality: 0.8 * 3 and 0.3 * 8 are a tie,
        although the floating-point products differ.
        """
        exact = [Fraction(str(rate)) for rate in self.rates]
        scale = math.lcm(*(rate.denominator for rate in exact))
        return tuple(int(rate * scale) for rate in exact)

    def tier(self, server: int, holders: tuple[int, ...]) -> int:
        """Return the locality tier between a server and the nearest of some others."""
        if server in holders:
            return LOCAL
        if self.racks and self.racks[server] in {self.racks[n] for n in holders}:
            return 1
        return self.remote

    def may_serve(self, server: int, queue: int) -> bool:
        """Whether the policy ever lets the server take a task from the queue."""
        owner = self.owners[queue]
        if self.policy in {"priority", "maxweight", "jsq-maxweight-pod"} or owner is None:
            return True
        return owner == server

    def service_tier_of(self, server: int, queue: int, type_index: int) -> int:
        """Return the tier at which the server runs a task of the type taken from the queue."""
        owner = self.owners[queue]
        if self.service_tier == "replica" or owner == server:
            return self.tier(server, self.types[type_index][0])
        return self.remote if owner is None else self.tier(server, (owner,))
