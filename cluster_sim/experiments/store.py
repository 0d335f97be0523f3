"""The results of sweeps in one SQLite file that survives being killed."""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cluster_sim.errors import ResultsError
from cluster_sim.experiments.encoding import decode
from cluster_sim.experiments.points import NOT_IN_ID, Point
from cluster_sim.experiments.results_file import Lock, connect, plain_words
from cluster_sim.experiments.tasks import Report
from cluster_sim.recording.result import RunResult

__all__ = ["COLUMNS", "Failure", "Kept", "Row", "Store"]

COLUMNS = (
    "engine",
    "load",
    "rate",
    "capacity",
    "slots",
    "warmup",
    "warmup_method",
    "n_arrivals",
    "n_completed",
    "n_in_system",
    "mean_completion_time",
    "mean_waiting_time",
    "p50",
    "p90",
    "p99",
    "p999",
    "local",
    "utilisation",
    "mean_in_system",
    "mean_waiting",
    "growth",
)
"""The headline numbers of a replication, each a column of the table `results`."""

_INSERT = (
    f"INSERT OR IGNORE INTO results (point_id, replication, seed, {', '.join(COLUMNS)}, result, "
    f"wall_seconds, worker, finished_at) VALUES ({', '.join('?' * (len(COLUMNS) + 7))})"
)
_INSERT_FAILURE = (
    "INSERT INTO failures VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?) "
    "ON CONFLICT (point_id, replication) DO UPDATE SET error = excluded.error, "
    "trace = excluded.trace, n_attempts = n_attempts + 1, wall_seconds = excluded.wall_seconds, "
    "worker = excluded.worker, failed_at = excluded.failed_at"
)
_LAST_SWEEP = "last sweep"  # in the table `meta`: the ids of its points, in order
_MAY_MISS = {"p50", "p90", "p99", "p999"}  # whole numbers: missing is None, not nan


@dataclass(frozen=True)
class Row:
    """The headline numbers of a replication.

    Parameters
    ----------
    point_id : str
    replication : int
    seed : int
    columns : dict of str to object
        By the names of `COLUMNS`; nan where nothing was measured.
    wall_seconds : float
    """

    point_id: str
    replication: int
    seed: int
    columns: dict[str, Any]
    wall_seconds: float


@dataclass(frozen=True)
class Failure:
    """A replication that failed.

    Parameters
    ----------
    point_id : str
    replication : int
    seed : int
    error, trace : str
        What was wrong, and the traceback.
    n_attempts : int
        How often it was tried.
    """

    point_id: str
    replication: int
    seed: int
    error: str
    trace: str
    n_attempts: int


@dataclass(frozen=True)
class Kept:
    """What a results file says of a point that has results.

    Parameters
    ----------
    id, version : str
        The id of the point, and of which version of cluster_sim its results are.
    tables : dict of str to object
        Its scenario less what does not decide its results.
    values : dict of str to object
        The swept fields and their values here.
    n_replications : int
        One more than the highest number of a replication that is there.
    """

    id: str
    version: str
    tables: dict[str, Any]
    values: dict[str, Any]
    n_replications: int


