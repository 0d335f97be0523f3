"""Blind GB-PANDAS: the least weighted workload, under rates that are learnt from completions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.cluster import tier_of
from cluster_sim.policies.base import Guarantee, Optimality, in_inverse_proportion
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.choices import BY_INDEX
from cluster_sim.policies.task_base import Proposal, Setting, TaskPolicy, TaskScheduling

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["BlindGBPandas", "LearntWorkloads"]


@final
@dataclass(frozen=True)
class BlindGBPandas(TaskPolicy):
    """Balanced-PANDAS that is told no rates: it estimates them, and explores now and then.

    Each server has a sub-queue for each tier. An arriving task joins where weighted workload over
    rate is least, as in `BalancedPandas`, with the mean of the observed service times of that
    server and tier in place of 1 / rate. With a probability that falls over time it joins a random
    server instead. An idle server takes from its own sub-queues only, the one of least estimated
    service time first; exploring, a random one of them.

    Parameters
    ----------
    exploration : float
        The probability to explore in slot t is ``min(1, exploration / (t + 1)^decay)``. From 0 on.
    decay : float
        Above 0 and at most 1, so that there is no end to exploring.
    told : bool
        Whether the true rates are known from the start, and nothing is learnt: what blindness
        costs. With ``exploration = 0`` this is `BalancedPandas`.

    Notes
    -----
    A server and tier without a completed service is taken for as fast as can be, one slot a task.
    The workload counts tasks in service, whatever the reading `queue_length` says. Ties go to the
    nearer tier, then as in `BalancedPandas`.

    The source learns a rate for each task type and server. Servers here have a rate for each tier,
    so that is what is learnt: nearness is known, speed is not. Its schedule of exploration is not
    known to us in detail; it falls to zero and its sum diverges, as here.

    To compare all servers takes O(M) for each task, some microseconds at M = 1000.

    References
    ----------
    Yekkehkhany and Nagi, "Blind GB-PANDAS: a blind throughput-optimal load balancing algorithm for
    affinity scheduling", IEEE/ACM Transactions on Networking 28(3), 2020 (arXiv:1901.04047).
    """

    name: ClassVar[str] = "blind-gb-pandas"
    title: ClassVar[str] = "Blind GB-PANDAS: the least weighted workload, under rates it learns"
    paper: ClassVar[str] = "Yekkehkhany and Nagi, IEEE/ACM Trans. Networking 28(3), 2020"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.YES,
        Optimality.UNKNOWN,
        "arbitrary service distributions and unknown rates, as exploration never ends "
        "(Yekkehkhany and Nagi 2020); delay by simulation only",
    )

    exploration: float = 1.0
    decay: float = 0.5
    told: bool = False

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not (is_number(self.exploration) and 0 <= self.exploration < float("inf")):
            raise ScenarioError(
                f"exploration = {self.exploration!r}: must be a number from 0 on; 0 never explores"
            )
        if not (is_number(self.decay) and 0 < self.decay <= 1):
            raise ScenarioError(
                f"decay = {self.decay!r}: must be a number above 0 and at most 1; above 1 "
                "exploring would come to an end"
            )
        if not isinstance(self.told, bool):
            raise ScenarioError(f"told = {self.told!r}: must be true or false")

    def probability(self, slot: int) -> float:
        """Return the probability to explore in a slot.

        Parameters
        ----------
        slot : int

        Returns
        -------
        float

        Examples
        --------
        >>> BlindGBPandas().probability(0), BlindGBPandas().probability(99)
        (1.0, 0.1)
        """
        return float(min(1.0, self.exploration / (slot + 1) ** self.decay))

    def begin(self, setting: Setting) -> LearntWorkloads:
        """Return the sub-queues of a run, and what has been learnt."""
        return LearntWorkloads(setting, self)


class LearntWorkloads(TaskScheduling):
    """The sub-queues, the estimated service times, and the weighted workloads under them.

    Parameters
    ----------
    setting : Setting
    policy : BlindGBPandas

    Attributes
    ----------
    times : list of list of float, shape (n_servers, n_tiers)
        Estimated mean service times, slots; up to a common factor if they were told.
    n_observed, observed : int and float array, shape (n_servers, n_tiers)
        Completed services, and their slots in all.
    """

    def __init__(self, setting: Setting, policy: BlindGBPandas) -> None:
        cluster = setting.cluster
        shape = (cluster.n_servers, cluster.n_tiers)
        self._setting, self._policy = setting, policy
        self._groups: list[list[int]] = cluster.groups.tolist()
        self._members = [
            [np.flatnonzero(group == g) for g in range(group.max() + 1)] for group in cluster.groups
        ]
        first = in_inverse_proportion(cluster.rates) if policy.told else (1.0,) * shape[1]
        self.times = [list(first) for _ in range(shape[0])]
        self.n_observed = np.zeros(shape, dtype=np.int64)
        self.observed = np.zeros(shape, dtype=np.int64)
        self._queues: list[list[deque[Task]]] = [
            [deque() for _ in range(shape[1])] for _ in range(shape[0])
        ]
        self._counts = [[0] * shape[1] for _ in range(shape[0])]  # with those in service
        # Weighted workload times service time, by tier and server: a task compares these.
        self._waits: npt.NDArray[np.float64] = np.zeros(shape[::-1])

    def accept(self, task: Task, tie: float) -> None:
        """Let a task join the server where it is expected to be done first, or explore."""
        chance = self._policy.probability(task.arrival)
        if tie < chance:
            server = int(tie / chance * len(self.times))
        else:  # what is left of the uniform is uniform again
            server = self._least(task.replicas, (tie - chance) / (1 - chance) if chance else tie)
        tier = tier_of(server, task.replicas, self._groups)
        self._queues[server][tier].append(task)
        self._counts[server][tier] += 1
        self._weigh(server)

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield for each idle server a task from one of its own sub-queues."""
        for server in idle:
            if not self._setting.waiting:
                return
            tiers = [tier for tier, queue in enumerate(self._queues[server]) if queue]
            if tiers:
                tier = tiers[0] if len(tiers) == 1 else self._tier_to_serve(server, tiers, slot)
                yield server, self._queues[server][tier].popleft()

    def completed(self, task: Task) -> None:
        """Learn from a service."""
        server, tier = task.server, task.tier
        if not self._policy.told:
            self.n_observed[server, tier] += 1
            self.observed[server, tier] += task.service
            mean = self.observed[server, tier] / self.n_observed[server, tier]
            self.times[server][tier] = float(mean)
        self._count_out(server, tier)

    def aborted(self, task: Task) -> None:
        """Count a task out of service; how long it would have taken is not known."""
        self._count_out(task.server, task.tier)

    def withdrawn(self, task: Task) -> None:
        """Take a task out of its sub-queue."""
        for server, queues in enumerate(self._queues):
            for tier, queue in enumerate(queues):
                if task in queue:
                    queue.remove(task)
                    self._count_out(server, tier)
                    return

    def _count_out(self, server: int, tier: int) -> None:
        self._counts[server][tier] -= 1
        self._weigh(server)

    def _weigh(self, server: int) -> None:
        """Compute the weighted workload of a server anew, so that equal queues weigh the same."""
        times = self.times[server]
        workload = 0.0
        for count, time in zip(self._counts[server], times, strict=True):
            workload += count * time
        self._waits[:, server] = [workload * time for time in times]

    def _least(self, replicas: Sequence[int], tie: float) -> int:
        """Return a server of the least weighted workload times service time, the nearest first."""
        near = [np.array(replicas)]  # servers by tier, but for the last
        for tier in range(1, len(self._waits) - 1):
            groups = sorted({self._groups[tier][server] for server in replicas})
            near.append(np.concatenate([self._members[tier][group] for group in groups]))
        waits = self._waits[-1].copy()
        # Estimates need not rise with distance, so a near server counts at its own tier only.
        for tier in range(len(near) - 1, -1, -1):
            waits[near[tier]] = self._waits[tier, near[tier]]
        least = waits.min()
        for servers in near:
            tied = servers[waits[servers] == least]
            if len(tied):
                break
        else:
            tied = np.flatnonzero(waits == least)
        if self._setting.tie_break == BY_INDEX:
            return int(tied.min())
        return int(tied[int(tie * len(tied))])

    def _tier_to_serve(self, server: int, tiers: list[int], slot: int) -> int:
        tie, chance = self._setting.tie(slot, server), self._policy.probability(slot)
        if tie < chance:
            return tiers[int(tie / chance * len(tiers))]
        return min(tiers, key=self.times[server].__getitem__)
