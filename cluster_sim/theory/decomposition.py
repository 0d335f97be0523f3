"""The ideal load decomposition: helpers, beneficiaries and the rates between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.decomposition_check import Condition, Violation, check_decomposition
from cluster_sim.theory.flows import balance
from cluster_sim.theory.spreading import even_local_split, serve_beneficiaries
from cluster_sim.theory.task_types import (
    BoolArray,
    FloatArray,
    IntArray,
    TaskTypes,
    TypesLike,
    check_rates,
    merge_types,
    sums,
)

__all__ = [
    "Condition",
    "Decomposition",
    "Violation",
    "check_decomposition",
    "ideal_load_decomposition",
    "overloaded_set",
]

_TIE = 1e-9  # a load within this fraction of alpha counts as alpha, hence as overloaded


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Rates lambda_{L,n,m}: tasks of type L that wait in queue n and are served by server m.

    Any decomposition can be put in this form, not only the ideal one; see
    `check_decomposition`.

    Attributes
    ----------
    types : TaskTypes
        The distinct types and their arrival rates.
    local_rate, remote_rate : float
        alpha and gamma.
    is_beneficiary : bool array, shape (n_servers,)
        The servers in B; the others are the helpers H.
    flow_type, flow_queue, flow_server : int64 arrays, shape (n_flows,)
        The indices L, n and m of each rate that is not zero.
    flow_rate : float64 array, shape (n_flows,)
        The rates, tasks per slot.

    References
    ----------
    Section 3 of the paper.
    """

    types: TaskTypes
    local_rate: float
    remote_rate: float
    is_beneficiary: BoolArray
    flow_type: IntArray
    flow_queue: IntArray
    flow_server: IntArray
    flow_rate: FloatArray

    def __repr__(self) -> str:
        return (
            f"<Decomposition: {self.n_helpers} helpers, {self.n_beneficiaries} beneficiaries, "
            f"phi {self.phi:.6g}, epsilon {self.epsilon:.6g}>"
        )

    @property
    def n_beneficiaries(self) -> int:
        """M_b."""
        return int(self.is_beneficiary.sum())

    @property
    def n_helpers(self) -> int:
        """M_h."""
        return self.types.n_servers - self.n_beneficiaries

    @property
    def beneficiaries(self) -> IntArray:
        """The servers in B, ascending."""
        return np.flatnonzero(self.is_beneficiary).astype(np.int64)

    @property
    def helpers(self) -> IntArray:
        """The servers in H, ascending."""
        return np.flatnonzero(~self.is_beneficiary).astype(np.int64)

    @cached_property
    def is_beneficiary_type(self) -> BoolArray:
        """Types in L_B, local to beneficiaries only: bool array, shape (n_types,).

        The other types are those in L_H*: local to at least one helper.
        """
        return self.types.is_inside(self.is_beneficiary)

    @cached_property
    def is_local_flow(self) -> BoolArray:
        """Flows served where the data is: bool array, shape (n_flows,)."""
        pairs = self.types.owners * self.types.n_servers + self.types.servers
        return np.isin(self.flow_type * self.types.n_servers + self.flow_server, pairs)

    @cached_property
    def queue_rates(self) -> FloatArray:
        """Arrivals at each queue, the sum over m of nu_{n,m}: float64 array, (n_servers,)."""
        return sums(self.flow_queue, self.flow_rate, self.types.n_servers)

    @cached_property
    def server_loads(self) -> FloatArray:
        """Left side of Eq. (1) for each server, slots per slot: float64 array, (n_servers,)."""
        pace = np.where(self.is_local_flow, self.local_rate, self.remote_rate)
        return sums(self.flow_server, self.flow_rate / pace, self.types.n_servers)

    @cached_property
    def local_loads(self) -> FloatArray:
        """Share of its slots that each server spends on local tasks (rho for a helper)."""
        rate = np.where(self.is_local_flow, self.flow_rate, 0.0)
        return sums(self.flow_server, rate / self.local_rate, self.types.n_servers)

    @property
    def nu(self) -> csr_array:
        """nu_{n,m}, tasks per slot that wait in queue n and are served by server m.

        Sparse float64 matrix, shape (n_servers, n_servers).
        """
        shape = (self.types.n_servers, self.types.n_servers)
        return csr_array((self.flow_rate, (self.flow_queue, self.flow_server)), shape=shape)

    @property
    def phi(self) -> float:
        """Phi of Eq. (9): arrivals local to some helper, in units of alpha."""
        rate = self.types.arrival_rates[~self.is_beneficiary_type].sum()
        return float(rate / self.local_rate)

    @property
    def epsilon(self) -> float:
        """Distance to the boundary, tasks per slot: Eq. (10), or Eq. (20) without beneficiaries."""
        if self.n_beneficiaries == 0:
            return self.types.n_servers * self.local_rate - self.types.total_rate
        inside = float(self.types.arrival_rates[self.is_beneficiary_type].sum())
        spare = self.remote_rate * (self.n_helpers - self.phi)
        return self.n_beneficiaries * self.local_rate + spare - inside

    @property
    def epsilon_0(self) -> float:
        """Idle share of each server in Lemma 9 (Lemma 24 without beneficiaries)."""
        if self.n_beneficiaries == 0:
            return self.epsilon / (self.types.n_servers * self.local_rate)
        slots = self.local_rate * self.n_beneficiaries + self.remote_rate * self.n_helpers
        return self.epsilon / slots

    @cached_property
    def lambda_0(self) -> float:
        """Least remote rate of a type in L_B at one of its queues (Lemma 9, condition 2).

        Infinite without beneficiaries.
        """
        chosen = self.is_beneficiary_type[self.types.owners]
        if not chosen.any():
            return float("inf")
        n_servers = self.types.n_servers
        away = ~self.is_beneficiary[self.flow_server]
        codes = self.types.owners * n_servers + self.types.servers
        flow = self.flow_type[away] * n_servers + self.flow_queue[away]
        place = np.minimum(np.searchsorted(codes, flow), len(codes) - 1)
        is_edge = codes[place] == flow
        remote = sums(place[is_edge], self.flow_rate[away][is_edge], len(codes))
        return float(remote[chosen].min())


