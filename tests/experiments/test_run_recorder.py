"""A recorded run is the run, and the theory's processes couple to it."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim import Scenario, prepare
from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.reproductions.bases import base
from cluster_sim.experiments.run_recorder import record_run
from cluster_sim.recording.queue_samples import QueueSamples
from cluster_sim.scenario.task_types import decomposition_of
from cluster_sim.theory.ideal_processes import ideal_processes
from cluster_sim.theory.run_record import RunRecord
from cluster_sim.theory.single_server import coupled_queue, summed_queues


def recorded(scenario: Scenario, slots: int) -> RunRecord:
    prepared = prepare(scenario)
    return record_run(prepared.system, decomposition_of(prepared), prepared.key(), slots=slots)


@pytest.mark.parametrize("name", ["locally-overloaded", "evenly-loaded"])
@pytest.mark.parametrize("policy", ["priority", "maxweight", "jsq-local"])
def test_the_hypothetical_queue_stays_below_a_real_run(name: str, policy: str) -> None:
    """Section 5.1.1: coupled to a run, the single-server queue never exceeds the run's sum."""
    scenario = base(name).with_values({"scheduler.policy": policy})
    prepared = prepare(scenario)
    ideal = decomposition_of(prepared)
    record = recorded(scenario, 1_500)
    coupled = coupled_queue(ideal_processes(record, ideal, rng=np.random.default_rng(1)))
    real = summed_queues(record, ideal)
    assert (coupled <= real).all()
    assert real.max() > 0


def test_recorded_queues_are_those_of_the_run() -> None:
    """Slot by slot the queues are what an observer of the same run sees."""
    scenario = base("locally-overloaded")
    prepared = prepare(scenario)
    samples = QueueSamples()
    simulate(prepared.system, prepared.key(), slots=301, observers=[samples])
    record = recorded(scenario, 300)
    assert np.array_equal(record.queues, samples.lengths)
    busy = (record.serving >= 0).sum(axis=1)
    # A task in service counts in its queue, so no more servers work than tasks are there.
    assert (busy <= record.queues[:-1].sum(axis=1) + record.arrivals.sum(axis=1)).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scheduler.policy": "fifo"}, "policy 'fifo': its queues are not one for each server"),
        ({"scheduler.policy": "jsq-maxweight"}, "policy 'jsq-maxweight': its queues are not one"),
        ({"reading.queue_length": "waiting"}, 'queue_length = "waiting": the theory counts tasks'),
        ({"reading.service_tier": "replica"}, 'service_tier = "replica": in the theory a task'),
    ],
)
def test_other_models_are_refused(values: dict[str, object], message: str) -> None:
    """What is not the system of section 2.2 cannot be recorded for its theory."""
    with pytest.raises(ScenarioError, match=message):
        recorded(base("locally-overloaded").with_values(values), 10)


def test_no_slots_and_foreign_types_are_refused() -> None:
    """A record has at least a slot, and the decomposition is that of the traffic."""
    prepared, other = prepare(base("locally-overloaded")), prepare(base("evenly-loaded"))
    with pytest.raises(ScenarioError, match="slots = 0: must be at least 1"):
        record_run(prepared.system, decomposition_of(prepared), prepared.key(), slots=0)
    with pytest.raises(ScenarioError, match=r"task \d+: .* a type that the decomposition does not"):
        record_run(prepared.system, decomposition_of(other), prepared.key(), slots=50)
