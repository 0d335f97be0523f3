"""The system that an engine runs: cluster, workload, policy, reading, and conditions of service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cluster_sim.errors import PolicyError, ScenarioError
from cluster_sim.model.cluster import LEAST_RATE, Cluster
from cluster_sim.model.failures import Failures
from cluster_sim.model.needs import ServiceNeeds, needs_of
from cluster_sim.model.phased_workload import PhasedWorkload
from cluster_sim.model.readings import Reading, ServiceTier, TieBreak
from cluster_sim.model.service import service_time
from cluster_sim.model.service_times import Geometric, ServiceTimes
from cluster_sim.model.workload import Workload, placed_chunks
from cluster_sim.policies.base import SHARED, Policy, QueuePolicy
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, NO_QUEUE, UNIFORMLY
from cluster_sim.policies.replication.base import ReplicationScheme
from cluster_sim.policies.replication.static import Static

__all__ = ["System", "own_queues", "tie_break_code"]

_STATIC = Static()


@dataclass(frozen=True)
class System:
    """Everything that decides a trajectory, but for the key of its draws and its length.

    Parameters
    ----------
    cluster : Cluster
    workload : Workload
    policy : Policy
        Of either kind; a task policy runs on the SimPy engine only.
    reading : Reading
    service : ServiceTimes
        How long services take at their rates.
    told_rates : tuple of float, length n_tiers, optional
        The rates that the scheduler believes in, local to remote and in any order; the true ones
        where it is left out.
    failures : Failures, optional
        What breaks down; nothing where it is left out.
    replication : ReplicationScheme
        What moves replicas; by default nothing does.
    """

    cluster: Cluster
    workload: Workload
    policy: Policy
    reading: Reading = Reading()
    service: ServiceTimes = field(default_factory=Geometric)
    told_rates: tuple[float, ...] | None = None
    failures: Failures | None = None
    replication: ReplicationScheme = _STATIC

    def __post_init__(self) -> None:
        """Check that the policy's queues belong to servers that exist, and what it is told."""
        self._check_told_rates()
        self._check_replication()
        n_servers, policy = self.cluster.n_servers, self.policy
        owners = list(policy.owners(n_servers, self.cluster.n_tiers))
        if not owners:
            raise PolicyError(f"policy {policy.name!r}: owners() must name at least one queue")
        wrong = [owner for owner in owners if not SHARED <= owner < n_servers]
        if wrong:
            raise PolicyError(
                f"policy {policy.name!r}: owners() names server {wrong[0]}; "
                f"it must name servers from 0 to {n_servers - 1}, or SHARED (-1)"
            )
        if not isinstance(policy, QueuePolicy):
            if self.reading.service_tier is ServiceTier.QUEUE:
                raise ScenarioError(
                    f'service_tier = "queue": the tasks of policy {policy.name!r} wait in one pool '
                    'of nobody, so every service would be remote; use service_tier = "replica"'
                )
            return
        if policy.uses_least and policy.weigh is QueuePolicy.weigh:
            raise PolicyError(
                f"policy {policy.name!r}: uses_least needs weigh(server, lengths, constants), a "
                "static method that returns a server's weight; define it, or do without `least`"
            )
        if policy.uses_longest and owners != list(range(n_servers)):
            raise PolicyError(
                f"policy {policy.name!r}: uses_longest needs one queue a server, queue m being "
                "server m's; leave owners() as it is, or do without `longest`"
            )

    def _check_told_rates(self) -> None:
        told, names = self.told_rates, self.cluster.tier_names
        if told is None:
            return
        if len(told) != len(names):
            raise ScenarioError(
                f"told_rates: {len(told)} of them for {len(names)} tiers ({', '.join(names)}); "
                "give one for each"
            )
        for name, rate in zip(names, told, strict=True):
            if not LEAST_RATE <= rate <= 1.0:
                raise ScenarioError(
                    f"told rate {name} = {rate:g}: must be above 0 and at most 1, a probability "
                    f"per slot; the true rate is {self.cluster.rates[names.index(name)]:g}"
                )

    def _check_replication(self) -> None:
        if not self.replication.is_static and placed_chunks(self.workload) is None:
            raise ScenarioError(
                f"replication scheme {self.replication.name!r}: each task of this workload reads a "
                "chunk of its own, so there is nothing to replicate; use traffic whose tasks share "
                'chunks: kind = "zipf", "types" or "trace"'
            )

    @property
    def is_dynamic(self) -> bool:
        """Whether servers break down or replicas move; only the SimPy engine runs that."""
        return self.failures is not None or not self.replication.is_static

    @property
    def told_cluster(self) -> Cluster:
        """The cluster as the scheduler knows it: servers alike, with the rates that it is told."""
        if self.told_rates is None and self.cluster.speeds is None:
            return self.cluster
        return replace(self.cluster, rates=self.told_rates or self.cluster.rates, speeds=None)

    @property
    def departures(self) -> tuple[str, ...]:
        """What the proofs of the paper do not cover, each in a few words; empty where all is so."""
        found = []
        if not isinstance(self.service, Geometric):
            found.append(f"service times are {self.service.words}")
        if self.cluster.speeds is not None:
            found.append("servers have several speeds")
        if self.told_rates not in (None, self.cluster.rates):
            found.append("the scheduler is told other rates than the true ones")
        if isinstance(self.workload, PhasedWorkload):
            found.append("the traffic has phases")
        return tuple(found)

    @cached_property
    def needs(self) -> ServiceNeeds | None:
        """How to work out what tasks need; None where each tier has one geometric rate."""
        return needs_of(self.cluster, self.service)

    def service_slots(self, luck: float, server: int, tier: int) -> int:
        """Return how long a server takes for a task at a tier.

        Parameters
        ----------
        luck : float
            The task's service uniform.
        server, tier : int

        Returns
        -------
        int
            Slots.
        """
        if self.needs is None:
            return service_time(luck, self.cluster.rates[tier])
        column = int(self.needs.first_column[server]) + tier
        return int(self.service.times(np.array([luck]), self.needs.rates[column])[0])

    @property
    def queue_policy(self) -> QueuePolicy:
        """The policy, for those who know queue policies only: the compiled engine, the theory.

        Raises
        ------
        PolicyError
            If it is a task policy.
        """
        if isinstance(self.policy, QueuePolicy):
            return self.policy
        raise PolicyError(
            f"policy {self.policy.name!r} is a task policy: it decides over jobs or whole "
            "assignments, not over queues, and only the SimPy engine runs it; use "
            'engine = "simpy" or "auto", or a queue policy'
        )


def own_queues(owners: Sequence[int], n_servers: int) -> list[int]:
    """Return the own queue of each server: the first that belongs to it.

    Parameters
    ----------
    owners : sequence of int, length n_queues
        As a policy gives them.
    n_servers : int

    Returns
    -------
    list of int, length n_servers
        `NO_QUEUE` for a server that owns none.

    Examples
    --------
    >>> own_queues([1, 1, -1, 0], 3)
    [3, 0, -1]
    """
    own = [NO_QUEUE] * n_servers
    for queue in range(len(owners) - 1, -1, -1):
        if owners[queue] >= 0:
            own[owners[queue]] = queue
    return own


def tie_break_code(tie_break: TieBreak) -> int:
    """Return a reading of `tie_break` as the number that policies are given.

    Parameters
    ----------
    tie_break : TieBreak

    Returns
    -------
    int
    """
    codes = {TieBreak.RANDOM: UNIFORMLY, TieBreak.LOCAL: LOCAL_FIRST, TieBreak.INDEX: BY_INDEX}
    return codes[tie_break]
