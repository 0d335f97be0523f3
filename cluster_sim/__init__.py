"""An emulator of near-data scheduling: a task runs faster on a server that holds its data.

>>> from cluster_sim import Scenario, prepare, run
>>> scenario = Scenario(
...     cluster={"servers": 10},
...     service={"local": 1.0, "remote": 0.5},
...     traffic={"kind": "even", "load": 0.5},
...     scheduler={"policy": "priority"},
...     run={"slots": 200, "replications": 2},
... )
>>> run(prepare(scenario)).stability.verdict
'stable'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_sim import policies as policies
    from cluster_sim.experiments.comparison import compare
    from cluster_sim.experiments.replications import run
    from cluster_sim.policies.base import QueuePolicy
    from cluster_sim.scenario.build import prepare
    from cluster_sim.scenario.loading import read_scenario
    from cluster_sim.scenario.schema import Scenario

    __version__: str

__all__ = [
    "QueuePolicy",
    "Scenario",
    "__version__",
    "compare",
    "policies",
    "prepare",
    "read_scenario",
    "run",
]

# Looked up on first use (PEP 562): importing the package loads neither numpy nor scipy.
_HOMES = {
    "QueuePolicy": "cluster_sim.policies.base",
    "Scenario": "cluster_sim.scenario.schema",
    "compare": "cluster_sim.experiments.comparison",
    "prepare": "cluster_sim.scenario.build",
    "read_scenario": "cluster_sim.scenario.loading",
    "run": "cluster_sim.experiments.replications",
}


def __getattr__(name: str) -> object:
    """Return a public name, importing its module on first use."""
    import importlib

    if name == "policies":
        return importlib.import_module("cluster_sim.policies")
    value: object
    if name == "__version__":
        value = _version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'cluster_sim' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, also those not imported yet."""
    return sorted({*globals(), *__all__})


def _version() -> str:
    """Return the version of the installed distribution; 0+unknown if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("cluster_sim")
    except PackageNotFoundError:
        return "0+unknown"
