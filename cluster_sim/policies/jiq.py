"""Join an idle queue wherever it is; if none is idle, any queue at random. Blind to locality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.own_queues import ShortestOfAllPolicy

__all__ = ["JIQ"]


@final
@dataclass(frozen=True)
class JIQ(ShortestOfAllPolicy):
    """Join a random idle server of all; if all are busy, a random server of all.

    A server is idle if its queue has length 0, and serves its own queue only.

    Notes
    -----
    The rule of the source, with one dispatcher that knows all idle servers. It does not ask where
    the data is: in a large cluster nearly every task runs at the remote rate. It is here as the
    limit of what idleness alone can do.

    The reading ``tie_break = "index"`` takes the lowest idle server; the random server where none
    is idle is no tie. Under the reading ``queue_length = "waiting"`` a server that works and has
    nobody waiting looks idle.

    References
    ----------
    Lu, Xie, Kliot, Geller, Larus, Greenberg, "Join-Idle-Queue: a novel load balancing algorithm for
    dynamically scalable web services", Performance Evaluation 68(11), 2011.
    """

    name: ClassVar[str] = "jiq"
    title: ClassVar[str] = "JIQ: any idle server, else any server"
    paper: ClassVar[str] = "Lu, Xie, Kliot, Geller, Larus, Greenberg, Perform. Eval. 68(11), 2011"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "blind to locality; not heavy-traffic optimal with equal servers either "
        "(Zhou et al. 2017, arXiv:1710.04357)",
    )

    @staticmethod
    def route(
        replicas: Sequence[int],
        lengths: Sequence[int],
        waiting: Sequence[int],
        least: Sequence[int],
        weights: Sequence[float],
        constants: Sequence[float],
        tie_break: int,
        tie: float,
    ) -> int:
        """Return an idle server, or a random one."""
        best = least[len(least) - 1]
        return best if weights[best] == 0 else int(tie * len(weights))
