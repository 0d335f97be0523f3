"""Processes and clusters give what one thread gives, byte for byte, whatever happens to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.errors import ClusterSimError
from cluster_sim.experiments import executors
from cluster_sim.experiments.executors import dask_workers, processes, threads
from cluster_sim.experiments.points import points
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.sweep import Progress, run_sweep
from cluster_sim.experiments.tasks import StoppedError, task_of
from tests.experiments.sweeping import (
    REPOSITORY,
    SWEPT,
    contents,
    finished,
    points_of,
    scenario,
    wait_until,
    write_user_policy,
)


def test_processes_run_a_policy_from_beside_the_scenario(tmp_path: Path) -> None:
    """Two spawned processes import the user's module and give the file of one thread."""
    listed = points_of(write_user_policy(tmp_path))
    expected = finished(listed, tmp_path / "thread.sqlite", workers=threads(1))
    assert finished(listed, tmp_path / "processes.sqlite", workers=processes(2)) == expected


@pytest.mark.slow
def test_a_task_that_kills_its_process_is_found(tmp_path: Path) -> None:
    """Of all tasks in flight the one that breaks the pool is blamed, and only that one."""
    fault = "os._exit(3) if sum(lengths) > 40 else None"
    file = SWEPT.replace("0.9]", "1.6]").replace("slots = 60", "slots = 200")
    listed = points_of(write_user_policy(tmp_path, fault, file))
    with Store(tmp_path / "r.sqlite") as store:
        summary = run_sweep(listed, store, workers=processes(2))
        failures = store.failures(listed)
    assert (summary.n_run, summary.n_failed, summary.n_missing) == (10, 2, 0)
    assert {failure.point_id for failure in failures} == {listed[5].id}
    assert {failure.error for failure in failures} == {
        "its worker process died; was there not enough memory?"
    }


@pytest.mark.slow
def test_a_policy_that_raises_in_a_process(tmp_path: Path) -> None:
    """What a user's policy raises comes back with its traceback; the others go on."""
    fault = "1 / 0 if sum(lengths) > 40 else None"
    file = SWEPT.replace("0.9]", "1.6]").replace("slots = 60", "slots = 200")
    listed = points_of(write_user_policy(tmp_path, fault, file))
    with Store(tmp_path / "r.sqlite") as store:
        summary = run_sweep(listed, store, workers=processes(2))
        (failure, _) = store.failures(listed)
    assert (summary.n_run, summary.n_failed) == (10, 2)
    assert failure.error.startswith("ZeroDivisionError: ")
    assert "my_policy.py" in failure.trace


class Cluster:
    """A Dask scheduler and workers on loopback, each a process."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self._environment = os.environ | {
            "PYTHONPATH": str(REPOSITORY),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "3",
        }
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"
        )
        self.address = ""

    def wait_for_scheduler(self) -> None:
        """Wait until the scheduler has an address."""
        wait_until(lambda: self._file.exists() and self._file.read_text().endswith("}"))
        self.address = str(json.loads(self._file.read_text())["address"])

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                f"distributed.cli.dask_{what}",
                "--scheduler-file",
                str(self._file),
                *options,
            ],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def add_worker(self) -> subprocess.Popen[bytes]:
        """Let a worker join."""
        return self._start(
            "worker",
            "--host",
            "127.0.0.1",
            "--nthreads",
            "1",
            "--no-nanny",
            "--dashboard-address",
            "127.0.0.1:0",
        )

    def wait_for(self, workers: list[subprocess.Popen[bytes]]) -> None:
        """Wait until workers have joined."""
        from distributed import Client

        wanted = {worker.pid for worker in workers}
        with Client(self.address) as client:
            wait_until(lambda: set(client.run(os.getpid, on_error="return").values()) >= wanted)

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    made = Cluster(tmp_path)
    try:
        made.wait_for_scheduler()
        yield made
    finally:
        made.close()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_and_gains_one(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three workers, one killed and one joining in the middle: the file of one thread."""
    monkeypatch.setattr(executors, "_AHEAD_CLUSTER", 6)  # so that something is left for the new one
    file = SWEPT.replace("slots = 60", "slots = 300").replace(
        "replications = 2", "replications = 8"
    )
    listed = points_of(write_user_policy(tmp_path, file=file))
    expected = finished(listed, tmp_path / "thread.sqlite", workers=threads(1))
    first, *others = [cluster.add_worker() for _ in range(3)]
    cluster.wait_for([first, *others])
    joined: list[subprocess.Popen[bytes]] = []

    def tell(progress: Progress) -> None:
        if progress.n_done >= 12 and not joined:
            first.send_signal(signal.SIGKILL)
            joined.append(cluster.add_worker())
            cluster.wait_for(joined)

    with Store(tmp_path / "cluster.sqlite") as store:
        summary = run_sweep(listed, store, workers=dask_workers(cluster.address), progress=tell)
        names = {name for (name,) in store._select("SELECT DISTINCT worker FROM results")}
    assert summary.is_complete
    assert first.wait() == -signal.SIGKILL
    assert {int(name.rpartition(":")[2]) for name in names} >= {
        process.pid for process in (*others, *joined)
    }
    assert contents(tmp_path / "cluster.sqlite") == expected


@pytest.mark.slow
def test_a_local_cluster_is_started_and_ended(tmp_path: Path) -> None:
    """``local`` needs no scheduler of one's own."""
    pytest.importorskip("distributed")
    listed = points(scenario())
    expected = finished(listed, tmp_path / "thread.sqlite")
    assert finished(listed, tmp_path / "local.sqlite", workers=dask_workers("local", 2)) == expected


@pytest.mark.slow
def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An address where nobody answers, and a scheduler without workers, are told apart."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "_PATIENCE", 1)
    listed = points(scenario())
    with Store(tmp_path / "r.sqlite") as store:
        with pytest.raises(ClusterSimError, match=r"no scheduler answers .*start one with"):
            run_sweep(listed, store, workers=dask_workers("tcp://127.0.0.1:9"))
        lonely = Cluster(tmp_path)
        try:
            lonely.wait_for_scheduler()
            with pytest.raises(ClusterSimError, match=r"has no worker.*`dask worker tcp://127"):
                run_sweep(listed, store, workers=dask_workers(lonely.address))
        finally:
            lonely.close()


def test_stopping_threads_ends_their_tasks() -> None:
    """Leaving workers by an error does not wait for what runs."""
    (point, *_) = points(scenario(run__slots=50_000_000, run__warmup=0))
    futures: list[Any] = []

    def interrupted() -> None:
        with threads(2) as workers:
            futures.extend(workers.submit(task_of(point, i)) for i in range(4))
            threading.Event().wait(0.1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    for future in futures:
        assert future.cancelled() or isinstance(future.exception(), StoppedError)
