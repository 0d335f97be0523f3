"""Scenario files: the border where everything that comes from outside is validated, once."""

from __future__ import annotations

from cluster_sim.scenario.checking import CheckScheduler
from cluster_sim.scenario.json_schema import json_schema
from cluster_sim.scenario.loading import load_mapping, parse_scenario, read_scenario
from cluster_sim.scenario.overrides import apply_overrides
from cluster_sim.scenario.problems import InvalidScenarioError, Problem
from cluster_sim.scenario.schema import Scenario, to_toml
from cluster_sim.scenario.sweep import Sweep
from cluster_sim.scenario.tables import Cluster, Reading, Run, Scheduler, Service
from cluster_sim.scenario.traffic import (
    EvenTraffic,
    HotspotTraffic,
    TaskType,
    TraceTraffic,
    Traffic,
    TypesTraffic,
    ZipfTraffic,
)

__all__ = [
    "CheckScheduler",
    "Cluster",
    "EvenTraffic",
    "HotspotTraffic",
    "InvalidScenarioError",
    "Problem",
    "Reading",
    "Run",
    "Scenario",
    "Scheduler",
    "Service",
    "Sweep",
    "TaskType",
    "TraceTraffic",
    "Traffic",
    "TypesTraffic",
    "ZipfTraffic",
    "apply_overrides",
    "json_schema",
    "load_mapping",
    "parse_scenario",
    "read_scenario",
    "to_toml",
]
