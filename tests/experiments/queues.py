"""A queue with a known answer, and series made to measure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.result import RunResult
from cluster_sim.recording.series import Series, Thinning
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario

RATE, MU = 0.25, 0.5
MEAN = (1 - RATE) / (MU - RATE)  # completion time of Geo/Geo/1, slots


def queue(slots: int, rate: float = RATE, **run: object) -> Prepared:
    """Return Geo/Geo/1 at load 0.5, or another rate."""
    return prepare(
        Scenario(
            cluster={"servers": 1},
            service={"local": MU, "remote": MU},
            traffic={"kind": "even", "replicas": 1, "rate": rate, "arrivals": "bernoulli"},
            scheduler={"policy": "priority"},
            run={"slots": slots, **run},
        )
    )


def series_of(in_system: npt.NDArray[np.int64], n_points: int = 1000) -> Series:
    """Return the thinned series of a path, with an arrival in each slot."""
    thinning, total = Thinning(n_points), 0
    for slot, value in enumerate(in_system.tolist()):
        thinning.offer(slot, value, value, arrived=slot, in_system_sum=total, waiting_sum=total)
        total += value
    return thinning.series()


def result_of(in_system: npt.NDArray[np.int64], warmup: int = 0, n_points: int = 1000) -> RunResult:
    """Return a result that holds a path and little else."""
    nothing = np.zeros(1, dtype=np.int64)
    times = Histogram.of({1: 1})
    return RunResult(
        slots=len(in_system),
        warmup=warmup,
        n_arrivals=len(in_system),
        n_completed=len(in_system),
        n_in_system=0,
        completion_times=times,
        waiting_times=times,
        starts=nothing,
        busy=nothing,
        in_system_sum=int(in_system.sum()),
        waiting_sum=0,
        n_bound_hits=0,
        series=series_of(in_system, n_points),
        counts_service=True,
    )
