"""The contract of a task policy: it sees every waiting task and proposes who starts what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster_sim.policies.base import SHARED, Policy, PolicyKind

if TYPE_CHECKING:
    from cluster_sim.model.cluster import Cluster
    from cluster_sim.model.task import Task

__all__ = ["Proposal", "Setting", "TaskPolicy", "TaskScheduling"]

Proposal = tuple[int, "Task"]
"""A server, and the task that it is to start."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What the scheduling of a run is given before the first task arrives.

    Parameters
    ----------
    cluster : Cluster
        As the scheduler is told: estimated rates, and no speeds of servers.
    waiting : set of Task
        The tasks that wait now. The scheduler keeps it: a task enters before `accept` is called
        for it and leaves when its start is performed.
    tie : callable
        From slot and server to a uniform on [0, 1), independent of all others. With the tie of
        `accept` it is the only randomness to use.
    tie_break : int
        `choices.UNIFORMLY`, `LOCAL_FIRST` or `BY_INDEX`, for rules that leave ties open.
    """

    cluster: Cluster
    waiting: Set[Task]
    tie: Callable[[int, int], float]
    tie_break: int


class TaskScheduling(ABC):
    """The state of a task policy in one run; `TaskPolicy.begin` makes it."""

    @abstractmethod
    def accept(self, task: Task, tie: float) -> None:
        """Take note of a task that has arrived and waits.

        Parameters
        ----------
        task : Task
            With `job`, the number of its job.
        tie : float
            The task's own uniform on [0, 1), the same under every policy.
        """

    @abstractmethod
    def propose(self, slot: int, idle: Iterable[int]) -> Iterable[Proposal]:
        """Yield the starts of a slot, one after another.

        Each is performed before the next is asked for, so `Setting.waiting` is up to date when a
        generator goes on. It is called in slots in which a task waits.

        Parameters
        ----------
        slot : int
        idle : iterable of int
            The idle servers in the order of `dispatch_order`. The order is drawn only as far as it
            is read.

        Yields
        ------
        (int, Task)
            An idle server and a waiting task. A server may be left idle, a task may be left
            waiting. The scheduler refuses what cannot be done.
        """

    def completed(self, task: Task) -> None:  # noqa: B027 - many need not know
        """Take note of a task that has completed. By default nothing is done.

        Parameters
        ----------
        task : Task
        """

    def aborted(self, task: Task) -> None:
        """Take note of a task whose server broke down: it runs no longer, and is not done.

        It will be handed to `accept` again, as another object of the same number. By default it is
        treated as completed, which is right for who counts running tasks.

        Parameters
        ----------
        task : Task
        """
        self.completed(task)

    def withdrawn(self, task: Task) -> None:  # noqa: B027 - many drop it when they meet it
        """Take note of a task that no longer waits, and has not started.

        Its chunk has moved, or cannot be read for now. It will be handed to `accept` again, as
        another object of the same number. It has left `Setting.waiting`, and a proposal that names
        it is passed over, so by default nothing is done. Who counts waiting tasks counts it out.

        Parameters
        ----------
        task : Task
        """


@dataclass(frozen=True)
class TaskPolicy(Policy):
    """A scheduling algorithm over jobs, or over the whole assignment of tasks to servers.

    A subclass is a frozen dataclass; its fields are its parameters, as those of a `QueuePolicy`.
    The tasks wait in one pool, which counts as one queue of nobody. A task policy is plain Python
    with any data structures, so only the SimPy engine runs it.
    """

    kind = PolicyKind.TASK

    def owners(self, n_servers: int, n_tiers: int) -> Sequence[int]:
        """Return the one queue of nobody, the pool of waiting tasks."""
        return [SHARED]

    @abstractmethod
    def begin(self, setting: Setting) -> TaskScheduling:
        """Return the state for a new run.

        Parameters
        ----------
        setting : Setting

        Returns
        -------
        TaskScheduling
        """
