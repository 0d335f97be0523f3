"""Jobs and their waiting tasks, sorted: what the policies over jobs share."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence, Set
from typing import TYPE_CHECKING

from cluster_sim.model.cluster import tier_of
from cluster_sim.policies.task_base import Setting, TaskScheduling

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["Job", "JobScheduling"]

# A job with more waiting tasks is indexed by server; fewer are looked through.
FEW = 12
# The place of a job in order: tasks in service above, the number of its first task below.
BITS = 50


class Job:
    """A job: the tasks of it that wait, and how many are in service.

    Parameters
    ----------
    number : int
    first_task : int
        Number of its first task; jobs are in the order of their first tasks.
    waiting : set of Task
        Of all jobs; see `Setting`. A task that has left it is dropped when it is met.
    groups : sequence of sequence of int, shape (n_tiers, n_servers)
        As in `Cluster`.

    Attributes
    ----------
    n_waiting, n_running : int
        Kept by `JobScheduling`.
    key : int
        Its place among the jobs that have waiting tasks.
    skips : int
        How often it was passed over, while it is not in line; see `DelayScheduling`.
    """

    __slots__ = (
        "_groups",
        "_n_entered",
        "_near",
        "_tasks",
        "_waiting",
        "first_task",
        "key",
        "n_running",
        "n_waiting",
        "number",
        "skips",
    )

    def __init__(
        self, number: int, first_task: int, waiting: Set[Task], groups: Sequence[Sequence[int]]
    ) -> None:
        self.number = number
        self.first_task = self.key = first_task
        self.n_waiting = self.n_running = self.skips = 0
        self._waiting = waiting
        self._groups = groups
        self._tasks: list[Task] = []  # all of a small job; a large one has them by group
        self._near: list[dict[int, deque[Task]]] = []
        self._n_entered = 0

    def add(self, task: Task) -> None:
        """Take in a waiting task.

        Parameters
        ----------
        task : Task
        """
        self.n_waiting += 1
        if self._near:
            self._enter(task)
            if self._n_entered > 4 * self.n_waiting + 1000:  # most have started since
                self._tasks = [each for each in self._near[-1][0] if each in self._waiting]
                self._near = []
        else:
            self._tasks.append(task)

    def nearest(self, server: int) -> tuple[Task, int] | None:
        """Return the oldest waiting task among those nearest to a server.

        Parameters
        ----------
        server : int

        Returns
        -------
        (Task, int) or None
            The task and its tier there; None if no task of the job waits.
        """
        if self._near or self.n_waiting > FEW:
            return self._look_up(server)
        if len(self._tasks) > self.n_waiting:
            self._tasks = [task for task in self._tasks if task in self._waiting]
        best, best_tier = None, len(self._groups)
        for task in self._tasks:
            tier = tier_of(server, task.replicas, self._groups)
            if tier == 0:
                return task, 0
            if tier < best_tier:
                best, best_tier = task, tier
        return None if best is None else (best, best_tier)

    def _look_up(self, server: int) -> tuple[Task, int] | None:
        if not self._near:
            self._near = [{} for _ in self._groups]
            self._n_entered = 0
            for task in self._tasks:
                if task in self._waiting:
                    self._enter(task)
            self._tasks = []
        for tier, near in enumerate(self._near):
            tasks = near.get(self._groups[tier][server])
            while tasks:
                if tasks[0] in self._waiting:
                    return tasks[0], tier
                tasks.popleft()
        return None

    def _enter(self, task: Task) -> None:
        self._n_entered += 1
        for group, near in zip(self._groups, self._near, strict=True):
            for g in {group[replica] for replica in task.replicas}:
                near.setdefault(g, deque()).append(task)


class JobScheduling(TaskScheduling):
    """Keep the jobs that have waiting tasks in order; a subclass proposes.

    A job is over when none of its tasks waits or runs. If another comes later, it is a new job.

    Parameters
    ----------
    setting : Setting
    is_fair : bool
        Whether the job with the fewest tasks in service comes first, and among these the oldest;
        else the oldest does.

    Attributes
    ----------
    jobs : list of Job
        Those that have waiting tasks, in order.

    Notes
    -----
    The jobs are kept in a sorted list. To find a place takes O(log n), to make or close a gap
    moves at most n pointers at once, in some microseconds for ten thousand jobs.
    """

    def __init__(self, setting: Setting, *, is_fair: bool) -> None:
        self.setting = setting
        self.groups: list[list[int]] = setting.cluster.groups.tolist()
        self.jobs: list[Job] = []
        self._keys: list[int] = []
        self._step = 1 << BITS if is_fair else 0
        self._known: dict[int, Job] = {}

    def accept(self, task: Task, tie: float) -> None:
        """Add a task to its job, and the job to the others if it is new."""
        self.accepted(task)

    def accepted(self, task: Task) -> Job:
        """Add a task to its job and return the job.

        Parameters
        ----------
        task : Task

        Returns
        -------
        Job
        """
        job = self._known.get(task.job)
        if job is None:
            job = self._known[task.job] = Job(
                task.job, task.number, self.setting.waiting, self.groups
            )
        job.add(task)
        if job.n_waiting == 1:
            self._insert(job)
        return job

    def completed(self, task: Task) -> None:
        """Count a task out of service."""
        job = self._known[task.job]
        job.n_running -= 1
        if job.n_waiting:
            self._move(job)
        elif not job.n_running:
            del self._known[task.job]

    def withdrawn(self, task: Task) -> None:
        """Count a task out of those that wait."""
        job = self._known[task.job]
        job.n_waiting -= 1
        if not job.n_waiting:
            self._remove(self.place(job), job)
            if not job.n_running:
                del self._known[task.job]

    def take(self, job: Job) -> None:
        """Take note that a task of a job is proposed, and will start.

        Parameters
        ----------
        job : Job
        """
        job.n_waiting -= 1
        job.n_running += 1
        if job.n_waiting:
            self._move(job)
        else:
            self._remove(self.place(job), job)

    def place(self, job: Job) -> int:
        """Return where a job is in `jobs`.

        Parameters
        ----------
        job : Job

        Returns
        -------
        int
        """
        return bisect_left(self._keys, job.key)

    def _move(self, job: Job) -> None:
        if self._step:
            self._remove(self.place(job), job)
            self._insert(job)

    def _insert(self, job: Job) -> int:
        """Put a job in its place and return that."""
        key = job.key = job.first_task + self._step * job.n_running
        keys = self._keys
        if not keys or key > keys[-1]:
            keys.append(key)
            self.jobs.append(job)
            return len(keys) - 1
        place = bisect_left(keys, key)
        keys.insert(place, key)
        self.jobs.insert(place, job)
        return place

    def _remove(self, place: int, job: Job) -> None:
        del self._keys[place]
        del self.jobs[place]
