"""The conformance kit: the laws of a run, and of a policy in many small runs."""

from __future__ import annotations

import dataclasses
import inspect
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.readings import DispatchOrder, Reading
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.fifo import Fifo
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventKind, EventRecorder
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from cluster_sim.testing.decisions import check_declaration, watched
from cluster_sim.testing.invariants import InvariantObserver
from cluster_sim.testing.laws import Law, LawViolation
from cluster_sim.testing.littles_law import LittlesLaw
from cluster_sim.testing.states import check_decisions
from cluster_sim.testing.systems import covering_readings, small_systems, with_rates_halved
from cluster_sim.testing.trajectories import TaskRecorder, check_same_events, check_same_tasks

__all__ = ["Engine", "check_policy", "check_run", "simulate_checked"]

STATES_PER_SYSTEM = 40


class Engine(Protocol):
    """What runs a system: `cluster_sim.emulator.emulator.simulate`, or its equal."""

    def __call__(
        self,
        system: System,
        key: Key,
        *,
        slots: int,
        warmup: int = 0,
        observers: Sequence[Observer] = (),
    ) -> RunResult:
        """Run a system and measure it."""
        ...


def simulate_checked(
    system: System,
    key: Key,
    *,
    slots: int,
    warmup: int = 0,
    observers: Sequence[Observer] = (),
    engine: Engine = simulate,
) -> RunResult:
    """Run a system with every event checked; use it in tests in place of `simulate`.

    Parameters
    ----------
    system : System
    key : Key
    slots, warmup : int
    observers : sequence of Observer
        Further observers.
    engine : Engine

    Returns
    -------
    RunResult

    Raises
    ------
    LawViolation
        If the run breaks a law of `InvariantObserver` or `LittlesLaw`.
    """
    watch = (InvariantObserver(system), LittlesLaw())
    return engine(system, key, slots=slots, warmup=warmup, observers=[*observers, *watch])


def check_run(system: System, key: Key, *, n_slots: int, engine: Engine = simulate) -> None:
    """Raise unless a system keeps every law of a run.

    Parameters
    ----------
    system : System
    key : Key
    n_slots : int
        At least 2.
    engine : Engine

    Raises
    ------
    LawViolation
        With the law's name and the story of the task concerned.

    Examples
    --------
    >>> from cluster_sim import policies
    >>> for system in small_systems(policies.get("maxweight")):
    ...     check_run(system, Key.of(1), n_slots=10)
    """
    events, tasks = EventRecorder(), TaskRecorder()
    result = simulate_checked(system, key, slots=n_slots, observers=[events, tasks], engine=engine)
    _check_result(result, events)

    # Again, with nobody looking on: the same result, so observers have no influence.
    if engine(system, key, slots=n_slots) != result:
        raise LawViolation(
            Law.DETERMINISM,
            f"policy {system.policy.name!r}: the same run without observers has another result",
        )

    half, part = n_slots // 2, EventRecorder()
    engine(system, key, slots=half, observers=[part])
    beginning = [event for event in events.events if event.slot < half]
    check_same_events(
        beginning,
        part,
        law=Law.NO_FORESIGHT,
        labels=(f"run of {n_slots} slots", f"run of {half} slots"),
    )

    # Slower servers, another policy, another order: the same tasks must come.
    reading = dataclasses.replace(system.reading, dispatch_order=DispatchOrder.INDEX)
    other = dataclasses.replace(with_rates_halved(system), policy=Fifo(), reading=reading)
    met = TaskRecorder()
    engine(other, key, slots=n_slots, observers=[met])
    check_same_tasks(tasks, met, labels=(f"policy {system.policy.name!r}", "policy 'fifo'"))


def check_policy(
    policy: QueuePolicy | type[QueuePolicy] | str,
    *,
    n_slots: int = 60,
    seeds: Sequence[int] = (1,),
    readings: Sequence[Reading] | None = None,
    engine: Engine = simulate,
) -> None:
    """Raise unless a policy keeps the laws, on small clusters of every kind.

    Parameters
    ----------
    policy : QueuePolicy, its class (with default parameters), or its name (``module:Class`` too)
    n_slots : int
        Length of each run.
    seeds : sequence of int
        Each run is made once for each.
    readings : sequence of Reading, optional
        By default `covering_readings`.
    engine : Engine
        Which engine runs it. The decisions are in addition checked on the SimPy engine.

    Raises
    ------
    LawViolation
        With the law's name and the story of the task concerned.
    PolicyError
        If it is no policy at all.

    Examples
    --------
    >>> check_policy("jsq-local", n_slots=10)
    """
    candidate = _instance(policy)
    chosen = covering_readings() if readings is None else readings
    for system in small_systems(candidate):
        cluster = system.cluster
        check_declaration(candidate, cluster.n_servers, cluster.rates)
    for i, reading in enumerate(chosen):
        for system in small_systems(candidate, reading):
            for seed in seeds:
                _check_decisions_of_run(system, Key.of(seed), n_slots, engine)
                if i == 0:
                    check_decisions(
                        candidate, system.cluster, n_states=STATES_PER_SYSTEM, seed=seed
                    )
                    check_run(system, Key.of(seed), n_slots=n_slots, engine=engine)


def _check_decisions_of_run(system: System, key: Key, n_slots: int, engine: Engine) -> None:
    """Check every decision of a run, and that checking them changes nothing."""
    twin = watched(system.policy, system.cluster.n_servers)
    asked, plain = EventRecorder(), EventRecorder()
    simulate(dataclasses.replace(system, policy=twin), key, slots=n_slots, observers=[asked])
    simulate_checked(system, key, slots=n_slots, observers=[plain], engine=engine)
    check_same_events(plain, asked, labels=("first run", "second run, every decision checked"))


def _check_result(result: RunResult, events: EventRecorder) -> None:
    """Raise unless the measurements of a run without warm-up are what its events say."""
    counted = Counter(event.kind for event in events.events)
    arrival, start = {}, {}
    completion_times: Counter[int] = Counter()
    waiting_times: Counter[int] = Counter()
    starts = [0] * len(result.starts)
    for slot, kind, task, _, _, tier in events.events:
        if kind is EventKind.ARRIVAL:
            arrival[task] = slot
        elif kind is EventKind.START and tier is not None:
            start[task] = slot
            starts[tier] += 1
        else:
            completion_times[slot - arrival[task]] += 1
            waiting_times[start[task] - arrival[task]] += 1
    n_arrived, n_completed = counted[EventKind.ARRIVAL], counted[EventKind.COMPLETION]
    for name, found, expected in (
        ("n_arrivals", result.n_arrivals, n_arrived),
        ("n_completed", result.n_completed, n_completed),
        ("n_in_system", result.n_in_system, n_arrived - n_completed),
        ("starts", result.starts.tolist(), starts),
        ("completion_times", _counts(result.completion_times), completion_times),
        ("waiting_times", _counts(result.waiting_times), waiting_times),
    ):
        if found != expected:
            raise LawViolation(Law.RESULT, f"{name} is {found}, the events say {expected}")


def _counts(histogram: Histogram) -> Counter[int]:
    return Counter(dict(zip(histogram.values.tolist(), histogram.counts.tolist(), strict=True)))


def _instance(policy: QueuePolicy | type[QueuePolicy] | str) -> QueuePolicy:
    if isinstance(policy, str):
        return policies.get(policy)
    if inspect.isclass(policy):
        return policies.checked(policy)()
    policies.checked(type(policy))
    return policy
