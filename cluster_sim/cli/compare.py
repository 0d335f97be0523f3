"""``cluster-sim compare``: several policies on the same tasks with the same luck."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Engine, File, Json, Plot, Quiet, Set
from cluster_sim.cli.plots import check_plot, plot_comparison
from cluster_sim.cli.progress import ProgressBar, RunsInRow
from cluster_sim.cli.run import one_replication_words, overrides_of, precision_words
from cluster_sim.errors import ClusterSimError, ScenarioError, UnknownNameError

if TYPE_CHECKING:
    from cluster_sim.experiments.comparison import Comparison
    from cluster_sim.scenario.schema import Scenario

__all__ = ["compare", "policy_names"]

_ALL = "all"
_BY_DEFAULT = "priority,jsq-maxweight"  # the comparison of the paper's section 6


def compare(
    file: File,
    policies: Annotated[
        str,
        typer.Option(
            "--policies",
            metavar="A,B[,C...]",
            help="Policies to compare, the first is the baseline; or all, for a league table.",
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
    plot: Plot = None,
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
        names = policy_names(policies)
        inputs.check_outputs({"--plot": plot}, file, scenario)
        check_plot(plot)
        variants = _variants(scenario) if readings else {"": scenario}
        if policies.strip() == _ALL:
            names = _able(names, variants, file, is_quiet=quiet)
        n_slots = len(variants) * len(names) * RunsInRow(scenario.run, _slots(scenario)).n_slots
        with inputs.named(file), ProgressBar(n_slots, is_quiet=quiet) as bar:
            found = _compare_all(variants, names, bar)
    is_complete = len(found) == len(variants) and all(
        _is_complete(c, names) for c in found.values()
    )
    plot_comparison(plot, found[""])
    if json:
        streams.print_json(_as_json(scenario, found, is_complete, readings))
    elif readings:
        print_readings(scenario, inputs.name_of(file), found)
    else:
        print_comparison(inputs.name_of(file), found[""])
    _write_notes(found, is_complete, is_quiet=quiet)
    return Status.SUCCESS if is_complete else Status.INTERRUPTED


def _slots(scenario: Scenario) -> int:
    """Return how long a run is; for a trace that may be asked of the trace."""
    from cluster_sim.scenario.build import prepare

    return scenario.run.slots or prepare(scenario).slots


def policy_names(text: str) -> list[str]:
    """Return the policies asked for; all that is wrong with them is one error.

    Parameters
    ----------
    text : str
        Names with commas between them, or ``"all"``.

    Returns
    -------
    list of str

    Raises
    ------
    ScenarioError
        If a name is empty.
    UnknownNameError
        If there are no such policies.
    """
    from cluster_sim.policies import find
    from cluster_sim.policies import names as registered

    if text.strip() == _ALL:
        return list(registered(None))
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


def _able(
    names: list[str], variants: dict[str, Scenario], file: str, *, is_quiet: bool
) -> list[str]:
    """Return the policies that can run the scenario under each reading; say why others cannot."""
    from cluster_sim.experiments.engines import choose_engine
    from cluster_sim.policies import get
    from cluster_sim.scenario.build import prepare

    with inputs.named(file):
        ready = [prepare(scenario) for scenario in variants.values()]
    able: list[str] = []
    unable: dict[str, list[str]] = {}  # by reason
    for name in names:
        try:
            for prepared in ready:
                scheduler = prepared.scenario.scheduler
                parameters = scheduler.parameters if name == scheduler.policy else {}
                system = replace(prepared.system, policy=get(name, **parameters))
                if prepared.scenario.run.engine == "compiled":
                    choose_engine("compiled", system)
        except ClusterSimError as error:
            reason = str(error).replace(f"policy {name!r}", "the policy")
            unable.setdefault(reason, []).append(name)
        else:
            able.append(name)
    for reason, those in unable.items():
        streams.note(f"left out: {', '.join(those)}: {reason}", is_quiet=is_quiet)
    return able


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
        runs = RunsInRow(scenario.run, _slots(scenario))
        before = number * len(names)

        def tell(
            policy: str,
            replication: int,
            slot: int,
            runs: RunsInRow = runs,
            before: int = before,
        ) -> None:
            done, what = runs.done(replication, slot)
            bar.tell((before + names.index(policy)) * runs.n_slots + done, f"{policy}, {what}")

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


def _write_notes(found: dict[str, Comparison], is_complete: bool, *, is_quiet: bool) -> None:
    if not is_complete:
        streams.complain("cluster-sim: interrupted: the numbers are of what was finished")
    outcomes = [outcome for comparison in found.values() for outcome in comparison.outcomes]
    notes = [outcome.warmup.note for outcome in outcomes]
    if is_complete:
        notes += [precision_words(each) for each in outcomes if each.is_precise is False]
    if outcomes[0].prepared.scenario.run.replications == 1 and len(outcomes[0].results) == 1:
        notes.append(one_replication_words(outcomes[0]))
    for note in dict.fromkeys(notes):
        if note is not None:
            streams.note(note, is_quiet=is_quiet)
