"""Scarlett: at the end of each epoch, replicas by the concurrent demand that was observed."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.replication.base import Replicating, ReplicationScheme, SchemeSetting

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["Epochs", "Scarlett", "extra_replicas"]


@final
@dataclass(frozen=True)
class Scarlett(ReplicationScheme):
    """Popular chunks get more replicas, within a storage budget; at the end of each epoch.

    The demand of a chunk is the largest number of tasks that wanted it at one time, in the last
    `window` epochs: in service, or waiting for it. Wanted are max(r, demand + delta) replicas, with
    r as many as it had in the beginning.

    Parameters
    ----------
    epoch : int
        Slots from one rearrangement to the next.
    window : int
        Epochs that the demand is observed over.
    delta : int
        Replicas above the demand.
    budget : float
        Replicas that may be made, as a fraction of all there were in the beginning; ``inf``: any
        number.
    distribution : "round-robin" or "priority"
        How a budget that is too small is shared: one more replica for each chunk in turn, or all
        that it wants for the chunk of the largest demand first.

    Notes
    -----
    A new replica goes to the rack of the least load, and there to the server of the least load that
    is up and does not hold the chunk; the load of a server is the sum of demand / replicas over
    its chunks. What a chunk no longer deserves goes first, from its most loaded servers. Scarlett
    counts by file; a chunk is the unit here. Each replica made is a transfer over the network; they
    arrive at once.

    References
    ----------
    Ananthanarayanan et al., "Scarlett: coping with skewed content popularity in MapReduce
    clusters", EuroSys 2011, sections 4 and 5. The paper learns over 24 hours, rearranges every 12,
    and uses 10 % of the storage.
    """

    name: ClassVar[str] = "scarlett"
    title: ClassVar[str] = "Scarlett: each epoch, replicas by observed demand, within a budget"
    paper: ClassVar[str] = "Ananthanarayanan et al., Scarlett, EuroSys 2011"

    epoch: int = 1000
    window: int = 2
    delta: int = 1
    budget: float = 0.1
    distribution: Literal["round-robin", "priority"] = "round-robin"

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name, least in (("epoch", 1), ("window", 1), ("delta", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ScenarioError(f"{name} = {value!r}: must be a whole number, at least {least}")
        if not (is_number(self.budget) and self.budget >= 0):
            raise ScenarioError(
                f"budget = {self.budget!r}: must be at least 0, a fraction of the replicas there "
                "were in the beginning"
            )
        if self.distribution not in ("round-robin", "priority"):
            raise ScenarioError(
                f'distribution = {self.distribution!r}: must be "round-robin" or "priority"'
            )

    def begin(self, setting: SchemeSetting) -> Epochs:
        """Return the observations of a run: none."""
        return Epochs(setting, self)


def extra_replicas(
    demand: Mapping[int, int],
    base: Mapping[int, int],
    *,
    delta: int,
    budget: float,
    distribution: str,
    most: int,
) -> dict[int, int]:
    """Return how many replicas each chunk is to have beyond those of the beginning.

    Parameters
    ----------
    demand : mapping of int to int
        Of each chunk that was wanted.
    base : mapping of int to int
        Replicas in the beginning.
    delta : int
    budget : float
        Replicas, in all; may be infinite.
    distribution : str
        As of `Scarlett`.
    most : int
        Replicas that a chunk can have: the number of servers.

    Returns
    -------
    dict of int to int
        Above 0, by chunk.

    Examples
    --------
    >>> wanted = dict(delta=1, distribution="priority", most=9)
    >>> extra_replicas({1: 5, 2: 4, 3: 1}, {1: 3, 2: 3, 3: 3}, budget=4, **wanted)
    {1: 3, 2: 1}
    >>> wanted["distribution"] = "round-robin"
    >>> extra_replicas({1: 5, 2: 4, 3: 1}, {1: 3, 2: 3, 3: 3}, budget=4, **wanted)
    {1: 2, 2: 2}
    """
    wanted = {
        chunk: min(max(base[chunk], demand[chunk] + delta), most) - base[chunk]
        for chunk in sorted(demand, key=lambda chunk: (-demand[chunk], chunk))
    }
    wanted = {chunk: extra for chunk, extra in wanted.items() if extra > 0}
    left = budget if math.isinf(budget) else int(budget)
    given: Counter[int] = Counter()
    if distribution == "priority" or sum(wanted.values()) <= left:
        for chunk, extra in wanted.items():
            given[chunk] = int(min(extra, left))
            left -= given[chunk]
    else:
        while left > 0:  # it ends: they want more than is left
            for chunk, extra in wanted.items():
                if left > 0 and given[chunk] < extra:
                    given[chunk] += 1
                    left -= 1
    return {chunk: extra for chunk, extra in given.items() if extra > 0}


class Epochs(Replicating):
    """The demand for each chunk, observed, and the rearrangements.

    Parameters
    ----------
    setting : SchemeSetting
    policy : Scarlett
    """

    def __init__(self, setting: SchemeSetting, policy: Scarlett) -> None:
        self._storage, self._policy = setting.storage, policy
        topology = setting.cluster.topology
        self._n_servers = topology.n_servers
        has_racks = "rack" in topology.level_names
        self._rack = topology.level("rack").tolist() if has_racks else [0] * self._n_servers
        self._base = {chunk: self._storage.n_copies(chunk) for chunk in self._storage.chunks}
        self._most_extra = policy.budget * sum(self._base.values()) + 1e-9
        self._n_now: Counter[int] = Counter()
        self._peak: dict[int, int] = {}
        self._past: deque[dict[int, int]] = deque(maxlen=policy.window)

    def arrived(self, task: Task) -> None:
        """Count a task in."""
        n = self._n_now[task.chunk] = self._n_now[task.chunk] + 1
        if n > self._peak.get(task.chunk, 0):
            self._peak[task.chunk] = n

    def has_read(self, task: Task) -> None:
        """Count a task out."""
        self._n_now[task.chunk] -= 1
        if not self._n_now[task.chunk]:
            del self._n_now[task.chunk]

    def failed(self, task: Task) -> None:
        """Count a task out."""
        self.has_read(task)

    def slot_begins(self, slot: int) -> None:
        """Rearrange the replicas if an epoch is over."""
        if slot == 0 or slot % self._policy.epoch:
            return
        self._past.append(self._peak)
        self._peak = dict(self._n_now)
        demand: dict[int, int] = {}
        for peaks in self._past:
            for chunk, n in peaks.items():
                demand[chunk] = max(n, demand.get(chunk, 0))
        self._rearrange(demand)

    def _rearrange(self, demand: Mapping[int, int]) -> None:
        policy, storage = self._policy, self._storage
        extra = extra_replicas(
            demand,
            self._base,
            delta=policy.delta,
            budget=self._most_extra,
            distribution=policy.distribution,
            most=self._n_servers,
        )
        share = {
            chunk: n / (self._base[chunk] + extra.get(chunk, 0)) for chunk, n in demand.items()
        }
        load = [0.0] * self._n_servers
        for chunk, each in share.items():
            for server in storage.live(chunk):
                load[server] += each
        for chunk in storage.chunks:
            held = sorted(storage.extra_on(chunk), key=lambda server: (-load[server], server))
            for server in held[: max(len(held) - extra.get(chunk, 0), 0)]:
                storage.evict(chunk, server)
                load[server] -= share.get(chunk, 0.0)
        for chunk, n in extra.items():
            for _ in range(n - len(storage.extra_on(chunk))):
                target = self._least_loaded(chunk, load)
                if target is None:
                    break
                storage.create(chunk, target, is_transfer=True)
                load[target] += share[chunk]

    def _least_loaded(self, chunk: int, load: list[float]) -> int | None:
        """Return the server for one more replica; None if there is none, or no source."""
        storage, rack = self._storage, self._rack
        racks = [0.0] * (max(rack) + 1)
        for server, each in enumerate(load):
            racks[rack[server]] += each
        free = [
            server
            for server in range(self._n_servers if storage.live(chunk) else 0)
            if storage.is_up(server) and not storage.holds(server, chunk)
        ]
        return min(free, key=lambda s: (racks[rack[s]], rack[s], load[s], s), default=None)
