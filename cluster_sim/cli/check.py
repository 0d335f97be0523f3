"""``cluster-sim check``: everything that is wrong with scenarios, without running them."""

from __future__ import annotations

from typing import Annotated

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Set
from cluster_sim.errors import ClusterSimError, ScenarioError

__all__ = ["check"]


def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Scenario files (TOML); - reads standard input."),
    ] = None,
    set_: Set = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON Schema of scenario files, for editors, and do nothing else.",
        ),
    ] = False,
) -> Status:
    """Check scenarios without running them.

    Everything that is wrong with all of them is reported. The system of each is built, so that a
    trace, a policy or a placement that cannot be used is found as well.
    """
    if schema:
        from cluster_sim.scenario.json_schema import json_schema

        streams.print_json(json_schema())
        return Status.SUCCESS
    if not files:
        raise ScenarioError("check: name at least one scenario file, or ask for --schema")
    n_wrong = 0
    for file in files:
        try:
            with inputs.user_modules(file):
                print(f"{inputs.name_of(file)}: ok: {_describe(file, set_ or [])}")
        except ClusterSimError as error:
            n_wrong += 1
            streams.flush()  # so that both streams keep the order of the files on a terminal
            streams.complain(str(error))
    return Status.WRONG if n_wrong else Status.SUCCESS


def _describe(file: str, overrides: list[str]) -> str:
    """Return in a line what a scenario says; raise if it is wrong."""
    from cluster_sim.cli.run_table import capacity_words, condition_rows, scenario_words
    from cluster_sim.scenario.build import prepare

    scenario = inputs.read(file, overrides)
    with inputs.named(file):
        prepared = prepare(scenario)
    conditions = "".join(f"; {name} {words}" for name, words in condition_rows(prepared))
    return f"{scenario_words(prepared)}; load {capacity_words(prepared)}{conditions}"
