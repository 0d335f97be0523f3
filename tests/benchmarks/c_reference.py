"""Builds `reference.c` and runs it on the same system, with the same draws, as the engine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.randomness import Key
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from tests.benchmarks.measuring import Rate

SOURCE = Path(__file__).with_name("reference.c")
GCC = shutil.which("gcc")


class Numbers(NamedTuple):
    """What both programs report of a run."""

    n_arrivals: int
    n_completed: int
    n_in_system: int
    completion_time_sum: int
    waiting_time_sum: int
    n_local: int
    n_remote: int

    @classmethod
    def of(cls, result: RunResult) -> Numbers:
        """Return the numbers of an engine's result."""
        return cls(
            result.n_arrivals,
            result.n_completed,
            result.n_in_system,
            result.completion_times.sum,
            result.waiting_times.sum,
            *result.starts.tolist(),
        )


def build(folder: Path, *flags: str) -> Path:
    """Compile the reference with gcc -O3 into a folder; return the program."""
    if GCC is None:
        raise FileNotFoundError("gcc is not installed, so the C reference cannot be built")
    program = folder / "-".join(
        ["reference", *(flag.strip("-").replace("=", "-") for flag in flags)]
    )
    command = [GCC, "-O3", *flags, "-o", str(program), str(SOURCE), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    return program


def run(
    program: Path, system: System, *, slots: int, warmup: int, key: Key
) -> tuple[Numbers, Rate]:
    """Run the C program; its CPU seconds are those of its slot loop alone."""
    if not isinstance(system.workload, SyntheticWorkload):
        raise TypeError("the C reference draws even traffic")
    cdf = np.array(system.workload.arrivals.distribution(), dtype=np.float64)
    cdf[-1] = 1.0
    local, remote = system.cluster.rates
    arguments = [
        system.policy.name,
        system.cluster.n_servers,
        local,
        remote,
        slots,
        warmup,
        key.low,
        key.high,
    ]
    done = subprocess.run(
        [program, *map(str, arguments)], input=cdf.tobytes(), check=True, capture_output=True
    )
    *numbers, seconds = done.stdout.split()
    found = Numbers(*map(int, numbers))
    return found, Rate(found.n_completed, float(seconds))
