"""What the controls of the demo set, as a scenario, and what a run of it showed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from cluster_sim.experiments.engines import Engine, choose_engine
from cluster_sim.experiments.record import record
from cluster_sim.experiments.stability import judge
from cluster_sim.recording.queue_samples import QueueSamples
from cluster_sim.recording.result import RunResult
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.task_types import list_types, report_of
from cluster_sim.theory.report import TheoryReport
from cluster_sim.views.replay.page import Shown

__all__ = ["Measured", "Scene", "measure", "record_scene", "theory_of"]

_SAMPLES = 2_000  # of the queue vector, for the mean sums
_SLOTS_READABLE = 1_500  # the SimPy engine measures so many: about a second
_POINTS = 600  # of the time series
_KEPT = 64  # runs; sliders are often moved back
_THEORY: dict[tuple[Hashable, ...], TheoryReport] = {}


@dataclass(frozen=True)
class Scene:
    """A cluster with a hot spot, as the controls of the demo describe it.

    Parameters
    ----------
    n_servers, n_racks : int
        One rack means two locality tiers, several mean three.
    n_hot : int
        Servers that hold the hot chunks: the first ones.
    hot_probability : float
        Probability that a task reads a hot chunk, sigma in the paper.
    load : float
        Arrival rate as a fraction of the capacity in this direction.
    local, rack_local, remote : float
        alpha, beta, gamma: service probabilities per slot. A rate above that of a nearer tier is
        taken to be equal to it.
    n_replicas : int
        Servers that hold a chunk.
    threshold : float or "auto"
        Of the policy ``priority``: helpers take from queues longer than this.
    seed : int

    Examples
    --------
    >>> Scene(load=0.8).scenario("fifo", slots=100).traffic.load
    0.8
    >>> Scene(local=0.2, remote=0.9).rates
    (0.2, 0.2)
    """

    n_servers: int = 60
    n_racks: int = 1
    n_hot: int = 15
    hot_probability: float = 0.6
    load: float = 0.9
    local: float = 0.3
    rack_local: float = 0.25
    remote: float = 0.15
    n_replicas: int = 3
    threshold: float | Literal["auto"] = "auto"
    seed: int = 1

    @property
    def rates(self) -> tuple[float, ...]:
        """Service probability of each tier, local first."""
        near = min(self.local, self.rack_local)
        if self.n_racks == 1:
            return (self.local, min(self.local, self.remote))
        return (self.local, near, min(near, self.remote))

    def scenario(self, policy: str, slots: int, *, warmup: int = 0) -> Scenario:
        """Return the scenario under a policy.

        Parameters
        ----------
        policy : str
        slots, warmup : int

        Returns
        -------
        Scenario
        """
        cluster: dict[str, Any] = {"servers": self.n_servers}
        service = {"local": self.rates[0], "remote": self.rates[-1]}
        if self.n_racks > 1:
            cluster["racks"] = self.n_racks
            service["rack_local"] = self.rates[1]
        scheduler: dict[str, Any] = {"policy": policy}
        if policy == "priority":
            scheduler["threshold"] = self.threshold
        return Scenario(
            title=f"{self.n_servers} servers",
            cluster=cluster,
            service=service,
            traffic={
                "kind": "hotspot",
                "replicas": self.n_replicas,
                "hot_servers": self.n_hot,
                "hot_probability": self.hot_probability,
                "load": self.load,
            },
            scheduler=scheduler,
            run={"slots": slots, "warmup": warmup, "seed": self.seed},
        )


@dataclass(frozen=True, eq=False)
class Measured:
    """A run, measured.

    Parameters
    ----------
    prepared : Prepared
    result : RunResult
    engine : Engine
        Which ran it; its note says why it was not the compiled one.
    bounded_sum : float
        Mean sum of the queues that the bounds of the paper concern: those of the beneficiaries, or
        all without any; nan where a policy has other queues.
    """

    prepared: Prepared
    result: RunResult
    engine: Engine
    bounded_sum: float

    @property
    def is_stable(self) -> bool:
        """Whether the queues settled."""
        prepared = self.prepared
        rate = prepared.system.workload.rate
        return judge([self.result], rate=rate, load=prepared.load).verdict == "stable"

    @property
    def remote_share(self) -> float:
        """Share of the starts at the farthest tier."""
        return float(self.result.locality[-1])


@lru_cache(maxsize=_KEPT)
def measure(scenario: Scenario) -> Measured:
    """Run the first replication of a scenario and measure it.

    Parameters
    ----------
    scenario : Scenario
        On the SimPy engine, where the compiled one cannot be had, only the first slots are run.

    Returns
    -------
    Measured
    """
    prepared = prepare(scenario)
    engine = choose_engine(scenario.run.engine, prepared.system)
    slots, warmup = prepared.slots, prepared.warmup
    if engine.name == "simpy" and slots > _SLOTS_READABLE:
        slots, warmup = _SLOTS_READABLE, min(warmup, _SLOTS_READABLE // 4)
    every = max(1, (slots - warmup) // _SAMPLES)
    samples = QueueSamples(look_every=every, first_slot=warmup)
    result = engine.simulate(
        prepared.system,
        prepared.key(0),
        slots=slots,
        warmup=warmup,
        series_points=_POINTS,
        observers=[samples],
    )
    return Measured(prepared, result, engine, _bounded_sum(prepared, samples))


def _bounded_sum(prepared: Prepared, samples: QueueSamples) -> float:
    cluster, found = prepared.system.cluster, theory_of(prepared)
    owners = prepared.system.policy.owners(cluster.n_servers, cluster.n_tiers)
    is_plain = list(owners) == list(range(cluster.n_servers))
    if found.beneficiaries is None or not is_plain or not len(samples.lengths):
        return float("nan")
    members = list(found.beneficiaries) or list(owners)
    return float(samples.lengths[:, members].sum(axis=1).mean())


def theory_of(prepared: Prepared) -> TheoryReport:
    """Return what the theory says of a scenario; it is kept, for it is the same for all policies.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    TheoryReport
    """
    scenario = prepared.scenario
    key = scenario.cluster, scenario.service, scenario.traffic
    if key not in _THEORY:
        if len(_THEORY) >= _KEPT:
            _THEORY.clear()
        _THEORY[key] = report_of(prepared, list_types(prepared))
    return _THEORY[key]


@lru_cache(maxsize=_KEPT)
def record_scene(scenario: Scenario) -> Shown:
    """Record the run of a scenario from its first slot on.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    Shown
    """
    prepared = prepare(scenario)
    return Shown(prepared, record(prepared, 0, prepared.slots)[0])
