"""The scenarios of the reproductions; `scenarios/theorems` has them as files to play with."""

from __future__ import annotations

from typing import Any

from cluster_sim.scenario.schema import Scenario

__all__ = ["BASES", "base"]

# The readings under which the model is the one that the theorems speak of: Q_m counts a task until
# it completes (section 2.2), and a task from another server's queue is served at rate gamma.
_READING = {"queue_length": "in-system", "service_tier": "queue"}
_SERVICE = {"local": 0.8, "remote": 0.4}  # below 1, so that the variance of service counts too
_PRIORITY = {"policy": "priority"}

# Five helpers and five beneficiaries in a ring. Of the types, one is local to a helper and a
# beneficiary at either seam, which no earlier result allowed (section 1.3).
_RING: list[dict[str, Any]] = [
    *({"replicas_on": [i, i + 1], "weight": 1.2} for i in range(4)),
    {"replicas_on": [4, 5], "weight": 0.2},
    *({"replicas_on": [i, i + 1], "weight": 0.4} for i in range(5, 9)),
    {"replicas_on": [9, 0], "weight": 0.2},
]

BASES: dict[str, dict[str, Any]] = {
    "locally-overloaded": {
        "title": "Ten servers in a ring, half of them overloaded",
        "cluster": {"servers": 10},
        "service": _SERVICE,
        "traffic": {"kind": "types", "types": _RING, "load": 0.95},
        "scheduler": _PRIORITY,
        "reading": _READING,
        "run": {"slots": 100_000, "warmup": 20_000, "replications": 4},
    },
    "evenly-loaded": {
        "title": "Ten servers, evenly loaded",
        "cluster": {"servers": 10},
        "service": _SERVICE,
        "traffic": {"kind": "even", "load": 0.95},
        "scheduler": _PRIORITY,
        "reading": _READING,
        "run": {"slots": 100_000, "warmup": 20_000, "replications": 4},
    },
    "even-boundary": {
        "title": "Fifty servers, evenly loaded, at the boundary",
        "cluster": {"servers": 50},
        "service": {"local": 1.0, "remote": 0.5},
        "traffic": {"kind": "even", "load": 0.98},
        "scheduler": _PRIORITY,
        "run": {"slots": 16_000, "warmup": 8_000, "replications": 4},
    },
    "hotspot-boundary": {
        "title": "Fifty servers with a hot spot, at the boundary",
        "cluster": {"servers": 50},
        "service": {"local": 1.0, "remote": 0.5},
        "traffic": {
            "kind": "hotspot",
            "hot_servers": 25,
            "hot_probability": 0.8,
            "load": 0.98,
        },
        "scheduler": _PRIORITY,
        "run": {"slots": 16_000, "warmup": 8_000, "replications": 4},
    },
    "three-tiers": {
        "title": "Three tiers: local tasks first is not enough",
        "cluster": {"servers": 200, "racks": 20},
        "service": {"local": 1.0, "rack_local": 0.9, "remote": 0.5},
        "traffic": {
            "kind": "zipf",
            "chunks": 1000,
            "exponent": 1.0,
            "placement": "hdfs",
            "load": 0.9,
        },
        "scheduler": _PRIORITY,
        "run": {"slots": 4_000, "warmup": 1_000, "replications": 4},
    },
}


def base(name: str) -> Scenario:
    """Return a scenario of the reproductions.

    Parameters
    ----------
    name : str
        A key of `BASES`; the file of that name in `scenarios/theorems` holds the same.

    Returns
    -------
    Scenario
    """
    return Scenario(**BASES[name])
