"""Run the points of a sweep: only what is missing, on whatever workers there are."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass

from cluster_sim.errors import ClusterSimError
from cluster_sim.experiments import executors
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.experiments.executors import Workers
from cluster_sim.experiments.plan import Plan, n_wanted, warmup_of
from cluster_sim.experiments.points import Point
from cluster_sim.experiments.replications import Outcome
from cluster_sim.experiments.sources import importable
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.tasks import Report, Task
from cluster_sim.experiments.warmup import with_warmup
from cluster_sim.scenario.build import prepare

__all__ = ["Progress", "Summary", "outcome", "run_sweep", "suitable_workers"]


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Parameters
    ----------
    n_done : int
        Replications that are there, those of an earlier start included.
    n_failed : int
        Replications that failed in this start.
    n_total : int
        Replications wanted; a requested precision can raise it on the way.
    """

    n_done: int
    n_failed: int
    n_total: int


@dataclass(frozen=True)
class Summary:
    """What a start of a sweep did.

    Parameters
    ----------
    n_points : int
    n_found : int
        Replications that were there before.
    n_run : int
        Replications added.
    n_failed : int
        Replications that failed.
    n_missing : int
        Replications that were not run, because of an interrupt.
    is_interrupted : bool
    wall_seconds : float
    workers : str
        Where it ran.
    """

    n_points: int
    n_found: int
    n_run: int
    n_failed: int
    n_missing: int
    is_interrupted: bool
    wall_seconds: float
    workers: str

    @property
    def is_complete(self) -> bool:
        """Whether every replication wanted is there."""
        return not (self.n_failed or self.n_missing)


def outcome(point: Point, store: Store) -> Outcome | None:
    """Return what a point showed, as `cluster_sim.run` would return it.

    Parameters
    ----------
    point : Point
    store : Store

    Returns
    -------
    Outcome or None
        None if no replication is there. Of more replications than the scenario asks for, only
        those that it asks for. Its `wall_seconds` and `cpu_seconds` are those of the workers,
        summed.
    """
    rows = store.rows([point])[point.id]
    n = n_wanted(point, {r.replication: float(r.columns["mean_completion_time"]) for r in rows})
    kept = [row for row in rows if row.replication < n]
    if not kept:
        return None
    results = store.results(point)[: len(kept)]
    with importable(point.folder):
        prepared = prepare(point.scenario)
    warmup = warmup_of(kept[0].columns)
    seconds = math.fsum(row.wall_seconds for row in kept)
    engine = str(kept[0].columns["engine"])
    prepared = with_warmup(prepared, warmup)
    return Outcome(prepared, engine, tuple(results), seconds, seconds, warmup)


def suitable_workers(listed: Sequence[Point], n: int | None = None) -> Workers:
    """Return workers of this machine that suit the points.

    Parameters
    ----------
    listed : sequence of Point
    n : int, optional
        How many; by default one a processor.

    Returns
    -------
    Workers
        Threads where all points run on the compiled engine, else processes.
    """
    n = n or os.cpu_count() or 1
    if n == 1 or all(_runs_in_threads(point) for point in _one_a_policy(listed)):
        return executors.threads(n)
    return executors.processes(n)


def _one_a_policy(listed: Sequence[Point]) -> Iterator[Point]:
    chosen = {(p.scenario.scheduler.policy, p.scenario.run.engine): p for p in reversed(listed)}
    yield from chosen.values()


def _runs_in_threads(point: Point) -> bool:
    if point.scenario.run.engine == "simpy":
        return False
    try:
        with importable(point.folder):
            system = prepare(point.scenario).system
            return choose_engine(point.scenario.run.engine, system).runs_in_threads
    except (ClusterSimError, OSError):  # which its replications will report
        return True


