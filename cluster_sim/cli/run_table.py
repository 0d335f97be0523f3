"""What ``cluster-sim run`` prints for people."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from cluster_sim.cli import streams

if TYPE_CHECKING:
    from cluster_sim.experiments.replications import Outcome
    from cluster_sim.experiments.statistics import Estimate
    from cluster_sim.scenario.build import Prepared

__all__ = [
    "capacity_words",
    "condition_rows",
    "percent",
    "plural",
    "print_outcome",
    "print_rows",
    "runs_words",
    "scenario_words",
]


def plural(n: int, thing: str) -> str:
    """Return a count with its noun.

    Parameters
    ----------
    n : int
    thing : str
        Singular.

    Returns
    -------
    str

    Examples
    --------
    >>> plural(1, "rack"), plural(2000, "slot")
    ('1 rack', '2,000 slots')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def percent(fraction: float | None) -> str:
    """Return a fraction in percent.

    Parameters
    ----------
    fraction : float or None

    Returns
    -------
    str
        A dash where there is nothing to measure.

    Examples
    --------
    >>> percent(0.9716), percent(None)
    ('97.16 %', '-')
    """
    return "-" if fraction is None or math.isnan(fraction) else f"{100 * fraction:.2f} %"


def scenario_words(prepared: Prepared) -> str:
    """Return in a line what runs.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    str
    """
    scenario = prepared.scenario
    levels = [plural(n, level) for level, n in scenario.cluster.level_counts.items()]
    where = f" in {', '.join(levels)}" if levels else ""
    parameters = ", ".join(
        f"{key} = {value}" for key, value in scenario.scheduler.parameters.items()
    )
    policy = scenario.scheduler.policy + (f" ({parameters})" if parameters else "")
    servers = plural(scenario.cluster.servers, "server")
    return f"{policy} on {servers}{where}, {scenario.traffic.kind} traffic"


def capacity_words(prepared: Prepared) -> str:
    """Return the load and how the capacity was found.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    str
    """
    capacity = prepared.capacity
    about = "" if capacity.is_exact else "about "
    rate = f"{about}{capacity.rate:.6g} tasks per slot ({capacity.method})"
    return f"{prepared.load:.4g} of the capacity, {rate}"


def condition_rows(prepared: Prepared) -> list[tuple[str, str]]:
    """Return as rows what is not as in the paper: service times, speeds, estimates, phases.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    list of (str, str)
        None where all is as in the paper.
    """
    system, scenario = prepared.system, prepared.scenario
    rows = []
    if system.service.kind != "geometric":
        rows.append(("service times", f"{system.service.words}; mean 1 / rate"))
    if system.cluster.speeds is not None:
        counts = Counter(system.cluster.speeds)
        words = ", ".join(f"{plural(n, 'server')} at {s:g}" for s, n in sorted(counts.items()))
        rows.append(("speeds", words))
    if system.told_rates is not None:
        told = zip(system.cluster.tier_names, system.told_rates, strict=True)
        words = ", ".join(f"{name} {rate:g}" for name, rate in told)
        rows.append(("told rates", f"{words} (what the scheduler believes)"))
    if scenario.phases is not None:
        table = scenario.phases
        stays = ", ".join(f"{stay:g}" for stay in table.stay)
        kind = "on average" if table.stays == "geometric" else "each time"
        moves = f"; the hot spot moves by {plural(table.move, 'server')}" if table.move else ""
        rows.append(("phases", f"{len(table.stay)}, of {stays} slots {kind}{moves}"))
    return rows


def print_rows(title: str, lines: list[str], rows: list[tuple[str, str]]) -> None:
    """Print a title, some lines, and rows of name and value.

    Parameters
    ----------
    title : str
    lines : list of str
    rows : list of (str, str)
    """
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    streams.print_rich(Text(title, style="bold"), *map(Text, lines), "", table)


def print_outcome(outcome: Outcome, name: str) -> None:
    """Print an outcome as a table.

    Parameters
    ----------
    outcome : Outcome
    name : str
        What to call the scenario if it has no title.
    """
    from cluster_sim.cli.disruption_rows import disruption_rows, failed_words
    from cluster_sim.experiments.replications import QUANTILES

    prepared, found = outcome.prepared, outcome.as_dict()
    how = f"{runs_words(outcome)}; seed {prepared.scenario.run.seed}, engine {outcome.engine}"
    quantiles = {name: outcome.quantile(p) for name, p in QUANTILES.items()}
    speed = found["tasks_per_second"]
    tasks = (
        f"{found['arrivals']:,} arrived, {found['completed']:,} completed, "
        f"{found['in_system']:,} in the system at the end"
    )
    rows = [
        ("mean completion time", _in_slots(outcome.mean_completion_time)),
        ("mean waiting time", _in_slots(outcome.mean_waiting_time)),
        ("completion time", "   ".join(f"{name} {value}" for name, value in quantiles.items())),
        ("starts", "   ".join(f"{tier} {percent(f)}" for tier, f in found["locality"].items())),
        ("utilisation", percent(found["utilisation"])),
        ("mean queue length", f"{found['mean_queue_length']:.6g} tasks, all queues together"),
        ("arrival rate", f"{found['rate']:.6g} tasks per slot"),
        ("load", capacity_words(prepared)),
        ("stability", f"{found['stable']['verdict']}: {found['stable']['reason']}"),
        ("tasks", tasks + failed_words(found)),
        *disruption_rows(found),
        *condition_rows(prepared),
        ("speed", f"{speed or 0:,.0f} tasks/s, {outcome.wall_seconds:.2f} s in all"),
    ]
    print_rows(prepared.scenario.title or name, [scenario_words(prepared), how], rows)


def runs_words(outcome: Outcome) -> str:
    """Return how many runs of what length the numbers are of.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    str
    """
    from cluster_sim.experiments.warmup import WarmupMethod

    prepared, found = outcome.prepared, outcome.warmup
    how = "" if found.method is WarmupMethod.GIVEN else f" ({found.method.value})"
    return (
        f"{plural(len(outcome.results), 'replication')} of {plural(prepared.slots, 'slot')}, "
        f"the first {prepared.warmup:,} left out{how}"
    )


def _in_slots(estimate: Estimate) -> str:
    from cluster_sim.experiments.statistics import Method

    if math.isnan(estimate.mean):
        return "- (no task completed after the warm-up)"
    label = " (batch means)" if estimate.method is Method.BATCH_MEANS else ""
    return f"{estimate} slots{label}"
