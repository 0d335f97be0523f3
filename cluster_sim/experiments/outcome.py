"""What the replications of a scenario showed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

from cluster_sim.experiments.batch_means import BatchMeans, batch_means
from cluster_sim.experiments.precision import cap, first_round, is_precise
from cluster_sim.experiments.quantiles import QuantileEstimate, quantile_estimate
from cluster_sim.experiments.stability import Stability, judge
from cluster_sim.experiments.statistics import Estimate, estimate
from cluster_sim.experiments.warmup import Warmup, WarmupMethod
from cluster_sim.recording.disruptions import FailureRecord, ReplicationRecord
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.result import RunResult
from cluster_sim.scenario.build import Prepared
from cluster_sim.traces.workload import TraceWorkload

__all__ = ["QUANTILES", "Outcome"]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True)
class Outcome:
    """What the replications of a scenario showed.

    Parameters
    ----------
    prepared : Prepared
    engine : str
        Which engine ran them.
    results : tuple of RunResult
        One a replication, in order. Fewer than asked for if the run was interrupted.
    wall_seconds : float
    cpu_seconds : float
    warmup : Warmup
        How the warm-up was found.
    """

    prepared: Prepared
    engine: str
    results: tuple[RunResult, ...]
    wall_seconds: float
    cpu_seconds: float
    warmup: Warmup = field(default_factory=lambda: Warmup(0, WarmupMethod.GIVEN))

    @property
    def policy(self) -> str:
        """Name of the policy as the scenario gives it."""
        return str(self.prepared.scenario.scheduler.policy)

    @property
    def is_complete(self) -> bool:
        """Whether every replication asked for was finished, or as many as the precision took."""
        asked = self.prepared.scenario.run
        if asked.precision is None:
            return len(self.results) == asked.replications
        return len(self.results) >= first_round(asked) and (
            len(self.results) >= cap(asked) or self.is_precise is True
        )

    @property
    def is_precise(self) -> bool | None:
        """Whether the requested precision was reached; None if none was requested."""
        precision = self.prepared.scenario.run.precision
        return None if precision is None else is_precise(self.mean_completion_time, precision)

    def over_replications(self, measure: Callable[[RunResult], float]) -> Estimate:
        """Return the mean of a measure over replications, with its interval.

        Parameters
        ----------
        measure : callable
            From a `RunResult` to a number.

        Returns
        -------
        Estimate
        """
        return estimate([measure(result) for result in self.results])

    @property
    def mean_completion_time(self) -> Estimate:
        """Mean slots from arrival to completion, the paper's measure.

        The interval is that of the replications; with a single one, that of its batch means.
        """
        if len(self.results) == 1:
            return self.batch_means.estimate()
        return self.over_replications(lambda result: result.mean_completion_time)

    @property
    def mean_waiting_time(self) -> Estimate:
        """Mean slots from arrival to start, with an interval as for the completion time."""
        if len(self.results) == 1:
            return batch_means(self.results[0], is_waiting=True).estimate()
        return self.over_replications(lambda result: result.mean_waiting_time)

    @property
    def batch_means(self) -> BatchMeans:
        """Batch means of the completion time in the first replication."""
        return batch_means(self.results[0])

    def quantile(self, p: float) -> QuantileEstimate:
        """Return a quantile of the completion time, with its interval.

        Parameters
        ----------
        p : float
            Above 0, below 1.

        Returns
        -------
        QuantileEstimate
        """
        return quantile_estimate([result.completion_times for result in self.results], p)

    @property
    def completion_times(self) -> Histogram:
        """Completion times of all replications together."""
        return reduce(add, (result.completion_times for result in self.results))

    @property
    def stability(self) -> Stability:
        """Whether the system settled."""
        workload = self.prepared.system.workload
        return judge(
            self.results,
            rate=workload.rate,
            load=self.prepared.load,
            is_stationary=not isinstance(workload, TraceWorkload),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types: the object that ``run --json`` prints.

        Returns
        -------
        dict
        """
        scenario, tiers = self.prepared.scenario, self.prepared.system.cluster.tier_names
        completion = self.mean_completion_time
        waiting = self.mean_waiting_time
        quantiles = {name: self.quantile(p) for name, p in QUANTILES.items()}
        stability = self.stability
        n_arrivals = sum(result.n_arrivals for result in self.results)
        return {
            "scenario": scenario.as_dict(),
            "policy": self.policy,
            "engine": self.engine,
            "seed": scenario.run.seed,
            "slots": self.prepared.slots,
            "warmup": self.prepared.warmup,
            "warmup_method": self.warmup.method.value,
            "replications": len(self.results),
            "complete": self.is_complete,
            "precision_reached": self.is_precise,
            "arrivals": n_arrivals,
            "completed": sum(result.n_completed for result in self.results),
            "in_system": sum(result.n_in_system for result in self.results),
            "arrival_bound": self.prepared.system.workload.bound,
            "arrival_bound_hits": sum(result.n_bound_hits for result in self.results),
            "rate": self.prepared.system.workload.rate,
            "capacity": {
                "rate": self.prepared.capacity.rate,
                "exact": self.prepared.capacity.is_exact,
                "method": self.prepared.capacity.method,
            },
            "load": self.prepared.load,
            "mean_completion_time": _number(completion.mean),
            "ci95": _number(completion.half_width),
            "ci95_method": None if completion.method is None else completion.method.value,
            "mean_waiting_time": _number(waiting.mean),
            "mean_waiting_time_ci95": _number(waiting.half_width),
            "completion_time_quantiles": {name: q.value for name, q in quantiles.items()},
            "completion_time_quantiles_ci95": {
                name: None if q.low is None else [q.low, q.high] for name, q in quantiles.items()
            },
            "locality": {
                tier: _number(self.over_replications(lambda r, i=i: float(r.locality[i])).mean)  # type: ignore[misc]
                for i, tier in enumerate(tiers)
            },
            "utilisation": self.over_replications(lambda result: result.utilisation).mean,
            "mean_queue_length": self.over_replications(lambda r: r.mean_queue_length).mean,
            "mean_in_system": self.over_replications(lambda r: r.mean_in_system).mean,
            "mean_waiting": self.over_replications(lambda r: r.mean_waiting).mean,
            "stable": {
                "verdict": stability.verdict,
                "reason": stability.reason,
                "growth_per_slot": stability.growth,
            },
            **self._disruptions(),
            "wall_seconds": self.wall_seconds,
            "tasks_per_second": n_arrivals / self.wall_seconds if self.wall_seconds else None,
        }

    def _disruptions(self) -> dict[str, Any]:
        """Return what there is to say of breakdowns and replicas; nothing where there are none."""
        failures = [result.failures for result in self.results if result.failures is not None]
        moves = [result.replication for result in self.results if result.replication is not None]
        found: dict[str, Any] = {}
        if failures:
            found["failures"] = FailureRecord.total(failures).as_dict()
        if moves:
            found["replication"] = ReplicationRecord.total(moves).as_dict(len(moves))
        return found


def _number(value: float | None) -> float | None:
    """Return a number that JSON has: None for nan."""
    return None if value is None or math.isnan(value) else value
