"""Where the replicas of a chunk are put."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.topology import Topology
from cluster_sim.randomness import Words, scaled

__all__ = ["HdfsPlacement", "Placement", "UniformPlacement", "check_replica_sets"]

Servers = npt.NDArray[np.int64]


@runtime_checkable
class Placement(Protocol):
    """The rule by which a chunk's replicas are spread over servers.

    A placement of one's own is any class with this method; a scenario names it ``module:Class``.
    """

    def place(
        self, words: Words, *, servers: Servers, topology: Topology, n_replicas: int
    ) -> Servers:
        """Return a replica set for each row of random words.

        Parameters
        ----------
        words : uint64 array, shape (n, n_replicas)
            Independent uniform 32-bit words: the only randomness to use.
        servers : int64 array, shape (n_eligible,)
            The servers to choose among, ascending.
        topology : Topology
        n_replicas : int

        Returns
        -------
        int64 array, shape (n, n_replicas)
            Distinct servers, ascending in each row.
        """
        ...


@dataclass(frozen=True)
class UniformPlacement:
    """Distinct servers, uniformly at random (paper, sections 1.1 and 6)."""

    def place(
        self, words: Words, *, servers: Servers, topology: Topology, n_replicas: int
    ) -> Servers:
        """Return `n_replicas` distinct servers a row; see `Placement.place`."""
        if n_replicas > len(servers):
            raise ScenarioError(
                f"replicas = {n_replicas}: must be at most {len(servers)}, "
                "the servers to choose among"
            )
        return np.asarray(servers[distinct(words, len(servers), n_replicas)])


@dataclass(frozen=True)
class HdfsPlacement:
    """Rack-aware, as HDFS: one replica on a random server, the others together in another rack.

    The other rack is that of a server drawn uniformly outside the first rack, among racks with room
    for the remaining replicas.

    Attributes
    ----------
    is_rack_aware : bool
        A copy of a chunk that is left in one rack only goes to another. A placement of one's own
        may say so too.
    """

    is_rack_aware: ClassVar[bool] = True

    def place(
        self, words: Words, *, servers: Servers, topology: Topology, n_replicas: int
    ) -> Servers:
        """Return one server and `n_replicas` - 1 of another rack a row; see `Placement.place`."""
        if n_replicas == 1:
            return servers[distinct(words, len(servers), 1)]
        # Racks as runs of neighbours, whatever the numbering of the servers.
        rack_of = topology.level("rack")[servers]
        by_rack = np.argsort(rack_of, kind="stable")
        servers, rack_of = servers[by_rack], rack_of[by_rack]
        start, size, room = _racks_with_room(rack_of, n_replicas)
        first = scaled(words[:, 0], len(servers))
        # The candidates for the second replica: servers in racks with room, less the first
        # replica's own rack.
        own_rack = np.searchsorted(start, first, side="right") - 1
        candidates = np.flatnonzero(
            room[np.searchsorted(start, np.arange(len(servers)), "right") - 1]
        )
        own_start = np.searchsorted(candidates, start[own_rack])
        own_size = np.where(room[own_rack], size[own_rack], 0)
        choice = scaled(words[:, 1], len(candidates) - own_size)
        second = candidates[np.where(choice >= own_start, choice + own_size, choice)]
        rack = np.searchsorted(start, second, side="right") - 1
        columns = [first, second]
        taken = np.sort((second - start[rack])[:, None], axis=1)
        for i in range(2, n_replicas):
            offset = scaled(words[:, i], size[rack] - (i - 1))
            taken, offset = _insert_distinct(taken, offset)
            columns.append(start[rack] + offset)
        return np.sort(servers[np.stack(columns, axis=1)], axis=1)


def _racks_with_room(
    rack_of: Servers, n_replicas: int
) -> tuple[Servers, Servers, npt.NDArray[np.bool_]]:
    """Return each rack's start and size in the ascending servers, and whether it has room."""
    _, start, size = np.unique(rack_of, return_index=True, return_counts=True)
    room = size >= n_replicas - 1
    if room.sum() < 2:
        raise ScenarioError(
            f"placement = 'hdfs' with replicas = {n_replicas}: needs at least 2 racks with "
            f"{n_replicas - 1} servers each to choose among, there are {int(room.sum())}; use "
            "fewer racks or placement = 'uniform'"
        )
    return start.astype(np.int64), size.astype(np.int64), room


def distinct(words: Words, n: int, k: int) -> Servers:
    """Return `k` distinct whole numbers below `n` for each row of words, ascending.

    Parameters
    ----------
    words : uint64 array, shape (rows, >= k)
    n, k : int
        k <= n.

    Returns
    -------
    int64 array, shape (rows, k)
        Every set equally likely.

    Notes
    -----
    The i-th draw is uniform on the n - i numbers not yet taken: it counts past those taken. No
    rejection, so the number of words is fixed.
    """
    taken = np.empty((len(words), 0), dtype=np.int64)
    for i in range(k):
        taken, _ = _insert_distinct(taken, scaled(words[:, i], n - i))
    return taken


def _insert_distinct(taken: Servers, draw: Servers) -> tuple[Servers, Servers]:
    """Return the sorted rows with one more number each, and it: the draw, past those taken."""
    for column in taken.T:
        draw = draw + (draw >= column)
    return np.sort(np.concatenate((taken, draw[:, None]), axis=1), axis=1), draw


def check_replica_sets(
    replicas: Servers, *, shape: tuple[int, int], n_servers: int, who: object
) -> None:
    """Raise unless a placement returned what `Placement.place` promises.

    Parameters
    ----------
    replicas : int64 array
    shape : tuple of int
        Rows and replicas asked for.
    n_servers : int
    who : object
        The placement, for the message.

    Raises
    ------
    ScenarioError
    """
    name = type(who).__name__
    if replicas.shape != shape or not np.issubdtype(replicas.dtype, np.integer):
        raise ScenarioError(
            f"placement {name}: place() returned {replicas.dtype} {replicas.shape}; "
            f"it must return whole numbers of shape {shape}"
        )
    if replicas.size and (replicas.min() < 0 or replicas.max() >= n_servers):
        raise ScenarioError(
            f"placement {name}: place() returned a server outside 0..{n_servers - 1}"
        )
    if (np.diff(replicas, axis=1) <= 0).any():
        raise ScenarioError(
            f"placement {name}: the replicas of a row must be distinct and ascending"
        )
