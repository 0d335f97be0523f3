"""What ``cluster-sim compare`` prints for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cluster_sim.cli import streams
from cluster_sim.cli.run_table import capacity_words, condition_rows, percent, plural, runs_words

if TYPE_CHECKING:
    from rich.table import Table

    from cluster_sim.experiments.comparison import Comparison, Difference
    from cluster_sim.experiments.replications import Outcome
    from cluster_sim.scenario.schema import Scenario

__all__ = ["print_comparison", "print_readings", "print_table"]


def print_table(
    title: str, lines: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Print a title, some lines, and a table.

    Parameters
    ----------
    title : str
    lines : sequence of str
    columns : sequence of str
    rows : sequence of sequence of str
        As many cells as columns.
    """
    from rich.text import Text

    table = make_table(columns)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    streams.print_rich(Text(title, style="bold"), *map(Text, lines), "", table)


def make_table(columns: Sequence[str]) -> Table:
    """Return an empty table.

    Parameters
    ----------
    columns : sequence of str
        Headers.

    Returns
    -------
    rich.table.Table
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=number == 0)
    return table


def print_comparison(name: str, comparison: Comparison) -> None:
    """Print a comparison as a table.

    Parameters
    ----------
    name : str
        What to call the scenario if it has no title.
    comparison : Comparison
    """
    first = comparison.outcomes[0]
    differences: list[Difference | None] = [None, *comparison.differences]
    columns = [
        "policy",
        "completion time",
        "p99",
        "local",
        f"less {first.policy}",
        "ratio",
        "verdict",
    ]
    rows = [
        [
            _named(outcome),
            str(outcome.mean_completion_time),
            _p99(outcome),
            percent(
                float(outcome.over_replications(lambda result: float(result.locality[0])).mean)
            ),
            "" if difference is None else _signed(str(difference.difference)),
            "" if difference is None else str(difference.ratio),
            outcome.stability.verdict,
        ]
        for outcome, difference in zip(comparison.outcomes, differences, strict=True)
    ]
    prepared = first.prepared
    servers = plural(prepared.scenario.cluster.servers, "server")
    lines = [
        f"{servers}, {prepared.scenario.traffic.kind} traffic; load {capacity_words(prepared)}",
        *(f"{name}: {words}" for name, words in condition_rows(prepared)),
        f"{runs_words(first)}; means ± 95 % in slots; differences and ratios are paired",
    ]
    print_table(prepared.scenario.title or name, lines, columns, rows)


def print_readings(scenario: Scenario, name: str, found: dict[str, Comparison]) -> None:
    """Print the ratio of the policies under each reading.

    Parameters
    ----------
    scenario : Scenario
    name : str
        What to call the scenario if it has no title.
    found : dict of str to Comparison
        From what is changed in the reading; the empty text is the scenario as it is.
    """
    outcomes = next(iter(found.values())).outcomes
    policies = [outcome.policy for outcome in outcomes]
    columns = ["reading", *policies, *(f"{other} / {policies[0]}" for other in policies[1:])]
    rows = []
    for changed, comparison in found.items():
        means = [str(outcome.mean_completion_time) for outcome in comparison.outcomes]
        ratios = [str(difference.ratio) for difference in comparison.differences]
        cells = [changed or _own_reading(scenario), *means]
        cells += [""] * (1 + len(policies) - len(cells))
        rows.append([*cells, *ratios, *[""] * (len(policies) - 1 - len(ratios))])
    lines = [
        "mean completion times in slots and their paired ratios, ± 95 %; "
        + runs_words(outcomes[0]),
        "each row changes one reading",
    ]
    print_table(scenario.title or name, lines, columns, rows)


def _own_reading(scenario: Scenario) -> str:
    from cluster_sim.model.readings import Reading

    is_default = Reading(**scenario.reading.model_dump()) == Reading()
    return "default" if is_default else "as in the scenario"


def _named(outcome: Outcome) -> str:
    """Return the policy, and how far it came if it was interrupted."""
    n, asked = len(outcome.results), outcome.prepared.scenario.run.replications
    return outcome.policy if outcome.is_complete else f"{outcome.policy} ({n} of {asked})"


def _p99(outcome: Outcome) -> str:
    value = outcome.quantile(0.99).value  # its interval is in the JSON
    return "-" if value is None else f"{value:,}"


def _signed(estimate: str) -> str:
    return estimate if estimate.startswith("-") or estimate == "nan" else f"+{estimate}"
