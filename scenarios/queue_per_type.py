#!/usr/bin/env python3
"""Why affinity scheduling with a queue per task type does not scale: count the types.

    python queue_per_type.py
    python queue_per_type.py --servers 10,100 --load 0.95

Affinity scheduling (MaxWeight, the generalised c-mu rule, discrete review, threshold policies)
keeps a queue for each task type. With three replicas a type is a set of three servers, so there are
C(M, 3) types, cubic in the number of servers. The paper (section 1) calls that impractical. Here
only types with a waiting task have a queue. The first table counts them, in even traffic under
`maxweight-types`, for each cluster size:

    types       C(M, 3)
    lengths     memory for one 8-byte length per type, without the queues themselves
    non-empty   the most types that had a waiting task at once
    queues      memory of these queues, with their tasks and the indices that find them
    per queue   waiting tasks per non-empty queue, on average over the run

The other tables are mean completion times under each such rule, and under `priority` and
`balanced-pandas`, which have queues per server. All meet the same tasks; each run has the same
number of slots, so a time that grows without bound can be compared across sizes.

What to look at: nearly every waiting task is alone in its queue, even among ten servers. Lengths
say little then. Rules that compare them go by the tier and by age, and do about as well as those
with queues per server. Rules that wait for a queue above a threshold wait for ever: at the hot
spot, `squillante` and `bell-williams` leave the hot servers alone, and the times grow.
`discrete-review` lets each task wait for a plan, by a linear program of the size of the number of
waiting types.
"""

from __future__ import annotations

import argparse
import tracemalloc
from collections.abc import Sequence
from math import comb

from cluster_sim import Scenario, prepare
from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System

REPLICAS = 3
PER_SERVER = ("priority", "balanced-pandas")
PER_TYPE = (
    "maxweight-types",
    "generalised-c-mu",
    "discrete-review",
    "squillante",
    "bell-williams",
)


def system_of(policy: str, servers: int, load: float, kind: str) -> tuple[System, Key]:
    """Return the paper's system of a size, evenly loaded or with half of the servers hot."""
    traffic: dict[str, object] = {"kind": kind, "replicas": REPLICAS, "load": load}
    if kind == "hotspot":
        traffic |= {"hot_servers": servers // 2, "hot_probability": 0.8}
    prepared = prepare(
        Scenario(
            cluster={"servers": servers},
            service={"local": 1.0, "remote": 0.5},
            traffic=traffic,
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
        return self.n_waiting / max(self.n_types, 1)

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


def count(servers: int, load: float, slots: int) -> list[str]:
    """Run a size under MaxWeight and return how many queues there are, and what they take."""
    system, key = system_of("maxweight-types", servers, load, "even")
    counts = Counts()
    Emulator(system, key, [counts]).run(slots)
    # Again and shorter, for what the policy holds: tracing slows a run down.
    tracemalloc.start()
    emulator = Emulator(system, key)
    emulator.run(min(slots, 30))
    files = tracemalloc.Filter(inclusive=True, filename_pattern="*/policies/type_queues.py")
    traces = tracemalloc.take_snapshot().filter_traces([files])
    tracemalloc.stop()
    held = sum(trace.size for trace in traces.statistics("filename"))
    n_types = comb(servers, REPLICAS)
    cells = [f"{servers}", f"{n_types:,}", in_units(8.0 * n_types), f"{counts.most_types:,}"]
    return [*cells, in_units(held), f"{counts.per_queue:.2f}"]


def times(servers: int, load: float, slots: int, kind: str) -> list[str]:
    """Run a size under each rule and return the mean completion times."""
    cells = [f"{servers}"]
    for policy in (*PER_SERVER, *PER_TYPE):
        system, key = system_of(policy, servers, load, kind)
        result = simulate(system, key, slots=slots, warmup=slots // 4)
        cells.append(f"{result.mean_completion_time:.2f}")
    return cells


def show(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    print(f"{title}\n")
    for cells in (heads, *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--servers", default="10,30,100,300,1000", help="default: %(default)s")
    parser.add_argument("--load", type=float, default=0.9, help="default: %(default)s")
    parser.add_argument("--slots", type=int, default=60, help="of a run; default: %(default)s")
    options = parser.parse_args(arguments)
    sizes = [int(servers) for servers in options.servers.split(",")]
    run = (options.load, options.slots)

    heads = ["servers", "types", "lengths", "non-empty", "queues", "per queue"]
    show("Queues", heads, [count(servers, *run) for servers in sizes])
    heads = ["servers", *PER_SERVER, *PER_TYPE]
    for kind, words in (("even", "even traffic"), ("hotspot", "half of the servers hot")):
        title = f"\nMean completion time, slots: {words}"
        show(title, heads, [times(servers, *run, kind) for servers in sizes])


if __name__ == "__main__":
    main()
