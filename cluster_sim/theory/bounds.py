"""Heavy traffic: lower bounds, limits, the direction that queues collapse to, connected groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.decomposition import Decomposition
from cluster_sim.theory.task_types import BoolArray, FloatArray, IntArray, TaskTypes

__all__ = [
    "HeavyTraffic",
    "collapse_direction",
    "connected_groups",
    "group_bounds",
    "heavy_traffic_bounds",
    "service_variance",
    "split_queues",
    "thinned_variance",
]


@dataclass(frozen=True)
class HeavyTraffic:
    """The constants of Theorems 3 and 6, and what they say.

    They concern the sum of some queues in steady state: tasks waiting and in
    service, at the observation point (the reading ``queue_length = "in-system"``).

    Attributes
    ----------
    n_servers : int
        M of Theorems 3 and 6: no more tasks than this complete in a slot.
    n_queues : int
        How many queues are summed: M_b, or M without beneficiaries.
    epsilon : float
        Distance to the boundary, tasks per slot.
    arrival_variance : float
        sigma_b^2 or sigma^2: variance of the arrivals to these queues in a slot.
    service_variance : float
        nu_b^2 or nu^2: variance of the service they get in a slot.
    boundary_variance : float
        The arrival variance at the boundary, where epsilon is 0.

    Examples
    --------
    >>> HeavyTraffic(2, 2, 0.1, 0.9, 0.5, 1.0)
    HeavyTraffic(n_servers=2, n_queues=2, epsilon=0.1, arrival_variance=0.9,
                 service_variance=0.5, boundary_variance=1.0)
    """

    n_servers: int
    n_queues: int
    epsilon: float
    arrival_variance: float
    service_variance: float
    boundary_variance: float

    def __post_init__(self) -> None:
        if not self.epsilon > 0.0:
            raise ScenarioError(
                f"epsilon = {self.epsilon}: must be positive; queues have no steady state on or "
                "beyond the boundary of the capacity region"
            )
        least = min(self.arrival_variance, self.service_variance, self.boundary_variance)
        if not least >= 0.0:
            raise ScenarioError(f"variance = {least}: must be at least 0")

    @property
    def lower_bound(self) -> float:
        """Lower bound on the mean sum of the queues, tasks (Theorems 3 and 6)."""
        variance = self.arrival_variance + self.service_variance + self.epsilon**2
        return variance / (2.0 * self.epsilon) - self.n_servers / 2.0

    @property
    def limit(self) -> float:
        """What epsilon times the mean sum of the queues tends to (Theorems 5 and 8)."""
        return (self.boundary_variance + self.service_variance) / 2.0

    @property
    def predicted(self) -> float:
        """The limit over epsilon: the leading term of the mean sum of the queues, tasks."""
        return self.limit / self.epsilon

    def to_dict(self) -> dict[str, float]:
        """Return constants and results, ready for JSON."""
        return {
            "n_servers": self.n_servers,
            "n_queues": self.n_queues,
            "epsilon": self.epsilon,
            "arrival_variance": self.arrival_variance,
            "service_variance": self.service_variance,
            "boundary_variance": self.boundary_variance,
            "lower_bound": self.lower_bound,
            "limit": self.limit,
            "predicted": self.predicted,
        }


def thinned_variance(total_rate: float, total_variance: float, rate: float) -> float:
    """Return the variance of the arrivals of some types, from that of all arrivals.

    Parameters
    ----------
    total_rate, total_variance : float
        Mean and variance of all arrivals in a slot.
    rate : float
        Mean of the arrivals of the types in question, at most ``total_rate``.

    Returns
    -------
    float

    Notes
    -----
    Each task draws its type by itself, so with p = rate / total_rate the variance
    is ``rate + p^2 (total_variance - total_rate)``: the rate, for Poisson arrivals.

    Examples
    --------
    >>> thinned_variance(10.0, 10.0, 4.0)
    4.0
    """
    if total_rate == 0.0:
        return 0.0
    share = rate / total_rate
    return rate + share * share * (total_variance - total_rate)


def service_variance(decomposition: Decomposition) -> float:
    """Return nu_b^2, or nu^2 without beneficiaries.

    Parameters
    ----------
    decomposition : Decomposition
        An ideal load decomposition.

    Returns
    -------
    float
        Variance of the service in a slot, tasks squared.

    Notes
    -----
    ``nu_b^2 = M_b alpha (1 - alpha) + sum over helpers of gamma (1 - rho_j) (1 -
    gamma (1 - rho_j))``, with rho_j the local load of helper j. The rate vector
    pins down the sum of the rho_j; the single values are those of the most even
    split. ``nu^2 = M alpha (1 - alpha)``.

    References
    ----------
    Section 5.1.1 and Eq. (62) of the paper; Appendix D for nu^2.
    """
    alpha, gamma = decomposition.local_rate, decomposition.remote_rate
    if decomposition.n_beneficiaries == 0:
        return decomposition.types.n_servers * alpha * (1.0 - alpha)
    away = gamma * (1.0 - decomposition.local_loads[decomposition.helpers])
    own = decomposition.n_beneficiaries * alpha * (1.0 - alpha)
    return own + float((away * (1.0 - away)).sum())


def heavy_traffic_bounds(
    decomposition: Decomposition, *, arrival_variance: float | None = None
) -> HeavyTraffic:
    """Return the bounds on the beneficiary queues, or on all queues without beneficiaries.

    Parameters
    ----------
    decomposition : Decomposition
        An ideal load decomposition.
    arrival_variance : float, optional
        Variance of all arrivals in a slot. By default that of Poisson arrivals.

    Returns
    -------
    HeavyTraffic

    Raises
    ------
    ScenarioError
        If the variance is negative.

    Notes
    -----
    The boundary is approached as in the paper: the arrivals local to helpers stay
    as they are, those in L_B grow by epsilon. The ratio of variance to mean is
    taken to stay as it is, which is exact for Poisson arrivals.

    References
    ----------
    Theorems 3, 5, 6 and 8 of the paper.

    Examples
    --------
    >>> from cluster_sim.theory.decomposition import ideal_load_decomposition
    >>> ideal = ideal_load_decomposition([(0,), (0, 1)], [1.2, 0.2], n_servers=2, rates=(1, 0.5))
    >>> bounds = heavy_traffic_bounds(ideal)
    >>> round(bounds.limit, 6)
    0.82
    """
    total = decomposition.types.total_rate
    variance = total if arrival_variance is None else float(arrival_variance)
    if variance < 0.0:
        raise ScenarioError(f"arrival_variance = {variance}: must be at least 0")
    rate = total
    if decomposition.n_beneficiaries:
        rate = float(decomposition.types.arrival_rates[decomposition.is_beneficiary_type].sum())
    own = thinned_variance(total, variance, rate)
    grown = (rate + decomposition.epsilon) / rate if rate else 1.0
    return HeavyTraffic(
        n_servers=decomposition.types.n_servers,
        n_queues=decomposition.n_beneficiaries or decomposition.types.n_servers,
        epsilon=decomposition.epsilon,
        arrival_variance=own,
        service_variance=service_variance(decomposition),
        boundary_variance=own * grown,
    )


def collapse_direction(is_beneficiary: BoolArray) -> FloatArray:
    """Return the direction that the queue vector collapses to.

    Parameters
    ----------
    is_beneficiary : bool array, shape (n_servers,)
        The servers in B; if there are none, all queues collapse together.

    Returns
    -------
    float64 array, shape (n_servers,)
        c of Eq. (13), or c_u of Theorem 7. Its norm is 1.

    Examples
    --------
    >>> collapse_direction(np.array([False, True, True])).round(3).tolist()
    [0.0, 0.707, 0.707]
    """
    members = np.asarray(is_beneficiary, dtype=np.float64)
    if not members.any():
        members = np.ones_like(members)
    return np.asarray(members / np.sqrt(members.sum()), dtype=np.float64)


def split_queues(queues: npt.ArrayLike, direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split queue vectors into parts parallel and perpendicular to a direction.

    Parameters
    ----------
    queues : float64 array, shape (..., n_servers)
        One queue vector, or many.
    direction : float64 array, shape (n_servers,)
        Of norm 1, as from `collapse_direction`.

    Returns
    -------
    parallel, perpendicular : float64 arrays, same shape as ``queues``
        Their sum is ``queues``.

    References
    ----------
    Section 5.1.2 of the paper, after Eq. (12).

    Examples
    --------
    >>> parallel, rest = split_queues([3.0, 1.0], collapse_direction(np.zeros(2, dtype=bool)))
    >>> parallel.round(9).tolist(), rest.round(9).tolist()
    ([2.0, 2.0], [1.0, -1.0])
    """
    values = np.asarray(queues, dtype=np.float64)
    parallel = (values @ direction)[..., None] * direction
    return parallel, values - parallel


