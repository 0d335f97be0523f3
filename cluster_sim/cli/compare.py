"""``cluster-sim compare``: several policies on the same tasks with the same luck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Engine, File, Json, Quiet, Set
from cluster_sim.cli.progress import ProgressBar
from cluster_sim.cli.run import overrides_of
from cluster_sim.errors import ScenarioError, UnknownNameError

if TYPE_CHECKING:
    from cluster_sim.experiments.comparison import Comparison
    from cluster_sim.scenario.schema import Scenario

__all__ = ["compare"]

_BY_DEFAULT = "priority,jsq-maxweight"  # the comparison of the paper's section 6


def compare(
    file: File,
    policies: Annotated[
        str,
        typer.Option(
            "--policies",
            metavar="A,B[,C...]",
            help="Policies to compare; the first is the baseline.",
        ),
    ] = _BY_DEFAULT,
    readings: Annotated[
        bool,
        typer.Option(
            "--readings",
            help="Repeat the comparison with each other value of each reading, one at a time.",
        ),
    ] = False,
    json: Json = False,
    set_: Set = None,
    engine: Engine = None,
    quiet: Quiet = False,
) -> Status:
    """Compare policies on the same tasks.

    The policies meet the same arrivals, replicas and service times (common random numbers), so the
    differences are paired. Ctrl-C ends it at once and reports what is finished.
    """
    from cluster_sim.cli.compare_table import print_comparison, print_readings

    with streams.only_json(json), inputs.user_modules(file):
        scenario = inputs.read(file, overrides_of(set_, engine))
        names = _policy_names(policies)
        variants = _variants(scenario) if readings else {"": scenario}
        n_runs = len(variants) * len(names) * scenario.run.replications
        n_slots = n_runs * _slots(scenario)
        with inputs.named(file), ProgressBar(n_slots, is_quiet=quiet) as bar:
            found = _compare_all(variants, names, bar)
    is_complete = len(found) == len(variants) and all(
        _is_complete(c, names) for c in found.values()
    )
    if json:
        streams.print_json(_as_json(scenario, found, is_complete, readings))
    elif readings:
        print_readings(scenario, inputs.name_of(file), found)
    else:
        print_comparison(inputs.name_of(file), found[""])
    _write_notes(scenario, is_complete, is_quiet=quiet)
    return Status.SUCCESS if is_complete else Status.INTERRUPTED


def _slots(scenario: Scenario) -> int:
    """Return how long a run is; for a trace that may be asked of the trace."""
    from cluster_sim.scenario.build import prepare

    return scenario.run.slots or prepare(scenario).slots


def _policy_names(text: str) -> list[str]:
    """Return the policies asked for; all that is wrong with them is one error."""
    from cluster_sim.policies import find

    names = [name.strip() for name in text.split(",")]
    if "" in names:
        raise ScenarioError(
            f"--policies {text!r}: has an empty name; write names with commas between them, "
            f"e.g. {_BY_DEFAULT}"
        )
    wrong = []
    for name in dict.fromkeys(names):
        try:
            find(name)
        except UnknownNameError as error:
            wrong.append(f"--policies: {error}")
    if wrong:
        raise UnknownNameError("\n".join(wrong))
    return names


def _variants(scenario: Scenario) -> dict[str, Scenario]:
    """Return the scenario as it is, and with each other value of each reading."""
    variants = {"": scenario}
    for name in type(scenario.reading).model_fields:
        own = getattr(scenario.reading, name)
        for value in type(own):
            if value is not own:
                key = f"{name} = {value.value}"
                variants[key] = scenario.with_values({f"reading.{name}": value.value})
    return variants


def _compare_all(
    variants: dict[str, Scenario], names: list[str], bar: ProgressBar
) -> dict[str, Comparison]:
    """Compare under each variant; an interrupt leaves those that are finished, if there are any."""
    from cluster_sim.experiments import comparison

    found: dict[str, Comparison] = {}
    for number, (reading, scenario) in enumerate(variants.items()):
        slots, replications = _slots(scenario), scenario.run.replications
        before = number * len(names) * replications

        def tell(policy: str, replication: int, slot: int, before: int = before) -> None:
            n_runs = before + names.index(policy) * replications + replication  # noqa: B023 - the same for all
            bar.tell(n_runs * slots + slot, f"{policy}, replication {replication + 1}")  # noqa: B023

        try:
            found[reading] = comparison.compare(scenario, names, progress=tell)
        except KeyboardInterrupt:
            if not found:
                raise
            break
        if not _is_complete(found[reading], names):
            break
    return found


def _is_complete(comparison: Comparison, names: list[str]) -> bool:
    outcomes = comparison.outcomes
    return len(outcomes) == len(names) and all(outcome.is_complete for outcome in outcomes)


def _as_json(
    scenario: Scenario, found: dict[str, Comparison], is_complete: bool, is_readings: bool
) -> dict[str, Any]:
    from cluster_sim import __version__

    head = {"version": __version__, "complete": is_complete}
    if not is_readings:
        return {**head, **found[""].as_dict()}
    return {
        **head,
        "scenario": scenario.as_dict(),
        "readings": [
            {
                "changed": changed or None,
                "reading": comparison.outcomes[0].prepared.scenario.as_dict()["reading"],
                **comparison.as_dict(),
            }
            for changed, comparison in found.items()
        ],
    }


def _write_notes(scenario: Scenario, is_complete: bool, *, is_quiet: bool) -> None:
    if not is_complete:
        streams.complain("cluster-sim: interrupted: the numbers are of what was finished")
    if scenario.run.replications == 1:
        streams.note(
            "one replication gives no confidence interval; set run.replications to 2 or more",
            is_quiet=is_quiet,
        )
