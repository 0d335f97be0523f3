"""The cluster that an engine runs: servers, locality tiers and the service rate of each tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError, did_you_mean
from cluster_sim.model.topology import Topology

__all__ = ["LOCAL", "Cluster"]

LOCAL = 0  # the innermost tier: the server holds the chunk
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

    @classmethod
    def of(cls, topology: Topology, rates: Mapping[str, float]) -> Cluster:
        """Return the cluster with these rates by tier name.

        Parameters
        ----------
        topology : Topology
        rates : mapping of str to float
            ``local``, ``remote``, and ``<level>_local`` for levels between. A level without a rate
            of its own counts to the next tier outward.

        Returns
        -------
        Cluster

        Raises
        ------
        ScenarioError
            If a rate is missing, belongs to no level, or the rates do not satisfy
            0 < remote <= ... <= local <= 1.
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
        return cls(topology, values, names, np.ascontiguousarray(topology.ancestors[heights]))

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
        for tier, group in enumerate(self.groups):
            if any(group[server] == group[replica] for replica in replicas):
                return tier
        return self.n_tiers - 1


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
