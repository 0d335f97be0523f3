#!/usr/bin/env python3
"""How much faster the priority policy is, and what that depends on.

    python four_fold.py                                  writes what four_fold.txt holds
    python four_fold.py --servers 100 --slots 2000       a first impression

The paper reports "up to 4-fold improvement" over JSQ-MaxWeight on its two traffics with 1000
servers (section 6, figure 3). This script measures the ratio of the mean completion times at
several loads, under the default reading and under each other reading, for two rivals:
`jsq-maxweight`, with one common queue for remote work, and `maxweight`, without it. Then it changes
the number of servers. It takes about ten minutes of processor time. One replication of
1000 servers is enough: the ratios hold to about a percent. Smaller clusters run longer.

A ratio above 1 is in favour of `priority`. A plus marks a ratio whose rival had not settled: its
completion time was still growing when the run ended. A minus marks the same of `priority`.

What to look at: docs/concepts/four-fold.md discusses the tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from cluster_sim import Scenario, compare, read_scenario
from cluster_sim.experiments.comparison import Comparison

HERE = Path(__file__).parent
TRAFFICS = ("evenly-loaded", "locally-overloaded")
RIVALS = ("jsq-maxweight", "maxweight")
READINGS: tuple[dict[str, str], ...] = (
    {},
    {"queue_length": "waiting"},
    {"routing_view": "slot-start"},
    {"dispatch_order": "index"},
    {"dispatch_order": "locals-first"},
    {"service_tier": "queue"},
    {"tie_break": "local"},
    {"tie_break": "index"},
    {"queue_length": "waiting", "routing_view": "slot-start"},
)
SIZES = (10, 20, 50, 100, 200, 500, 1000)


def scenario_of(traffic: str, *, servers: int, slots: int) -> Scenario:
    """Return a scenario of the paper, resized; the first half of a run is warm-up."""
    values: dict[str, object] = {
        "cluster.servers": servers,
        "run.slots": slots,
        "run.warmup": slots // 2,
        "run.replications": 1,
    }
    if traffic == "locally-overloaded":
        values["traffic.hot_servers"] = servers // 2
    return read_scenario(HERE / f"{traffic}.toml").with_values(values)


def ratio(comparison: Comparison, rival: int) -> str:
    """Return a rival's mean completion time over that of priority, marked if unsettled."""
    first, other = comparison.outcomes[0], comparison.outcomes[rival]
    plus = "+" if other.stability.verdict != "stable" else " "
    minus = "-" if first.stability.verdict != "stable" else " "
    return f"{comparison.differences[rival - 1].ratio.mean:.3g}{plus}{minus}"


def print_rows(rows: Iterator[tuple[str, list[str]]], header: str, columns: Sequence[str]) -> None:
    """Print a table."""
    for name, cells in [(header, columns), *rows]:
        print((f"{name:<51}" + "".join(f"{cell:>10}" for cell in cells)).rstrip(), flush=True)
    print()


def by_reading(traffic: str, loads: Sequence[float], *, servers: int, slots: int) -> None:
    """Print the completion times under the default reading, then the ratios under each reading."""
    base = scenario_of(traffic, servers=servers, slots=slots)
    names = ["priority", *RIVALS]
    found: dict[int, list[Comparison]] = {}
    for number, reading in enumerate(READINGS):
        values = {f"reading.{name}": value for name, value in reading.items()}
        found[number] = [
            compare(base.with_values({**values, "traffic.load": load}), names) for load in loads
        ]
    columns = [f"load {load:g}" for load in loads]
    print(f"{traffic}, {servers} servers, {slots} slots\n")
    times = (
        (name, [f"{c.outcomes[i].mean_completion_time.mean:.4g}  " for c in found[0]])
        for i, name in enumerate(names)
    )
    print_rows(times, "completion time, default reading", columns)
    for i, rival in enumerate(RIVALS, start=1):
        rows = (
            (
                ", ".join(f"{name} = {v}" for name, v in reading.items()) or "default",
                [ratio(comparison, i) for comparison in found[number]],
            )
            for number, reading in enumerate(READINGS)
        )
        print_rows(rows, f"{rival} / priority", columns)


def by_size(sizes: Sequence[int], *, slots: int) -> None:
    """Print the ratios on locally overloaded clusters of several sizes, default reading.

    Each runs for about as many tasks.
    """
    found = [
        compare(
            scenario_of("locally-overloaded", servers=size, slots=slots * max(sizes) // size),
            ["priority", *RIVALS],
        )
        for size in sizes
    ]
    rows = (
        (f"{rival} / priority", [ratio(comparison, i) for comparison in found])
        for i, rival in enumerate(RIVALS, start=1)
    )
    print(f"locally-overloaded at load 0.9, {slots} slots or more\n")
    print_rows(rows, "servers", [f"{size}  " for size in sizes])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--slots", type=int, default=8000, help="default: %(default)s")
    parser.add_argument("--servers", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--loads", default="0.5,0.7,0.8,0.9,0.95", help="default: %(default)s")
    options = parser.parse_args(arguments)
    loads = [float(load) for load in options.loads.split(",")]
    for traffic in TRAFFICS:
        by_reading(traffic, loads, servers=options.servers, slots=options.slots)
    by_size([size for size in SIZES if size <= options.servers], slots=options.slots)


if __name__ == "__main__":
    main()
