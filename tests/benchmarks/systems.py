"""The systems that the benchmarks run."""

from __future__ import annotations

from cluster_sim.compiled.engine import simulate as simulate_compiled
from cluster_sim.emulator.emulator import simulate as simulate_simpy
from cluster_sim.experiments.engines import Simulate
from cluster_sim.randomness import Key
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario
from cluster_sim.system import System
from tests.benchmarks.measuring import Rate, timed

ENGINES: dict[str, Simulate] = {"simpy": simulate_simpy, "compiled": simulate_compiled}
LOCAL, REMOTE = 1.0, 0.5  # alpha and gamma of the paper's evaluation
KEY = Key.of(1)


def prepared(
    policy: str,
    n_servers: int,
    load: float,
    *,
    kind: str = "even",
    slots: int = 1000,
    replications: int = 1,
) -> Prepared:
    """Return the paper's system: alpha = 1, gamma = 0.5, three replicas."""
    traffic: dict[str, object] = {"kind": kind, "load": load}
    if kind == "hotspot":
        traffic |= {"hot_servers": n_servers // 2, "hot_probability": 0.8}
    return prepare(
        Scenario(
            cluster={"servers": n_servers},
            service={"local": LOCAL, "remote": REMOTE},
            traffic=traffic,
            scheduler={"policy": policy},
            # A warm-up of its own, or a pilot run would be timed as well.
            run={
                "slots": slots,
                "warmup": slots // 4,
                "replications": replications,
                "engine": "compiled",
            },
        )
    )


def evenly_loaded(policy: str, n_servers: int, load: float) -> System:
    """Return the paper's system with even traffic."""
    return prepared(policy, n_servers, load).system


def tasks_of(engine: str, system: System, slots: int) -> Rate:
    """Return the tasks that an engine completes, with its default measurements, and their time."""
    simulate = ENGINES[engine]
    return timed(lambda: simulate(system, KEY, slots=slots).n_completed)


def warm_up(*systems: System) -> None:
    """Run on both engines before anything is timed: this loads, compiles and fills caches."""
    for system in systems:
        for simulate in ENGINES.values():
            simulate(system, KEY, slots=2)
