"""A trace names the chunk of each task, and says where all chunks are."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim import prepare, read_scenario
from cluster_sim.errors import ScenarioError
from cluster_sim.model.workload import placed_chunks
from cluster_sim.traces import workload
from tests.scenarios.shipped import FOLDER


def test_the_replicas_of_a_task_are_those_of_its_chunk() -> None:
    """In every batch, and in every part of one."""
    prepared = prepare(read_scenario(FOLDER / "facebook-trace.toml"))
    placed = placed_chunks(prepared.system.workload)
    assert placed is not None
    n_tasks = 0
    for batch in prepared.system.workload.batches(prepared.key(), 300):
        for part in batch.split(100):
            assert part.chunks is not None
            assert np.array_equal(placed[part.chunks], part.replicas)
            n_tasks += part.n_tasks
    assert n_tasks > 1000


def test_too_many_chunks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each is to be kept; the remedy is named."""
    monkeypatch.setattr(workload, "MOST_CHUNKS", 100)
    prepared = prepare(read_scenario(FOLDER / "facebook-trace.toml"))
    with pytest.raises(ScenarioError, match="and 100 is the most; set max_tasks_per_job"):
        placed_chunks(prepared.system.workload)
