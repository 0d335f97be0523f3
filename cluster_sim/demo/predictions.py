"""What the theory says of a scene, before and beside its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cluster_sim.demo.charts import BLUE, GREY, ORANGE, Chart
from cluster_sim.demo.scenes import Measured, Scene, theory_of
from cluster_sim.scenario.build import prepare
from cluster_sim.theory.report import TheoryReport
from cluster_sim.theory.symmetric import hotspot_capacity
from cluster_sim.theory.task_types import FloatArray

__all__ = ["Prediction", "boundary", "boundary_chart", "predict", "rows"]

_DIRECTIONS = 33  # points of the boundary


@dataclass(frozen=True)
class Prediction:
    """The theory of a scene.

    Parameters
    ----------
    report : TheoryReport
        Capacity, helpers, beneficiaries, bounds.

    Notes
    -----
    The *ideal service time* is the mean over the ideal load decomposition: local tasks at alpha,
    the remote ones at gamma. The *heavy-traffic wait* is the leading term of Theorems 5 and 8,
    the limit over epsilon, by Little's law over all arrivals. Their sum is the estimate of the
    mean completion time. What it leaves out, such as the queues that must exceed the threshold
    before anybody helps, does not grow as the load nears 1.

    References
    ----------
    Sections 3 and 5 of the paper.
    """

    report: TheoryReport

    @property
    def service_time(self) -> float:
        """Mean service time under the ideal load decomposition, slots; nan if there is none."""
        report = self.report
        if report.remote_rate is None or not report.arrival_rate:
            return float("nan")
        away = report.remote_rate / report.arrival_rate
        return (1.0 - away) / report.rates[0] + away / report.rates[-1]

    @property
    def completion_time(self) -> float:
        """Ideal service time and heavy-traffic wait, slots; nan if there are no bounds."""
        bounds = self.report.heavy_traffic
        if bounds is None:
            return float("nan")
        return self.service_time + bounds.predicted / self.report.arrival_rate


def predict(scene: Scene) -> Prediction:
    """Return what the theory says of a scene.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    Prediction
    """
    return Prediction(theory_of(prepare(scene.scenario("priority", slots=1))))


@lru_cache(maxsize=16)
def boundary(
    n_servers: int, n_racks: int, n_hot: int, rates: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return the boundary of the capacity region of hot and other traffic.

    Parameters
    ----------
    n_servers, n_racks, n_hot : int
    rates : tuple of float
        Service probability of each tier.

    Returns
    -------
    hot, other : float64 array, shape (n,)
        Arrival rates on the boundary, tasks per slot, from no hot task to hot tasks only.

    References
    ----------
    Eq. (1) of the paper, in the directions (sigma, 1 - sigma).
    """
    scenario = Scene(n_servers, n_racks, n_hot, 0.5, 0.5, rates[0], rates[-2], rates[-1])
    cluster = prepare(scenario.scenario("priority", slots=1)).system.cluster
    shares = np.linspace(0.0, 1.0, _DIRECTIONS)
    # A corner of the region lies where the hot set is as loaded as the others.
    shares = np.unique(np.append(shares, n_hot / n_servers))
    found = np.array(
        [
            hotspot_capacity(
                n_servers,
                n_hot,
                hot_probability=float(share),
                rates=rates,
                ancestors=cluster.groups,
            )
            for share in shares
        ]
    )
    return found * shares, found * (1.0 - shares)


