"""Fair sharing with naive locality: the job with the fewest running tasks, its nearest task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.hadoop_fifo import HeadOfLine
from cluster_sim.policies.task_base import Setting, TaskPolicy

__all__ = ["Fair"]


@final
@dataclass(frozen=True)
class Fair(TaskPolicy):
    """An idle server takes a task of the job with the fewest running tasks, the nearest there is.

    Among jobs with equally many, the oldest comes first. The paper's two troubles with it: a small
    job at the head is offered few servers that hold its data (head-of-line scheduling), and a
    server that completes a task of a job is given that job again (sticky slots).

    References
    ----------
    Zaharia et al., "Delay scheduling: a simple technique for achieving locality and fairness in
    cluster scheduling", EuroSys 2010, section 3.2, Algorithm 1. There a task is local or not;
    here nearer is better at every tier.
    """

    name: ClassVar[str] = "fair"
    title: ClassVar[str] = "Fair sharing, naive locality: fewest running tasks, its nearest task"
    paper: ClassVar[str] = "Zaharia et al., Delay Scheduling, EuroSys 2010, Algorithm 1"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "looks for locality only within the job at the head: small jobs run mostly remotely",
    )

    def begin(self, setting: Setting) -> HeadOfLine:
        """Return the jobs of a run, by running tasks."""
        return HeadOfLine(setting, is_fair=True)
