"""A hot spot below capacity: who serves all of it, and who is known to lose capacity."""

from __future__ import annotations

import math

import pytest

from cluster_sim import Scenario, prepare
from cluster_sim.emulator.emulator import simulate

LOAD, SLOTS = 0.9, 2_500


def share_left(policy: str, **parameters: float) -> float:
    """The share of the arrivals that are still in the system after the run."""
    prepared = prepare(
        Scenario(
            cluster={"servers": 20},
            service={"local": 0.1, "remote": 0.05},
            traffic={"kind": "hotspot", "hot_servers": 10, "hot_probability": 0.8, "load": LOAD},
            scheduler={"policy": policy, **parameters},
            run={"slots": SLOTS},
        )
    )
    result = simulate(prepared.system, prepared.key(), slots=SLOTS)
    return result.n_in_system / result.n_arrivals


@pytest.mark.parametrize(
    ("policy", "parameters"),
    [
        ("maxweight-types", {}),  # throughput-optimal: Mandelbaum and Stolyar 2004
        ("generalised-c-mu", {}),
        ("blind-gb-pandas", {}),  # throughput-optimal: Yekkehkhany and Nagi 2020
        ("quincy", {}),
        ("quincy", {"omega": math.inf}),
    ],
)
def test_a_hot_spot_below_capacity_is_served(policy: str, parameters: dict[str, float]) -> None:
    """What arrives is served but for the tasks of some tens of slots."""
    assert share_left(policy, **parameters) < 50 / SLOTS


@pytest.mark.parametrize(
    ("policy", "parameters"),
    [
        ("hadoop-fifo", {}),
        ("fair", {}),
        # Zaharia et al., section 3.4, name hot spots as a case that waiting does not help: jobs at
        # the head have run out of patience, and start anywhere.
        ("delay", {}),
        # Never remote: the hot servers are asked for more than they can do.
        ("delay", {"skips": math.inf}),
        ("sparrow", {"probes": 3}),
        ("quincy", {"omega": 0.0}),
        # Queues of many types stay below any threshold; the help that there is goes one way.
        ("squillante", {"threshold": 20}),
        ("bell-williams", {"threshold": 20}),
        # A period of two remote services: what ends sooner than planned is lost.
        ("discrete-review", {"period": 40}),
        # Old tasks first, within remote_cost / omega = 2 slots of age: too few to choose from.
        ("quincy", {"omega": 5.0}),
    ],
)
def test_a_hot_spot_below_capacity_is_not_served(policy: str, parameters: dict[str, float]) -> None:
    """The known failures: a share of the arrivals is never served, however long the run."""
    assert share_left(policy, **parameters) > 0.04


def test_long_reviews_serve_a_hot_spot_a_period_late() -> None:
    """Discrete review with a period of five remote services serves all, but for the last period."""
    assert share_left("discrete-review", period=100) < (100 + 20) / SLOTS
