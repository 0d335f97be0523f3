"""``cluster-sim trace``: what a workload trace is like, before anything runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Json

if TYPE_CHECKING:
    from cluster_sim.scenario.build import Prepared
    from cluster_sim.traces.summary import JobSizes, Popularity, TraceSummary

__all__ = ["trace"]


def trace(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            help="The trace; without it, the small one that comes with the package.",
        ),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="Format of the trace.")] = "swim",
    chunk_mib: Annotated[float, typer.Option("--chunk-mib", help="Size of a chunk, MiB.")] = 64.0,
    max_tasks_per_job: Annotated[
        int | None, typer.Option("--max-tasks-per-job", help="Cut a job to this many tasks.")
    ] = None,
    slot_seconds: Annotated[
        float,
        typer.Option("--slot-seconds", help="Length of a slot for the arrival rates, seconds."),
    ] = 1.0,
    servers: Annotated[int, typer.Option("--servers", help="Servers to place chunks on.")] = 100,
    racks: Annotated[int | None, typer.Option("--racks", help="Racks of the cluster.")] = None,
    replicas: Annotated[int, typer.Option("--replicas", help="Servers that hold a chunk.")] = 3,
    placement: Annotated[
        str, typer.Option("--placement", help="uniform, hdfs, or your own as module:Class.")
    ] = "uniform",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the placement.")] = 1,
    json: Json = False,
) -> Status:
    """Summarise a trace before anything runs.

    Jobs, tasks, how unevenly the data is read, and the hottest server: its load over the mean if
    each task is split evenly over its replicas. 1 means that the placement spreads the data evenly.
    """
    from cluster_sim.scenario.build import prepare
    from cluster_sim.scenario.loading import load_mapping

    traffic = {
        "kind": "trace",
        "path": file,
        "format": format_,
        "chunk_mib": chunk_mib,
        "max_tasks_per_job": max_tasks_per_job,
        "slot_seconds": slot_seconds,
        "replicas": replicas,
        "placement": placement,
    }
    scenario = {
        "cluster": {"servers": servers, "racks": racks},
        "service": {"local": 1.0, "remote": 0.5},
        "traffic": traffic,
        "scheduler": {"policy": "priority"},
        "run": {"slots": 1, "seed": seed},
    }
    with streams.only_json(json), inputs.user_modules(inputs.STANDARD_INPUT):
        with inputs.named("cluster-sim trace"):
            prepared = prepare(load_mapping(scenario, "cluster-sim trace"))
        summary, hottest = _examine(prepared)
    if json:
        placed = {
            "servers": servers,
            "racks": racks,
            "replicas": replicas,
            "placement": placement,
            "seed": seed,
            "hottest_over_mean": hottest,
        }
        streams.print_json({**dataclasses.asdict(summary), "placed": placed})
    else:
        title = summary.source if file else "the small trace that comes with the package"
        _print_summary(title, prepared, summary, hottest)
    return Status.SUCCESS


def _examine(prepared: Prepared) -> tuple[TraceSummary, float]:
    from cluster_sim.traces import hottest_over_mean, summarise
    from cluster_sim.traces.workload import TraceWorkload

    workload = prepared.system.workload
    assert isinstance(workload, TraceWorkload)
    tasks, seconds = workload.slots.tasks, workload.slots.slot_seconds
    n_servers = prepared.system.cluster.n_servers
    return summarise(tasks, seconds), hottest_over_mean(tasks, workload.placed, n_servers=n_servers)


def _print_summary(title: str, prepared: Prepared, summary: TraceSummary, hottest: float) -> None:
    from cluster_sim.cli.run_table import percent, plural, print_rows

    traffic: Any = prepared.scenario.traffic
    tasks = (
        f"{summary.n_tasks:,} on {plural(summary.n_chunks, 'chunk')} of {traffic.chunk_mib:g} MiB"
    )
    if summary.n_capped_jobs:
        capped = plural(summary.n_capped_jobs, "job")
        tasks += f"; {summary.n_tasks_cut:,} more of {capped} cut"
    gap = summary.median_reread_gap_seconds
    servers = plural(prepared.scenario.cluster.servers, "server")
    placed = f"{plural(traffic.replicas, 'replica')} ({traffic.placement}) on {servers}"
    rates = f"{summary.mean_rate:.4g} tasks per slot of {summary.slot_seconds:g} s"
    rows = [
        ("jobs", f"{summary.n_jobs:,}, {summary.n_zero_byte_jobs:,} of them read nothing"),
        ("tasks", tasks),
        ("tasks per job", _sizes(summary.job_tasks)),
        ("bytes per job", _sizes(summary.job_bytes)),
        (
            "paths",
            f"{summary.n_paths:,}" if summary.has_paths else "not given: each job has its own",
        ),
        ("paths by jobs", _popularity(summary.path_popularity)),
        ("paths by tasks", _popularity(summary.path_popularity_by_tasks)),
        ("chunks by tasks", _popularity(summary.chunk_popularity)),
        ("paths read once", percent(summary.path_popularity.once_share)),
        ("read again after", "-" if gap is None else f"{gap:,.0f} seconds (median)"),
        ("duration", f"{summary.duration_seconds:,} seconds of the trace"),
        ("arrivals", f"{rates}, {summary.peak_rate:,} in the fullest"),
        (
            "hottest server",
            f"{hottest:.2f} times the mean: {placed}, seed {prepared.scenario.run.seed}",
        ),
    ]
    print_rows(title, [], rows)


def _sizes(sizes: JobSizes) -> str:
    return f"p50 {sizes.p50:,}   p90 {sizes.p90:,}   p99 {sizes.p99:,}   largest {sizes.largest:,}"


def _popularity(popularity: Popularity) -> str:
    from cluster_sim.cli.run_table import percent

    return (
        f"the most read has {percent(popularity.top_share)}, the top ten "
        f"{percent(popularity.top_ten_share)}, the top 1 % {percent(popularity.top_percent_share)}"
    )
