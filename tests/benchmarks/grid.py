"""Tasks per CPU-second against the number of servers and the load, for both engines."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.findings import markdown
from tests.benchmarks.measuring import Effort, in_turn, speed
from tests.benchmarks.systems import evenly_loaded, tasks_of, warm_up

SIZES = (10, 100, 1000, 10_000, 100_000)
LOADS = (0.5, 0.9, 0.99)
TASKS = {"compiled": 2_000_000, "simpy": 150_000}  # a run, about


def speeds(effort: Effort, engine: str) -> list[list[str]]:
    """Return a row of speeds for each size: the median of three runs, one with SimPy."""
    rows = []
    for n_servers in SIZES:
        row = [f"{n_servers:,}"]
        for load in LOADS:
            system = evenly_loaded("priority", n_servers, load)
            slots = effort.slots(round(TASKS[engine] / (n_servers * load)))
            if engine == "compiled":
                warm_up(system)
            rounds = min(effort.n_rounds, 3) if engine == "compiled" else 1
            (rates,) = in_turn(rounds, partial(tasks_of, engine, system, slots))
            row.append(f"{speed(rates):,.0f}")
        rows.append(row)
    return rows


def table(effort: Effort) -> str:
    """Return the speeds of both engines as a table in Markdown."""
    both = zip(speeds(effort, "compiled"), speeds(effort, "simpy"), strict=True)
    header = ["M", *(f"{engine}, load {load:g}" for engine in TASKS for load in LOADS)]
    return markdown(header, [[*fast, *slow[1:]] for fast, slow in both])
