#!/usr/bin/env python3
"""Mean completion times of the priority policy under several thresholds and loads.

    python threshold_sweep.py
    python threshold_sweep.py --servers 1000 --loads 0.8,0.9,0.99

An idle server without local work takes a task from the longest queue if that queue is longer than
the threshold. The paper sets it to alpha / gamma, here 2: below that, a task would be done sooner
by waiting for its own server. The script runs the locally overloaded cluster under several
thresholds and loads and prints the mean completion times in slots. In each column the tasks and
their service luck are the same, so small differences count. The least of a column is marked.

What to look at: the paper's threshold is near the best of each column. At low load a lower one is
worse: an idle server takes a task that its own server would have started in the same slot. At high
load the longest queue is above 2 anyway, so 0, 1 and 2 are about alike. A higher one leaves helpers
idle, and the hot queues settle near it. Without help (inf) the hot servers are overloaded from load
0.75 on: nothing settles, and the numbers only say how long the run was.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from cluster_sim import Scenario, prepare, read_scenario, run

BASE = Path(__file__).with_name("locally-overloaded-small.toml")
THRESHOLDS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, math.inf)


def mean_completion_times(scenario: Scenario, loads: Sequence[float]) -> dict[float, list[float]]:
    """Return the mean completion time (slots) for each threshold, one for each load."""
    return {
        threshold: [
            run(
                prepare(
                    scenario.with_values({"scheduler.threshold": threshold, "traffic.load": load})
                )
            ).mean_completion_time.mean
            for load in loads
        ]
        for threshold in THRESHOLDS
    }


def print_table(found: dict[float, list[float]], loads: Sequence[float]) -> None:
    """Print a row for each threshold and a column for each load."""
    best = [min(column) for column in zip(*found.values(), strict=True)]
    print("threshold" + "".join(f"  load {load:<6g}" for load in loads))
    for threshold, row in found.items():
        cells = (
            f"  {mean:>9.3f}{'*' if mean == least else ' '}"
            for mean, least in zip(row, best, strict=True)
        )
        print(f"{threshold:>9g}" + "".join(cells))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--slots", type=int, default=4000, help="default: %(default)s")
    parser.add_argument("--servers", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--loads", default="0.5,0.7,0.8,0.9,0.95,0.99", help="default: %(default)s")
    options = parser.parse_args(arguments)
    loads = [float(load) for load in options.loads.split(",")]
    scenario = read_scenario(BASE).with_values(
        {
            "cluster.servers": options.servers,
            "traffic.hot_servers": options.servers // 2,
            "run.slots": options.slots,
            "run.warmup": options.slots // 4,
            "run.replications": 2,
        }
    )
    print(f"{options.servers} servers, half of them hot; mean completion time in slots, * least\n")
    print_table(mean_completion_times(scenario, loads), loads)


if __name__ == "__main__":
    main()
