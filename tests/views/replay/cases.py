"""Recorded runs that the tests of the replay share."""

from __future__ import annotations

from typing import Any

from cluster_sim import Scenario
from cluster_sim.experiments.record import prepare_policies, record
from cluster_sim.views.replay.page import Shown

HOTSPOT: dict[str, Any] = {
    "cluster": {"servers": 10},
    "service": {"local": 0.9, "remote": 0.4},
    "traffic": {"kind": "hotspot", "hot_servers": 5, "hot_probability": 0.8, "load": 0.9},
    "scheduler": {"policy": "priority"},
    "run": {"slots": 200, "seed": 3, "engine": "simpy"},
}
RACKS: dict[str, Any] = {
    **HOTSPOT,
    "cluster": {"servers": 12, "racks": 4},
    "service": {"local": 0.9, "rack_local": 0.7, "remote": 0.4},
}
PODS: dict[str, Any] = {
    **HOTSPOT,
    "cluster": {"servers": 16, "levels": {"rack": 8, "pod": 2}},
    "service": {"local": 0.9, "rack_local": 0.7, "pod_local": 0.6, "remote": 0.3},
}
TABLES = {"two tiers": HOTSPOT, "racks": RACKS, "pods": PODS}


def shown(
    policies: list[str],
    tables: dict[str, Any] = HOTSPOT,
    *,
    first: int = 0,
    n_slots: int = 60,
    **values: Any,
) -> list[Shown]:
    """Record a stretch of a small system under each policy."""
    scenario = Scenario(**tables).with_values(values)
    return [
        Shown(prepared, record(prepared, first, n_slots)[0])
        for prepared in prepare_policies(scenario, policies)
    ]
