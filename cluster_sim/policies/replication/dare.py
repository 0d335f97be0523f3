"""DARE: a task that has read its chunk over the network may leave a replica where it ran."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, final

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.replication.base import Replicating, ReplicationScheme, SchemeSetting

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["Dare", "ElephantTrap", "LeastRecentlyUsed", "RemoteReads"]


@final
@dataclass(frozen=True)
class Dare(ReplicationScheme):
    """Each server keeps, by chance, what its tasks read over the network, within a budget.

    A read is looked at with probability `probability`. One of a chunk that the server does not hold
    leaves a replica there; it costs no transfer, since the task has read the chunk anyway. If the
    budget is used up, another replica that was made so goes: by ElephantTrap, or the one least
    recently read.

    Parameters
    ----------
    probability : float
        p, from 0 to 1.
    budget : float
        Replicas that a server may keep so, as a fraction of the mean number of replicas a server
        had in the beginning; ``inf``: any number.
    eviction : "elephant-trap" or "lru"
        With ``"lru"`` and probability 1 it is the paper's greedy variant.
    threshold : int
        ElephantTrap evicts a replica that was read fewer times than this, as far as it remembers.

    Notes
    -----
    ElephantTrap keeps the replicas of a server in a ring with a hand. A read of one that is looked
    at adds to its count. To evict, the hand goes round: it takes the first replica whose count is
    below the threshold, and halves the counts that it passes (competitive aging). The newcomer is
    put just behind the hand. A replica is made when the task completes. That DARE looks at a
    fraction p of the reads of either kind is from its description of ElephantTrap.

    References
    ----------
    Abad, Lu, Campbell, "DARE: adaptive data replication for efficient cluster scheduling", IEEE
    CLUSTER 2011, section IV, Algorithms 1 and 2. Lu, Prabhakar, Bonomi, "ElephantTrap", HOTI 2007.
    """

    name: ClassVar[str] = "dare"
    title: ClassVar[str] = "DARE: remote reads leave replicas, by chance and within a budget"
    paper: ClassVar[str] = "Abad, Lu, Campbell, DARE, IEEE CLUSTER 2011"

    probability: float = 0.3
    budget: float = 0.2
    eviction: Literal["elephant-trap", "lru"] = "elephant-trap"
    threshold: int = 1

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not (is_number(self.probability) and 0 <= self.probability <= 1):
            raise ScenarioError(f"probability = {self.probability!r}: must be from 0 to 1")
        if not (is_number(self.budget) and self.budget >= 0):
            raise ScenarioError(
                f"budget = {self.budget!r}: must be at least 0, a fraction of the data of a server"
            )
        if self.eviction not in ("elephant-trap", "lru"):
            raise ScenarioError(f'eviction = {self.eviction!r}: must be "elephant-trap" or "lru"')
        threshold: object = self.threshold
        if not isinstance(threshold, int) or isinstance(threshold, bool) or threshold < 1:
            raise ScenarioError(f"threshold = {threshold!r}: must be a whole number, at least 1")

    def begin(self, setting: SchemeSetting) -> RemoteReads:
        """Return the kept replicas of a run: none."""
        return RemoteReads(setting, self)


class _Keeper(Protocol):
    """The replicas that a server has kept, and which of them goes first."""

    def __len__(self) -> int: ...
    def add(self, chunk: int) -> None: ...
    def touch(self, chunk: int) -> None: ...
    def remove(self, chunk: int) -> None: ...
    def victim(self) -> int: ...


class RemoteReads(Replicating):
    """What each server has kept of its remote reads.

    Parameters
    ----------
    setting : SchemeSetting
    policy : Dare

    Attributes
    ----------
    most : float
        Replicas that a server may keep; a whole number, or infinity.
    """

    def __init__(self, setting: SchemeSetting, policy: Dare) -> None:
        self._storage, self._draw = setting.storage, setting.draw
        self._probability = policy.probability
        storage, n_servers = setting.storage, setting.cluster.n_servers
        n_replicas = sum(storage.n_copies(chunk) for chunk in storage.chunks)
        # Rounded down, but for what only floating point puts below a whole number.
        share = policy.budget * n_replicas / n_servers
        self.most = share if math.isinf(share) else math.floor(share + 1e-9)
        self._kept: list[_Keeper] = [
            LeastRecentlyUsed() if policy.eviction == "lru" else ElephantTrap(policy.threshold)
            for _ in range(n_servers)
        ]

    def has_read(self, task: Task) -> None:
        """Keep the chunk if it was read over the network, and chance and the budget allow it."""
        chunk, server, storage = task.chunk, task.server, self._storage
        if self._draw(task.number)[0] >= self._probability:
            return
        kept = self._kept[server]
        if storage.holds(server, chunk):
            kept.touch(chunk)
            return
        if self.most < 1:
            return
        if len(kept) >= self.most:
            victim = kept.victim()
            kept.remove(victim)
            storage.evict(victim, server)
        kept.add(chunk)
        storage.create(chunk, server, is_transfer=False)

    def lost(self, chunk: int, server: int) -> None:
        """Forget a replica that is gone."""
        self._kept[server].remove(chunk)


class ElephantTrap:
    """A ring of chunks with counts, and a hand that looks for one that is seldom read.

    Parameters
    ----------
    threshold : int

    Examples
    --------
    >>> trap = ElephantTrap(1)
    >>> for chunk in (1, 2, 3):
    ...     trap.add(chunk)
    >>> trap.touch(1)
    >>> trap.victim(), trap.victim()
    (2, 2)
    """

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._ring: list[int] = []
        self._hand = 0
        self._count: dict[int, int] = {}

    def __len__(self) -> int:
        """Return the number of chunks."""
        return len(self._ring)

    def add(self, chunk: int) -> None:
        """Put a chunk just behind the hand: it is looked at last."""
        self._ring.insert(self._hand, chunk)
        self._hand = (self._hand + 1) % len(self._ring)
        self._count[chunk] = 0

    def touch(self, chunk: int) -> None:
        """Count a read, if the chunk is in the ring."""
        if chunk in self._count:
            self._count[chunk] += 1

    def remove(self, chunk: int) -> None:
        """Take a chunk out."""
        place = self._ring.index(chunk)
        del self._ring[place], self._count[chunk]
        self._hand -= place < self._hand
        if self._hand == len(self._ring):
            self._hand = 0

    def victim(self) -> int:
        """Move the hand to a chunk whose count is below the threshold, and return that."""
        while True:
            chunk = self._ring[self._hand]
            if self._count[chunk] < self._threshold:
                return chunk
            self._count[chunk] //= 2
            self._hand = (self._hand + 1) % len(self._ring)


class LeastRecentlyUsed:
    """Chunks in the order in which they were read last.

    Examples
    --------
    >>> chunks = LeastRecentlyUsed()
    >>> for chunk in (1, 2, 3):
    ...     chunks.add(chunk)
    >>> chunks.touch(1)
    >>> chunks.victim()
    2
    """

    def __init__(self) -> None:
        self._order: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of chunks."""
        return len(self._order)

    def add(self, chunk: int) -> None:
        """Put a chunk in as the one read last."""
        self._order[chunk] = None

    def touch(self, chunk: int) -> None:
        """Take note of a read, if the chunk is there."""
        if chunk in self._order:
            self._order.move_to_end(chunk)

    def remove(self, chunk: int) -> None:
        """Take a chunk out."""
        del self._order[chunk]

    def victim(self) -> int:
        """Return the chunk that was read longest ago."""
        return next(iter(self._order))
