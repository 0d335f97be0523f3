"""What one run showed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.recording.disruptions import FailureRecord, ReplicationRecord
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.series import Series

__all__ = ["RunResult"]


@dataclass(frozen=True, eq=False)
class RunResult:
    """The measurements of one replication.

    Task averages are over the tasks that *complete* in slots ``warmup`` to ``slots`` - 1, time
    averages over the observation points of the same slots. Counting at completion samples the
    departures without leaving out long tasks.

    Parameters
    ----------
    slots, warmup : int
        Slots simulated, and those left out of the averages at the start.
    n_arrivals, n_completed, n_in_system : int
        Over the whole run: arrived = completed + in system, and + `n_failed` where chunks may be
        lost.
    completion_times, waiting_times : Histogram
        Slots from arrival to completion, and from arrival to start.
    starts : int64 array, shape (n_tiers,)
        Services started after the warm-up, per tier.
    busy : int64 array, shape (n_servers,)
        Slots that each server was busy after the warm-up.
    in_system_sum, waiting_sum : int
        Tasks in the system, and waiting, summed over the observation points.
    n_bound_hits : int
        Slots whose arrivals reached the bound C_A.
    series : Series
        The state over the whole run, thinned.
    counts_service : bool
        Whether queue lengths count tasks in service (the reading `queue_length`).
    failures : FailureRecord or None
        Where servers may break down.
    replication : ReplicationRecord or None
        Where a scheme may move replicas.
    """

    slots: int
    warmup: int
    n_arrivals: int
    n_completed: int
    n_in_system: int
    completion_times: Histogram
    waiting_times: Histogram
    starts: npt.NDArray[np.int64]
    busy: npt.NDArray[np.int64]
    in_system_sum: int
    waiting_sum: int
    n_bound_hits: int
    series: Series
    counts_service: bool
    failures: FailureRecord | None = None
    replication: ReplicationRecord | None = None

    def __eq__(self, other: object) -> bool:
        """Return whether both runs showed exactly the same."""
        return isinstance(other, RunResult) and all(
            np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            for mine, theirs in (
                (getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__
            )
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def n_failed(self) -> int:
        """Tasks that left without service, over the whole run."""
        return 0 if self.failures is None else self.failures.n_failed

    @property
    def n_slots_measured(self) -> int:
        """Observation points after the warm-up."""
        return self.slots - self.warmup

    def _per_slot(self, total: float) -> float:
        return total / self.n_slots_measured if self.n_slots_measured else float("nan")

    @property
    def mean_completion_time(self) -> float:
        """Mean slots from arrival to completion; nan if no task completed after the warm-up."""
        return self.completion_times.mean

    @property
    def mean_waiting_time(self) -> float:
        """Mean slots from arrival to start; nan if no task completed after the warm-up."""
        return self.waiting_times.mean

    @property
    def mean_in_system(self) -> float:
        """Tasks in the system at the observation point, mean over slots."""
        return self._per_slot(self.in_system_sum)

    @property
    def mean_waiting(self) -> float:
        """Tasks waiting at the observation point, mean over slots."""
        return self._per_slot(self.waiting_sum)

    @property
    def mean_queue_length(self) -> float:
        """Sum of the lengths at the observation point, mean over slots, by `queue_length`."""
        return self.mean_in_system if self.counts_service else self.mean_waiting

    @property
    def locality(self) -> npt.NDArray[np.float64]:
        """Fraction of starts per tier, float64 array, shape (n_tiers,); nan if nothing started."""
        total = self.starts.sum()
        return self.starts / total if total else np.full(len(self.starts), np.nan)

    @property
    def utilisation(self) -> float:
        """Fraction of server-slots that were busy."""
        return self._per_slot(float(self.busy.sum())) / len(self.busy)

    @property
    def throughput(self) -> float:
        """Tasks completed per slot after the warm-up."""
        return self._per_slot(self.completion_times.total)
