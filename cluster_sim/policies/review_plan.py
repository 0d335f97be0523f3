"""The static linear program of a discrete review, and its solution as a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import DecisionError

__all__ = ["Plan", "ReviewProgram"]

Floats = npt.NDArray[np.float64]
LEAST = 1e-6  # services; less is rounding of the solver
PRICE_OF_TIME = 1e-3  # of a service, for the time of a remote one: decides among equal plans


@dataclass(frozen=True, eq=False)
class Plan:
    """How many services of each type each server, or group of servers, is to start.

    Parameters
    ----------
    own : list of dict of int to float, length n_servers
        Of each server: local services by type.
    pools : dict of (int, int) to dict of int to float
        By tier from 1 on and group: services by type that servers of the group are to run.
    shares : float array, shape (n_tiers, n_servers)
        Time that each server gives to the pool of its group at each tier, slots. Row 0 is unused.
    """

    own: list[dict[int, float]]
    pools: dict[tuple[int, int], dict[int, float]]
    shares: Floats

    @property
    def n_services(self) -> float:
        """Services planned in all, in expectation."""
        everything = [*self.own, *self.pools.values()]
        return sum(sum(each.values()) for each in everything)


@dataclass(frozen=True, eq=False)
class ReviewProgram:
    """Start as many services as possible in the time that the servers have, and in the least of it.

    Parameters
    ----------
    types : sequence of sequence of int
        Replica set of each type.
    supply : float array, shape (n_types,)
        Most services of each type.
    time : float array, shape (n_servers,)
        Time of each server, slots.
    rates : sequence of float, length n_tiers
    groups : int64 array, shape (n_tiers, n_servers)
        As in `Cluster`.

    Notes
    -----
    The variables are the times that servers spend on activities. An activity is a type at a server
    that holds it, or a type at a group of servers near it; each server divides its time between its
    local activities and the pools of its groups:

    maximise  sum over activities of mu_a x_a, subject to
    sum over a of type L of mu_a x_a <= supply_L,
    sum of local x_a at m + sum over tiers of z_mt <= time_m,
    sum of x_a at group g <= sum over m in g of z_mt,  x, z >= 0.

    A thousandth of a remote service is charged for its time, so that of plans with as many services
    the one that takes the least time is chosen: local where that is possible.

    This has the value of the program with a variable for each type and server, in which a server
    runs a type at the rate of its tier, with far fewer variables.
    """

    types: Sequence[Sequence[int]]
    supply: Floats
    time: Floats
    rates: Sequence[float]
    groups: npt.NDArray[np.int64]
    _activities: list[tuple[int, int, int]] = field(init=False)  # type, tier, group

    def __post_init__(self) -> None:
        """List the activities: a server that cannot give time has none of its own."""
        found = []
        for kind, replicas in enumerate(self.types):
            found += [(kind, 0, server) for server in replicas if self.time[server] > 0]
            for tier in range(1, len(self.rates)):
                near = {int(self.groups[tier][server]) for server in replicas}
                found += [(kind, tier, group) for group in sorted(near)]
        object.__setattr__(self, "_activities", found)

    def solve(self) -> Plan:
        """Return an optimal plan.

        Returns
        -------
        Plan

        Raises
        ------
        DecisionError
            If the solver gives up.
        """
        from scipy.optimize import linprog

        n_servers = self.groups.shape[1]
        matrix = self._matrix()
        rates = self._activity_rates
        bound = np.zeros(matrix.shape[0])
        bound[: len(self.types) + n_servers] = np.concatenate((self.supply, self.time))
        cost = np.zeros(matrix.shape[1])
        cost[: len(rates)] = PRICE_OF_TIME * self.rates[-1] - rates
        # For programs of thousands of types the interior point method is five times as fast; its
        # crossover ends in a corner, where few services are planned in parts.
        found = linprog(cost, A_ub=matrix, b_ub=bound, method="highs-ipm")
        if found.x is None:
            raise DecisionError(
                f"policy 'discrete-review': no plan for {len(self.types)} types on {n_servers} "
                f"servers was found ({found.message}); try another period, or another policy"
            )
        given = found.x[len(rates) :].reshape(-1, n_servers)
        shares = np.vstack((np.zeros((1, n_servers)), given))
        return self._plan(found.x[: len(rates)] * rates, shares)

    @property
    def _activity_rates(self) -> Floats:
        return np.array([self.rates[tier] for _, tier, _ in self._activities])

    def _matrix(self) -> Any:
        """Return the constraints: a row for each type, each server, each group of tiers from 1 on.

        The columns are the activities, then the shares of the servers, tier by tier.
        """
        from scipy.sparse import csr_array

        n_tiers, n_servers = self.groups.shape
        first_server = len(self.types)
        first_group, n_rows = [0], first_server + n_servers
        for row in self.groups[1:]:
            first_group.append(n_rows)
            n_rows += int(row.max()) + 1
        first_group[0] = first_server  # a server is the group of itself
        n_activities = len(self._activities)
        kinds, tiers, places = np.array(self._activities, dtype=np.int64).reshape(-1, 3).T
        column = np.arange(n_activities)
        share = n_activities + np.arange((n_tiers - 1) * n_servers)
        giver = first_server + np.tile(np.arange(n_servers), n_tiers - 1)
        taker = (self.groups[1:] + np.array(first_group[1:])[:, None]).ravel()
        of_one = np.ones(n_activities)
        of_share = np.ones(len(share))
        values = np.concatenate((self._activity_rates, of_one, of_share, -of_share))
        rows = np.concatenate((kinds, np.array(first_group)[tiers] + places, giver, taker))
        columns = np.concatenate((column, column, share, share))
        return csr_array((values, (rows, columns)), shape=(n_rows, n_activities + len(share)))

    def _plan(self, services: Floats, shares: Floats) -> Plan:
        own: list[dict[int, float]] = [{} for _ in range(self.groups.shape[1])]
        pools: dict[tuple[int, int], dict[int, float]] = {}
        for i in np.flatnonzero(services > LEAST).tolist():
            kind, tier, place = self._activities[i]
            pool = own[place] if tier == 0 else pools.setdefault((tier, place), {})
            pool[kind] = float(services[i])
        return Plan(own, pools, shares)
