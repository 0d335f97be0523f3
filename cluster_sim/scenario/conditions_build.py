"""From the tables of conditions to model objects: service times, told rates, phases."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster_sim.errors import ScenarioError
from cluster_sim.model import service_times as times
from cluster_sim.model.arrivals import ArrivalProcess
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.phased_workload import PhasedTraffic, PhasedWorkload
from cluster_sim.model.phases import Phase, Phases, Stays
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Traffic
from cluster_sim.scenario.conditions import speeds_of
from cluster_sim.scenario.schema import Scenario

__all__ = ["cluster_of", "phased", "phased_workload", "read_durations", "service_of", "told_rates"]


def cluster_of(scenario: Scenario) -> Cluster:
    """Return the cluster of a scenario.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    Cluster

    Raises
    ------
    ScenarioError
        If a rate leaves its range.
    """
    topology = Topology.tree(scenario.cluster.servers, scenario.cluster.level_counts)
    speeds = None
    if scenario.cluster.speeds is not None:
        speeds = speeds_of(scenario.cluster.speeds, scenario.cluster.servers)
    return Cluster.of(topology, scenario.tiers, speeds)


def service_of(scenario: Scenario) -> times.ServiceTimes:
    """Return how long services take.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    ServiceTimes

    Raises
    ------
    ScenarioError
        If the file of durations cannot be used.
    """
    table = scenario.service
    if table.distribution == "deterministic":
        return times.Deterministic()
    if table.distribution == "log-normal":
        return times.LogNormal(float(table.cv or 0.0))
    if table.distribution == "pareto":
        return times.Pareto(float(table.shape or 0.0))
    if table.distribution == "empirical":
        given = table.durations or ()
        return times.Empirical(read_durations(given) if isinstance(given, str) else tuple(given))
    return times.Geometric()


def read_durations(path: str | os.PathLike[str]) -> tuple[float, ...]:
    """Return the durations in a file: the first column of a CSV, with or without a header.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    tuple of float

    Raises
    ------
    ScenarioError
        If it cannot be read, or a line holds no number above 0.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(
            f"[service] durations: {path} cannot be read: {reason}; it must be text, a duration "
            "a line"
        ) from None
    found: list[float] = []
    for number, line in enumerate(lines, 1):
        cell = line.split(",")[0].strip().strip('"')
        if not cell or cell.startswith("#"):
            continue
        try:
            value = float(cell)
        except ValueError:
            if not found and number == 1:  # a header
                continue
            value = float("nan")
        if not 0.0 < value < float("inf"):
            raise ScenarioError(
                f"{path}:{number}: {cell!r} is no duration; each line must begin with a number "
                "above 0"
            )
        found.append(value)
    if not found:
        raise ScenarioError(f"[service] durations: {path} holds none; put one on each line")
    return tuple(found)


def told_rates(scenario: Scenario, cluster: Cluster) -> tuple[float, ...] | None:
    """Return the rates that the scheduler believes in; None where they are the true ones.

    Parameters
    ----------
    scenario : Scenario
    cluster : Cluster

    Returns
    -------
    tuple of float or None
    """
    factors = {} if scenario.estimates is None else scenario.estimates.factors
    if all(factor == 1.0 for factor in factors.values()):
        return None
    return tuple(
        # As decimal numbers, so that policies see the ties of people: 0.3 * 1.5 is not 0.45.
        min(float(f"{factors.get(name, 1.0) * rate:.12g}"), 1.0)
        for name, rate in zip(cluster.tier_names, cluster.rates, strict=True)
    )


def phased(scenario: Scenario, traffic: Traffic) -> PhasedTraffic | None:
    """Return the traffic with its phases; None if it has none.

    Parameters
    ----------
    scenario : Scenario
    traffic : Traffic
        Without them.

    Returns
    -------
    PhasedTraffic or None

    Raises
    ------
    ScenarioError
        If the hot spot has no room in some phase.
    """
    table = scenario.phases
    if table is None:
        return None
    n = len(table.stay)
    factors: Sequence[float] = table.factor or (1.0,) * n
    hot: Sequence[float | None] = table.hot_probability or (None,) * n
    listed = tuple(
        Phase(float(stay), float(factor), None if share is None else float(share))
        for stay, factor, share in zip(table.stay, factors, hot, strict=True)
    )
    return PhasedTraffic(Phases(listed, Stays(table.stays), table.move), traffic)


def phased_workload(
    traffic: PhasedTraffic, rate: float, arrivals: Callable[[float], ArrivalProcess]
) -> PhasedWorkload:
    """Return the workload whose long-run arrival rate is as given.

    Parameters
    ----------
    traffic : PhasedTraffic
    rate : float
        Tasks per slot.
    arrivals : callable
        From the rate of a phase to its arrivals.

    Returns
    -------
    PhasedWorkload

    Raises
    ------
    ScenarioError
        If the arrivals cannot have the rate of a phase.
    """
    made: list[ArrivalProcess | None] = []
    for number, factor in enumerate(traffic.phases.relative_rates.tolist()):
        try:
            made.append(arrivals(factor * rate) if factor > 0 else None)
        except ScenarioError as error:
            raise ScenarioError(
                f"[phases] phase {number} brings {factor * rate:.6g} tasks per slot, the long run "
                f"{rate:.6g}: {error}"
            ) from None
    return PhasedWorkload(traffic, tuple(made))
