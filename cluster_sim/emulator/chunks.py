"""The chunks of a run in which replicas change: which task reads which, and where each is now."""

from __future__ import annotations

from typing import cast

from cluster_sim.model.replicas import ReplicaMap
from cluster_sim.model.task import Task, TrackedTask
from cluster_sim.model.workload import placed_chunks
from cluster_sim.system import System

__all__ = ["ChunkStore"]


class ChunkStore:
    """The replica map, and the tasks' part in it.

    Where tasks share chunks, all of these are on disk from the beginning. Else each task has a
    chunk of its own, which is on disk from its arrival until it has been read.

    Parameters
    ----------
    system : System

    Attributes
    ----------
    replicas : ReplicaMap
    n_wanted : dict of int to int
        Replicas that a chunk had in the beginning, and is to have.
    n_initial : int
        Replicas in the beginning.
    """

    def __init__(self, system: System) -> None:
        self.replicas = ReplicaMap(system.cluster.n_servers)
        self.n_wanted: dict[int, int] = {}
        placed = placed_chunks(system.workload)
        self._is_shared = placed is not None
        for chunk, row in enumerate([] if placed is None else placed.tolist()):
            servers = [server for server in row if server >= 0]
            self.replicas.add_chunk(chunk, servers)
            self.n_wanted[chunk] = len(servers)
        self.n_initial = self.replicas.n_replicas

    def take_in(self, task: Task) -> bool:
        """Let an arriving task have its chunk; return whether that is its own.

        Parameters
        ----------
        task : Task
            With `chunk` where tasks share chunks.

        Returns
        -------
        bool
        """
        if self._is_shared:
            return False
        cast("TrackedTask", task).chunk = task.number
        self.replicas.add_chunk(task.chunk, task.replicas)
        self.n_wanted[task.chunk] = len(task.replicas)
        return True

    def let_go(self, task: Task) -> None:
        """Forget the chunk of a task that has left, if nobody else will read it.

        Parameters
        ----------
        task : Task
        """
        if not self._is_shared:
            self.replicas.forget(task.chunk)
            del self.n_wanted[task.chunk]
