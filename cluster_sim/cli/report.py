"""``cluster-sim report``: one page on a scenario, or on the results of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cluster_sim.cli import inputs
from cluster_sim.cli.compare import policy_names
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Engine, EngineName, Quiet, Set
from cluster_sim.cli.pages import check_page, command_words, size_words
from cluster_sim.cli.progress import ProgressBar, RunsInRow
from cluster_sim.cli.report_results import report_results
from cluster_sim.cli.run import one_replication_words, overrides_of, precision_words
from cluster_sim.cli.theory import theory_rows

if TYPE_CHECKING:
    from cluster_sim.experiments.comparison import Comparison
    from cluster_sim.experiments.queue_history import QueueHistory
    from cluster_sim.scenario.build import Prepared
    from cluster_sim.scenario.schema import Scenario
    from cluster_sim.scenario.task_types import ListedTypes
    from cluster_sim.views.report import Drawing

__all__ = ["report"]


def report(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Scenario file (TOML), which is run; or results file of a sweep, which is read.",
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")
    ] = "report.html",
    policies: Annotated[
        str | None,
        typer.Option(
            "--policies",
            metavar="A,B[,C...]",
            help="Policies to compare, the first the baseline; by default the scenario's own.",
        ),
    ] = None,
    set_: Set = None,
    engine: Engine = None,
    quiet: Quiet = False,
) -> Status:
    """Write a page on a scenario or on a sweep.

    One HTML file that needs no network and no other file: the question, the answer with intervals,
    figures, what the theory says, the scenario, and what it takes to repeat it. A scenario is run
    for it; from a results file of `cluster-sim sweep` the page is made without running anything.
    """
    from cluster_sim.experiments.stored import is_results_file

    if is_results_file(file):
        given: dict[str, object] = {"--policies": policies, "--set": set_, "--engine": engine}
        return report_results(file, output, given)
    return _report_scenario(file, output, policies, set_, engine, is_quiet=quiet)


def _report_scenario(
    file: str,
    output: str,
    policies: str | None,
    set_: list[str] | None,
    engine: EngineName | None,
    *,
    is_quiet: bool,
) -> Status:
    from cluster_sim.scenario.build import prepare
    from cluster_sim.scenario.task_types import list_types, report_of
    from cluster_sim.views.report import report_page
    from cluster_sim.views.saving import check_figure, save_text

    with inputs.user_modules(file):
        scenario = inputs.read(file, overrides_of(set_, engine))
        inputs.check_outputs({"--output": output}, file, scenario)
        check_page(output)
        check_figure()
        names = [] if policies is None else policy_names(policies)
        with inputs.named(file):
            prepared = prepare(scenario)
            types = list_types(prepared)
            theory = theory_rows(prepared, types, report_of(prepared, types))
            comparison, history = _run(scenario, prepared, names, is_quiet=is_quiet)
    options: dict[str, object] = {"--policies": policies, "--set": set_, "--engine": engine}
    page = report_page(
        comparison,
        _drawings(comparison, history, types),
        theory=theory,
        name=inputs.name_of(file),
        command=command_words("report", file, options),
        notes=_notes(comparison),
    )
    path = save_text(page, output)
    print(f"{path}: {size_words(path.stat().st_size)}")
    is_complete = all(outcome.is_complete for outcome in comparison.outcomes)
    return Status.SUCCESS if is_complete else Status.INTERRUPTED


def _run(
    scenario: Scenario, prepared: Prepared, names: list[str], *, is_quiet: bool
) -> tuple[Comparison, QueueHistory | None]:
    from cluster_sim.experiments import comparison, replications
    from cluster_sim.experiments.queue_history import history_of, sampler

    runs = RunsInRow(scenario.run, prepared.slots)
    own = str(scenario.scheduler.policy)
    with ProgressBar(max(len(names), 1) * runs.n_slots, is_quiet=is_quiet) as bar:
        if names and names != [own]:

            def tell(policy: str, replication: int, slot: int) -> None:
                done, what = runs.done(replication, slot)
                bar.tell(names.index(policy) * runs.n_slots + done, f"{policy}, {what}")

            return comparison.compare(scenario, names, progress=tell), None
        samples = sampler(prepared)
        outcome = replications.run(
            prepared,
            observers=[samples],
            progress=lambda replication, slot: bar.tell(*runs.done(replication, slot)),
        )
    return comparison.Comparison((outcome,)), history_of(prepared, samples)


def _drawings(
    comparison: Comparison, history: QueueHistory | None, types: ListedTypes
) -> list[Drawing]:
    from cluster_sim.errors import ScenarioError
    from cluster_sim.scenario.task_types import decomposition_of
    from cluster_sim.views.decomposition import draw_decomposition
    from cluster_sim.views.inline_svg import inline_svg
    from cluster_sim.views.overview import draw_comparison, draw_outcome
    from cluster_sim.views.report import Drawing

    outcome = comparison.outcomes[0]
    if len(comparison.outcomes) == 1:
        figure = draw_outcome(outcome, history)
        caption = (
            "Tasks in the system over time, the lengths of the queues, and how many tasks take "
            "longer than a time."
        )
    else:
        figure = draw_comparison(comparison)
        caption = (
            "Mean completion times with 95 % intervals, tasks in the system over time, and how "
            "many tasks take longer than a time."
        )
    drawings = [Drawing(inline_svg(figure, "run", caption), caption)]
    try:
        found = decomposition_of(outcome.prepared, types)
    except ScenarioError:  # not defined; the rows of the theory say why
        return drawings
    caption = (
        "The ideal load decomposition, helpers first: who serves the arrivals at each queue, and "
        "what the time of each server is spent on."
    )
    figure = draw_decomposition(found, "Ideal load decomposition")
    return [*drawings, Drawing(inline_svg(figure, "ideal", caption), caption)]


def _notes(comparison: Comparison) -> list[str]:
    notes = [outcome.warmup.note for outcome in comparison.outcomes]
    notes += [precision_words(o) for o in comparison.outcomes if o.is_precise is not None]
    if len(comparison.outcomes[0].results) == 1:
        notes.append(one_replication_words(comparison.outcomes[0]))
    return list(dict.fromkeys(note for note in notes if note is not None))
