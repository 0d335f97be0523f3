#!/usr/bin/env python3
"""Why affinity scheduling with a queue per task type does not scale: count the types.

    python queue_per_type.py
    python queue_per_type.py --servers 10,100 --load 0.95

Affinity scheduling (MaxWeight, the generalised c-mu rule, threshold policies) keeps a queue for
each task type. With three replicas a type is a set of three servers, so there are C(M, 3) types,
cubic in the number of servers. The paper (section 1) calls that impractical. This script runs
`maxweight-types`, which makes a queue only for a type with a waiting task, on even traffic, and
prints for each cluster size

    types       C(M, 3)
    lengths     memory for one 8-byte length per type, without the queues themselves
    non-empty   the most types that had a waiting task at once
    per queue   waiting tasks per non-empty queue, on average over the run
    completion  mean completion time, and that of the same tasks under `priority`

What to look at: nearly every waiting task is alone in its queue, even among ten servers. Most
lengths are 1 then, and the rule has little to compare but the tier: local first, else the oldest
task. With a queue per server, `priority` is as fast or faster.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from math import comb

from cluster_sim import Scenario, prepare
from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.randomness import Key
from cluster_sim.recording.measurements import Measurements
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System

REPLICAS = 3


def system_of(policy: str, servers: int, load: float) -> tuple[System, Key]:
    """Return the paper's evenly loaded system of a size."""
    prepared = prepare(
        Scenario(
            cluster={"servers": servers},
            service={"local": 1.0, "remote": 0.5},
            traffic={"kind": "even", "replicas": REPLICAS, "load": load},
            scheduler={"policy": policy},
            run={"slots": 1},
        )
    )
    return prepared.system, prepared.key()


class Counts(Observer):
    """Counts the queues that hold a task, at every observation point."""

    def __init__(self) -> None:
        self.n_waiting = self.n_types = self.most_types = 0

    @property
    def per_queue(self) -> float:
        return self.n_waiting / self.n_types

    def observe(self, slot: int, state: StateView) -> None:  # noqa: ARG002
        scheduling = state.scheduling  # type: ignore[attr-defined]
        self.n_waiting += state.n_waiting
        self.n_types += scheduling.n_types
        self.most_types = scheduling.most_types


def in_units(n_bytes: float) -> str:
    """Return a number of bytes in a unit that suits it."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000 or unit == "GB":
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    raise AssertionError("the last unit takes all")


def row(servers: int, load: float, n_tasks: int) -> list[str]:
    """Run a size under both policies and return what there is to say."""
    slots = max(round(n_tasks / (servers * load)), 20)
    system, key = system_of("maxweight-types", servers, load)
    options = {"slots": slots, "warmup": slots // 4, "series_points": 10}
    measured = Measurements(servers, 2, **options)
    counts = Counts()
    emulator = Emulator(system, key, [measured, counts])
    emulator.run(slots)
    own = measured.fields()["completion_times"].mean
    other, _ = system_of("priority", servers, load)
    rival = simulate(other, key, slots=slots, warmup=slots // 4).completion_times.mean
    n_types = comb(servers, REPLICAS)
    cells = [f"{servers}", f"{n_types:,}", in_units(8.0 * n_types), f"{counts.most_types:,}"]
    return [*cells, f"{counts.per_queue:.2f}", f"{own:.3f}", f"{rival:.3f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--servers", default="10,30,100,300,1000", help="default: %(default)s")
    parser.add_argument("--load", type=float, default=0.9, help="default: %(default)s")
    parser.add_argument("--tasks", type=int, default=60_000, help="a size; default: %(default)s")
    options = parser.parse_args(arguments)

    heads = ["servers", "types", "lengths", "non-empty", "per queue", "completion", "priority"]
    widths = [7, 13, 9, 10, 10, 11, 9]
    sizes = [int(servers) for servers in options.servers.split(",")]
    for cells in [heads, *(row(servers, options.load, options.tasks) for servers in sizes)]:
        print(" ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))


if __name__ == "__main__":
    main()
