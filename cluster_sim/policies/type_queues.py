"""A queue for each task type: what the affinity schedulers share."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from cluster_sim.policies.task_base import Proposal, Setting, TaskScheduling

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["Entry", "TypeQueue", "TypeQueues"]

_Replicas = tuple[int, ...]


class TypeQueue:
    """The waiting tasks of one type, in order of arrival; at least one.

    Parameters
    ----------
    replicas : tuple of int
        The type.

    Attributes
    ----------
    tasks : deque of Task
    version : int
        Counts its entries in the heaps; only the last is valid. 0: it is in none.
    """

    __slots__ = ("replicas", "tasks", "version")

    def __init__(self, replicas: _Replicas) -> None:
        self.replicas = replicas
        self.tasks: deque[Task] = deque()
        self.version = 0


# Least key first, then what tells equal keys apart. Versions tell entries of one queue apart.
Entry = tuple[float, tuple[int, ...], int, TypeQueue]


class TypeQueues(TaskScheduling):
    """The types with waiting tasks, and for each group of servers those near it in order.

    A task type is a replica set. There are C(M, 3) types of three replicas in a cluster of M
    servers; only those with a waiting task have a queue here. Per tier and group of servers there
    is a heap of the types that have a replica in the group, ordered by `key`. An entry that is not
    its queue's last is dropped when it comes up.

    Parameters
    ----------
    setting : Setting
    goes_by_length : bool
        Whether `key` depends on more than the head of a queue.

    Attributes
    ----------
    groups : list of list of int, shape (n_tiers, n_servers)
        As in `Cluster`.
    n_types, most_types : int
        Types with a waiting task, now and at most so far.
    """

    def __init__(self, setting: Setting, *, goes_by_length: bool) -> None:
        self.groups: list[list[int]] = setting.cluster.groups.tolist()
        self.most_types = 0
        self._goes_by_length = goes_by_length
        self._queues: dict[_Replicas, TypeQueue] = {}
        # One heap a group: the groups of each tier begin at an offset.
        sizes = [max(group) + 1 for group in self.groups]
        self._offsets = [sum(sizes[:tier]) for tier in range(len(sizes))]
        self._heaps: list[list[Entry]] = [[] for _ in range(sum(sizes))]
        self._n_entries, self._n_entries_most = 0, 4096
        self._n_versions = 0

    @property
    def n_types(self) -> int:
        """Types with a waiting task."""
        return len(self._queues)

    def queues(self) -> Iterable[TypeQueue]:
        """Return the queues, one of each type with a waiting task.

        Returns
        -------
        iterable of TypeQueue
        """
        return self._queues.values()

    def queue_of(self, replicas: tuple[int, ...]) -> TypeQueue | None:
        """Return the queue of a type; None if no task of it waits.

        Parameters
        ----------
        replicas : tuple of int

        Returns
        -------
        TypeQueue or None
        """
        return self._queues.get(replicas)

    @abstractmethod
    def key(self, queue: TypeQueue, tier: int) -> float | None:
        """Return by what a queue is ordered among those within a tier, least first.

        Parameters
        ----------
        queue : TypeQueue
        tier : int

        Returns
        -------
        float or None
            None: it is not to be offered at that tier.
        """

    def second(self, queue: TypeQueue) -> tuple[int, ...]:
        """Return by what queues of equal keys are ordered: by default the age of their heads.

        Parameters
        ----------
        queue : TypeQueue

        Returns
        -------
        tuple of int
        """
        return (queue.tasks[0].number,)

    @abstractmethod
    def choose(self, server: int, slot: int) -> TypeQueue | None:
        """Return the queue whose head an idle server takes, or None.

        Parameters
        ----------
        server, slot : int

        Returns
        -------
        TypeQueue or None
        """

    def accept(self, task: Task, tie: float) -> None:
        """Add a task to the queue of its type."""
        replicas = tuple(task.replicas)
        queue = self._queues.get(replicas)
        if queue is None:
            queue = self._queues[replicas] = TypeQueue(replicas)
            self.most_types = max(self.most_types, len(self._queues))
        queue.tasks.append(task)
        if self._goes_by_length or len(queue.tasks) == 1:
            self.changed(queue)

    def withdrawn(self, task: Task) -> None:
        """Take a task out of the queue of its type."""
        queue = self._queues[tuple(task.replicas)]
        queue.tasks.remove(task)
        if queue.tasks:
            self.changed(queue)
        else:
            del self._queues[queue.replicas]
            queue.version = 0

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield for each idle server the head of the queue that it chooses."""
        for server in idle:
            if not self._queues:
                return
            queue = self.choose(server, slot)
            if queue is not None:
                yield server, self.take(queue)

    def take(self, queue: TypeQueue) -> Task:
        """Return the head of a queue, which is to start, and take it out.

        Parameters
        ----------
        queue : TypeQueue

        Returns
        -------
        Task
        """
        task = queue.tasks.popleft()
        if queue.tasks:
            self.changed(queue)
        else:
            del self._queues[queue.replicas]
            queue.version = 0  # its entries are no longer valid
        return task

    def changed(self, queue: TypeQueue) -> None:
        """Give a queue a new entry in every heap where it is to be offered.

        Parameters
        ----------
        queue : TypeQueue
            Not empty.
        """
        self._n_versions += 1
        version = queue.version = self._n_versions
        second = self.second(queue)
        for place, key in self.places(queue):
            heappush(self._heaps[place], (key, second, version, queue))
            self._n_entries += 1
        if self._n_entries > self._n_entries_most:
            self._tidy()

    def places(self, queue: TypeQueue) -> Iterator[tuple[int, float]]:
        """Yield the heaps that a queue belongs into now, with its key in each.

        Parameters
        ----------
        queue : TypeQueue

        Yields
        ------
        (int, float)
        """
        for tier, (group, offset) in enumerate(zip(self.groups, self._offsets, strict=True)):
            key = self.key(queue, tier)
            if key is not None:
                for g in {group[replica] for replica in queue.replicas}:
                    yield offset + g, key

    def add_heaps(self, number: int) -> int:
        """Add heaps for a subclass to use in `places`, and return the number of the first.

        Parameters
        ----------
        number : int

        Returns
        -------
        int
        """
        first = len(self._heaps)
        self._heaps += [[] for _ in range(number)]
        return first

    def first(self, server: int, tier: int) -> tuple[float, TypeQueue] | None:
        """Return the least key of the queues within a tier of a server, and its queue.

        A queue that is offered at an outer tier may be near; its key at the inner tier counts.

        Parameters
        ----------
        server, tier : int

        Returns
        -------
        (float, TypeQueue) or None
        """
        found = self.top(self._offsets[tier] + self.groups[tier][server])
        return None if found is None else (found[0], found[3])

    def top(self, place: int) -> Entry | None:
        """Return the first valid entry of a heap.

        Parameters
        ----------
        place : int

        Returns
        -------
        tuple or None
            Key, what tells equal keys apart, version, queue.
        """
        heap = self._heaps[place]
        while heap:
            entry = heap[0]
            if entry[3].version == entry[2]:
                return entry
            heappop(heap)
            self._n_entries -= 1
        return None

    def _tidy(self) -> None:
        """Drop old entries, so that memory stays with the waiting tasks."""
        self._n_entries = 0
        for heap in self._heaps:
            heap[:] = [entry for entry in heap if entry[3].version == entry[2]]
            heapify(heap)
            self._n_entries += len(heap)
        self._n_entries_most = 2 * self._n_entries + 4096
