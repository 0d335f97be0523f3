"""Small sweeps, and what their results files hold."""

from __future__ import annotations

import inspect
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster_sim.experiments.points import Point, points
from cluster_sim.experiments.sources import importable
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.sweep import run_sweep
from cluster_sim.policies import QueuePolicy
from cluster_sim.scenario import parse_scenario, read_scenario
from cluster_sim.scenario.schema import Scenario

REPOSITORY = Path(__file__).resolve().parents[2]

SWEPT = """\
title = "Six servers"

[cluster]
servers = 6

[service]
local = 1.0
remote = 0.5

[traffic]
kind = "even"
load = 0.5

[scheduler]
policy = "priority"

[run]
slots = 60
warmup = 10
replications = 2
seed = 7
engine = "simpy"

[sweep]
"traffic.load" = [0.5, 0.7, 0.9]
"scheduler.policy" = ["priority", "fifo"]
"""

VOLATILE = {"wall_seconds", "worker", "finished_at", "failed_at"}

POLICY = '''\
import os

from cluster_sim.policies import JSQLocal
from helper_of_mine import LEVEL


class Mine(JSQLocal):
    """Joins the shortest local queue; misbehaves where it is told to."""

    name = "mine"
    title = "Mine"

    @staticmethod
    def route({arguments}):
        {fault}
        return JSQLocal.route({arguments})
'''


def scenario(**values: object) -> Scenario:
    """Return the small sweep with other values: ``run__slots=10`` for ``run.slots``."""
    return parse_scenario(SWEPT).with_values(
        {key.replace("__", "."): value for key, value in values.items()}
    )


def finished(listed: list[Point], path: Path, workers: Any = 1) -> dict[str, list[Any]]:
    """Run points to the end into a file, and return what it holds."""
    with Store(path) as store:
        assert run_sweep(listed, store, workers=workers).is_complete
    return contents(path)


def contents(path: Path) -> dict[str, list[Any]]:
    """Return every row of every table, in order of the keys, without times and workers."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            table: sorted(
                (
                    tuple(row[key] for key in row.keys() if key not in VOLATILE)  # noqa: SIM118
                    for row in connection.execute(f"SELECT * FROM {table}")
                ),
                key=repr,
            )
            for table in tables
        }
    finally:
        connection.close()


def count(path: Path) -> int:
    """Return how many results a file holds now, while others may write to it."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    except sqlite3.OperationalError:
        return 0
    try:
        (n,) = connection.execute("SELECT count(*) FROM results").fetchone()
    except sqlite3.OperationalError:  # not made yet
        return 0
    finally:
        connection.close()
    return int(n)


def start(*arguments: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Start ``cluster-sim sweep`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cluster_sim", "sweep", *arguments],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        **options,
    )


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> bool:
    """Wait until something is so; return False if the process ended before."""
    deadline = time.monotonic() + 120
    while not is_so():
        if process is not None and process.poll() is not None:
            return is_so()
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.005)
    return True


def write_user_policy(folder: Path, fault: str = "pass", file: str = SWEPT) -> Path:
    """Write a scenario whose policy is in a file beside it, with a helper beside that."""
    (folder / "helper_of_mine.py").write_text("LEVEL = 1\n")
    arguments = ", ".join(inspect.signature(QueuePolicy.route).parameters)
    (folder / "my_policy.py").write_text(POLICY.format(fault=fault, arguments=arguments))
    path = folder / "mine.toml"
    path.write_text(file.replace('["priority", "fifo"]', '["priority", "my_policy:Mine"]'))
    return path


def points_of(path: Path) -> list[Point]:
    """Return the points of a scenario file."""
    with importable(str(path.parent)):
        return points(read_scenario(path), folder=str(path.parent))
