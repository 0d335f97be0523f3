"""Delay scheduling: a job waits for a server with its data, but only for so many offers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.jobs import Job, JobScheduling
from cluster_sim.policies.task_base import Proposal, Setting, TaskPolicy

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["Delay", "DelayScheduling"]

NEVER = 2**62  # more offers than a run has


@final
@dataclass(frozen=True)
class Delay(TaskPolicy):
    """Fair sharing in which a job without local work is passed over, up to a number of offers.

    For an idle server, the jobs are gone through by fewest running tasks, then by age. The first
    that has a local task starts it, and its count of skips is reset. A job without one starts its
    nearest task all the same if it has been skipped often enough for that tier; else it is skipped
    once more. So non-locality falls exponentially in the number of skips.

    Parameters
    ----------
    rack_skips : "auto" or float
        D1, skips after which a job may start a task on a server of the same rack (the nearest tier
        after local). At most `skips`. ``"auto"`` is half of `skips`.
    skips : "auto" or float
        D2, skips after which a job may start a task anywhere; ``inf``: never. ``"auto"`` is the
        number of servers: every server has been offered once, on average.

    Notes
    -----
    An offer is one idle server in one slot. The skip count is reset by a local start only. With
    more tiers between, their thresholds are spaced evenly between the two. A job whose data are
    on a fraction f of the servers starts without locality with a probability of about (1 - f)^D.

    References
    ----------
    Zaharia et al., "Delay scheduling: a simple technique for achieving locality and fairness in
    cluster scheduling", EuroSys 2010, Algorithm 2; section 3.4 for D, section 5 for the two levels.
    """

    name: ClassVar[str] = "delay"
    title: ClassVar[str] = "Delay scheduling: fair sharing that waits some offers for local servers"
    paper: ClassVar[str] = "Zaharia et al., Delay Scheduling, EuroSys 2010, Algorithm 2"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "non-locality falls exponentially in the skips where jobs wait for an offer, not where "
        "their servers are a hot spot",
    )

    rack_skips: Literal["auto"] | float = "auto"
    skips: Literal["auto"] | float = "auto"

    def __post_init__(self) -> None:
        """Check both numbers."""
        for name in ("rack_skips", "skips"):
            value = getattr(self, name)
            if value != "auto" and not (is_number(value) and value >= 0):
                raise ScenarioError(
                    f'{name} = {value!r}: must be "auto", or a number of offers from 0 to inf'
                )
        if self.skips != "auto" and self.rack_skips != "auto" and self.rack_skips > self.skips:
            raise ScenarioError(
                f"rack_skips = {self.rack_skips}: must be at most skips ({self.skips}): a job may "
                "start within a rack sooner than anywhere; raise skips"
            )

    def thresholds(self, n_servers: int, n_tiers: int) -> list[int]:
        """Return the skips after which a job may start a task at each tier.

        Parameters
        ----------
        n_servers, n_tiers : int

        Returns
        -------
        list of int, length n_tiers
            Never decreasing, 0 for local; `NEVER` in place of infinity.

        Examples
        --------
        >>> Delay(rack_skips=10, skips=30).thresholds(100, 4)
        [0, 10, 20, 30]
        >>> Delay().thresholds(100, 2), Delay(skips=float("inf")).thresholds(100, 3)
        ([0, 100], [0, 4611686018427387904, 4611686018427387904])
        """
        most = float(n_servers) if self.skips == "auto" else float(self.skips)
        rack = most / 2 if self.rack_skips == "auto" else min(float(self.rack_skips), most)
        between = n_tiers - 2  # steps from the first tier after local to the last
        values = [0.0, *([rack] * (between > 0))]
        values += [(rack * (between - i) + most * i) / between for i in range(1, between)]
        values.append(most)
        return [NEVER if math.isinf(value) else math.ceil(value) for value in values]

    def begin(self, setting: Setting) -> DelayScheduling:
        """Return the jobs of a run, with their skips."""
        return DelayScheduling(setting, self)


class DelayScheduling(JobScheduling):
    """The jobs in fair order, the skips of each, and which jobs may have local work where.

    The rule goes through all jobs before the one that starts. That is done at once: their skips
    stand in one array, in the order of the jobs. The first job with a local task is found from a
    list of the jobs that each server has had tasks of.

    Parameters
    ----------
    setting : Setting
    policy : Delay
    """

    def __init__(self, setting: Setting, policy: Delay) -> None:
        super().__init__(setting, is_fair=True)
        cluster = setting.cluster
        self._thresholds = policy.thresholds(cluster.n_servers, cluster.n_tiers)
        self._soonest = self._thresholds[1]
        self._skips: npt.NDArray[np.int64] = np.zeros(64, dtype=np.int64)
        self._most_skips = 0  # no job in line has more
        self._at: list[dict[Job, None]] = [{} for _ in range(cluster.n_servers)]
        self._n_at, self._n_at_most = 0, 4096

    def accept(self, task: Task, tie: float) -> None:
        """Add a task to its job, and note where it is local."""
        job = self.accepted(task)
        for server in task.replicas:
            self._at[server][job] = None
        self._n_at += len(task.replicas)
        if self._n_at > self._n_at_most:
            self._tidy()

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield a start for each idle server that some job accepts."""
        for server in idle:
            if not self.jobs:
                return
            found = self._first_to_accept(server)
            if found is not None:
                job, task, is_local = found
                if is_local:
                    self._skips[self.place(job)] = 0
                self.take(job)
                yield server, task

    def _first_to_accept(self, server: int) -> tuple[Job, Task, bool] | None:
        """Return the job that starts a task on a server, and count the skips of those before."""
        if self._skips[0] >= self._thresholds[-1]:  # the first job has been patient for long
            near = self.jobs[0].nearest(server)
            return None if near is None else (self.jobs[0], near[0], near[1] == 0)
        found = self._first_local(server)
        n_before = len(self.jobs) if found is None else self.place(found[0])
        if self._most_skips >= self._soonest and n_before:
            far = self._first_impatient(server, n_before)
            if far is not None:
                n_before, found = far[0], far[1:]
        if n_before:
            self._skips[:n_before] += 1
            self._most_skips += 1
        return found

    def _first_local(self, server: int) -> tuple[Job, Task, bool] | None:
        """Return the first job in line that has a local task for a server."""
        best, best_task, gone = None, None, []
        for job in self._at[server]:
            near = job.nearest(server) if job.n_waiting else None
            if near is None or near[1]:
                gone.append(job)
            elif best is None or job.key < best.key:
                best, best_task = job, near[0]
        for job in gone:
            del self._at[server][job]
        return None if best is None or best_task is None else (best, best_task, True)

    def _first_impatient(self, server: int, n: int) -> tuple[int, Job, Task, bool] | None:
        """Return the first of n jobs that has been skipped often enough to run at a farther tier.

        None of the n has a local task for the server.
        """
        skips = self._skips[:n]
        self._most_skips = max(
            int(skips.max()), int(self._skips[n : len(self.jobs)].max(initial=0))
        )
        for place in np.flatnonzero(skips >= self._soonest).tolist():
            job = self.jobs[place]
            near = job.nearest(server)
            if near is not None and skips[place] >= self._thresholds[near[1]]:
                return place, job, near[0], False
        return None

    def _tidy(self) -> None:
        """Forget the jobs that no longer wait; the lists of busy servers would grow otherwise."""
        self._n_at = 0
        for server, jobs in enumerate(self._at):
            self._at[server] = {job: None for job in jobs if job.n_waiting}
            self._n_at += len(self._at[server])
        self._n_at_most = 2 * self._n_at + 4096

    def _insert(self, job: Job) -> int:
        place, n = super()._insert(job), len(self.jobs)
        if n > len(self._skips):
            self._skips = np.concatenate((self._skips, np.zeros_like(self._skips)))
        if place < n - 1:
            self._skips[place + 1 : n] = self._skips[place : n - 1].copy()
        self._skips[place] = job.skips
        self._most_skips = max(self._most_skips, job.skips)
        return place

    def _remove(self, place: int, job: Job) -> None:
        job.skips = int(self._skips[place])
        n = len(self.jobs)
        if place < n - 1:
            self._skips[place : n - 1] = self._skips[place + 1 : n].copy()
        super()._remove(place, job)
