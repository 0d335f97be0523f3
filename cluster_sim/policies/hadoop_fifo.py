"""Hadoop's FIFO scheduler: the oldest job first, its nearest task to whoever is idle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.jobs import JobScheduling
from cluster_sim.policies.task_base import Proposal, Setting, TaskPolicy

__all__ = ["HadoopFifo", "HeadOfLine"]


@final
@dataclass(frozen=True)
class HadoopFifo(TaskPolicy):
    """An idle server takes a task of the oldest job: a local one, else the nearest there is.

    With jobs of one task this is `fifo`, since the oldest job has nothing to choose from.

    References
    ----------
    The default scheduler of Hadoop 0.20, as described in Zaharia et al., "Delay scheduling: a
    simple technique for achieving locality and fairness in cluster scheduling", EuroSys 2010,
    section 2.
    """

    name: ClassVar[str] = "hadoop-fifo"
    title: ClassVar[str] = "Hadoop FIFO: the oldest job's nearest task"
    paper: ClassVar[str] = "the default scheduler of Hadoop 0.20; Zaharia et al. 2010, section 2"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "looks for locality only within the oldest job: small jobs run mostly remotely",
    )

    def begin(self, setting: Setting) -> HeadOfLine:
        """Return the jobs of a run, in order of arrival."""
        return HeadOfLine(setting, is_fair=False)


class HeadOfLine(JobScheduling):
    """Every idle server takes the nearest task of the first job."""

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield the nearest task of the first job for each idle server."""
        for server in idle:
            found = self.jobs[0].nearest(server) if self.jobs else None
            if found is None:
                return
            task, _ = found
            self.take(self.jobs[0])
            yield server, task
