#!/usr/bin/env python3
"""Every scheduler on the same five clusters: the league table behind "Choosing a scheduler".

    python league.py                                 writes what league.txt holds
    python league.py --policies priority,maxweight --slots 500
    python league.py --trace facebook.tsv            another trace, in the format of SWIM

Five traffics, each with 100 servers: even, a hot spot, Zipf popularity, a trace of jobs, and three
tiers (racks) with Zipf popularity. All policies meet the same tasks with the same luck. It takes
about a quarter of an hour of processor time.

A number is the mean completion time in slots, with the half-width of its 95 % interval. A plus
marks a policy whose backlog was still growing when the run ended: its number depends on the length
of the run. A dash marks a policy that is not defined there. The last column ranks the policies: the
geometric mean of a policy's time over the best time on each traffic.

What to look at: docs/how-to/choosing-a-scheduler.md discusses the tables.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster_sim import Scenario, compare, read_scenario
from cluster_sim.errors import ClusterSimError
from cluster_sim.policies import names

HERE = Path(__file__).parent
TRAFFICS = ("even", "hot spot", "zipf", "trace", "three tiers")
SERVERS = 100
Cell = tuple[float, float, str]  # mean, half-width, mark


def scenarios_of(load: float, *, slots: int, replications: int, trace: str) -> dict[str, Scenario]:
    """Return the five scenarios, each with 100 servers."""
    run = {"run.slots": slots, "run.warmup": slots // 2, "run.replications": replications}
    base = {"cluster.servers": SERVERS, "traffic.load": load, **run}
    jobs: dict[str, object] = {"cluster.servers": SERVERS, "run.replications": replications}
    if trace:
        jobs["traffic.path"] = trace
    hot = {"traffic.hot_servers": SERVERS // 2}
    files: dict[str, tuple[str, Mapping[str, object]]] = {
        "even": ("evenly-loaded", base),
        "hot spot": ("locally-overloaded", base | hot),
        "zipf": ("zipf", base),
        "trace": ("facebook-trace", jobs),
        "three tiers": ("rack-tier", base | {"cluster.racks": 10}),
    }
    return {
        name: read_scenario(HERE / f"{file}.toml").with_values(dict(values))
        for name, (file, values) in files.items()
    }


def measured(scenario: Scenario, policy: str) -> Cell | None:
    """Return the mean completion time of a policy; None if it is not defined there."""
    try:
        outcome = compare(scenario, [policy]).outcomes[0]
    except ClusterSimError:
        return None
    found = outcome.mean_completion_time
    mark = "+" if outcome.stability.verdict == "unstable" else " "
    return found.mean, found.half_width or math.nan, mark


def cell(found: Cell | None) -> str:
    """Return a cell of the table."""
    if found is None or math.isnan(found[0]):
        return "- "
    mean, half_width, mark = found
    digits = max(0, 2 - math.floor(math.log10(mean)))
    plus_minus = "" if math.isnan(half_width) else f" ± {half_width:.{digits}f}"
    return f"{mean:.{digits}f}{plus_minus}{mark}"


def over_best(row: Sequence[Cell | None], best: Sequence[float]) -> float:
    """Return the geometric mean of a policy's times over the best ones; inf if one is missing."""
    logs = [
        math.log(found[0] / least) if found is not None else math.inf
        for found, least in zip(row, best, strict=True)
    ]
    return math.exp(sum(logs) / len(logs))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the league table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policies", default=",".join(names(None)), metavar="A,B,...")
    parser.add_argument("--slots", type=int, default=2000)
    parser.add_argument("--replications", type=int, default=4)
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--trace", default="", metavar="FILE")
    parser.add_argument("--traffics", default=",".join(TRAFFICS), metavar="A,B,...")
    given = parser.parse_args(arguments)
    scenarios = scenarios_of(
        given.load, slots=given.slots, replications=given.replications, trace=given.trace
    )
    chosen = [name.strip() for name in given.traffics.split(",")]
    rows: dict[str, list[Cell | None]] = {}
    for policy in given.policies.split(","):
        rows[policy] = [measured(scenarios[name], policy) for name in chosen]
    best = [
        min(row[i][0] for row in rows.values() if row[i] is not None)  # type: ignore[index]
        for i in range(len(chosen))
    ]
    print(f"{'policy':<20}" + "".join(f"{name:>20}" for name in [*chosen, "over the best"]))
    for policy, row in sorted(rows.items(), key=lambda item: over_best(item[1], best)):
        score = over_best(row, best)
        last = "-" if math.isinf(score) else f"{score:.2f}"
        print(f"{policy:<20}" + "".join(f"{cell(found):>20}" for found in row) + f"{last:>20}")


if __name__ == "__main__":
    main()
