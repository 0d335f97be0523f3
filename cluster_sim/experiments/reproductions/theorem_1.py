"""Theorem 1: which policies settle up to the boundary of the capacity region, and which do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from cluster_sim import policies
from cluster_sim.errors import PolicyError
from cluster_sim.experiments.boundary import Boundary, run_whole, sweep_boundary
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.experiments.replications import Outcome
from cluster_sim.experiments.reproductions.bases import base
from cluster_sim.experiments.reproductions.report import (
    Curve,
    Line,
    Panel,
    Report,
    Reproduction,
    Verdict,
)
from cluster_sim.policies.base import Optimality
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.task_types import list_types
from cluster_sim.theory.capacity import largest_load_factor

__all__ = ["REPRODUCTION", "as_foretold", "known_boundary"]

_TRAFFICS = {"even-boundary": "evenly loaded", "hotspot-boundary": "locally overloaded"}
_QUICK_LOADS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1)
_FULL_LOADS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.01, 1.02, 1.05, 1.1)
_QUICK_RUN = {"run.slots": 6_000, "run.warmup": 3_000}
_FULL_RUN = {"run.slots": 30_000, "run.warmup": 15_000}
_TIER_POLICIES = {"priority": False, "maxweight": True}
"""Of the three-tier scenario: should it settle?"""


def known_boundary(policy: str, prepared: Prepared) -> float | None:
    """Return the load up to which a policy can settle, where theory gives it.

    Parameters
    ----------
    policy : str
        Its registered name.
    prepared : Prepared
        Traffic of two tiers, at any load.

    Returns
    -------
    float or None
        Fraction of capacity; None where nothing is known.

    Notes
    -----
    1 for what is throughput-optimal. ``jsq-local``: the largest load that local service alone
    sustains, by a maximum flow. ``random-local``: alpha over the largest arrival rate at a server,
    each task going to each of its replicas alike. ``fifo``: each server that asks gets a task drawn
    from all, local to server m with probability p_m, so that together the servers complete the sum
    of ``1 / (p_m / alpha + (1 - p_m) / gamma)`` tasks per slot.

    Examples
    --------
    >>> from cluster_sim.experiments.reproductions.bases import base
    >>> prepared = prepare(base("hotspot-boundary"))
    >>> round(known_boundary("jsq-local", prepared), 6)
    0.75
    """
    if policies.find(policy).guarantee.throughput is Optimality.YES:
        return 1.0
    types, cluster = list_types(prepared), prepared.system.cluster
    alpha, gamma, n = cluster.rates[0], cluster.rates[-1], cluster.n_servers
    is_server = types.replica_sets >= 0
    if policy == "jsq-local":
        rate = largest_load_factor(
            types.replica_sets, types.shares, n_servers=n, rates=(alpha, alpha * 1e-12)
        )
        return rate / prepared.capacity.rate
    each = np.where(is_server, types.shares[:, None], 0.0)
    servers = np.where(is_server, types.replica_sets, 0).ravel()
    if policy == "random-local":
        each = each / is_server.sum(axis=1, keepdims=True)
        busiest = float(np.bincount(servers, each.ravel(), n).max())
        return alpha / busiest / prepared.capacity.rate
    if policy == "fifo":
        local = np.bincount(servers, each.ravel(), n)
        return float((1.0 / (local / alpha + (1.0 - local) / gamma)).sum()) / prepared.capacity.rate
    return None


def as_foretold(boundary: Boundary, known: float | None) -> Verdict | None:
    """Return whether a policy stopped settling where it should.

    Parameters
    ----------
    boundary : Boundary
    known : float or None
        The load in question.

    Returns
    -------
    Verdict or None
        Seen if it settled at every load below and grew at every load above; not seen if it grew
        below or settled above. None where nothing is known.
    """
    if known is None:
        return None
    below = [each.verdict.value for each in boundary.loads if each.load < known]
    above = [each.verdict.value for each in boundary.loads if each.load > known]
    if "unstable" in below or "stable" in above:
        return Verdict.NOT_SEEN
    return Verdict.UNDECIDED if "undecided" in below + above else Verdict.SEEN


def _percent(fraction: float) -> str:
    """Return a signed percentage, without a negative zero."""
    return f"{round(fraction, 3) + 0.0:+.1%}"


def _line(traffic: str, boundary: Boundary, known: float | None) -> Line:
    low, high = boundary.bracket
    shares = {each.load: f"{each.load:g} ({_percent(each.growth.mean)})" for each in boundary.loads}
    words = ", not ".join(text for text in (shares.get(low, "none"), shares.get(high, "")) if text)
    evidence = {
        "interval": f"{low:g} to {high:g}",
        "policy": boundary.policy,
        "known_boundary": known,
        "loads": [
            {
                "load": each.load,
                "growth_share": each.growth.mean,
                "growth_share_ci95": each.growth.half_width,
                "verdict": each.verdict.value,
            }
            for each in boundary.loads
        ],
    }
    return Line(
        f"{boundary.policy}, {traffic}",
        "load sustained",
        words,
        "nothing is known" if known is None else f"{known:.4g}",
        as_foretold(boundary, known),
        evidence,
    )


def _tier_line(outcome: Outcome, should_settle: bool) -> Line:
    stability = outcome.stability
    expected = "stable" if should_settle else "unstable"
    verdict = {expected: Verdict.SEEN, "undecided": Verdict.UNDECIDED}.get(
        stability.verdict, Verdict.NOT_SEEN
    )
    share = stability.growth / outcome.prepared.system.workload.rate
    return Line(
        f"{outcome.policy}, three tiers",
        f"backlog at load {outcome.prepared.load:g}",
        f"{'grows' if stability.verdict == 'unstable' else 'settles'} ({_percent(share)})",
        "settles" if should_settle else "grows",
        verdict,
        {
            "policy": outcome.policy,
            "stable": stability.verdict,
            "reason": stability.reason,
            "mean_completion_time": outcome.mean_completion_time.mean,
        },
    )


def _panel(traffic: str, boundaries: Sequence[Boundary]) -> Panel:
    return Panel(
        traffic.capitalize(),
        "load, fraction of capacity",
        "backlog's growth, % of the arrivals",
        tuple(
            Curve(
                boundary.policy,
                tuple(each.load for each in boundary.loads),
                tuple(100 * each.growth.mean for each in boundary.loads),
                tuple(100 * (each.growth.half_width or 0.0) for each in boundary.loads),
                boundary.policy,
            )
            for boundary in boundaries
        ),
        vertical=1.0,
    )


def _tier_panel(outcomes: Sequence[Outcome]) -> Panel:
    curves = []
    for outcome in outcomes:
        series = outcome.results[0].series
        kept = slice(None, None, max(1, len(series.slots) // 40))
        slots, backlog = series.slots[kept].tolist(), series.in_system[kept].tolist()
        curves.append(Curve(outcome.policy, tuple(slots), tuple(backlog), policy=outcome.policy))
    load = outcomes[0].prepared.load
    return Panel(f"Three tiers, load {load:.4g}", "slot", "tasks in the system", tuple(curves))


def _reproduce(
    *,
    quick: bool = False,
    directory: Path | None = None,  # noqa: ARG001 - has no files of its own
    progress: Callable[[str, int, int], None] | None = None,
    workers: int | None = None,
) -> Report:
    loads, length = (_QUICK_LOADS, _QUICK_RUN) if quick else (_FULL_LOADS, _FULL_RUN)
    names = policies.names()
    total = len(names) * len(_TRAFFICS) * len(loads) + len(_TIER_POLICIES)
    lines: list[Line] = []
    panels: list[Panel] = []
    done = 0
    for name, traffic in _TRAFFICS.items():
        scenario = base(name).with_values({**length, "run.engine": "compiled"})
        boundaries = []
        for policy in names:

            def tell(n: int, policy: str = policy, done: int = done) -> None:
                if progress is not None:
                    progress(policy, done + n, total)

            prepared = prepare(scenario.with_values({"scheduler.policy": policy}))
            refused = _refusal(prepared)
            if refused is None:
                boundary = sweep_boundary(scenario, policy, loads, progress=tell, workers=workers)
                boundaries.append(boundary)
                lines.append(_line(traffic, boundary, known_boundary(policy, prepared)))
            else:
                lines.append(Line(f"{policy}, {traffic}", "not run", refused, "-"))
            done += len(loads)
        panels.append(_panel(traffic, boundaries))
    outcomes = []
    for policy, should_settle in _TIER_POLICIES.items():
        values = {"scheduler.policy": policy, "run.engine": "compiled"}
        prepared = prepare(base("three-tiers").with_values(values))
        outcomes.append(run_whole(prepared, workers=workers))
        lines.append(_tier_line(outcomes[-1], should_settle))
        done += 1
        if progress is not None:
            progress(policy, done, total)
    return Report(
        "theorem-1",
        "Throughput optimality: who settles up to the boundary",
        "The priority algorithm settles at every load below 1; so does whatever is throughput-"
        "optimal, and nothing settles above. With a third tier the theorem does not hold.",
        _setting(length, outcomes[0]),
        tuple(lines),
        (*panels, _tier_panel(outcomes)),
    )


def _refusal(prepared: Prepared) -> str | None:
    """Return why a policy cannot run compiled; anything else would take hours."""
    try:
        choose_engine("compiled", prepared.system)
    except PolicyError as error:
        return str(error).partition("\n")[0]
    return None


def _setting(length: dict[str, int], tiers: Outcome) -> tuple[str, ...]:
    scenario = base("even-boundary")
    cluster = tiers.prepared.scenario.cluster
    system = (
        f"{scenario.cluster.servers} servers, alpha = {scenario.service.local}, gamma = "
        f"{scenario.service.remote}; evenly loaded, and with 80 % of the tasks on 25 hot servers."
    )
    runs = (
        f"{scenario.run.replications} replications of {length['run.slots']:,} slots, the first "
        f"{length['run.warmup']:,} left out."
    )
    evidence = (
        "In brackets, how much the tasks in the system grow from the first to the last third of "
        "what is measured, as a fraction of the arrivals. The verdict on a load comes from it "
        "alone: above 0.5 % the backlog grows."
    )
    three = (
        f"Three tiers: {cluster.servers} servers in {cluster.racks} racks, rates 1, 0.9 and 0.5, "
        f"skewed traffic; {tiers.prepared.slots:,} slots. Theorem 1 speaks of two tiers only."
    )
    return (system, runs, evidence, three)


REPRODUCTION = Reproduction(
    "theorem-1", "Throughput optimality: who settles up to the boundary", _reproduce
)
"""Theorem 1."""
