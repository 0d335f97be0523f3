"""The observer behind every result: histograms, tiers, utilisation, queues, a thinned series."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from cluster_sim.model.task import Task
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.recording.series import Thinning

__all__ = ["Measurements"]


class Measurements(Observer):
    """Measure a run in memory that does not grow with the number of tasks.

    Parameters
    ----------
    n_servers, n_tiers : int
    slots, warmup : int
    series_points : int
        See `Thinning`.
    """

    def __init__(
        self, n_servers: int, n_tiers: int, *, slots: int, warmup: int, series_points: int
    ) -> None:
        self._slots, self._warmup = slots, warmup
        self._completion_times: defaultdict[int, int] = defaultdict(int)
        self._waiting_times: defaultdict[int, int] = defaultdict(int)
        self._starts = [0] * n_tiers
        self._busy = [0] * n_servers
        self._in_system_sum = self._waiting_sum = 0  # over the whole run
        self._sums_at_warmup: tuple[int, int] | None = None
        self._n_completed = self._n_failed = 0
        self._thinning = Thinning(series_points)

    def completion(self, task: Task) -> None:
        """Count the task's times and its service."""
        start, service = task.start, task.service
        end = start + service
        if start >= self._warmup:
            self._starts[task.tier] += 1
            self._busy[task.server] += service
        elif end > self._warmup:
            self._busy[task.server] += end - self._warmup
        self._n_completed += 1
        if end >= self._warmup:
            self._completion_times[end - task.arrival] += 1
            self._waiting_times[start - task.arrival] += 1

    def displaced(self, task: Task, slot: int) -> None:
        """Count the slots of a run that is lost; the server was busy in them."""
        if hasattr(task, "start"):
            self._busy[task.server] += max(slot - max(task.start, self._warmup), 0)

    def failed(self, task: Task, slot: int) -> None:  # noqa: ARG002
        """Count a task that left without service."""
        self._n_failed += 1

    def close(self, state: StateView) -> None:
        """Count the services still running, up to the end of the run."""
        for task in state.running:
            if task is not None:
                self._starts[task.tier] += task.start >= self._warmup
                self._busy[task.server] += self._slots - max(task.start, self._warmup)

    def observe(self, slot: int, state: StateView) -> None:
        """Sum the state, and keep it in the series if its turn has come."""
        in_system = state.n_waiting + state.n_in_service
        if slot == self._warmup:
            self._sums_at_warmup = (self._in_system_sum, self._waiting_sum)
        if slot == self._thinning.next_slot:
            self._thinning.offer(
                slot,
                in_system,
                state.n_waiting,
                arrived=self._n_completed + self._n_failed + in_system,
                in_system_sum=self._in_system_sum,
                waiting_sum=self._waiting_sum,
            )
        self._in_system_sum += in_system
        self._waiting_sum += state.n_waiting

    def fields(self) -> dict[str, Any]:
        """Return what was measured, as fields of a `RunResult`.

        Returns
        -------
        dict
        """
        sums = (self._in_system_sum, self._waiting_sum)
        before = sums if self._sums_at_warmup is None else self._sums_at_warmup
        return {
            "n_completed": self._n_completed,
            "completion_times": Histogram.of(self._completion_times),
            "waiting_times": Histogram.of(self._waiting_times),
            "starts": np.array(self._starts, dtype=np.int64),
            "busy": np.array(self._busy, dtype=np.int64),
            "in_system_sum": sums[0] - before[0],
            "waiting_sum": sums[1] - before[1],
            "series": self._thinning.series(),
        }
