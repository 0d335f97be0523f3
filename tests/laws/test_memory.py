"""Memory does not grow with the number of tasks completed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster_sim import policies
from cluster_sim.emulator import draws
from cluster_sim.emulator.emulator import simulate
from cluster_sim.model import workload
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.randomness import Key
from cluster_sim.recording import rows
from cluster_sim.recording.logs import EventLog, TaskLog
from cluster_sim.recording.observer import Observer
from cluster_sim.system import System
from cluster_sim.testing import InvariantObserver, LittlesLaw

N_SLOTS = 200
BYTES_PER_TASK = 8  # less than any record of a task; a pointer alone takes as much


def peak(system: System, n_slots: int, observers: Sequence[Observer]) -> tuple[int, int]:
    """Return the peak of allocated bytes in a run, and the tasks completed."""
    tracemalloc.start()
    try:
        result = simulate(system, Key.of(3), slots=n_slots, series_points=50, observers=observers)
        return tracemalloc.get_traced_memory()[1], result.n_completed
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("watch", ["nothing", "logs", "laws"])
def test_memory_is_flat(watch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the slots, at load 0.7, need less than a pointer more for each further task."""
    # Draws and rows come in chunks: small enough that the short run, too, fills several.
    monkeypatch.setattr(workload, "TASKS_PER_BATCH", 256)
    monkeypatch.setattr(draws, "DRAWS_PER_WINDOW", 256)
    monkeypatch.setattr(rows, "ROWS_PER_CHUNK", 256)
    topology = Topology.tree(10)
    cluster = Cluster.of(topology, {"local": 1.0, "remote": 0.5})
    system = System(
        cluster,
        workload.SyntheticWorkload(Even(topology), Poisson(7.0)),
        policies.get("priority"),
    )

    def observers(name: str) -> list[Observer]:
        return {
            "nothing": [],
            "logs": [EventLog(tmp_path / f"{name}.csv.gz"), TaskLog(tmp_path / f"{name}.csv")],
            "laws": [InvariantObserver(system), LittlesLaw()],
        }[watch]

    peak(system, 50, observers("warm"))  # what is made once, such as caches, does not count
    short, n_short = peak(system, N_SLOTS, observers("short"))
    long, n_long = peak(system, 4 * N_SLOTS, observers("long"))
    assert n_long > 3.9 * n_short
    assert long - short < BYTES_PER_TASK * (n_long - n_short)
