"""Which replica set each task has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.placement import Placement, UniformPlacement, check_replica_sets
from cluster_sim.model.topology import Topology
from cluster_sim.randomness import Key, Stream, blocks, uniforms, words

__all__ = [
    "NO_SERVER",
    "Even",
    "Hotspot",
    "Traffic",
    "Types",
    "place_chunks",
    "place_sets",
    "zipf_weights",
]

NO_SERVER = -1  # fills the rows of tasks with fewer replicas than the widest


class Traffic(Protocol):
    """Where the chunks of arriving tasks are."""

    def replicas(self, key: Key, first_task: int, n_tasks: int) -> npt.NDArray[np.int64]:
        """Return the replica sets of consecutive tasks.

        Parameters
        ----------
        key : Key
        first_task, n_tasks : int

        Returns
        -------
        int64 array, shape (n_tasks, width)
            Servers, ascending; shorter rows end in `NO_SERVER`.
        """
        ...


@dataclass(frozen=True)
class Even:
    """Each task samples its replica set among all servers (paper, section 6, case 1).

    Parameters
    ----------
    topology : Topology
    n_replicas : int
    placement : Placement
    """

    topology: Topology
    n_replicas: int = 3
    placement: Placement = UniformPlacement()

    def replicas(self, key: Key, first_task: int, n_tasks: int) -> npt.NDArray[np.int64]:
        """Return the replica sets of consecutive tasks; see `Traffic.replicas`."""
        tasks = np.arange(first_task, first_task + n_tasks, dtype=np.uint64)
        draw = words(key, Stream.TYPE, tasks, 1 + self.n_replicas)
        everyone = np.arange(self.topology.n_servers, dtype=np.int64)
        return place_sets(self.placement, draw[:, 1:], everyone, self.topology, self.n_replicas)


@dataclass(frozen=True)
class Hotspot:
    """A task's replicas are among the hot servers with one probability, else among the others.

    The hot servers are the first `n_hot` (paper, section 6, case 2: sigma = `hot_probability`,
    N = `n_hot`).

    Parameters
    ----------
    topology : Topology
    n_hot : int
    hot_probability : float
    n_replicas : int
    placement : Placement
    """

    topology: Topology
    n_hot: int
    hot_probability: float
    n_replicas: int = 3
    placement: Placement = UniformPlacement()

    def __post_init__(self) -> None:
        if not 0 <= self.hot_probability <= 1:
            raise ScenarioError(f"hot_probability = {self.hot_probability}: must be from 0 to 1")
        if not 1 <= self.n_hot <= self.topology.n_servers:
            raise ScenarioError(
                f"hot_servers = {self.n_hot}: must be from 1 to cluster.servers "
                f"({self.topology.n_servers})"
            )

    def replicas(self, key: Key, first_task: int, n_tasks: int) -> npt.NDArray[np.int64]:
        """Return the replica sets of consecutive tasks; see `Traffic.replicas`."""
        tasks = np.arange(first_task, first_task + n_tasks, dtype=np.uint64)
        draw = words(key, Stream.TYPE, tasks, 1 + self.n_replicas)
        is_hot = draw[:, 0] < np.uint64(hot_word(self.hot_probability))
        everyone = np.arange(self.topology.n_servers, dtype=np.int64)
        result = np.empty((n_tasks, self.n_replicas), dtype=np.int64)
        for chosen, servers in (
            (is_hot, everyone[: self.n_hot]),
            (~is_hot, everyone[self.n_hot :]),
        ):
            if chosen.any():
                result[chosen] = place_sets(
                    self.placement, draw[chosen, 1:], servers, self.topology, self.n_replicas
                )
        return result


def hot_word(probability: float) -> int:
    """Return the number of 32-bit words that count as hot.

    Parameters
    ----------
    probability : float
        0 to 1.

    Returns
    -------
    int
        0 to 2**32.
    """
    return round(probability * 2**32)


@dataclass(frozen=True, eq=False)
class Types:
    """Tasks of known types: explicit replica sets, or placed chunks with a popularity.

    Parameters
    ----------
    replica_sets : int64 array, shape (n_types, width)
        Servers, ascending; shorter rows end in `NO_SERVER`.
    weights : float64 array, shape (n_types,)
        Proportional to the arrival rate of each type.
    """

    replica_sets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        weights = np.asarray(self.weights)
        if len(weights) != len(self.replica_sets):
            raise ScenarioError(
                f"weights: {len(weights)} of them for {len(self.replica_sets)} task types; give "
                "one each"
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            raise ScenarioError("weights: must be finite, at least 0, and not all 0")

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Probability of each type, float64 array, shape (n_types,)."""
        return np.asarray(self.weights / self.weights.sum())

    @cached_property
    def cdf(self) -> npt.NDArray[np.float64]:
        """Distribution function over the types, float64 array, shape (n_types,)."""
        cdf = np.cumsum(self.probabilities)
        cdf[-1] = 1.0
        return cdf

    def types(self, key: Key, first_task: int, n_tasks: int) -> npt.NDArray[np.int64]:
        """Return the type (or chunk) of consecutive tasks.

        Parameters
        ----------
        key : Key
        first_task, n_tasks : int

        Returns
        -------
        int64 array, shape (n_tasks,)
            Rows of `replica_sets`.
        """
        tasks = np.arange(first_task, first_task + n_tasks, dtype=np.uint64)
        draw = blocks(key, Stream.TYPE, tasks)
        return np.searchsorted(self.cdf, uniforms(draw[:, 0], draw[:, 1]), side="right")

    def replicas(self, key: Key, first_task: int, n_tasks: int) -> npt.NDArray[np.int64]:
        """Return the replica sets of consecutive tasks; see `Traffic.replicas`."""
        return np.asarray(self.replica_sets[self.types(key, first_task, n_tasks)])