def boundary_chart(scene: Scene) -> str:
    """Return the capacity region of a scene and where its traffic is.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    str
        SVG.
    """
    alone = scene.n_hot * scene.rates[0], (scene.n_servers - scene.n_hot) * scene.rates[0]
    hot, other = boundary(scene.n_servers, scene.n_racks, scene.n_hot, scene.rates)
    rate = predict(scene).report.arrival_rate
    here = rate * scene.hot_probability, rate * (1.0 - scene.hot_probability)
    chart = Chart(
        (0.0, 1.15 * max(float(hot.max()), here[0])),
        (0.0, 1.15 * max(float(other.max()), here[1])),
        "hot tasks per slot",
        "other tasks per slot",
        f"Capacity region; {here[0]:.2f} hot and {here[1]:.2f} other tasks arrive per slot",
        height=290.0,
    )
    chart.area([0.0, *hot], [0.0, *other], "", BLUE)
    chart.line(hot, other, "capacity, with help", BLUE)
    corner = [alone[0], alone[0], 0.0], [0.0, alone[1], alone[1]]
    chart.line(*corner, "local service alone", GREY, dash="5 4")
    edge = 1.0 / max(scene.load, 1e-9)
    ray = [0.0, here[0] * edge], [0.0, here[1] * edge]
    chart.line(*ray, "", GREY, width=1.0, dash="2 3")
    chart.dots([here[0]], [here[1]], f"this traffic: load {scene.load:.2f}", ORANGE, r=6)
    return chart.svg()


def rows(scene: Scene, runs: Sequence[Measured]) -> list[tuple[str, str]]:
    """Return prediction beside measurement, as names and values.

    Parameters
    ----------
    scene : Scene
    runs : sequence of Measured
        Of the scene, one a policy.

    Returns
    -------
    list of (str, str)
    """
    found = predict(scene)
    report = found.report
    lines = [
        ("arrivals", f"{report.arrival_rate:.3f} tasks per slot"),
        ("capacity", f"{report.capacity:.3f} tasks per slot in this direction"),
    ]
    if report.helpers is not None and report.beneficiaries is not None:
        n_h, n_b = len(report.helpers), len(report.beneficiaries)
        lines += [
            ("helpers, beneficiaries", f"{n_h} servers help, {n_b} are helped"),
            ("distance to the boundary", f"ε = {report.epsilon:.3f} tasks per slot"),
        ]
    lines += _remote(report, runs) + _sums(report, runs) + _times(found, runs)
    return lines + [("note", note) for note in report.notes]


def _remote(report: TheoryReport, runs: Sequence[Measured]) -> list[tuple[str, str]]:
    seen = _each(runs, [f"{each.remote_share:.1%}" for each in runs])
    if report.remote_rate is None:
        return [("remote starts", seen)]
    return [("remote starts", f"ideal {report.remote_rate / report.arrival_rate:.1%}; {seen}")]


def _sums(report: TheoryReport, runs: Sequence[Measured]) -> list[tuple[str, str]]:
    bounds = report.heavy_traffic
    if bounds is None:
        return []
    whose = "beneficiary queues" if report.beneficiaries else "all queues"
    values = [f"{r.bounded_sum:.1f}" if r.bounded_sum == r.bounded_sum else "-" for r in runs]
    least, theorems = max(bounds.lower_bound, 0.0), (3, 5) if report.beneficiaries else (6, 8)
    words = (
        f"at least {least:.1f} (Thm {theorems[0]}), leading term {bounds.predicted:.1f} "
        f"(Thm {theorems[1]}); {_each(runs, values)}"
    )
    return [(f"mean sum of {whose}", words)]


def _times(found: Prediction, runs: Sequence[Measured]) -> list[tuple[str, str]]:
    values = [
        f"{each.result.mean_completion_time:.2f} slots" + ("" if each.is_stable else " and growing")
        for each in runs
    ]
    seen = _each(runs, values)
    if found.report.heavy_traffic is None:
        return [("mean completion time", seen)]
    words = (
        f"predicted {found.completion_time:.2f} = ideal service {found.service_time:.2f} + "
        f"heavy-traffic wait {found.completion_time - found.service_time:.2f}; {seen}"
    )
    return [("mean completion time", words)]


def _each(runs: Sequence[Measured], values: Sequence[str]) -> str:
    names = [str(run.prepared.scenario.scheduler.policy) for run in runs]
    return ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
