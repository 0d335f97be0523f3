"""MaxWeight with a queue for each task type: the generalised c-mu rule with power costs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, ClassVar, final

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import Guarantee, Optimality, in_proportion
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.task_base import Proposal, Setting, TaskPolicy, TaskScheduling

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["MaxWeightTypes", "TypeQueues"]


@final
@dataclass(frozen=True)
class MaxWeightTypes(TaskPolicy):
    """An idle server takes the head of the type of the largest Q^power times rate.

    A task type is a replica set. Ties go to the nearer tier, then to the oldest head. There are
    C(M, 3) types of three replicas in a cluster of M servers, which the paper calls impractical:
    ``scenarios/queue_per_type.py`` counts them. Here only types with a waiting task have a queue.

    Parameters
    ----------
    power : float
        The marginal cost of a queue of length Q is Q^power. 1, quadratic cost, is MaxWeight;
        0, linear cost, is the c-mu rule: nearest first.

    Notes
    -----
    The rule is ``argmax_L C'(Q_L) mu(L, m)``, where mu is the rate of the tier of server m for type
    L, and ``C(Q) = Q^(power + 1) / (power + 1)``. Q counts waiting tasks.

    References
    ----------
    Mandelbaum and Stolyar, "Scheduling flexible servers with convex delay costs: heavy-traffic
    optimality of the generalized c-mu rule", Operations Research 52(6), 2004. The paper, section 1,
    on queues per task type.
    """

    name: ClassVar[str] = "maxweight-types"
    title: ClassVar[str] = "Generalised c-mu (MaxWeight) over a queue per task type"
    paper: ClassVar[str] = "Mandelbaum and Stolyar, Operations Research 52(6), 2004"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.CONDITIONAL,
        Optimality.CONDITIONAL,
        "throughput-optimal with power = 1; in heavy traffic it minimises the power cost, not the "
        "mean delay, and under complete resource pooling",
    )

    power: float = 1.0

    def __post_init__(self) -> None:
        """Check the power."""
        if not (is_number(self.power) and 0 <= self.power < math.inf):
            raise ScenarioError(
                f"power = {self.power!r}: must be a number from 0 on; 1 is MaxWeight"
            )

    def begin(self, setting: Setting) -> TypeQueues:
        """Return the queues of a run."""
        return TypeQueues(setting, float(self.power))


class _TypeQueue:
    """The waiting tasks of one type, and its present entry in the heaps."""

    __slots__ = ("entry", "replicas", "tasks")

    def __init__(self, replicas: tuple[int, ...]) -> None:
        self.replicas = replicas
        self.tasks: deque[Task] = deque()
        self.entry: _Entry | None = None


# Least first: minus the marginal cost, the number of the head, the queue.
_Entry = tuple[float, int, _TypeQueue]


class TypeQueues(TaskScheduling):
    """The types with waiting tasks, and for each group of servers the best type near it.

    Per tier and group there is a heap of the types that have a replica in the group. An entry that
    is not its queue's present one is dropped when it comes up.

    Parameters
    ----------
    setting : Setting
    power : float

    Attributes
    ----------
    n_types, most_types : int
        Types with a waiting task, now and at most so far.
    """

    def __init__(self, setting: Setting, power: float) -> None:
        cluster = setting.cluster
        self._power = power
        self._groups: list[list[int]] = cluster.groups.tolist()
        self._rates = in_proportion(cluster.rates)
        self._queues: dict[tuple[int, ...], _TypeQueue] = {}
        self._heaps: list[list[list[_Entry]]] = [
            [[] for _ in range(max(group) + 1)] for group in self._groups
        ]
        self._n_entries, self._n_entries_most = 0, 4096
        self.most_types = 0

    @property
    def n_types(self) -> int:
        """Types with a waiting task."""
        return len(self._queues)

    def accept(self, task: Task, tie: float) -> None:
        """Add a task to the queue of its type."""
        replicas = tuple(task.replicas)
        queue = self._queues.get(replicas)
        if queue is None:
            queue = self._queues[replicas] = _TypeQueue(replicas)
            self.most_types = max(self.most_types, len(self._queues))
        queue.tasks.append(task)
        self._enter(queue)

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield for each idle server the head of the type of the largest weight."""
        for server in idle:
            queue = self._best(server)
            if queue is None:
                return
            task = queue.tasks.popleft()
            if queue.tasks:
                self._enter(queue)
            else:
                queue.entry = None
                del self._queues[queue.replicas]
            yield server, task

    def _best(self, server: int) -> _TypeQueue | None:
        # A type met at an outer tier may be near; then the inner tier has offered it already.
        best, most = None, -1.0
        for rate, group, heaps in zip(self._rates, self._groups, self._heaps, strict=True):
            heap = heaps[group[server]]
            while heap and heap[0][2].entry is not heap[0]:
                heappop(heap)
                self._n_entries -= 1
            if heap and -heap[0][0] * rate > most:
                most, best = -heap[0][0] * rate, heap[0][2]
        return best

    def _enter(self, queue: _TypeQueue) -> None:
        """Give a queue a new entry in every heap that it belongs to."""
        length = len(queue.tasks)
        marginal = length if self._power == 1.0 else length**self._power
        entry = queue.entry = (-marginal, queue.tasks[0].number, queue)
        for group, heaps in zip(self._groups, self._heaps, strict=True):
            for g in {group[replica] for replica in queue.replicas}:
                heappush(heaps[g], entry)
                self._n_entries += 1
        if self._n_entries > self._n_entries_most:
            self._tidy()

    def _tidy(self) -> None:
        """Drop old entries, so that memory stays with the waiting tasks."""
        self._n_entries = 0
        for heaps in self._heaps:
            for heap in heaps:
                heap[:] = [entry for entry in heap if entry[2].entry is entry]
                heapify(heap)
                self._n_entries += len(heap)
        self._n_entries_most = 2 * self._n_entries + 4096
