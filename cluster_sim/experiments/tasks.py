"""The unit of work of a sweep: one replication of one point, done anywhere."""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster_sim.errors import ClusterSimError, ResultsError
from cluster_sim.experiments.encoding import encode
from cluster_sim.experiments.engines import Engine, choose_engine
from cluster_sim.experiments.points import Point, point_of
from cluster_sim.experiments.sources import importable
from cluster_sim.experiments.stability import growth
from cluster_sim.experiments.warmup import Warmup, find_warmup, with_warmup
from cluster_sim.recording.result import RunResult
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario

__all__ = ["QUANTILES", "Report", "StoppedError", "Task", "headline", "run_task", "task_of"]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
_N_READY = 16  # points kept prepared in a process


class StoppedError(Exception):
    """A task was told to stop before it was done."""


@dataclass(frozen=True)
class Task:
    """One replication of one point, in a form that any process understands.

    Parameters
    ----------
    point_id : str
    scenario : dict
        As `Scenario.as_dict` gives it.
    replication : int
    warmup : Warmup or None
        Where ``"auto"`` is decided already; None to let the task decide it.
    folder : str or None
        Where modules of the user's own are looked for.
    """

    point_id: str
    scenario: dict[str, Any]
    replication: int
    warmup: Warmup | None
    folder: str | None


@dataclass(frozen=True)
class Report:
    """What came of a task.

    Parameters
    ----------
    point_id : str
    replication : int
    seed : int
    columns : dict of str to object
        Headline numbers by column of the results file; empty if it failed.
    result : bytes or None
        The whole result, from `encode`.
    error : str or None
        Why it failed.
    trace : str or None
        The traceback, if it failed.
    wall_seconds : float
    worker : str
        Machine and process.
    """

    point_id: str
    replication: int
    seed: int
    columns: dict[str, Any]
    result: bytes | None
    error: str | None
    trace: str | None
    wall_seconds: float
    worker: str


def task_of(point: Point, replication: int, warmup: Warmup | None = None) -> Task:
    """Return a replication of a point as a task.

    Parameters
    ----------
    point : Point
    replication : int
    warmup : Warmup, optional
        Where ``"auto"`` is decided already.

    Returns
    -------
    Task
    """
    scenario = point.scenario.as_dict()
    path = scenario["traffic"].get("path")
    if path is not None:  # a worker may be in another folder
        scenario["traffic"]["path"] = os.path.realpath(path)
    return Task(point.id, scenario, replication, warmup, point.folder)


def run_task(task: Task, *, should_stop: Callable[[], bool] | None = None) -> Report:
    """Run a replication; whatever goes wrong in it is part of the report.

    Parameters
    ----------
    task : Task
    should_stop : callable, optional
        Asked now and then.

    Returns
    -------
    Report

    Raises
    ------
    StoppedError
        If it was to stop.
    """
    began = time.perf_counter()
    columns: dict[str, Any] = {}
    result = error = trace = None
    try:
        with importable(task.folder):
            columns, result = _simulate(task, should_stop)
    except StoppedError:
        raise
    except Exception as problem:  # noqa: BLE001 - the other tasks of the sweep go on
        is_ours = isinstance(problem, ClusterSimError)
        error = str(problem) if is_ours else f"{type(problem).__name__}: {problem}"
        trace = traceback.format_exc()
    return Report(
        task.point_id,
        task.replication,
        task.scenario["run"]["seed"],
        columns,
        result,
        error,
        trace,
        time.perf_counter() - began,
        f"{socket.gethostname()}:{os.getpid()}",
    )


def _simulate(task: Task, should_stop: Callable[[], bool] | None) -> tuple[dict[str, Any], bytes]:
    def tell(_: int) -> None:
        if should_stop is not None and should_stop():
            raise StoppedError

    prepared, engine = _READY.get(task)
    warmup = task.warmup or find_warmup(prepared, progress=tell)
    prepared = with_warmup(prepared, warmup)
    result = engine.simulate(
        prepared.system,
        prepared.key(task.replication),
        slots=prepared.slots,
        warmup=prepared.warmup,
        series_points=prepared.scenario.run.series_points,
        progress=tell,
    )
    columns = headline(prepared, result)
    how = {"engine": engine.name, "warmup_method": warmup.method.value}
    return {**how, **columns}, encode(result)


def headline(prepared: Prepared, result: RunResult) -> dict[str, Any]:
    """Return the numbers of a result that a results file has as columns.

    Parameters
    ----------
    prepared : Prepared
    result : RunResult

    Returns
    -------
    dict of str to object
        Times in slots, rates in tasks per slot; nan where there is nothing to measure.
    """
    times = result.completion_times
    return {
        "load": prepared.load,
        "rate": prepared.system.workload.rate,
        "capacity": prepared.capacity.rate,
        "slots": result.slots,
        "warmup": result.warmup,
        "n_arrivals": result.n_arrivals,
        "n_completed": result.n_completed,
        "n_in_system": result.n_in_system,
        "mean_completion_time": result.mean_completion_time,
        "mean_waiting_time": result.mean_waiting_time,
        **{name: times.quantile(p) for name, p in QUANTILES.items()},
        "local": float(result.locality[0]),
        "utilisation": result.utilisation,
        "mean_in_system": result.mean_in_system,
        "mean_waiting": result.mean_waiting,
        "growth": growth([result]).mean,
    }


class _Ready:
    """Points made ready to run, the last few of them, for all threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[threading.Lock, list[tuple[Prepared, Engine]]]] = (
            OrderedDict()
        )

    def get(self, task: Task) -> tuple[Prepared, Engine]:
        """Return the point of a task, prepared, and its engine."""
        engine_name = str(task.scenario["run"]["engine"])
        name = f"{task.point_id} {engine_name}"
        with self._lock:
            lock, box = self._kept.setdefault(name, (threading.Lock(), []))
            self._kept.move_to_end(name)
            while len(self._kept) > _N_READY:
                self._kept.popitem(last=False)
        with lock:  # one thread prepares a point, the others wait for it
            if not box:
                prepared = _prepare(task)
                box.append((prepared, choose_engine(engine_name, prepared.system)))
        return box[0]


def _prepare(task: Task) -> Prepared:
    """Prepare a point, unless this process would give it another result than its id says."""
    scenario = Scenario(**task.scenario)
    found = point_of(scenario, {}, folder=task.folder)
    if found.id != task.point_id:
        raise ResultsError(
            f"this worker (cluster_sim {found.identity['version']}) would give other results: its "
            "version of cluster_sim, the source of the policy or placement, or the trace differs "
            "from that of the sweep; give all workers the same"
        )
    return prepare(scenario)


_READY = _Ready()
