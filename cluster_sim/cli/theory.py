"""``cluster-sim theory``: what should happen, without running anything."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import File, Json, Set

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cluster_sim.model.traffic import Hotspot
    from cluster_sim.scenario.build import Prepared
    from cluster_sim.theory.report import TheoryReport

__all__ = ["theory"]

_MOST_TYPES = 20_000  # flows over so many take seconds
_MOST_TYPES_TIERS = 5_000  # the same for linear programs, which three tiers need


@dataclasses.dataclass(frozen=True, eq=False)
class _Types:
    """The task types of a traffic, or a sample of them, each with its share of the arrivals."""

    replica_sets: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    source: str
    is_exact: bool


def theory(file: File, json: Json = False, set_: Set = None) -> Status:
    """Print what the theory says of a scenario.

    Capacity and load, helpers and beneficiaries, bounds on the queues near the boundary.
    Helpers are the servers with time left for remote tasks under the ideal load decomposition,
    beneficiaries those whose local tasks need help (paper, section 3).
    """
    with streams.only_json(json), inputs.user_modules(file):
        from cluster_sim.scenario.build import prepare

        scenario = inputs.read(file, set_ or [])
        with inputs.named(file):
            prepared = prepare(scenario)
        types, report = _report(prepared)
    if json:
        streams.print_json(
            {
                "scenario": prepared.scenario.as_dict(),
                "capacity": dataclasses.asdict(prepared.capacity),
                "rate": prepared.system.workload.rate,
                "load": prepared.load,
                "decomposition": {
                    "task_types": types.source,
                    "exact": types.is_exact,
                    **report.to_dict(),
                },
            }
        )
    else:
        _print_report(prepared, types, report, inputs.name_of(file))
    return Status.SUCCESS


def _report(prepared: Prepared) -> tuple[_Types, TheoryReport]:
    from cluster_sim.model.workload import SyntheticWorkload
    from cluster_sim.theory.report import theory_report

    types, workload, cluster = (
        _types_of(prepared),
        prepared.system.workload,
        prepared.system.cluster,
    )
    variance = workload.arrivals.variance if isinstance(workload, SyntheticWorkload) else None
    report = theory_report(
        types.replica_sets,
        types.shares * workload.rate,
        n_servers=cluster.n_servers,
        rates=cluster.rates,
        ancestors=cluster.groups,
        arrival_variance=variance,
    )
    return types, report


def _types_of(prepared: Prepared) -> _Types:
    """Return the task types: all of them where they can be listed, else a sample."""
    import numpy as np

    from cluster_sim.model.placement import UniformPlacement
    from cluster_sim.model.traffic import Even, Hotspot, Types
    from cluster_sim.model.workload import SyntheticWorkload
    from cluster_sim.randomness import Key

    workload = prepared.system.workload
    limit = _MOST_TYPES if prepared.system.cluster.n_tiers == 2 else _MOST_TYPES_TIERS
    if not isinstance(workload, SyntheticWorkload):
        return _types_of_trace(prepared, limit)
    traffic = workload.traffic
    if isinstance(traffic, Types):
        return _Types(traffic.replica_sets, traffic.probabilities, "all task types", True)
    n = prepared.system.cluster.n_servers
    if isinstance(traffic, Even) and isinstance(traffic.placement, UniformPlacement):
        # Even traffic is hot-spot traffic where every server is hot.
        traffic = Hotspot(traffic.topology, n, 1.0, traffic.n_replicas, traffic.placement)
    if isinstance(traffic, Hotspot) and isinstance(traffic.placement, UniformPlacement):
        listed = _listed(traffic, n, limit)
        if listed is not None:
            return listed
    sample = traffic.replicas(Key.of(0), 0, limit)
    shares = np.full(limit, 1.0 / limit)
    return _Types(sample, shares, f"a sample of {limit:,} task types", False)


def _listed(traffic: Hotspot, n_servers: int, limit: int) -> _Types | None:
    """Return every replica set that uniform placement can draw; None if they are too many."""
    import numpy as np

    groups = (
        (range(traffic.n_hot), traffic.hot_probability),
        (range(traffic.n_hot, n_servers), 1.0 - traffic.hot_probability),
    )
    drawn = [(servers, p) for servers, p in groups if p > 0]
    sizes = [math.comb(len(servers), traffic.n_replicas) for servers, _ in drawn]
    if sum(sizes) > limit:
        return None
    sets = [itertools.combinations(servers, traffic.n_replicas) for servers, _ in drawn]
    shares = np.concatenate([np.full(n, p / n) for n, (_, p) in zip(sizes, drawn, strict=True)])
    listed = np.array(list(itertools.chain(*sets)), dtype=np.int64)
    return _Types(listed, shares, f"all {len(listed):,} task types", True)


def _types_of_trace(prepared: Prepared, limit: int) -> _Types:
    import numpy as np

    from cluster_sim.traces.workload import TraceWorkload

    workload = prepared.system.workload
    assert isinstance(workload, TraceWorkload)
    tasks = workload.slots.tasks
    step = -(-tasks.n_tasks // limit)
    chosen = np.concatenate(
        [tasks.task_chunks(first, 1) for first in range(0, tasks.n_tasks, step)]
    )
    chunks, counts = np.unique(chosen, return_counts=True)
    source = "all tasks of the trace" if step == 1 else f"one task in {step} of the trace"
    return _Types(workload.placed(chunks), counts / counts.sum(), source, step == 1)


def _print_report(prepared: Prepared, types: _Types, report: TheoryReport, name: str) -> None:
    from cluster_sim.cli.run_table import capacity_words, plural, print_rows, scenario_words

    rates = ", ".join(f"{tier} {rate:g}" for tier, rate in prepared.scenario.tiers.items())
    rows: list[tuple[str, str]] = [
        ("service rates", rates),
        ("arrival rate", f"{prepared.system.workload.rate:.6g} tasks per slot"),
        ("load", capacity_words(prepared)),
        ("task types", types.source),
    ]
    if report.helpers is not None and report.beneficiaries is not None:
        rows += [
            ("helpers", _servers(report.helpers)),
            ("beneficiaries", _servers(report.beneficiaries)),
            (
                "remote service",
                f"{report.remote_rate:.6g} tasks per slot under the ideal decomposition",
            ),
            ("epsilon", f"{report.epsilon:.6g} tasks per slot below the boundary (Eq. 10)"),
        ]
    bounds = report.heavy_traffic
    if bounds is not None:
        whose = f"of {plural(bounds.n_queues, 'queue')}"
        rows += [
            ("lower bound", f"{_bound(bounds.lower_bound)}, mean sum {whose} (Theorems 3, 6)"),
            (
                "heavy traffic",
                f"{bounds.predicted:.6g} tasks, leading term {whose} (Theorems 5, 8)",
            ),
        ]
    rows += [("note", note) for note in report.notes]
    print_rows(prepared.scenario.title or name, [scenario_words(prepared)], rows)


def _bound(value: float) -> str:
    return (
        f"{value:.6g} tasks"
        if value > 0
        else f"0 tasks: at this load the formula gives {value:.6g}"
    )


def _servers(servers: tuple[int, ...]) -> str:
    """Return servers as ranges.

    Examples
    --------
    >>> _servers((0, 1, 2, 5)), _servers(())
    ('4: 0-2, 5', 'none')
    """
    if not servers:
        return "none"
    runs: list[list[int]] = []
    for server in servers:
        if runs and server == runs[-1][-1] + 1:
            runs[-1][1:] = [server]
        else:
            runs.append([server])
    shown = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:8]]
    more = ", ..." if len(runs) > 8 else ""
    return f"{len(servers):,}: {', '.join(shown)}{more}"
