"""Sampled queues are those of the run, on either engine, whatever the number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim import Scenario, prepare, run
from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.sampling import sample_queues
from cluster_sim.recording.queue_samples import QueueSamples
from cluster_sim.scenario.build import Prepared
from tests.scenarios.shipped import HAS_NUMBA

ENGINES = [
    "simpy",
    pytest.param("compiled", marks=pytest.mark.skipif(not HAS_NUMBA, reason="numba")),
]


def prepared(engine: str = "simpy") -> Prepared:
    return prepare(
        Scenario(
            cluster={"servers": 6},
            service={"local": 0.8, "remote": 0.4},
            traffic={"kind": "hotspot", "hot_servers": 3, "hot_probability": 0.8, "load": 0.9},
            scheduler={"policy": "priority"},
            run={"slots": 300, "warmup": 100, "replications": 3, "engine": engine},
        )
    )


def total(lengths: np.ndarray) -> dict[str, float]:
    return {"sum": float(lengths.sum(axis=1).mean()), "n": len(lengths)}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_slot_sampled_is_the_mean_queue_length(engine: str) -> None:
    """Looking in every slot gives each replication's own mean, exactly, and tells its progress."""
    ready, told = prepared(engine), []
    found = sample_queues(ready, total, look_every=1, progress=told.append, workers=1)
    results = run(ready, workers=1).results
    assert found["sum"] == [result.mean_queue_length for result in results]
    assert found["n"] == [200] * 3
    assert told[-1] == 900


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_and_threads_sample_alike(engine: str) -> None:
    """Every seventh slot, with one thread or three, on either engine: the same samples."""
    reference = sample_queues(prepared(), lambda q: {"q": q.tolist()}, look_every=7, workers=1)  # type: ignore[dict-item]
    found = sample_queues(
        prepared(engine),
        lambda q: {"q": q.tolist()},
        look_every=7,
        workers=3,  # type: ignore[dict-item]
    )
    assert found == reference
    assert len(found["q"][0]) == len(range(105, 300, 7))  # type: ignore[arg-type]


def test_samples_grow_past_their_first_room() -> None:
    """More samples than the first allocation holds are all kept, in order."""
    samples = QueueSamples(look_every=2, first_slot=3)

    class State:
        lengths: list[int]

    for slot in range(5000):
        State.lengths = [slot, 2 * slot]
        samples.observe(slot, State)  # type: ignore[arg-type]
    assert samples.lengths[:, 0].tolist() == list(range(4, 5000, 2))
    assert (samples.lengths[:, 1] == 2 * samples.lengths[:, 0]).all()


def test_looking_every_zeroth_slot_is_refused() -> None:
    """The spacing is at least one slot."""
    with pytest.raises(ScenarioError, match="look_every = 0: must be at least 1 slot"):
        QueueSamples(look_every=0)


def test_an_interrupt_stops_every_thread() -> None:
    """Whatever goes wrong in one replication ends the others soon, long before their end."""
    ready = prepare(prepared().scenario.with_values({"run.slots": 10**7, "run.replications": 4}))

    def interrupt(n_done: int) -> None:
        if n_done > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_queues(ready, total, look_every=10**6, progress=interrupt, workers=2)
