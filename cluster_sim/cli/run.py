"""``cluster-sim run``: one scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Engine, EngineName, File, Json, Plot, Quiet, Set
from cluster_sim.cli.plots import check_plot, plot_outcome, queue_samples
from cluster_sim.cli.progress import ProgressBar, RunsInRow
from cluster_sim.cli.run_table import plural

if TYPE_CHECKING:
    from cluster_sim.experiments.replications import Outcome
    from cluster_sim.recording.observer import Observer
    from cluster_sim.scenario.build import Prepared

__all__ = ["one_replication_words", "overrides_of", "precision_words", "run"]


def run(
    file: File,
    json: Json = False,
    set_: Set = None,
    events: Annotated[
        str | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Write every event of the first replication to this CSV file (.gz compresses).",
        ),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option(
            "--tasks",
            metavar="FILE",
            help="Write every completed task of the first replication to this CSV file.",
        ),
    ] = None,
    plot: Plot = None,
    engine: Engine = None,
    quiet: Quiet = False,
) -> Status:
    """Run a scenario and print what came out.

    Ctrl-C ends it at once and reports the replications that are finished.
    """
    from cluster_sim import __version__
    from cluster_sim.cli.run_table import print_outcome
    from cluster_sim.experiments import replications
    from cluster_sim.scenario.build import prepare

    with streams.only_json(json), inputs.user_modules(file):
        scenario = inputs.read(file, overrides_of(set_, engine))
        outputs = {"--events": events, "--tasks": tasks, "--plot": plot}
        inputs.check_outputs(outputs, file, scenario)
        check_plot(plot)
        with inputs.named(file):
            prepared = prepare(scenario)
        samples = queue_samples(plot, prepared)
        observers = [*_logs(prepared, events, tasks), *samples]
        runs = RunsInRow(scenario.run, prepared.slots)
        with ProgressBar(runs.n_slots, is_quiet=quiet) as bar:
            outcome = replications.run(
                prepared,
                observers=observers,
                progress=lambda replication, slot: bar.tell(*runs.done(replication, slot)),
            )
    plot_outcome(plot, outcome, samples)
    if json:
        streams.print_json({"version": __version__, **outcome.as_dict()})
    else:
        print_outcome(outcome, inputs.name_of(file))
    _write_notes(outcome, is_quiet=quiet)
    return Status.SUCCESS if outcome.is_complete else Status.INTERRUPTED


def overrides_of(set_: list[str] | None, engine: EngineName | None) -> list[str]:
    """Return the overrides that the options ask for.

    Parameters
    ----------
    set_ : list of str or None
        Those of ``--set``.
    engine : EngineName or None

    Returns
    -------
    list of str
    """
    return [*(set_ or ()), *([] if engine is None else [f"run.engine={engine.value}"])]


def one_replication_words(outcome: Outcome) -> str:
    """Return what a single replication gives for an interval.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    str
    """
    found = outcome.batch_means
    if found.reason is None:
        return (
            "one replication: the interval is of batch means within it; run.replications of 8 or "
            "more give a better one"
        )
    return (
        "one replication gives no confidence interval; set run.replications to 2 or more "
        f"(no batch means: {found.reason})"
    )


def precision_words(outcome: Outcome) -> str:
    """Return whether the requested precision was reached.

    Parameters
    ----------
    outcome : Outcome
        Of a scenario that requests one.

    Returns
    -------
    str
    """
    asked, n = outcome.prepared.scenario.run, len(outcome.results)
    reached = outcome.mean_completion_time.relative
    if outcome.is_precise:
        return f"the requested precision of {asked.precision:.2%} took {plural(n, 'replication')}"
    return (
        f"the requested precision of {asked.precision:.2%} was not reached with run."
        f"max_replications ({n}): {'no interval' if reached is None else f'{reached:.2%}'}; raise "
        "run.slots or run.max_replications"
    )


def _logs(prepared: Prepared, events: str | None, tasks: str | None) -> list[Observer]:
    from cluster_sim.recording.logs import EventLog, TaskLog

    names = prepared.system.cluster.tier_names
    logs: list[Observer] = []
    if events is not None:
        logs.append(EventLog(events, tier_names=names))
    if tasks is not None:
        logs.append(TaskLog(tasks, tier_names=names))
    return logs


def _write_notes(outcome: Outcome, *, is_quiet: bool) -> None:
    """Tell what the numbers alone do not."""
    asked, n = outcome.prepared.scenario.run, len(outcome.results)
    if not outcome.is_complete:
        of = f" of {asked.replications} replications were" if asked.precision is None else ""
        streams.complain(
            f"cluster-sim: interrupted: {n}{of or ' replications were'} finished, and the numbers "
            "are of those"
        )
    elif outcome.is_precise is not None:
        streams.note(precision_words(outcome), is_quiet=is_quiet)
    if outcome.warmup.note is not None:
        streams.note(outcome.warmup.note, is_quiet=is_quiet)
    if n == 1:
        streams.note(one_replication_words(outcome), is_quiet=is_quiet)
    n_hits = sum(result.n_bound_hits for result in outcome.results)
    if n_hits:
        streams.note(
            f"in {n_hits:,} of {n * outcome.prepared.slots:,} slots the arrivals reached their "
            f"bound, C_A = {outcome.prepared.system.workload.bound}; raise traffic.max_arrivals "
            "if that is more than the workload means",
            is_quiet=is_quiet,
        )
    if outcome.prepared.system.failures is not None:
        streams.note("the load is of the capacity without breakdowns", is_quiet=is_quiet)
    if outcome.stability.verdict == "unstable":
        streams.note(
            "the system is unstable: its means depend on how long it runs", is_quiet=is_quiet
        )
