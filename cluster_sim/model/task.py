"""A task on its way through the emulator."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Task"]


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
    job : int
        Number of its job. Set under a task policy only: queue policies know no jobs.
    queue : int
        The queue it joined; unset before.
    server, start, tier, service : int
        Who runs it, since when, at which tier, for how many slots; unset before it starts.
    """

    __slots__ = (
        "arrival",
        "job",
        "luck",
        "number",
        "queue",
        "replicas",
        "server",
        "service",
        "start",
        "tier",
    )

    job: int
    queue: int
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
