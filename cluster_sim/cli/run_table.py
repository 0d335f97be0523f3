"""What ``cluster-sim run`` prints for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cluster_sim.cli import streams

if TYPE_CHECKING:
    from cluster_sim.experiments.replications import Outcome
    from cluster_sim.scenario.build import Prepared

__all__ = ["capacity_words", "percent", "plural", "print_outcome", "print_rows", "scenario_words"]


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
    prepared, found = outcome.prepared, outcome.as_dict()
    run = prepared.scenario.run
    how = (
        f"{plural(len(outcome.results), 'replication')} of {plural(prepared.slots, 'slot')}, the "
        f"first {prepared.warmup:,} left out; seed {run.seed}, engine {outcome.engine}"
    )
    waiting = outcome.over_replications(lambda result: result.mean_waiting_time)
    quantiles = found["completion_time_quantiles"].items()
    speed = found["tasks_per_second"]
    tasks = (
        f"{found['arrivals']:,} arrived, {found['completed']:,} completed, "
        f"{found['in_system']:,} in the system at the end"
    )
    rows = [
        ("mean completion time", _in_slots(str(outcome.mean_completion_time))),
        ("mean waiting time", _in_slots(str(waiting))),
        ("completion time", "   ".join(f"{p} {_or_dash(value)}" for p, value in quantiles)),
        ("starts", "   ".join(f"{tier} {percent(f)}" for tier, f in found["locality"].items())),
        ("utilisation", percent(found["utilisation"])),
        ("mean queue length", f"{found['mean_queue_length']:.6g} tasks, all queues together"),
        ("arrival rate", f"{found['rate']:.6g} tasks per slot"),
        ("load", capacity_words(prepared)),
        ("stability", f"{found['stable']['verdict']}: {found['stable']['reason']}"),
        ("tasks", tasks),
        ("speed", f"{speed or 0:,.0f} tasks/s, {outcome.wall_seconds:.2f} s in all"),
    ]
    print_rows(prepared.scenario.title or name, [scenario_words(prepared), how], rows)


def _in_slots(estimate: str) -> str:
    return "- (no task completed after the warm-up)" if estimate == "nan" else f"{estimate} slots"


def _or_dash(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
