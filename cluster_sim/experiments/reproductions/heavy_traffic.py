"""How Theorems 2 to 8 are measured: runs nearer and nearer to the boundary, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cluster_sim.experiments.reproductions.approach import Distance, measure, plan
from cluster_sim.experiments.reproductions.bases import base
from cluster_sim.experiments.reproductions.report import (
    Curve,
    Line,
    Panel,
    Report,
    Reproduction,
    Verdict,
)
from cluster_sim.experiments.statistics import Estimate

__all__ = ["FULL", "QUICK", "Effort", "Found", "Theorem", "approach"]

Progress: TypeAlias = Callable[[str, int, int], None]
Found: TypeAlias = "dict[str, list[Distance]]"


@dataclass(frozen=True)
class Effort:
    """How near to go, and how long to run.

    Parameters
    ----------
    epsilons : tuple of float
        Tasks per slot, descending.
    precision : float
        Relative standard error to plan for.
    replications : int
    """

    epsilons: tuple[float, ...]
    precision: float
    replications: int = 8


QUICK = Effort((0.4, 0.2, 0.1, 0.05), 0.03)
FULL = Effort((0.4, 0.2, 0.1, 0.05, 0.025), 0.02)


def approach(
    name: str,
    efforts: Mapping[str, Effort],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Found:
    """Bring a scenario nearer to the boundary under some policies.

    Parameters
    ----------
    name : str
        See `bases.base`.
    efforts : mapping of str to Effort
        By policy.
    progress : callable, optional
        Told the policy, slots done and slots in all.
    workers : int, optional

    Returns
    -------
    dict of str to list of Distance
        By policy, farthest first.
    """
    plans = [
        (
            policy,
            plan(
                base(name).with_values({"scheduler.policy": policy, "run.engine": "compiled"}),
                epsilon,
                precision=effort.precision,
                replications=effort.replications,
            ),
        )
        for policy, effort in efforts.items()
        for epsilon in effort.epsilons
    ]
    total, done = sum(planned.n_slots for _, planned in plans), 0
    found: Found = {policy: [] for policy in efforts}
    for policy, planned in plans:

        def tell(slots: int, policy: str = policy, done: int = done) -> None:
            if progress is not None:
                progress(policy, done + slots, total)

        found[policy].append(measure(planned, progress=tell, workers=workers))
        done += planned.n_slots
    return found


@dataclass(frozen=True)
class Theorem:
    """A theorem on heavy traffic, and how its lines and panels come from measurements.

    Parameters
    ----------
    number : int
    title, claim : str
    base : str
        The scenario to bring to the boundary.
    lines : callable
        From what was found, by policy, to the lines of the table.
    panels : callable
        From the same to the panels of the figure.
    contrasts : tuple of str
        Policies to run for contrast; never with more effort than a quick run.
    """

    number: int
    title: str
    claim: str
    base: str
    lines: Callable[[Found], tuple[Line, ...]]
    panels: Callable[[Found], tuple[Panel, ...]]
    contrasts: tuple[str, ...] = ()

    @property
    def reproduction(self) -> Reproduction:
        """The theorem as an entry of the registry."""
        return Reproduction(f"theorem-{self.number}", self.title, self.run)

    def run(
        self,
        *,
        quick: bool = False,
        directory: Path | None = None,  # noqa: ARG002 - has no files of its own
        progress: Progress | None = None,
        workers: int | None = None,
    ) -> Report:
        """Run, measure, judge; see `report.Run`."""
        efforts = {"priority": QUICK if quick else FULL, **dict.fromkeys(self.contrasts, QUICK)}
        return self.report(approach(self.base, efforts, progress=progress, workers=workers))

    def report(self, found: Found) -> Report:
        """Return the report on what was found.

        Parameters
        ----------
        found : dict of str to list of Distance
            By policy, farthest first, ``"priority"`` among them.

        Returns
        -------
        Report
        """
        return Report(
            f"theorem-{self.number}",
            self.title,
            self.claim,
            setting(found["priority"]),
            self.lines(found),
            self.panels(found),
        )


def setting(distances: Sequence[Distance]) -> tuple[str, ...]:
    """Return how something was measured, a sentence each."""
    scenario, bounds = distances[-1].scenario, distances[-1].bounds
    is_local = bounds.n_queues < bounds.n_servers
    which = f"the {bounds.n_queues} queues of the beneficiaries" if is_local else "all queues"
    slots = [distance.scenario.run.slots or 0 for distance in distances]
    system = (
        f"{scenario.title}: {scenario.cluster.servers} servers, alpha = {scenario.service.local}, "
        f"gamma = {scenario.service.remote}, Poisson arrivals; sums are over {which}."
    )
    runs = (
        f"{scenario.run.replications} replications of {slots[0]:,} to {slots[-1]:,} slots; "
        "intervals are 95 % Student intervals over replications."
    )
    return (
        system,
        "epsilon is the distance to the boundary in tasks per slot "
        + ("(Eqs. 9, 10)." if is_local else "(Eq. 20)."),
        'Reading: queue_length = "in-system", service_tier = "queue", as in section 2.2.',
        runs,
    )


def curve(label: str, distances: Sequence[Distance], key: str, *, scaled: bool = False) -> Curve:
    """Return a measured curve over epsilon; scaled, it is of epsilon times the mean."""
    found = [each.estimate(key, each.epsilon if scaled else 1.0) for each in distances]
    return Curve(
        label,
        tuple(each.epsilon for each in distances),
        tuple(each.mean for each in found),
        tuple(each.half_width or 0.0 for each in found),
        policy=str(distances[0].scenario.scheduler.policy),
    )


def case(distance: Distance) -> str:
    """Return what ran."""
    return f"{distance.scenario.scheduler.policy}, epsilon = {distance.epsilon:g}"


def values(distance: Distance, predicted: float | None = None) -> dict[str, object]:
    """Return the numbers behind a line, for ``--json``."""
    found: dict[str, object] = {"epsilon": distance.epsilon, "bounds": distance.bounds.to_dict()}
    return found if predicted is None else {**found, "predicted_value": predicted}


def exponent_line(
    policy: str, what: str, exponent: Estimate, predicted: str, verdict: Verdict
) -> Line:
    """Return the line of a growth exponent; that of another policy is a remark."""
    return Line(
        policy,
        f"growth exponent of {what}",
        exponent,
        predicted,
        verdict,
        is_remark=policy != "priority",
    )