class Store:
    """A results file: made or continued by one sweep at a time, read by anyone meanwhile.

    Parameters
    ----------
    path : str or Path
    read_only : bool
        Look, change nothing, and take no lock.

    Raises
    ------
    ResultsError
        If it is no results file, damaged, of a newer format, or another sweep writes to it.
    OSError
        If it cannot be opened.

    Notes
    -----
    The file is in SQLite's write-ahead mode: a commit survives a kill of the process. The last
    commits may be lost if the machine loses power, but not the file. Keep it on a disk of the
    machine that runs the sweep: SQLite's locks are not to be trusted on network file systems.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = os.fspath(path)
        self._lock = None if read_only else Lock(self.path)
        try:
            self._connection = connect(self.path, is_read_only=read_only)
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def register(self, listed: Sequence[Point]) -> None:
        """Say which points are about to be run.

        Parameters
        ----------
        listed : sequence of Point

        Raises
        ------
        ResultsError
            If the file holds results of another version of cluster_sim.
        StorageError
            If they cannot be written.
        """
        from cluster_sim import __version__

        with plain_words(self.path):
            others = [
                version
                for (version,) in self._connection.execute("SELECT DISTINCT version FROM points")
                if version != __version__
            ]
        if others:
            raise ResultsError(
                f"{self.path}: holds results of cluster_sim {', '.join(others)}, and this is "
                f"{__version__}; results of different versions are not mixed: name another file "
                f"with -o, or use cluster_sim {others[0]}"
            )
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO points VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET swept = excluded.swept",
                [
                    (
                        point.id,
                        __version__,
                        json.dumps(_scenario_of(point)),
                        json.dumps(point.values),
                        json.dumps(point.identity),
                    )
                    for point in listed
                ],
            )
            self._connection.execute(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                (_LAST_SWEEP, json.dumps([point.id for point in listed])),
            )

    def add(self, reports: Iterable[Report]) -> None:
        """Keep what came of some tasks, in one commit.

        Parameters
        ----------
        reports : iterable of Report
            A replication that is there already stays as it is.

        Raises
        ------
        StorageError
            If they cannot be written; then none of them is.
        """
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with self._transaction():
            for report in reports:
                key = (report.point_id, report.replication)
                if report.error is not None:
                    what = (str(report.seed), report.error, report.trace or "")
                    row = (*key, *what, report.wall_seconds, report.worker, now)
                    self._connection.execute(_INSERT_FAILURE, row)
                    continue
                columns = [_storable(report.columns[name]) for name in COLUMNS]
                made = (report.result, report.wall_seconds, report.worker, now)
                self._connection.execute(_INSERT, (*key, str(report.seed), *columns, *made))
                self._connection.execute(
                    "DELETE FROM failures WHERE point_id = ? AND replication = ?", key
                )

    def rows(self, listed: Iterable[Point]) -> dict[str, list[Row]]:
        """Return the headline numbers of points.

        Parameters
        ----------
        listed : iterable of Point

        Returns
        -------
        dict of str to list of Row
            From the id of each point to the replications that are there, in order.
        """
        found: dict[str, list[Row]] = {point.id: [] for point in listed}
        query = (
            f"SELECT point_id, replication, seed, {', '.join(COLUMNS)}, wall_seconds "
            "FROM results ORDER BY point_id, replication"
        )
        for point_id, replication, seed, *values, wall in self._select(query):
            if point_id in found:
                columns = {
                    name: math.nan if value is None and name not in _MAY_MISS else value
                    for name, value in zip(COLUMNS, values, strict=True)
                }
                found[point_id].append(Row(point_id, replication, int(seed), columns, wall))
        return found

    def results(self, point: Point) -> list[RunResult]:
        """Return the whole results of a point.

        Parameters
        ----------
        point : Point

        Returns
        -------
        list of RunResult
            One a replication that is there, in order of their numbers.

        Raises
        ------
        ResultsError
            If one of them is damaged.
        """
        query = "SELECT result FROM results WHERE point_id = ? ORDER BY replication"
        return [decode(blob) for (blob,) in self._select(query, point.id)]

    def failures(self, listed: Iterable[Point]) -> list[Failure]:
        """Return what failed of some points and has not succeeded since.

        Parameters
        ----------
        listed : iterable of Point

        Returns
        -------
        list of Failure
            In the order of the points.
        """
        order = {point.id: number for number, point in enumerate(listed)}
        query = "SELECT point_id, replication, seed, error, trace, n_attempts FROM failures"
        found = [
            Failure(point_id, replication, int(seed), *rest)
            for point_id, replication, seed, *rest in self._select(query)
            if point_id in order
        ]
        return sorted(found, key=lambda failure: (order[failure.point_id], failure.replication))

    def kept(self) -> list[Kept]:
        """Return the points that have results.

        Returns
        -------
        list of Kept
            Those of the last sweep first, in its order.
        """
        query = (
            "SELECT id, version, scenario, swept, max(replication) + 1 "
            "FROM points JOIN results ON point_id = id GROUP BY id ORDER BY points.rowid"
        )
        found = [
            Kept(point_id, version, json.loads(tables), json.loads(values), n)
            for point_id, version, tables, values, n in self._select(query)
        ]
        order = {point_id: number for number, point_id in enumerate(self.last_sweep())}
        return sorted(found, key=lambda kept: order.get(kept.id, len(order)))

    def last_sweep(self) -> list[str]:
        """Return the ids of the points of the sweep that was started last, in order.

        Returns
        -------
        list of str
            Empty if the file is of a version that did not note them.
        """
        query = "SELECT value FROM meta WHERE key = ?"
        return [
            point_id for (ids,) in self._select(query, _LAST_SWEEP) for point_id in json.loads(ids)
        ]

    def identities(self) -> dict[str, dict[str, Any]]:
        """Return what the id of each point of the file is a hash of.

        Returns
        -------
        dict of str to dict
        """
        query = "SELECT id, identity FROM points ORDER BY rowid"
        return {point_id: json.loads(identity) for point_id, identity in self._select(query)}

    def _select(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with plain_words(self.path):
            yield from self._connection.execute(query, values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        with plain_words(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _scenario_of(point: Point) -> dict[str, Any]:
    """Return the scenario of a point less what does not decide its results."""
    tables = point.scenario.as_dict()
    tables["run"] = {key: value for key, value in tables["run"].items() if key not in NOT_IN_ID}
    return tables


def _storable(value: Any) -> Any:
    """Return a value as SQLite keeps it; nan becomes NULL."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value
