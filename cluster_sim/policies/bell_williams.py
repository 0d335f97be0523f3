"""The threshold policy for the N-system: help comes first once the helped queue is long enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, final

from cluster_sim.policies.base import Guarantee, Optimality, ratio
from cluster_sim.policies.squillante import check_threshold
from cluster_sim.policies.task_base import Setting, TaskPolicy
from cluster_sim.policies.type_queues import Entry, TypeQueue, TypeQueues

__all__ = ["BellWilliams", "OneWayHelp"]


@final
@dataclass(frozen=True)
class BellWilliams(TaskPolicy):
    """A helper serves another's type before its own once that queue is above a threshold.

    A task type is a replica set, and has a queue. A server may help a type all of whose replicas
    have lower numbers than itself. While such a queue is above the threshold, the server takes from
    it, from the longest if there are several; else its oldest local task; else it is idle.

    Parameters
    ----------
    threshold : float or "auto"
        A type is helped while more tasks than this (strictly) wait in its queue; from 0 to ``inf``.
        ``"auto"`` is alpha / gamma; in the source it grows with the logarithm of the scale.

    Notes
    -----
    The source's policy is defined for the N-system: two servers, class 1 for both, class 2 for
    server 2 only. Here that is two servers and two types of one replica each: type {0} is class 1,
    which server 1 may help, at rate gamma; type {1} is class 2, and server 0 leaves it alone. The
    threshold keeps so much work for server 0 that it rarely starves while server 1 helps; without
    it the rule loses capacity.

    Beyond the N-system, the order of the servers' numbers keeps help one-way: nobody helps whom he
    may need help from, which is what makes the rule sound there. It is this package's extension,
    not the source's (whose own, for systems with a tree of basic activities, needs the arrival
    rates: Bell and Williams 2005). It carries its load where the hot servers have the lowest
    numbers, as in ``hotspot`` traffic, and few types; elsewhere it loses capacity. With C(M, 3)
    types queues stay below any threshold, and nobody helps.

    Services are not interrupted; those of the source are.

    References
    ----------
    Bell and Williams, "Dynamic scheduling of a system with two parallel servers in heavy traffic
    with resource pooling: asymptotic optimality of a threshold policy", Annals of Applied
    Probability 11(3), 2001.
    """

    name: ClassVar[str] = "bell-williams"
    title: ClassVar[str] = "Bell-Williams: one-way help above a threshold, a queue per task type"
    paper: ClassVar[str] = "Bell and Williams, Annals of Applied Probability 11(3), 2001"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.CONDITIONAL,
        Optimality.CONDITIONAL,
        "in the N-system, with a threshold that grows with the logarithm of the scale, for the "
        "holding costs under which the helped class goes first; else nothing is proved",
    )

    threshold: float | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        """Check the threshold."""
        check_threshold(self.threshold)

    def begin(self, setting: Setting) -> OneWayHelp:
        """Return the queues of a run."""
        rates = setting.cluster.rates
        above = ratio(rates[0], rates[-1]) if self.threshold == "auto" else float(self.threshold)
        return OneWayHelp(setting, above)


class OneWayHelp(TypeQueues):
    """The queues of a run: near each server the local tasks by age, and those to help by length.

    The queues above the threshold stand in a Fenwick tree of heaps over the highest of their
    servers: any server finds the longest of those below it in O(log M) heaps.

    Parameters
    ----------
    setting : Setting
    threshold : float
    """

    def __init__(self, setting: Setting, threshold: float) -> None:
        super().__init__(setting, goes_by_length=True)
        self._threshold = threshold
        self._n_servers = setting.cluster.n_servers
        self._root = self.add_heaps(self._n_servers)  # nodes are counted from 1

    def key(self, queue: TypeQueue, tier: int) -> float | None:
        """Return the age of the head for local tasks; others are not looked for by tier."""
        return queue.tasks[0].number if tier == 0 else None

    def places(self, queue: TypeQueue) -> Iterator[tuple[int, float]]:
        """Yield the servers that hold a type, and if it is to be helped the nodes above it."""
        yield from super().places(queue)
        length = len(queue.tasks)
        if length > self._threshold:
            node = max(queue.replicas) + 1
            while node <= self._n_servers:
                yield self._root + node - 1, -length
                node += node & -node

    def choose(self, server: int, slot: int) -> TypeQueue | None:
        """Return the longest queue to help, else that of the oldest local task."""
        best: Entry | None = None
        node = server
        while node > 0:
            found = self.top(self._root + node - 1)
            if found is not None and (best is None or found < best):
                best = found
            node -= node & -node
        if best is not None:
            return best[3]
        own = self.first(server, 0)
        return None if own is None else own[1]
