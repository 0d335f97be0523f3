"""The conformance kit: the laws of a run, and of a policy in many small runs."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Protocol, TypedDict

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.readings import DispatchOrder, Reading, ServiceTier
from cluster_sim.policies.base import Policy, QueuePolicy
from cluster_sim.policies.fifo import Fifo
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventRecorder
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from cluster_sim.testing.decisions import check_declaration
from cluster_sim.testing.invariants import EventInvariants, InvariantObserver
from cluster_sim.testing.laws import Law, LawViolation
from cluster_sim.testing.littles_law import LittlesLaw
from cluster_sim.testing.results import check_result
from cluster_sim.testing.states import check_decisions, check_weights
from cluster_sim.testing.systems import covering_readings, small_systems, with_rates_halved
from cluster_sim.testing.trajectories import TaskRecorder, check_same_events, check_same_tasks
from cluster_sim.testing.witness import Witness

__all__ = ["Engine", "check_exchanges", "check_policy", "check_run", "simulate_checked"]

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


class _Options(TypedDict):
    engine: Engine
    tells_states: bool


def simulate_checked(
    system: System,
    key: Key,
    *,
    slots: int,
    warmup: int = 0,
    observers: Sequence[Observer] = (),
    engine: Engine = simulate,
    tells_states: bool = True,
) -> RunResult:
    """Run a system with every event and the result checked; for tests, in place of `simulate`.

    Parameters
    ----------
    system : System
    key : Key
    slots, warmup : int
    observers : sequence of Observer
        Further observers.
    engine : Engine
    tells_states : bool
        Whether the engine calls `Observer.observe`. If not, events and result are checked, and
        no states.

    Returns
    -------
    RunResult

    Raises
    ------
    LawViolation
        If the run breaks a law of `InvariantObserver` or `LittlesLaw`, or reports another result
        than its events say.
    """
    events = EventRecorder()
    watch: list[Observer] = [events]
    watch += (
        [InvariantObserver(system), LittlesLaw()] if tells_states else [EventInvariants(system)]
    )
    result = engine(system, key, slots=slots, warmup=warmup, observers=[*observers, *watch])
    check_result(result, events.events)
    return result


def check_run(
    system: System,
    key: Key,
    *,
    n_slots: int,
    engine: Engine = simulate,
    tells_states: bool = True,
) -> None:
    """Raise unless a system keeps every law of a run.

    Parameters
    ----------
    system : System
    key : Key
    n_slots : int
        At least 2.
    engine : Engine
    tells_states : bool
        Whether the engine calls `Observer.observe`.

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
    options: _Options = {"engine": engine, "tells_states": tells_states}
    warmup = n_slots // 3
    result = simulate_checked(
        system, key, slots=n_slots, warmup=warmup, observers=[events, tasks], **options
    )

    # Again, with nobody looking on: the same result, so observers have no influence.
    if engine(system, key, slots=n_slots, warmup=warmup) != result:
        raise LawViolation(
            Law.DETERMINISM,
            f"policy {system.policy.name!r}: the same run without observers has another result",
        )

    half, part = n_slots // 2, EventRecorder()
    simulate_checked(system, key, slots=half, observers=[part], **options)
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
    policy: Policy | type[Policy] | str,
    *,
    n_slots: int = 60,
    seeds: Sequence[int] = (1,),
    readings: Sequence[Reading] | None = None,
    engine: Engine = simulate,
    tells_states: bool = True,
) -> None:
    """Raise unless a policy keeps the laws, on small clusters of every kind.

    A task policy is held to the laws of a run. Those of single decisions, of readings and of a
    queue's order speak of queue policies: a task policy has no `route` and no `serve`, and starts
    its tasks in any order. Its proposals are checked by the scheduler.

    Parameters
    ----------
    policy : QueuePolicy or TaskPolicy
        Or its class (with default parameters), or its name (``module:Class`` too).
    n_slots : int
        Length of each run.
    seeds : sequence of int
        Each run is made once for each.
    readings : sequence of Reading, optional
        By default `covering_readings`.
    engine : Engine
        Which engine runs it. The decisions are in addition checked on the SimPy engine, so that
        another engine is also held to the same events.
    tells_states : bool
        Whether the engine calls `Observer.observe`.

    Raises
    ------
    LawViolation
        With the law's name and the story of the task concerned.
    PolicyError
        If it is no policy at all, or its queues belong to servers that do not exist.

    Examples
    --------
    >>> check_policy("jsq-local", n_slots=10)
    """
    candidate = _instance(policy)
    chosen = covering_readings() if readings is None else readings
    options: _Options = {"engine": engine, "tells_states": tells_states}
    if not isinstance(candidate, QueuePolicy):
        for reading in _for_task_policies(chosen):
            for system in small_systems(candidate, reading):
                for seed in seeds:
                    check_run(system, Key.of(seed), n_slots=n_slots, **options)
        return
    for system in small_systems(candidate):
        cluster = system.cluster
        check_declaration(candidate, cluster.n_servers, cluster.rates)
        check_weights(candidate, cluster, n_states=STATES_PER_SYSTEM, seed=seeds[0])
    for i, reading in enumerate(chosen):
        for system in small_systems(candidate, reading):
            for seed in seeds:
                check_exchanges(system, Key.of(seed), n_slots=n_slots, **options)
                if i == 0:
                    check_decisions(
                        candidate, system.cluster, n_states=STATES_PER_SYSTEM, seed=seed
                    )
                    check_run(system, Key.of(seed), n_slots=n_slots, **options)


def check_exchanges(
    system: System,
    key: Key,
    *,
    n_slots: int,
    engine: Engine = simulate,
    tells_states: bool = True,
) -> None:
    """Raise unless every exchange between engine and policy in a run keeps the laws.

    They are watched on the SimPy engine; another engine must have the same events.

    Parameters
    ----------
    system : System
    key : Key
    n_slots : int
    engine : Engine
    tells_states : bool
        Whether the engine calls `Observer.observe`.

    Raises
    ------
    LawViolation
    """
    witness, asked, plain = Witness(system), EventRecorder(), EventRecorder()
    witnessed = dataclasses.replace(system, policy=witness.policy)
    simulate(witnessed, key, slots=n_slots, observers=[asked, witness])
    simulate_checked(
        system, key, slots=n_slots, observers=[plain], engine=engine, tells_states=tells_states
    )
    check_same_events(plain, asked, labels=("first run", "second run, every decision checked"))


def _for_task_policies(readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings, each once, with the one service tier that a task policy may have."""
    tier = ServiceTier.REPLICA
    return list(dict.fromkeys(dataclasses.replace(each, service_tier=tier) for each in readings))


def _instance(policy: Policy | type[Policy] | str) -> Policy:
    if isinstance(policy, str):
        return policies.get(policy)
    if inspect.isclass(policy):
        return policies.checked(policy)()
    policies.checked(type(policy))
    return policy