def run_sweep(
    listed: Sequence[Point],
    store: Store,
    *,
    workers: Workers | Executor | int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Run what is missing of some points, and keep it.

    Parameters
    ----------
    listed : sequence of Point
        From `cluster_sim.experiments.points.points`.
    store : Store
    workers : Workers, Executor or int, optional
        Where to run: workers, any executor of ``concurrent.futures``, or how many workers of this
        machine. Results do not depend on it.
    progress : callable, optional
        Told how far the sweep is, whenever something is finished.

    Returns
    -------
    Summary
        After an interrupt (Ctrl-C), of what was finished before. What failed is in the store, and
        is tried again by the next start.

    Raises
    ------
    ResultsError
        If the store holds results of another version.
    StorageError
        If nothing more can be written; what was finished before is kept.
    """
    began = time.perf_counter()
    store.register(listed)
    plan = Plan(listed, store)
    n_found, is_interrupted, name = plan.n_done, False, "nowhere"
    if plan.n_done < plan.n_total:
        chosen = _as_workers(workers, listed)
        name = chosen.name
        is_interrupted = _run(plan, store, chosen, progress or (lambda _: None))
    # Counted anew: an interrupt may have come between two lines.
    plan, n_failed = Plan(listed, store), len(store.failures(listed))
    return Summary(
        n_points=len(listed),
        n_found=n_found,
        n_run=plan.n_done - n_found,
        n_failed=n_failed,
        n_missing=max(0, plan.n_total - plan.n_done - n_failed),
        is_interrupted=is_interrupted,
        wall_seconds=time.perf_counter() - began,
        workers=name,
    )


def _as_workers(workers: Workers | Executor | int | None, listed: Sequence[Point]) -> Workers:
    if isinstance(workers, Workers):
        return workers
    if isinstance(workers, Executor):
        return executors.given(workers)
    return suitable_workers(listed, workers)


def _run(plan: Plan, store: Store, workers: Workers, tell: Callable[[Progress], None]) -> bool:
    """Run a plan; return whether it was interrupted."""
    flight = _Flight(plan, workers)
    reports: list[Report] = []
    try:
        with workers:
            while flight.fill():
                for step in (flight.land, flight.mend):
                    reports = step()
                    store.add(reports)
                    for report in reports:
                        plan.take(report)
                tell(Progress(plan.n_done, plan.n_failed, plan.n_total))
    except KeyboardInterrupt:
        store.add([*reports, *flight.leftovers()])
        return True
    return False


class _Flight:
    """The tasks that are with the workers.

    When a worker process dies, all tasks that are with its pool fail with it, and nothing says
    whose fault it was. They are run again one at a time; the one that kills its worker even alone
    is at fault.
    """

    def __init__(self, plan: Plan, workers: Workers) -> None:
        self._plan, self._workers = plan, workers
        self._pending: dict[Future[Report], Task] = {}
        self._suspects: deque[Task] = deque()
        self._orphans: list[Task] = []
        self._is_lost = False

    def fill(self) -> bool:
        """Hand out tasks; return whether any is with the workers."""
        if self._is_lost:
            raise ClusterSimError(
                f"{self._workers.name}: the executor broke; what was finished is kept, start the "
                "sweep again"
            )
        while len(self._pending) < (1 if self._suspects else self._workers.n_ahead):
            task = self._suspects.popleft() if self._suspects else self._plan.next_task()
            if task is None:
                break
            try:
                self._pending[self._workers.submit(task)] = task
            except BrokenExecutor:  # and those before it are broken too
                self._orphans.append(task)
                break
        return bool(self._pending or self._orphans)

    def land(self) -> list[Report]:
        """Wait for something to be finished, and return what came of it."""
        done = wait(self._pending, return_when=FIRST_COMPLETED).done if self._pending else set()
        return [report for future in done for report in self._reports_of(future)]

    def _reports_of(self, future: Future[Report]) -> list[Report]:
        task = self._pending.pop(future)
        try:
            return [future.result()]
        except BrokenExecutor:
            self._orphans.append(task)
            return []
        except Exception as error:  # noqa: BLE001 - a worker lost, a class that cannot travel
            return [_lost(task, f"{type(error).__name__}: {error}")]

    def mend(self) -> list[Report]:
        """Start new workers if the old ones broke, and find the task that did it."""
        if not self._orphans:
            return []
        wait(self._pending)  # in a broken pool these are done; elsewhere some may yet succeed
        reports = [report for future in list(self._pending) for report in self._reports_of(future)]
        if not self._workers.can_restart:
            self._is_lost = True  # once these reports are kept
            return reports
        self._workers.restart()
        orphans, self._orphans = self._orphans, []
        if len(orphans) == 1:
            why = "its worker process died; was there not enough memory?"
            return [*reports, _lost(orphans[0], why)]
        self._suspects.extend(sorted(orphans, key=lambda task: (task.point_id, task.replication)))
        return reports

    def leftovers(self) -> list[Report]:
        """Return what was finished and has not landed, once the workers are closed."""
        return [
            future.result()
            for future in self._pending
            if future.done() and not future.cancelled() and future.exception() is None
        ]


def _lost(task: Task, why: str) -> Report:
    """Return the report of a task that nobody reported on."""
    seed = int(task.scenario["run"]["seed"])
    return Report(task.point_id, task.replication, seed, {}, None, why, None, 0.0, "")
