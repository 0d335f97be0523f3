"""A batch names the chunk of each task where tasks share chunks, and only there."""

from __future__ import annotations

import numpy as np

from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Types
from cluster_sim.model.workload import SyntheticWorkload, placed_chunks
from cluster_sim.randomness import Key

TYPES = Types(np.array([[0, 1], [2, -1], [1, 3]]), np.array([1.0, 2.0, 3.0]))


def test_tasks_of_known_types_name_them() -> None:
    """The replica set is that of the chunk, also in the parts of a batch."""
    workload = SyntheticWorkload(TYPES, Poisson(3.0))
    placed = placed_chunks(workload)
    assert placed is TYPES.replica_sets
    seen = set()
    for batch in workload.batches(Key.of(1), 200):
        for part in batch.split(50):
            assert part.chunks is not None
            assert np.array_equal(placed[part.chunks], part.replicas)
            seen |= set(part.chunks.tolist())
    assert seen == {0, 1, 2}


def test_the_replica_sets_are_those_of_the_traffic() -> None:
    """Naming the chunks changes no draw."""
    (batch,) = SyntheticWorkload(TYPES, Poisson(3.0)).batches(Key.of(2), 100)
    assert np.array_equal(batch.replicas, TYPES.replicas(Key.of(2), 0, batch.n_tasks))


def test_tasks_with_chunks_of_their_own_name_none() -> None:
    """Even traffic draws a replica set for each task."""
    workload = SyntheticWorkload(Even(Topology.tree(4), 2), Poisson(3.0))
    assert placed_chunks(workload) is None
    assert all(part.chunks is None for b in workload.batches(Key.of(1), 50) for part in b.split(9))
