"""How many slots each task needs, wherever it may be served: worked out as it arrives.

Geometric service at servers of one speed needs no table: a task's time follows from its luck and
the rate of the tier, and both engines compute it as the service starts. For any other distribution,
and for servers of several speeds, the times of a batch of tasks are worked out together, one for
each speed and tier. Both engines read them from there, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.service_times import Geometric, ServiceTimes

__all__ = ["ServiceNeeds", "needs_of"]


@dataclass(frozen=True, eq=False)
class ServiceNeeds:
    """The service times of tasks at every speed and tier.

    Parameters
    ----------
    service : ServiceTimes
    rates : tuple of float
        One a column: those of the first speed from local to remote, then the next speed's.
    first_column : int64 array, shape (n_servers,)
        Where the columns of a server's speed begin; that of a tier is so many further.

    Examples
    --------
    >>> from cluster_sim.model.service_times import Deterministic
    >>> from cluster_sim.model.topology import Topology
    >>> cluster = Cluster.of(Topology.tree(2), {"local": 1.0, "remote": 0.5}, [1.0, 0.5])
    >>> needs = needs_of(cluster, Deterministic())
    >>> needs.of(np.array([0.3])).tolist(), needs.first_column.tolist()
    ([[2, 4, 1, 2]], [2, 0])
    """

    service: ServiceTimes
    rates: tuple[float, ...]
    first_column: npt.NDArray[np.int64] = field(repr=False)

    @property
    def n_columns(self) -> int:
        """Number of pairs of a speed and a tier."""
        return len(self.rates)

    def of(self, lucks: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return what tasks need.

        Parameters
        ----------
        lucks : float64 array, shape (n_tasks,)
            Their service uniforms.

        Returns
        -------
        int64 array, shape (n_tasks, n_columns)
            Slots.
        """
        table = np.empty((len(lucks), self.n_columns), dtype=np.int64)
        for column, rate in enumerate(self.rates):
            table[:, column] = self.service.times(lucks, rate)
        return table


def needs_of(cluster: Cluster, service: ServiceTimes) -> ServiceNeeds | None:
    """Return how to work out what tasks need; None where each tier has one geometric rate.

    Parameters
    ----------
    cluster : Cluster
    service : ServiceTimes

    Returns
    -------
    ServiceNeeds or None
    """
    if cluster.speeds is None and isinstance(service, Geometric):
        return None
    speeds: Sequence[float] = cluster.speeds or (1.0,) * cluster.n_servers
    factors, kind = np.unique(speeds, return_inverse=True)
    rates = tuple(float(factor) * rate for factor in factors for rate in cluster.rates)
    return ServiceNeeds(service, rates, kind.ravel().astype(np.int64) * cluster.n_tiers)
