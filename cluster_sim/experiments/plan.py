"""What a sweep has still to run, and in which order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster_sim.experiments.points import Point
from cluster_sim.experiments.precision import first_round, next_round
from cluster_sim.experiments.statistics import estimate
from cluster_sim.experiments.store import Row, Store
from cluster_sim.experiments.tasks import Report, Task, task_of
from cluster_sim.experiments.warmup import Warmup, WarmupMethod

__all__ = ["Plan", "n_wanted", "warmup_of"]


def n_wanted(point: Point, means: dict[int, float]) -> int:
    """Return how many replications a point is to have, given those it has.

    Parameters
    ----------
    point : Point
    means : dict of int to float
        Mean completion time of each replication that is there.

    Returns
    -------
    int
        ``run.replications``; with a requested precision, the size of the first round that is not
        complete, or of the last one. A function of the replications alone: a sweep that was cut
        off ends with the same ones.
    """
    run = point.scenario.run
    n = first_round(run)
    while run.precision is not None and all(i in means for i in range(n)):
        more = next_round(estimate([means[i] for i in range(n)]), n, run)
        if more == n:
            break
        n = more
    return n


def warmup_of(columns: Mapping[str, Any]) -> Warmup:
    """Return the warm-up of a replication.

    Parameters
    ----------
    columns : mapping
        Its headline numbers.

    Returns
    -------
    Warmup
        Without the series of the pilot run.
    """
    return Warmup(int(columns["warmup"]), WarmupMethod(columns["warmup_method"]))


class _State:
    """How far one point is."""

    def __init__(self, point: Point, rows: Iterable[Row]) -> None:
        self.point = point
        self.means: dict[int, float] = {}
        self.warmup: Warmup | None = None
        self.failed: set[int] = set()
        self.n_out = 0
        for row in rows:
            self.means[row.replication] = float(row.columns["mean_completion_time"])
            self.warmup = warmup_of(row.columns)
        self.n = n_wanted(point, self.means)
        self.todo = deque(i for i in range(self.n) if i not in self.means)

    @property
    def n_done(self) -> int:
        return sum(i < self.n for i in self.means)

    def next(self) -> int | None:
        """Return the replication to run next; None if there is none for now."""
        # The pilot that finds a warm-up is run once: by the first replication, alone.
        is_waiting = self.point.scenario.run.warmup == "auto" and self.warmup is None and self.n_out
        if is_waiting or not self.todo:
            return None
        self.n_out += 1
        return self.todo.popleft()

    def take(self, report: Report) -> None:
        self.n_out -= 1
        if report.error is not None:
            self.failed.add(report.replication)
            return
        self.means[report.replication] = float(report.columns["mean_completion_time"])
        self.warmup = warmup_of(report.columns)
        more = n_wanted(self.point, self.means)
        self.todo.extend(i for i in range(self.n, more) if i not in self.means)
        self.n = max(self.n, more)


class Plan:
    """The replications that are missing, point by point in the order of the sweep.

    Parameters
    ----------
    listed : sequence of Point
    store : Store
        Says what is there.
    """

    def __init__(self, listed: Sequence[Point], store: Store) -> None:
        rows = store.rows(listed)
        self._states = {point.id: _State(point, rows[point.id]) for point in listed}
        self._ready = deque(state for state in self._states.values() if state.todo)
        self._n_done = sum(state.n_done for state in self._states.values())
        self._n_total = sum(state.n for state in self._states.values())

    @property
    def n_done(self) -> int:
        """Replications wanted that are there."""
        return self._n_done

    @property
    def n_failed(self) -> int:
        """Replications that failed since the plan was made."""
        return sum(len(state.failed) for state in self._states.values())

    @property
    def n_total(self) -> int:
        """Replications wanted; a requested precision can raise it on the way."""
        return self._n_total

    def next_task(self) -> Task | None:
        """Return what to run next; None if there is nothing, or nothing for now.

        Returns
        -------
        Task or None
        """
        while self._ready:
            state = self._ready[0]
            replication = state.next()
            if replication is not None:
                return task_of(state.point, replication, state.warmup)
            self._ready.popleft()
        return None

    def take(self, report: Report) -> None:
        """Note what came of a task.

        Parameters
        ----------
        report : Report
        """
        state = self._states[report.point_id]
        done, n = state.n_done, state.n
        state.take(report)
        self._n_done += state.n_done - done
        self._n_total += state.n - n
        if state.todo and state not in self._ready:
            self._ready.appendleft(state)