def place_chunks(
    key: Key,
    chunks: npt.NDArray[np.int64],
    *,
    topology: Topology,
    placement: Placement,
    n_replicas: int,
) -> npt.NDArray[np.int64]:
    """Return where the replicas of chunks are: a pure function of the key and the chunk's number.

    Parameters
    ----------
    key : Key
    chunks : int64 array, shape (n,)
    topology : Topology
    placement : Placement
    n_replicas : int

    Returns
    -------
    int64 array, shape (n, n_replicas)
    """
    draw = words(key, Stream.PLACEMENT, chunks.astype(np.uint64), n_replicas)
    everyone = np.arange(topology.n_servers, dtype=np.int64)
    return place_sets(placement, draw, everyone, topology, n_replicas)


def zipf_weights(n_chunks: int, exponent: float) -> npt.NDArray[np.float64]:
    """Return Zipf weights: the chunk of rank k has weight k**-exponent.

    Parameters
    ----------
    n_chunks : int
    exponent : float
        0 gives equal popularity.

    Returns
    -------
    float64 array, shape (n_chunks,)

    Examples
    --------
    >>> zipf_weights(3, 1.0).round(3).tolist()
    [1.0, 0.5, 0.333]
    """
    return np.arange(1, n_chunks + 1, dtype=np.float64) ** -exponent


def place_sets(
    placement: Placement,
    draw: npt.NDArray[np.uint64],
    servers: npt.NDArray[np.int64],
    topology: Topology,
    n_replicas: int,
) -> npt.NDArray[np.int64]:
    """Return the replica sets that a placement gives, checked if it is not our own.

    Parameters
    ----------
    placement : Placement
    draw : uint64 array, shape (n, n_replicas)
        32-bit words.
    servers : int64 array, shape (n_eligible,)
        The servers to choose among, ascending.
    topology : Topology
    n_replicas : int

    Returns
    -------
    int64 array, shape (n, n_replicas)

    Raises
    ------
    ScenarioError
        If the placement finds no room, or returns what cannot be.
    """
    placed = placement.place(draw, servers=servers, topology=topology, n_replicas=n_replicas)
    replicas = np.asarray(placed)
    if not isinstance(placement, UniformPlacement):  # ours is right by its own tests
        check_replica_sets(
            replicas, shape=(len(draw), n_replicas), n_servers=topology.n_servers, who=placement
        )
    return replicas
