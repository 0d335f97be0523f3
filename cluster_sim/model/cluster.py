"""The cluster that an engine runs: servers, locality tiers and the service rate of each tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError, did_you_mean
from cluster_sim.model.topology import Topology

__all__ = ["LOCAL", "Cluster", "tier_of"]

LOCAL = 0  # the innermost tier: the server holds the chunk
Groups = Sequence[Sequence[int]] | npt.NDArray[np.int64]
LEAST_RATE = 1e-12  # below it, service times leave the range of whole numbers


@dataclass(frozen=True, eq=False)
class Cluster:
    """Servers with a service rate per locality tier.

    Parameters
    ----------
    topology : Topology
    rates : tuple of float
        Service rate per tier and slot, from local (alpha) to remote (gamma): the probability that a
        task in service completes in a slot.
    tier_names : tuple of str
        One a rate: ``("local", "rack_local", "remote")``.
    groups : int64 array, shape (n_tiers, n_servers)
        Row `t` numbers the group of servers that are within tier `t` of each other; row 0 the
        server, the last row all zero.
    speeds : tuple of float, length n_servers, optional
        What multiplies the rates of each server, at every tier; None where all servers are alike.

    Examples
    --------
    >>> topology = Topology.tree(6, {"rack": 3})
    >>> cluster = Cluster.of(topology, {"local": 1.0, "rack_local": 0.9, "remote": 0.5})
    >>> cluster.tier(1, [0, 4]), cluster.tier(2, [0, 4]), cluster.tier(4, [0, 4])
    (1, 2, 0)
    """

    topology: Topology
    rates: tuple[float, ...]
    tier_names: tuple[str, ...]
    groups: npt.NDArray[np.int64] = field(repr=False)
    speeds: tuple[float, ...] | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        topology: Topology,
        rates: Mapping[str, float],
        speeds: Sequence[float] | None = None,
    ) -> Cluster:
        """Return the cluster with these rates by tier name.

        Parameters
        ----------
        topology : Topology
        rates : mapping of str to float
            ``local``, ``remote``, and ``<level>_local`` for levels between. A level without a rate
            of its own counts to the next tier outward.
        speeds : sequence of float, length n_servers, optional
            What multiplies the rates of each server; 1 for an ordinary one.

        Returns
        -------
        Cluster

        Raises
        ------
        ScenarioError
            If a rate is missing, belongs to no level, or the rates do not satisfy
            0 < remote <= ... <= local <= 1, also with the speed of each server.
        """
        inner = {f"{name}_local": h for h, name in enumerate(topology.level_names[:-1]) if h > 0}
        order = ["local", *inner, "remote"]
        for name in rates:
            if name not in order:
                raise ScenarioError(f"service rate {name!r}: {did_you_mean(name, order)}")
        for name in ("local", "remote"):
            if name not in rates:
                raise ScenarioError(f"service rate {name!r} is missing; add e.g. {name} = 0.5")
        names = tuple(name for name in order if name in rates)
        values = tuple(float(rates[name]) for name in names)
        check_rates(values, names)
        heights = [0, *(inner[name] for name in names[1:-1]), topology.n_levels - 1]
        groups = np.ascontiguousarray(topology.ancestors[heights])
        factors = _checked_speeds(speeds, values, names, topology.n_servers)
        return cls(topology, values, names, groups, factors)

    @property
    def n_servers(self) -> int:
        """Number of servers, M."""
        return self.topology.n_servers

    @property
    def n_tiers(self) -> int:
        """Number of locality tiers."""
        return len(self.rates)

    def tier(self, server: int, replicas: Sequence[int]) -> int:
        """Return the locality tier at which a server would run a task.

        Parameters
        ----------
        server : int
        replicas : sequence of int
            The servers that hold the task's chunk.

        Returns
        -------
        int
            0 (local) to `n_tiers` - 1 (remote).
        """
        return tier_of(server, replicas, self.groups)


def tier_of(server: int, replicas: Sequence[int], groups: Groups) -> int:
    """Return the locality tier at which a server would run a task.

    Parameters
    ----------
    server : int
    replicas : sequence of int
    groups : sequence of sequence of int, or int array, shape (n_tiers, n_servers)
        As in `Cluster`.

    Returns
    -------
    int
        0 (local) to n_tiers - 1 (remote).

    Examples
    --------
    >>> tier_of(1, [0, 4], [[0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1], [0] * 6])
    1
    """
    if server in replicas:
        return LOCAL
    for tier in range(1, len(groups)):
        group = groups[tier]
        here = group[server]
        for replica in replicas:
            if group[replica] == here:
                return tier
    return len(groups) - 1


def _checked_speeds(
    speeds: Sequence[float] | None,
    rates: tuple[float, ...],
    names: tuple[str, ...],
    n_servers: int,
) -> tuple[float, ...] | None:
    """Return the speeds, None if all are 1; raise if a rate would leave its range."""
    if speeds is None:
        return None
    if len(speeds) != n_servers:
        raise ScenarioError(
            f"speeds: {len(speeds)} of them for {n_servers} servers; give one for each"
        )
    factors = tuple(float(speed) for speed in speeds)
    for server, factor in enumerate(factors):
        if not (factor * rates[-1] >= LEAST_RATE and factor * rates[0] <= 1.0):
            raise ScenarioError(
                f"speed {factor:g} of server {server}: its rates would be from "
                f"{factor * rates[-1]:g} to {factor * rates[0]:g} ({names[-1]} to {names[0]}); "
                "they must be above 0 and at most 1, probabilities per slot. Choose another "
                "speed, or lower the rates of all servers"
            )
    return None if all(factor == 1.0 for factor in factors) else factors


def check_rates(rates: Sequence[float], names: Sequence[str]) -> None:
    """Raise unless 0 < remote <= ... <= local <= 1.

    Parameters
    ----------
    rates : sequence of float
        From local to remote.
    names : sequence of str

    Raises
    ------
    ScenarioError
    """
    for name, rate in zip(names, rates, strict=True):
        if not LEAST_RATE <= rate <= 1.0:
            raise ScenarioError(
                f"service rate {name} = {rate}: must be above 0 and at most 1, "
                f"a probability per slot (no less than {LEAST_RATE})"
            )
    for near, far in zip(range(len(rates)), range(1, len(rates)), strict=False):
        if rates[far] > rates[near]:
            raise ScenarioError(
                f"service rate {names[far]} = {rates[far]}: must be at most {names[near]} "
                f"({rates[near]}): nearer data is never slower; swap or lower it"
            )
