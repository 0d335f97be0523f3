"""Sparrow's late binding: a task leaves reservations at servers and runs where one comes up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.task_base import Proposal, Setting, TaskPolicy, TaskScheduling

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["LateBinding", "Sparrow"]


@final
@dataclass(frozen=True)
class Sparrow(TaskPolicy):
    """A task reserves a place at a few of its replicas; the first server free for it takes it.

    It never runs where its chunk is not. With one probe this is `random-local`; with a probe at
    each replica a server takes its oldest local task.

    Parameters
    ----------
    probes : int
        Replicas, drawn at random, at which a task leaves a reservation; all of them if there are
        fewer.

    References
    ----------
    Ousterhout et al., "Sparrow: distributed, low latency scheduling", SOSP 2013, sections 3.3 and
    3.5 (late binding; tasks with constraints, probe ratio 2). Messages take no time here.
    """

    name: ClassVar[str] = "sparrow"
    title: ClassVar[str] = "Sparrow: reservations at a few replicas, bound late"
    paper: ClassVar[str] = "Ousterhout et al., Sparrow, SOSP 2013"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "never runs a task remotely, so it loses capacity wherever load is uneven",
    )

    probes: int = 2

    def __post_init__(self) -> None:
        """Check the number."""
        if not (is_number(self.probes) and self.probes >= 1 and self.probes % 1 == 0):
            raise ScenarioError(f"probes = {self.probes!r}: must be a whole number, at least 1")

    def begin(self, setting: Setting) -> LateBinding:
        """Return the reservations of a run."""
        return LateBinding(setting, int(self.probes))


class LateBinding(TaskScheduling):
    """The reservations at each server, in order of arrival.

    Parameters
    ----------
    setting : Setting
    n_probes : int
    """

    def __init__(self, setting: Setting, n_probes: int) -> None:
        self._waiting = setting.waiting
        self._n_probes = n_probes
        self._reserved: list[deque[Task]] = [deque() for _ in range(setting.cluster.n_servers)]
        self._n_reserved = 0

    def accept(self, task: Task, tie: float) -> None:
        """Leave reservations at replicas drawn by the task's tie."""
        left = list(task.replicas)
        for _ in range(min(self._n_probes, len(left))):
            # What is left of the uniform after a choice is uniform again.
            tie *= len(left)
            choice = int(tie)
            tie -= choice
            self._reserved[left.pop(choice)].append(task)
            self._n_reserved += 1
        if self._n_reserved > 2 * self._n_probes * len(self._waiting) + 4096:
            self._tidy()

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield for each idle server its oldest reservation whose task still waits."""
        waiting = self._waiting
        for server in idle:
            if not waiting:
                return
            reserved = self._reserved[server]
            while reserved:
                task = reserved.popleft()
                self._n_reserved -= 1
                if task in waiting:
                    yield server, task
                    break

    def _tidy(self) -> None:
        """Drop what has started elsewhere, so that memory stays with the waiting tasks."""
        self._n_reserved = 0
        for server, reserved in enumerate(self._reserved):
            self._reserved[server] = deque(task for task in reserved if task in self._waiting)
            self._n_reserved += len(self._reserved[server])
