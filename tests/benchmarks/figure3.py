"""The paper's figure 3: mean completion time against load, two traffics, two algorithms, M = 1000.

usage: python -m tests.benchmarks.figure3 [SLOTS] [WORKERS]
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from cluster_sim.compiled.engine import simulate
from cluster_sim.recording.result import RunResult
from tests.benchmarks.findings import markdown
from tests.benchmarks.systems import KEY, prepared

TRAFFICS = {"even": "evenly loaded", "hotspot": "locally overloaded"}
POLICIES = ("priority", "jsq-maxweight")
LOADS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99)
N_SERVERS, N_SLOTS = 1000, 20_000

Point = tuple[str, str, float]


def run_point(point: Point, slots: int) -> RunResult:
    """Run one point of the figure; a quarter of the slots is warm-up."""
    kind, policy, load = point
    system = prepared(policy, N_SERVERS, load, kind=kind).system
    return simulate(system, KEY, slots=slots, warmup=slots // 4)


def run_figure(slots: int = N_SLOTS, workers: int | None = None) -> dict[Point, RunResult]:
    """Run all points, in threads, the longest first so that no thread is left with a long one."""
    points = sorted(product(TRAFFICS, POLICIES, LOADS), key=lambda point: -point[2])
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        results = pool.map(lambda point: run_point(point, slots), points)
        return dict(zip(points, results, strict=True))


def table(results: dict[Point, RunResult]) -> str:
    """Return mean completion times in slots, and how often the rival takes as long."""
    rows = []
    for load in LOADS:
        row = [f"{load:g}"]
        for kind in TRAFFICS:
            times = [results[kind, policy, load].mean_completion_time for policy in POLICIES]
            row += [*(f"{mean:.3f}" for mean in times), f"{times[1] / times[0]:.2f}"]
        rows.append(row)
    columns = [f"{kind}: {name}" for kind in TRAFFICS for name in (*POLICIES, "ratio")]
    return markdown(["load", *columns], rows)


def main(arguments: list[str]) -> None:
    """Run the figure and print it."""
    slots = int(arguments[0]) if arguments else N_SLOTS
    workers = int(arguments[1]) if len(arguments) > 1 else os.cpu_count()
    wall, cpu = time.perf_counter(), time.process_time()
    results = run_figure(slots, workers)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    n_tasks = sum(result.n_completed for result in results.values())
    sys.stdout.write(
        f"{table(results)}\n\n{len(results)} runs of {slots:,} slots, {n_tasks:,} tasks: "
        f"{wall:.1f} s of wall time, {cpu:.1f} s of CPU time, {workers} threads\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
