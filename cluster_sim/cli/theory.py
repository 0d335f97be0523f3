"""``cluster-sim theory``: what should happen, without running anything."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import File, Json, Set

if TYPE_CHECKING:
    from cluster_sim.scenario.build import Prepared
    from cluster_sim.scenario.task_types import ListedTypes
    from cluster_sim.theory.report import TheoryReport

__all__ = ["theory", "theory_rows"]


def theory(
    file: File,
    json: Json = False,
    set_: Set = None,
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw the ideal load decomposition (.svg or .png), after figure 2 of the paper.",
        ),
    ] = None,
) -> Status:
    """Print what the theory says of a scenario.

    Capacity and load, helpers and beneficiaries, bounds on the queues near the boundary.
    Helpers are the servers with time left for remote tasks under the ideal load decomposition,
    beneficiaries those whose local tasks need help (paper, section 3).
    """
    with streams.only_json(json), inputs.user_modules(file):
        from cluster_sim.scenario.build import prepare
        from cluster_sim.scenario.task_types import list_types, report_of

        scenario = inputs.read(file, set_ or [])
        inputs.check_outputs({"--plot": plot}, file, scenario)
        if plot is not None:
            from cluster_sim.views.saving import check_figure

            check_figure(plot)
        with inputs.named(file):
            prepared = prepare(scenario)
        types = list_types(prepared)
        report = report_of(prepared, types)
        if plot is not None:
            _plot(prepared, types, report, plot)
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


def _plot(prepared: Prepared, types: ListedTypes, report: TheoryReport, plot: str) -> None:
    from cluster_sim.errors import ScenarioError
    from cluster_sim.scenario.task_types import decomposition_of
    from cluster_sim.views.decomposition import draw_decomposition
    from cluster_sim.views.saving import save_figure

    if report.helpers is None:
        raise ScenarioError(
            f"--plot {plot}: there is no ideal load decomposition to draw: "
            + "; ".join(report.notes)
        )
    title = prepared.scenario.title or "Ideal load decomposition"
    save_figure(draw_decomposition(decomposition_of(prepared, types), title), plot)


def _print_report(prepared: Prepared, types: ListedTypes, report: TheoryReport, name: str) -> None:
    from cluster_sim.cli.run_table import print_rows, scenario_words

    title = prepared.scenario.title or name
    print_rows(title, [scenario_words(prepared)], theory_rows(prepared, types, report))


def theory_rows(
    prepared: Prepared, types: ListedTypes, report: TheoryReport
) -> list[tuple[str, str]]:
    """Return what the theory says as rows of name and value.

    Parameters
    ----------
    prepared : Prepared
    types : ListedTypes
    report : TheoryReport

    Returns
    -------
    list of (str, str)
    """
    from cluster_sim.cli.run_table import capacity_words, condition_rows, plural

    rates = ", ".join(f"{tier} {rate:g}" for tier, rate in prepared.scenario.tiers.items())
    rows: list[tuple[str, str]] = [
        ("service rates", rates),
        ("arrival rate", f"{prepared.system.workload.rate:.6g} tasks per slot"),
        ("load", capacity_words(prepared)),
        ("task types", types.source),
        *condition_rows(prepared),
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
    return rows + [("note", note) for note in report.notes]


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