def connected_groups(types: TaskTypes) -> IntArray:
    """Label the servers by connected group.

    Two servers are connected if a chain of types leads from one to the other, each
    type local to both of two consecutive servers.

    Parameters
    ----------
    types : TaskTypes
        Types that arrive.

    Returns
    -------
    int64 array, shape (n_servers,)
        Group of each server, numbered from 0 in the order of first servers.

    References
    ----------
    Section 5.2 of the paper, its remark.

    Examples
    --------
    >>> from cluster_sim.theory.task_types import merge_types
    >>> connected_groups(merge_types([(0, 2), (2, 3)], [0.1, 0.1], 4)).tolist()
    [0, 1, 0, 0]
    """
    n_nodes = types.n_servers + types.n_types
    pairs = (types.servers, types.owners + types.n_servers)
    graph = coo_array((np.ones(len(types.servers)), pairs), shape=(n_nodes, n_nodes))
    labels = connected_components(graph, directed=False)[1][: types.n_servers]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return rank[inverse].astype(np.int64)


def group_bounds(
    decomposition: Decomposition, *, arrival_variance: float | None = None
) -> tuple[tuple[tuple[int, ...], HeavyTraffic], ...]:
    """Return the bounds for each connected group of an evenly loaded cluster.

    Parameters
    ----------
    decomposition : Decomposition
        An ideal load decomposition without beneficiaries.
    arrival_variance : float, optional
        Variance of all arrivals in a slot. By default that of Poisson arrivals.

    Returns
    -------
    tuple of (servers, HeavyTraffic)
        The sum of the lower bounds, and of the limits over epsilon, is a bound for
        the whole cluster.

    Raises
    ------
    ScenarioError
        If there are beneficiaries: these collapse together, connected or not.

    References
    ----------
    Section 5.2 of the paper, its remark; Theorems 6 and 8.
    """
    if decomposition.n_beneficiaries:
        raise ScenarioError(
            f"{decomposition.n_beneficiaries} beneficiaries: the bounds by group are for evenly "
            "loaded traffic; use heavy_traffic_bounds"
        )
    types, alpha = decomposition.types, decomposition.local_rate
    labels = connected_groups(types)
    total = types.total_rate
    variance = total if arrival_variance is None else float(arrival_variance)
    found = []
    for label in range(int(labels.max()) + 1):
        servers = np.flatnonzero(labels == label)
        rate = types.rate_inside(labels == label)
        own = thinned_variance(total, variance, rate)
        bounds = HeavyTraffic(
            n_servers=len(servers),
            n_queues=len(servers),
            epsilon=len(servers) * alpha - rate,
            arrival_variance=own,
            service_variance=len(servers) * alpha * (1.0 - alpha),
            boundary_variance=own * (len(servers) * alpha / rate) if rate else 0.0,
        )
        found.append((tuple(servers.tolist()), bounds))
    return tuple(found)
