"""Run a scenario as often as it asks, and say what came out."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import add
from typing import Any

from cluster_sim.experiments.engines import choose_engine
from cluster_sim.experiments.stability import Stability, judge
from cluster_sim.experiments.statistics import Estimate, estimate
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.scenario.build import Prepared

__all__ = ["QUANTILES", "Outcome", "run"]

logger = logging.getLogger(__name__)

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
    """

    prepared: Prepared
    engine: str
    results: tuple[RunResult, ...]
    wall_seconds: float
    cpu_seconds: float

    @property
    def policy(self) -> str:
        """Name of the policy as the scenario gives it."""
        return str(self.prepared.scenario.scheduler.policy)

    @property
    def is_complete(self) -> bool:
        """Whether every replication asked for was finished."""
        return len(self.results) == self.prepared.scenario.run.replications

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
        """Mean slots from arrival to completion, the paper's measure."""
        return self.over_replications(lambda result: result.mean_completion_time)

    @property
    def completion_times(self) -> Histogram:
        """Completion times of all replications together."""
        return reduce(add, (result.completion_times for result in self.results))

    @property
    def stability(self) -> Stability:
        """Whether the system settled."""
        workload = self.prepared.system.workload
        return judge(self.results, rate=workload.rate, load=self.prepared.load)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types: the object that ``run --json`` prints.

        Returns
        -------
        dict
        """
        scenario, tiers = self.prepared.scenario, self.prepared.system.cluster.tier_names
        completion = self.mean_completion_time
        waiting = self.over_replications(lambda result: result.mean_waiting_time)
        times = self.completion_times
        stability = self.stability
        n_arrivals = sum(result.n_arrivals for result in self.results)
        return {
            "scenario": scenario.as_dict(),
            "policy": self.policy,
            "engine": self.engine,
            "seed": scenario.run.seed,
            "slots": self.prepared.slots,
            "warmup": self.prepared.warmup,
            "replications": len(self.results),
            "complete": self.is_complete,
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
            "mean_waiting_time": _number(waiting.mean),
            "mean_waiting_time_ci95": _number(waiting.half_width),
            "completion_time_quantiles": {name: times.quantile(p) for name, p in QUANTILES.items()},
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
            "wall_seconds": self.wall_seconds,
            "tasks_per_second": n_arrivals / self.wall_seconds if self.wall_seconds else None,
        }


def _number(value: float | None) -> float | None:
    """Return a number that JSON has: None for nan."""
    return None if value is None or math.isnan(value) else value


def run(
    prepared: Prepared,
    *,
    observers: Sequence[Observer] = (),
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Outcome:
    """Run every replication of a scenario.

    Parameters
    ----------
    prepared : Prepared
    observers : sequence of Observer
        Told of the first replication.
    progress : callable, optional
        Told the replication's number and its slots done, now and then; from several threads.
    workers : int, optional
        Threads for the replications of the compiled engine; by default one a processor. Results do
        not depend on it.

    Returns
    -------
    Outcome
        After an interrupt (Ctrl-C), with the replications that were finished, if there is one.

    Raises
    ------
    KeyboardInterrupt
        If interrupted before the first replication was finished.
    DecisionError
        If the policy decides what cannot be done.
    """
    asked = prepared.scenario.run
    engine = choose_engine(asked.engine, prepared.system)
    if engine.note is not None:
        logger.warning("%s", engine.note)
    wall, cpu = time.perf_counter(), time.process_time()
    stop = threading.Event()

    def replicate(replication: int) -> RunResult:
        def tell(slot: int) -> None:
            if stop.is_set():
                raise _StoppedError
            if progress is not None:
                progress(replication, slot)

        return engine.simulate(
            prepared.system,
            prepared.key(replication),
            slots=prepared.slots,
            warmup=prepared.warmup,
            series_points=asked.series_points,
            observers=observers if replication == 0 else (),
            progress=tell,
        )

    n_workers = 1
    if engine.runs_in_threads:
        n_workers = min(asked.replications, workers or os.cpu_count() or 1)
    results = _in_order(replicate, asked.replications, n_workers, stop)
    return Outcome(
        prepared,
        engine.name,
        tuple(results),
        time.perf_counter() - wall,
        time.process_time() - cpu,
    )


class _StoppedError(Exception):
    """A replication was told to stop."""


def _in_order(
    replicate: Callable[[int], RunResult], n: int, n_workers: int, stop: threading.Event
) -> list[RunResult]:
    """Return the results of replications 0 to n - 1; after an interrupt, of those finished."""
    results: list[RunResult] = []
    if n_workers == 1:
        try:
            for replication in range(n):
                results.append(replicate(replication))  # noqa: PERF401 - kept if interrupted
        except KeyboardInterrupt:
            if not results:
                raise
        return results
    with ThreadPoolExecutor(n_workers) as pool:
        # A few ahead, not all at once: there may be a million.
        pending: deque[Future[RunResult]] = deque()
        numbers = iter(range(n))
        try:
            pending.extend(pool.submit(replicate, i) for i in islice(numbers, 2 * n_workers))
            while pending:
                results.append(pending[0].result())
                pending.popleft()
                pending.extend(pool.submit(replicate, i) for i in islice(numbers, 1))
        except BaseException as error:
            stop.set()
            pool.shutdown(cancel_futures=True)
            if not isinstance(error, KeyboardInterrupt):
                raise
            results.extend(future.result() for future in pending if _is_good(future))
            if not results:
                raise
    return results


def _is_good(future: Future[RunResult]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
