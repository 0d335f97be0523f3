"""How the benchmarks measure: CPU seconds, two things in turn, the median of their ratios.

Absolute speeds depend on the machine and on who else uses it. A ratio of two neighbouring
measurements hardly does, so the goals are ratios, and each is taken between runs that follow each
other.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds of each comparison, and a factor on the length of every run."""

    n_rounds: int = 7
    scale: float = 1.0

    def slots(self, n: int) -> int:
        """Return a number of slots, scaled."""
        return max(3, round(n * self.scale))


FULL = Effort()
QUICK = Effort(n_rounds=2, scale=0.05)


@dataclass(frozen=True)
class Rate:
    """Work done in CPU seconds (or wall seconds, where said)."""

    n: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Work per second."""
        return self.n / self.seconds


@dataclass(frozen=True)
class Measured:
    """The values of one quantity, round by round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Middle value."""
        return median(self.values)

    @property
    def low(self) -> float:
        """Smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """Largest value."""
        return max(self.values)


def timed(work: Callable[[], int]) -> Rate:
    """Return how much work was done in how many CPU seconds of this process."""
    gc.collect()  # or the garbage of what ran before is cleared at the expense of what runs now
    begin = time.process_time()
    n = work()
    return Rate(n, time.process_time() - begin)


def in_turn(n_rounds: int, *works: Callable[[], Rate]) -> list[list[Rate]]:
    """Measure A B C A B C ...; return the rates of each, round by round."""
    rates: list[list[Rate]] = [[] for _ in works]
    for _ in range(n_rounds):
        for kept, work in zip(rates, works, strict=True):
            kept.append(work())
    return rates


def ratio(first: list[Rate], second: list[Rate]) -> Measured:
    """Return the speed of the first relative to the second, round by round."""
    return Measured(tuple(a.per_second / b.per_second for a, b in zip(first, second, strict=True)))


def speed(rates: list[Rate]) -> float:
    """Return the median of the rates, per second."""
    return median(rate.per_second for rate in rates)


def run_python(
    arguments: list[str], environment: Mapping[str, str] | None = None
) -> tuple[str, float]:
    """Run Python in a process of its own; return its standard output and all its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        command = f"python {' '.join(arguments)}"
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def in_child(environment: Mapping[str, str] | None = None, **request: Any) -> dict[str, float]:
    """Run a system in a process of its own; see `tests.benchmarks.child` for request and answer."""
    arguments = ["-m", "tests.benchmarks.child", json.dumps(request)]
    answer: dict[str, float] = json.loads(run_python(arguments, environment)[0])
    return answer
