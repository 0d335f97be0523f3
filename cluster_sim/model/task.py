"""A task on its way through the emulator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

__all__ = ["JobTask", "Task", "TrackedTask"]


class Task:
    """One task: its chunk, its luck, and what has happened to it so far.

    Attributes
    ----------
    number : int
        Tasks are numbered in order of arrival, from 0.
    arrival : int
        Slot of arrival.
    replicas : sequence of int
        Servers that hold its chunk.
    luck : float
        Uniform from which its service time follows, whatever the rate.
    job
        See `JobTask`.
    chunk, needs, returns
        See `TrackedTask`.
    queue : int
        The queue it joined; unset before.
    server, start, tier, service : int
        Who runs it, since when, at which tier, for how many slots; unset before it starts.
    """

    __slots__ = (
        "arrival",
        "luck",
        "number",
        "queue",
        "replicas",
        "server",
        "service",
        "start",
        "tier",
    )

    chunk: int
    job: int
    needs: list[int]
    queue: int
    returns: int
    server: int
    start: int
    tier: int
    service: int

    def __init__(self, number: int, arrival: int, replicas: Sequence[int], luck: float) -> None:
        self.number = number
        self.arrival = arrival
        self.replicas = replicas
        self.luck = luck
        # The rest is set when it happens: a task is made for every arrival, so this is kept short.

    def anew(self, replicas: Sequence[int]) -> Self:
        """Return the task as it arrived, for one that is to join a queue again.

        Parameters
        ----------
        replicas : sequence of int
            Servers that hold its chunk now.

        Returns
        -------
        Task or TrackedTask
            Of the same number and chunk, arrival, luck and job.
        """
        task = type(self)(self.number, self.arrival, replicas, self.luck)
        for name in ("chunk", "returns", "job", "needs"):
            if hasattr(self, name):
                setattr(task, name, getattr(self, name))
        return task

    def __repr__(self) -> str:
        return f"Task({self.number}, arrived {self.arrival}, chunk on {list(self.replicas)})"

    def story(self) -> str:
        """Return what has happened to the task, in words.

        Returns
        -------
        str
        """
        parts = [
            (
                f"task {self.number} (chunk on servers {list(self.replicas)}) "
                f"arrived in slot {self.arrival}"
            )
        ]
        if hasattr(self, "queue"):
            parts.append(f"joined queue {self.queue}")
        if hasattr(self, "start"):
            parts.append(
                f"started in slot {self.start} on server {self.server} at tier {self.tier}"
            )
            parts.append(f"needs {self.service} slots")
        return ", ".join(parts)


class JobTask(Task):
    """A task that knows its job: under a task policy, for queue policies know no jobs.

    A class of its own, because each place for an attribute makes every task of every run slower.

    Attributes
    ----------
    job : int
        Number of its job.
    """

    __slots__ = ("job",)


class TrackedTask(JobTask):
    """A task of which more must be known than in most runs.

    Attributes
    ----------
    chunk, returns : int
        Number of its chunk, and how often it has had to join a queue anew. Set only where replicas
        change or servers break down.
    needs : list of int
        Slots that it needs at each speed and tier; see `cluster_sim.model.needs`. Unset where they
        follow from `luck` alone.
    """

    __slots__ = ("chunk", "needs", "returns")
