"""The servers of least weight, for the policies that ask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.least import join_groups, least_within, reweigh, weight_of

__all__ = ["LeastWeights"]


class LeastWeights:
    """A policy's weights, and the tree that finds the least (see `cluster_sim.policies.least`).

    Parameters
    ----------
    groups : int64 array, shape (n_tiers, n_servers)
        As in `Cluster`.
    policy : QueuePolicy
        One with `uses_least`.
    constants : sequence of float
    n_queues : int

    Attributes
    ----------
    weights : list of float, length n_servers
    """

    def __init__(
        self,
        groups: npt.NDArray[np.int64],
        policy: QueuePolicy,
        constants: Sequence[float],
        n_queues: int,
    ) -> None:
        self._n_tiers, n_servers = groups.shape
        self._policy, self._constants = policy, constants
        self._parents, self._children, self._nodes = join_groups(groups.tolist())
        # Heavier than any server, till each has its weight.
        self._least = [float("inf")] * len(self._parents)
        self._n_tied, self._lowest = [1] * len(self._parents), list(range(len(self._parents)))
        self.weights = [float("inf")] * n_servers
        empty = [0] * n_queues
        for server in range(n_servers):
            self.update(server, empty)

    def update(self, server: int, lengths: Sequence[int]) -> None:
        """Take note of the lengths of a server's queues.

        Parameters
        ----------
        server : int
        lengths : sequence of int, length n_queues

        Raises
        ------
        DecisionError
            If the policy returns no finite number.
        """
        weight = weight_of(self._policy, server, lengths, self._constants)
        self.weights[server] = weight
        reweigh(
            self._least, self._n_tied, self._lowest, self._parents, self._children, server, weight
        )

    def within(self, replicas: Sequence[int], tie_break: int, tie: float) -> list[int]:
        """Return a server of least weight within each tier of a task.

        Parameters
        ----------
        replicas : sequence of int
        tie_break : int
        tie : float

        Returns
        -------
        list of int, length n_tiers
        """
        state = (self._least, self._n_tied, self._lowest, self._children, self._nodes)
        return [
            least_within(*state, tier, replicas, tie_break, tie) for tier in range(self._n_tiers)
        ]
