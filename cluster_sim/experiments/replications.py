"""Run a scenario as often as it asks, and say what came out."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice

from cluster_sim.experiments.engines import choose_engine
from cluster_sim.experiments.outcome import QUANTILES, Outcome
from cluster_sim.experiments.precision import first_round, next_round
from cluster_sim.experiments.warmup import Warmup, find_warmup, with_warmup
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.scenario.build import Prepared

__all__ = ["PILOT_RUN", "QUANTILES", "Outcome", "add_replications", "begin", "run"]

logger = logging.getLogger(__name__)

PILOT_RUN = -1  # what progress is told as the replication while the pilot runs


def run(
    prepared: Prepared,
    *,
    warmup: Warmup | None = None,
    observers: Sequence[Observer] = (),
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Outcome:
    """Run every replication of a scenario.

    Parameters
    ----------
    prepared : Prepared
    warmup : Warmup, optional
        Used instead of the scenario's. By default a warm-up of ``"auto"`` is decided first, by a
        pilot run.
    observers : sequence of Observer
        Told of the first replication.
    progress : callable, optional
        Told the replication's number and its slots done, now and then; from several threads. The
        number of the pilot run is `PILOT_RUN`.
    workers : int, optional
        Threads for the replications of the compiled engine; by default one a processor. Results do
        not depend on it.

    Returns
    -------
    Outcome
        With a requested precision, of as many replications as it took, or the cap. After an
        interrupt (Ctrl-C), with the replications that were finished, if there is one.

    Raises
    ------
    KeyboardInterrupt
        If interrupted before the first replication was finished.
    DecisionError
        If the policy decides what cannot be done.
    """
    outcome = begin(prepared, warmup, progress=progress)
    asked, n = prepared.scenario.run, first_round(prepared.scenario.run)
    while len(outcome.results) < n:
        outcome = add_replications(
            outcome, n, observers=observers, progress=progress, workers=workers
        )
        if len(outcome.results) < n:  # interrupted
            break
        n = next_round(outcome.mean_completion_time, n, asked)
    return outcome


def begin(
    prepared: Prepared,
    warmup: Warmup | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Return an outcome without replications: to be added by `add_replications`.

    Parameters
    ----------
    prepared : Prepared
    warmup : Warmup, optional
        As for `run`.
    progress : callable, optional
        Told of the pilot run, if there is one.

    Returns
    -------
    Outcome
    """
    tell = progress or _tell_nobody
    wall, cpu = time.perf_counter(), time.process_time()
    found = warmup or find_warmup(prepared, progress=partial(tell, PILOT_RUN))
    seconds = (time.perf_counter() - wall, time.process_time() - cpu)
    return Outcome(with_warmup(prepared, found), "", (), *seconds, found)


def add_replications(
    outcome: Outcome,
    n: int,
    *,
    observers: Sequence[Observer] = (),
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Outcome:
    """Return an outcome with `n` replications in all: those it has, and the next.

    Parameters
    ----------
    outcome : Outcome
    n : int
        At least as many as it has.
    observers, progress, workers
        As for `run`.

    Returns
    -------
    Outcome
        After an interrupt, with those that were finished, if there is one.

    Raises
    ------
    KeyboardInterrupt
        If interrupted before the first replication was finished.
    """
    prepared, tell = outcome.prepared, progress or _tell_nobody
    engine = choose_engine(prepared.scenario.run.engine, prepared.system)
    if engine.note is not None and not outcome.results:
        logger.warning("%s", engine.note)
    wall, cpu = time.perf_counter(), time.process_time()
    todo = range(len(outcome.results), n)
    n_workers = min(len(todo), workers or os.cpu_count() or 1) if engine.runs_in_threads else 1
    stop = threading.Event()

    def replicate(replication: int) -> RunResult:
        def tell_slot(slot: int) -> None:
            if stop.is_set():
                raise _StoppedError
            tell(replication, slot)

        return engine.simulate(
            prepared.system,
            prepared.key(replication),
            slots=prepared.slots,
            warmup=prepared.warmup,
            series_points=prepared.scenario.run.series_points,
            observers=observers if replication == 0 else (),
            progress=tell_slot,
        )

    added: list[RunResult] = []
    try:
        added = _in_order(replicate, todo, n_workers, stop)
    except KeyboardInterrupt:
        if not outcome.results:
            raise
    return replace(
        outcome,
        engine=engine.name,
        results=(*outcome.results, *added),
        wall_seconds=outcome.wall_seconds + time.perf_counter() - wall,
        cpu_seconds=outcome.cpu_seconds + time.process_time() - cpu,
    )


def _tell_nobody(*_: object) -> None:
    """Take what progress is told."""


class _StoppedError(Exception):
    """A replication was told to stop."""


def _in_order(
    replicate: Callable[[int], RunResult], todo: range, n_workers: int, stop: threading.Event
) -> list[RunResult]:
    """Return the results of replications in order; after an interrupt, of those finished."""
    results: list[RunResult] = []
    if n_workers == 1:
        try:
            for replication in todo:
                results.append(replicate(replication))  # noqa: PERF401 - kept if interrupted
        except KeyboardInterrupt:
            if not results:
                raise
        return results
    with ThreadPoolExecutor(n_workers) as pool:
        # A few ahead, not all at once: there may be a million.
        pending: deque[Future[RunResult]] = deque()
        numbers = iter(todo)
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
