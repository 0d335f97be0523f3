"""A run led from outside is a run of the engine, whoever leads it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim import Scenario
from cluster_sim.emulator.emulator import simulate
from cluster_sim.emulator.stepped import Routing, SteppedEmulator
from cluster_sim.errors import DecisionError, PolicyError, ScenarioError
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.recording.events import EventRecorder
from cluster_sim.recording.queue_samples import QueueSamples
from cluster_sim.scenario.build import Prepared, prepare

N_SLOTS = 120
TABLES: dict[str, Any] = {
    "cluster": {"servers": 8, "racks": 2},
    "service": {"local": 0.6, "rack_local": 0.4, "remote": 0.2},
    "traffic": {"kind": "hotspot", "hot_servers": 3, "hot_probability": 0.7, "load": 0.85},
    "scheduler": {"policy": "priority"},
    "run": {"slots": N_SLOTS, "seed": 5},
}


def prepared(**values: Any) -> Prepared:
    given = {name.replace("__", "."): value for name, value in values.items()}
    return prepare(Scenario(**TABLES).with_values(given))


def lead(run: SteppedEmulator) -> list[int]:
    """Answer each decision by the system's own policy; return the tasks seen in each slot."""
    policy: Any = run.system.queue_policy
    decisions, seen = run.decisions(N_SLOTS), []
    found = next(decisions, None)
    while found is not None:
        if isinstance(found, int):
            seen.append(found)
            answer = 0
        else:
            decide = policy.route if isinstance(found, Routing) else policy.serve
            answer = decide(*found.arguments)
        try:
            found = decisions.send(answer)
        except StopIteration:
            break
    return seen


@pytest.mark.parametrize(
    "policy",
    ["priority", "maxweight", "fifo", "jsq-maxweight", "balanced-pandas", "jsq-d", "random-local"],
)
@pytest.mark.parametrize("order", ["random", "index", "locals-first"])
def test_led_by_its_policy_it_is_the_engine(policy: str, order: str) -> None:
    """Event by event and look by look, for every kind of decision and every dispatch order."""
    found = prepared(scheduler__policy=policy, reading__dispatch_order=order)
    key, observers = found.key(0), (EventRecorder(), QueueSamples())
    seen = lead(SteppedEmulator(found.system, key, observers))
    engine = (EventRecorder(), QueueSamples())
    result = simulate(found.system, key, slots=N_SLOTS, observers=engine)
    assert observers[0].events == engine[0].events
    assert len(observers[0].events) > N_SLOTS
    assert (observers[1].lengths == engine[1].lengths).all()
    assert sum(seen) == result.in_system_sum
    assert len(seen) == N_SLOTS


@pytest.mark.parametrize("length", ["in-system", "waiting"])
def test_it_shows_what_the_policy_is_shown(length: str) -> None:
    """The lengths of the reading, and a tie of its own for each decision."""
    found = prepared(reading__queue_length=length)
    seen = EventRecorder(), EventRecorder()
    lead(SteppedEmulator(found.system, found.key(0), [seen[0]]))
    simulate(found.system, found.key(0), slots=N_SLOTS, observers=[seen[1]])
    assert seen[0].events == seen[1].events


def test_an_impossible_answer_is_refused() -> None:
    """The scheduler checks it as it checks a policy."""
    found = prepared()
    run = SteppedEmulator(found.system, found.key(0))
    decisions = run.decisions(N_SLOTS)
    first = next(decisions)
    while isinstance(first, int):
        first = next(decisions)
    with pytest.raises(DecisionError, match=r"route\(\) for .* returned 8; it must return a queue"):
        decisions.send(8)


def test_a_server_may_be_told_to_wait() -> None:
    """Whoever leads may leave servers idle while tasks wait; then nothing ever starts."""
    found = prepared()
    recorder = EventRecorder()
    run = SteppedEmulator(found.system, found.key(0), [recorder])
    decisions = run.decisions(N_SLOTS)
    step = next(decisions)
    try:
        while True:
            is_routing = isinstance(step, Routing)
            step = decisions.send(step.task.replicas[0] if is_routing else NO_QUEUE)  # type: ignore[union-attr]
    except StopIteration:
        pass
    assert {event.kind for event in recorder.events} == {"arrival"}
    assert run.n_in_system == len(recorder.events) == run.n_arrivals


def test_what_it_does_not_know_is_refused() -> None:
    """Lengths of the slot's start, breakdowns, task policies."""
    found = prepared(reading__routing_view="slot-start")
    with pytest.raises(ScenarioError, match=r'shows live lengths; use routing_view = "live"'):
        SteppedEmulator(found.system, found.key(0))
    broken = TABLES | {"failures": {"server_mean_up": 50, "server_mean_down": 5}}
    found = prepare(Scenario(**broken))
    with pytest.raises(ScenarioError, match=r"knows no breakdowns and no changing replicas; leave"):
        SteppedEmulator(found.system, found.key(0))
    found = prepared(scheduler__policy="hadoop-fifo")
    with pytest.raises(PolicyError, match=r"is a task policy"):
        SteppedEmulator(found.system, found.key(0))
