"""One page on a run: question, answer with intervals, figures, prediction, and how to repeat it."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from cluster_sim.experiments.comparison import Comparison, Difference
from cluster_sim.experiments.outcome import QUANTILES, Outcome
from cluster_sim.experiments.statistics import Estimate
from cluster_sim.policies.base import Optimality
from cluster_sim.scenario.build import Prepared
from cluster_sim.scenario.writing import format_document
from cluster_sim.views.pages import content_policy, fill, package_text
from cluster_sim.views.report_tables import Drawing, Rows, facts, figures, packages, table

__all__ = ["Drawing", "expected_verdict", "report_page"]


def report_page(
    comparison: Comparison,
    drawings: Sequence[Drawing],
    *,
    theory: Rows,
    name: str,
    command: str,
    notes: Sequence[str] = (),
) -> str:
    """Return a report as a page.

    Parameters
    ----------
    comparison : Comparison
        Of one policy or more.
    drawings : sequence of Drawing
    theory : sequence of (str, str)
        What the theory says of the scenario, by name.
    name : str
        What to call the scenario if it has no title.
    command : str
        What makes the page again.
    notes : sequence of str
        What the numbers alone do not tell.

    Returns
    -------
    str
        HTML without scripts and without any address of another host.
    """
    from cluster_sim import __version__

    first = comparison.outcomes[0]
    scenario = first.prepared.scenario
    style = package_text("cluster_sim.views", "report.css")
    return fill(
        package_text("cluster_sim.views", "report.html"),
        {
            "policy": content_policy(styles=[style]),
            "version": __version__,
            "title": scenario.title or name,
            "question": _question(comparison),
            "scenario": format_document(scenario.as_dict()),
            "command": command,
        },
        {
            "style": style,
            "answer": _answer(comparison, notes),
            "figures": figures(drawings),
            "theory": facts([*theory, *_verdicts(comparison)]),
            "versions": facts(_versions(first)),
        },
    )


def expected_verdict(prepared: Prepared) -> str:
    """Return what the theory says of the stability of a policy at a load.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    str
    """
    policy, load = prepared.system.policy, prepared.load
    if load >= 1:
        return f"unstable under any policy: the load, {load:.4g}, is not below 1"
    proved = policy.guarantee.throughput
    if proved is Optimality.YES and prepared.system.departures:
        why = ", ".join(prepared.system.departures)
        return f"open: the load is below 1, but the proofs do not cover it: {why}"
    conditions = f" ({policy.guarantee.conditions})" if policy.guarantee.conditions else ""
    # What is proved for two tiers says nothing of three.
    holds_here = prepared.system.cluster.n_tiers == 2 or "any number of tiers" in conditions
    if proved is Optimality.YES and not holds_here:
        return f"open: the load is below 1, but with these tiers nothing is proved{conditions}"
    if proved is Optimality.YES:
        return f"stable: the load is below 1, and the policy is throughput-optimal{conditions}"
    words = {
        Optimality.NO: "not throughput-optimal",
        Optimality.CONDITIONAL: "throughput-optimal under conditions",
        Optimality.UNKNOWN: "not known to be throughput-optimal",
    }
    return f"open: the load is below 1, but the policy is {words[proved]}{conditions}"


def _rates_words(prepared: Prepared) -> str:
    if prepared.system.departures:
        also = f"; {', '.join(prepared.system.departures)}"
        return f"service rates, one over the mean number of slots{also}; rates"
    return "probability per slot that a task in service completes"


def _question(comparison: Comparison) -> str:
    prepared = comparison.outcomes[0].prepared
    scenario, names = prepared.scenario, [each.policy for each in comparison.outcomes]
    levels = [f"{n:,} {level}s" for level, n in scenario.cluster.level_counts.items()]
    where = f"{scenario.cluster.servers:,} servers{''.join(f' in {level}' for level in levels)}"
    rates = ", ".join(f"{tier.replace('_', '-')} {rate:g}" for tier, rate in scenario.tiers.items())
    policies = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"How long do tasks take under {policies}? {where}; {scenario.traffic.kind} traffic at "
        f"{prepared.load:.4g} of the capacity; {_rates_words(prepared)}: {rates}."
    )


def _answer(comparison: Comparison, notes: Sequence[str]) -> str:
    sentences = [_sentence(each) for each in comparison.differences]
    if not sentences:
        found = comparison.outcomes[0].mean_completion_time
        sentences = [f"A task takes {_slots(found)} from arrival to completion, on average."]
    if not all(outcome.is_complete for outcome in comparison.outcomes):
        sentences.append("The run was interrupted: the numbers are of what was finished.")
    outcome = comparison.outcomes[0]
    tiers = [t.replace("_", "-") for t in outcome.prepared.system.cluster.tier_names]
    head = ["policy", "completion time", "waiting time", *QUANTILES, *tiers, "utilisation", "found"]
    rows = [_row(each) for each in comparison.outcomes]
    n = len(outcome.results)
    caption = (
        f"Means with 95 % intervals, in slots; {n:,} replication{'' if n == 1 else 's'} of "
        f"{outcome.prepared.slots:,} slots, the first {outcome.prepared.warmup:,} left out. "
        "Quantiles are of the completion time; tiers are shares of the starts."
    )
    paragraphs = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    remarks = "".join(f'<p class="muted">{html.escape(note)}</p>' for note in notes)
    return paragraphs + table(caption, head, rows) + remarks


def _slots(found: Estimate) -> str:
    return "- (no task completed)" if math.isnan(found.mean) else f"{found} slots"


def _sentence(difference: Difference) -> str:
    """Return a difference in words: whether there is one, given its interval."""
    found, ratio = difference.difference, difference.ratio
    between = f"{difference.policy} less {difference.baseline}: {found} slots; ratio {ratio}"
    if found.half_width is None:
        return f"{between}. One replication tells nothing of the error."
    if abs(found.mean) <= found.half_width:
        pair = f"{difference.policy} and {difference.baseline}"
        return f"No difference is shown between {pair}. {between}."
    words = "longer" if found.mean > 0 else "shorter"
    return (
        f"Tasks take {words} under {difference.policy} than under {difference.baseline}. {between}."
    )


def _row(outcome: Outcome) -> list[str]:
    found = outcome.as_dict()
    quantiles = [outcome.quantile(p).value for p in QUANTILES.values()]
    shares = [*found["locality"].values(), found["utilisation"]]
    return [
        outcome.policy,
        str(outcome.mean_completion_time),
        str(outcome.mean_waiting_time),
        *("-" if value is None else f"{value:,}" for value in quantiles),
        *("-" if share is None else f"{100 * share:.2f} %" for share in shares),
        found["stable"]["verdict"],
    ]


def _verdicts(comparison: Comparison) -> list[tuple[str, str]]:
    rows = []
    for outcome in comparison.outcomes:
        rows.append((f"stability of {outcome.policy}", expected_verdict(outcome.prepared)))
        rows.append(("found", f"{outcome.stability.verdict}: {outcome.stability.reason}"))
    return rows


def _versions(outcome: Outcome) -> list[tuple[str, str]]:
    from cluster_sim import __version__

    run = outcome.prepared.scenario.run
    return [
        ("cluster_sim", __version__),
        ("seed", str(run.seed)),
        ("engine", outcome.engine),
        packages(),
    ]
