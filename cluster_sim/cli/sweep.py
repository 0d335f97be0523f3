"""``cluster-sim sweep``: every point of a [sweep] table, kept in a file that survives a kill."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Engine, File, Json, Plot, Quiet, Set
from cluster_sim.cli.progress import ProgressBar
from cluster_sim.cli.run import overrides_of
from cluster_sim.cli.run_table import plural
from cluster_sim.errors import ScenarioError

if TYPE_CHECKING:
    from cluster_sim.cli.sweep_table import Found
    from cluster_sim.experiments.executors import Workers
    from cluster_sim.experiments.points import Point
    from cluster_sim.experiments.store import Store
    from cluster_sim.experiments.sweep import Summary

__all__ = ["sweep"]


def sweep(
    file: File,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="RESULTS",
            help="Results file (SQLite); by default the scenario's name with .sqlite, here.",
        ),
    ] = None,
    replications: Annotated[
        int | None,
        typer.Option("--replications", metavar="N", help="Short for --set run.replications=N."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", help="How many; by default one a processor."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Run on a Dask cluster: tcp://host:port of its scheduler, or local.",
        ),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            "--export",
            metavar="FILE",
            help="Also write a row a replication to this file, .csv or .parquet.",
        ),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Show what is there and run nothing.")
    ] = False,
    plot: Plot = None,
    json: Json = False,
    set_: Set = None,
    engine: Engine = None,
    quiet: Quiet = False,
) -> Status:
    """Run every point of a scenario's [sweep] table.

    Results go into one SQLite file as they are finished. Started again, it runs only what is
    missing: after a kill, with more replications or with more points. Ctrl-C ends it at once and
    keeps what is finished.
    """
    from cluster_sim.cli import sweep_table
    from cluster_sim.cli.plots import check_plot, plot_sweep
    from cluster_sim.experiments.export import check_export
    from cluster_sim.experiments.export import export as write_export
    from cluster_sim.experiments.points import points
    from cluster_sim.experiments.store import Store

    overrides = overrides_of(set_, engine)
    if replications is not None:
        overrides.append(f"run.replications={replications}")
    if workers is not None and workers < 1:
        raise ScenarioError(f"--workers {workers}: must be at least 1")
    with streams.only_json(json), inputs.user_modules(file):
        scenario = inputs.read(file, overrides)
        path = output or _default_output(file)
        inputs.check_outputs({"-o": path, "--export": export, "--plot": plot}, file, scenario)
        check_plot(plot)
        if export is not None:
            check_export(export)
        with inputs.named(file):
            listed = points(scenario, folder=_folder_of(file))
        with Store(path, read_only=status) as store:
            summary = None
            if not status:
                summary = _run(listed, store, _chosen(cluster, workers), workers, is_quiet=quiet)
            if export is not None:
                write_export(export, listed, store)
            found = sweep_table.look(listed, store, summary)
        plot_sweep(plot, found)
    if json:
        streams.print_json(sweep_table.as_json(found))
    else:
        sweep_table.print_points(inputs.name_of(file), found)
    for note in sweep_table.notes(found):
        streams.note(note, is_quiet=quiet)
    return _ending(found)


def _default_output(file: str) -> str:
    if file == inputs.STANDARD_INPUT:
        raise ScenarioError("-o: name the results file; a scenario from standard input has no name")
    return f"{Path(file).stem}.sqlite"


def _folder_of(file: str) -> str:
    return os.path.realpath("." if file == inputs.STANDARD_INPUT else Path(file).parent)


def _chosen(cluster: str | None, n: int | None) -> Workers | None:
    from cluster_sim.experiments.executors import dask_workers

    return None if cluster is None else dask_workers(cluster, n)


def _run(
    listed: list[Point], store: Store, workers: Workers | None, n: int | None, *, is_quiet: bool
) -> Summary:
    from cluster_sim.experiments.plan import Plan
    from cluster_sim.experiments.sweep import Progress, run_sweep

    there = Plan(listed, store)
    with ProgressBar(
        there.n_total, is_quiet=is_quiet, unit="replications", n_before=there.n_done
    ) as bar:

        def tell(progress: Progress) -> None:
            failed = f", {progress.n_failed} failed" if progress.n_failed else ""
            n_over = progress.n_done + progress.n_failed
            bar.tell(n_over, f"sweep{failed}", n_total=progress.n_total)

        return run_sweep(listed, store, workers=workers or n, progress=tell)


def _ending(found: Found) -> Status:
    """Say what went wrong, and return how the command ends."""
    from cluster_sim.cli.sweep_table import failure_lines

    if found.failures:
        n_failed = plural(len(found.failures), "replication")
        head = f"cluster-sim: {n_failed} failed; start the sweep again to try them again:"
        streams.complain("\n".join([head, *failure_lines(found)]))
    if found.summary is None:
        return Status.SUCCESS
    if found.summary.is_interrupted:
        streams.complain(
            f"cluster-sim: interrupted: {found.n_done:,} of {found.n_wanted:,} replications are "
            "kept; start the sweep again for the others"
        )
        return Status.INTERRUPTED
    return Status.FAILED if found.failures else Status.SUCCESS
