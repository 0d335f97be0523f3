"""A sweep through the boundary of the capacity region: up to which load a policy settles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cluster_sim.experiments.replications import Outcome, run
from cluster_sim.experiments.stability import Growth, growth, watch
from cluster_sim.experiments.statistics import Estimate
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario

__all__ = ["Boundary", "Load", "run_whole", "sweep_boundary"]


@dataclass(frozen=True)
class Load:
    """What a policy did at one load.

    Parameters
    ----------
    load : float
        Fraction of capacity.
    growth : Estimate
        Tasks in the system gained per slot, as a fraction of the arrivals.
    verdict : Growth
        From this alone, not from the load.
    """

    load: float
    growth: Estimate
    verdict: Growth


@dataclass(frozen=True)
class Boundary:
    """What a policy did at every load of a sweep.

    Parameters
    ----------
    policy : str
    loads : tuple of Load
        Ascending.
    """

    policy: str
    loads: tuple[Load, ...]

    @property
    def bracket(self) -> tuple[float, float]:
        """Between which loads the policy stops settling.

        From the largest load up to which it settled everywhere, 0 if there is none, to the smallest
        at which it grew, infinite if there is none.
        """
        grew = [each.load for each in self.loads if each.verdict is Growth.GROWING]
        high = min(grew, default=float("inf"))
        settled = 0.0
        for each in self.loads:
            if each.verdict is not Growth.SETTLED:
                break
            settled = each.load
        return settled, high


def run_whole(prepared: Prepared, *, workers: int | None = None) -> Outcome:
    """Run a scenario, all of it: an interrupt leaves nothing to judge.

    Parameters
    ----------
    prepared : Prepared
    workers : int, optional
        See `replications.run`.

    Returns
    -------
    Outcome

    Raises
    ------
    KeyboardInterrupt
        If interrupted, even if some replications were finished.
    """
    outcome = run(prepared, workers=workers)
    if not outcome.is_complete:
        raise KeyboardInterrupt
    return outcome


def sweep_boundary(
    scenario: Scenario,
    policy: str,
    loads: Sequence[float],
    *,
    progress: Callable[[int], None] | None = None,
    workers: int | None = None,
) -> Boundary:
    """Run a policy at several loads and judge each by the growth of the backlog.

    Parameters
    ----------
    scenario : Scenario
        Everything but policy and load.
    policy : str
    loads : sequence of float
        Fractions of capacity.
    progress : callable, optional
        Told how many loads are done.
    workers : int, optional
        Threads; see `replications.run`.

    Returns
    -------
    Boundary

    Notes
    -----
    All loads share their seeds, so that they meet the same luck.

    Examples
    --------
    >>> from cluster_sim import Scenario
    >>> scenario = Scenario(
    ...     cluster={"servers": 4},
    ...     service={"local": 1.0, "remote": 0.5},
    ...     traffic={"kind": "even", "load": 0.5, "replicas": 2},
    ...     scheduler={"policy": "priority"},
    ...     run={"slots": 400, "warmup": 100, "engine": "simpy"},
    ... )
    >>> sweep_boundary(scenario, "priority", [0.5, 1.5]).bracket
    (0.5, 1.5)
    """
    found = []
    for number, load in enumerate(sorted(loads), 1):
        values = {"scheduler.policy": policy, "traffic.load": load}
        prepared = prepare(scenario.with_values(values))
        results = run_whole(prepared, workers=workers).results
        rate = prepared.system.workload.rate
        gained = growth(results)
        half = None if gained.half_width is None else gained.half_width / rate
        share = Estimate(gained.mean / rate, half, gained.n)
        found.append(Load(load, share, watch(results, rate=rate)))
        if progress is not None:
            progress(number)
    return Boundary(policy, tuple(found))
