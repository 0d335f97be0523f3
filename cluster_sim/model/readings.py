"""Readings: what the paper leaves open, each a named choice with a documented default."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["DispatchOrder", "QueueLength", "Reading", "RoutingView", "ServiceTier", "TieBreak"]


class QueueLength(enum.StrEnum):
    """What the length of a queue counts (paper, section 2.2 against section 2.1)."""

    IN_SYSTEM = "in-system"  # waiting tasks and the tasks of that queue in service
    WAITING = "waiting"  # waiting tasks only


class RoutingView(enum.StrEnum):
    """Which lengths an arrival sees (paper, section 2.1)."""

    LIVE = "live"  # with the arrivals before it in the same slot
    SLOT_START = "slot-start"  # as they were at the observation point


class DispatchOrder(enum.StrEnum):
    """In which order the idle servers of a slot ask for work."""

    RANDOM = "random"
    INDEX = "index"
    LOCALS_FIRST = "locals-first"  # random, but servers with work of their own before the others


class ServiceTier(enum.StrEnum):
    """What decides the tier at which a task is served (paper, section 2 against 2.2)."""

    REPLICA = "replica"  # where the chunk is
    QUEUE = "queue"  # whose queue the task waited in


class TieBreak(enum.StrEnum):
    """How equal candidates are told apart."""

    RANDOM = "random"  # uniformly
    LOCAL = "local"  # the nearer kind first, uniformly within it
    INDEX = "index"  # the lowest index


@dataclass(frozen=True)
class Reading:
    """One complete reading of the paper; the defaults are those of the design.

    Parameters
    ----------
    queue_length : QueueLength
    routing_view : RoutingView
    dispatch_order : DispatchOrder
    service_tier : ServiceTier
    tie_break : TieBreak

    Examples
    --------
    >>> Reading(queue_length="waiting").queue_length
    <QueueLength.WAITING: 'waiting'>
    """

    queue_length: QueueLength = QueueLength.IN_SYSTEM
    routing_view: RoutingView = RoutingView.LIVE
    dispatch_order: DispatchOrder = DispatchOrder.RANDOM
    service_tier: ServiceTier = ServiceTier.REPLICA
    tie_break: TieBreak = TieBreak.RANDOM

    def __post_init__(self) -> None:
        """Accept the plain strings of a scenario file."""
        for name, kind in _KINDS.items():
            object.__setattr__(self, name, kind(getattr(self, name)))


_KINDS: dict[str, type[enum.StrEnum]] = {
    "queue_length": QueueLength,
    "routing_view": RoutingView,
    "dispatch_order": DispatchOrder,
    "service_tier": ServiceTier,
    "tie_break": TieBreak,
}
