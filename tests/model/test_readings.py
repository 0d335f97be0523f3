"""A reading is a complete, closed set of choices."""

from __future__ import annotations

import enum

import pytest

from cluster_sim.model.readings import (
    DispatchOrder,
    QueueLength,
    Reading,
    RoutingView,
    ServiceTier,
    TieBreak,
)

KINDS: dict[str, type[enum.StrEnum]] = {
    "queue_length": QueueLength,
    "routing_view": RoutingView,
    "dispatch_order": DispatchOrder,
    "service_tier": ServiceTier,
    "tie_break": TieBreak,
}


def test_the_defaults_are_those_of_the_design() -> None:
    """Without a word the reading is the documented default."""
    assert Reading() == Reading(
        QueueLength.IN_SYSTEM,
        RoutingView.LIVE,
        DispatchOrder.RANDOM,
        ServiceTier.REPLICA,
        TieBreak.RANDOM,
    )


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, kind in KINDS.items() for value in kind]
)
def test_the_strings_of_a_scenario_are_accepted(name: str, value: enum.StrEnum) -> None:
    """Plain strings become members, and equal the reading made from members."""
    reading = Reading(**{name: str(value)})
    assert getattr(reading, name) is value
    assert reading == Reading(**{name: value})


@pytest.mark.parametrize("name", KINDS)
def test_unknown_values_are_refused(name: str) -> None:
    """A value outside the closed set is a ValueError that names it."""
    with pytest.raises(ValueError, match="'sideways' is not a valid"):
        Reading(**{name: "sideways"})