def _balanced_overload(types: TaskTypes, local_rate: float) -> BoolArray:
    return balance(types).loads >= local_rate * (1.0 - _TIE)


def overloaded_set(
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
) -> BoolArray:
    """Return the overloaded set D.

    Parameters
    ----------
    types : int64 array, shape (n_types, width), or sequence of tuples of int
        Local servers of each type; -1 pads shorter rows.
    arrival_rates : float64 array, shape (n_types,)
        Tasks per slot.
    n_servers : int
        Number of servers.
    rates : sequence of float
        Service probability per slot for each tier; only the local one matters.

    Returns
    -------
    bool array, shape (n_servers,)

    Raises
    ------
    ScenarioError
        If the input is not usable.

    Notes
    -----
    Lemma 2 asks that every queue in D gets at least alpha from types in L_D alone,
    and that all other types fit into the other queues with each below alpha. By
    max-flow min-cut this holds for exactly one set: the largest minimiser of
    ``alpha |S| - lambda(L_S)``. It consists of the servers whose load is at least
    alpha when every type is split as evenly as possible. Loads within 1e-9 of
    alpha count as alpha.

    References
    ----------
    Lemma 2 of the paper.

    Examples
    --------
    >>> overloaded_set([(0,), (0, 1), (1, 2)], [1.2, 0.3, 0.1], n_servers=3, rates=(1, 0.5))
    array([ True, False, False])
    """
    merged = merge_types(types, arrival_rates, n_servers)
    return _balanced_overload(merged, check_rates(rates)[0])


def _split_helpers(types: TaskTypes, is_beneficiary: BoolArray) -> tuple[IntArray, FloatArray]:
    """Split the types in L_H* over helper queues: edges of ``types`` and their rates."""
    shared = ~types.is_inside(is_beneficiary)
    part, numbers = types.restrict(shared, ~is_beneficiary)
    return numbers, even_local_split(part) if not is_beneficiary.any() else balance(part).edges


def ideal_load_decomposition(
    types: TypesLike,
    arrival_rates: npt.ArrayLike,
    *,
    n_servers: int,
    rates: Sequence[float],
) -> Decomposition:
    """Construct an ideal load decomposition.

    Parameters
    ----------
    types, arrival_rates, n_servers
        As for `overloaded_set`.
    rates : (float, float)
        alpha and gamma.

    Returns
    -------
    Decomposition
        It meets Eq. (1), Lemmas 2 and 3 always, and both conditions of Lemma 9
        (of Lemma 24 without beneficiaries) where any decomposition does.

    Raises
    ------
    ScenarioError
        If the rates are outside the open capacity region, or there are more than
        two tiers.

    Notes
    -----
    The sets are unique, the rates are not. Helpers split their types as evenly as
    possible. Beneficiaries each serve ``alpha (1 - epsilon_0)`` of their own work;
    the remote work is spread so that the least remote rate of a type at a queue,
    lambda_0, is as large as possible. Where some helper's local load exceeds
    ``1 - epsilon_0`` the first condition of Lemma 9 cannot hold; then every server
    idles the same share of the slots it does not need for its local helper work.

    References
    ----------
    Lemmas 2, 3, 9 and 24 of the paper.

    Examples
    --------
    >>> ideal = ideal_load_decomposition([(0,), (0, 1)], [1.2, 0.2], n_servers=2, rates=(1, 0.5))
    >>> ideal
    <Decomposition: 1 helpers, 1 beneficiaries, phi 0.2, epsilon 0.2>
    >>> ideal.nu.toarray().round(3).tolist()
    [[0.867, 0.333], [0.0, 0.2]]
    >>> check_decomposition(ideal)
    []
    """
    tiers = check_rates(rates)
    if len(tiers) != 2:
        raise ScenarioError(
            f"rates = {tiers}: the ideal load decomposition is defined for two tiers, "
            "local and remote; leave out the tiers between"
        )
    merged = merge_types(types, arrival_rates, n_servers)
    is_beneficiary = _balanced_overload(merged, tiers[0])
    empty = np.zeros(0, dtype=np.int64)
    shell = Decomposition(
        merged, tiers[0], tiers[1], is_beneficiary, empty, empty, empty, np.zeros(0)
    )
    if shell.n_helpers == 0 or shell.epsilon <= 1e-12 * tiers[0]:
        raise ScenarioError(
            f"total arrival rate {merged.total_rate:.9g}: not strictly inside the capacity region "
            f"(epsilon = {shell.epsilon:.3g}, must be positive); divide the rates by their load, "
            "see capacity.load"
        )
    numbers, local = _split_helpers(merged, is_beneficiary)
    parts = [(merged.owners[numbers], merged.servers[numbers], merged.servers[numbers], local)]
    if shell.n_beneficiaries:
        rho = np.bincount(merged.servers[numbers], local, n_servers) / tiers[0]
        parts += serve_beneficiaries(shell, rho)
    kind, queue, server, rate = (np.concatenate(column) for column in zip(*parts, strict=True))
    used = rate > 0.0
    return Decomposition(
        merged,
        tiers[0],
        tiers[1],
        is_beneficiary,
        kind[used],
        queue[used],
        server[used],
        rate[used],
    )
