"""The emulator: a slot clock, one process a server, a central scheduler."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
import simpy
from simpy.events import Event

from cluster_sim.emulator.base import Scheduler
from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.emulator.dynamics import Dynamics
from cluster_sim.emulator.phases import Alarm, Bell, Ends, Phase
from cluster_sim.emulator.scheduler import CentralScheduler
from cluster_sim.emulator.server import serve_forever, serve_until_broken
from cluster_sim.emulator.task_scheduler import TaskScheduler
from cluster_sim.errors import ScenarioError
from cluster_sim.model.readings import QueueLength
from cluster_sim.model.task import JobTask, Task, TrackedTask
from cluster_sim.model.workload import ArrivalBatch
from cluster_sim.policies.task_base import TaskPolicy
from cluster_sim.randomness import Key, Stream, blocks, uniforms
from cluster_sim.recording.disruptions import FailureRecord, ReplicationRecord
from cluster_sim.recording.measurements import Measurements
from cluster_sim.recording.observer import Observer, ObserverHub, StateView
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System

__all__ = ["Emulator", "simulate"]

Progress = Callable[[int], None]
TASKS_AT_ONCE = (
    1024  # made of a batch: few, or the garbage collector goes over them again and again
)

OBJECTS_PER_COLLECTION = 100_000


class Emulator:
    """One run of a system on the SimPy engine.

    Parameters
    ----------
    system : System
    key : Key
        Decides every draw.
    observers : sequence of Observer
        Who is told; without any, the run records nothing.
    """

    def __init__(self, system: System, key: Key, observers: Sequence[Observer] = ()) -> None:
        self.system = system
        self.env = simpy.Environment()
        self.observers = ObserverHub(observers)
        self._key = key
        self.n_arrivals = 0
        self.n_bound_hits = 0
        draws = DispatchDraws(key, system.cluster.n_servers)
        self._tells_jobs = isinstance(system.policy, TaskPolicy)
        self.scheduler: Scheduler = self._make_scheduler(draws)
        self._dynamics: Dynamics | None = None
        if system.is_dynamic:
            self._dynamics = Dynamics(system, key, self.scheduler, self.observers)
        is_tracked = system.is_dynamic or system.needs is not None
        self._kind = TrackedTask if is_tracked else JobTask if self._tells_jobs else Task
        ends, n_servers = Ends(self.env), system.cluster.n_servers
        self._repaired = [Bell(self.env) for _ in range(n_servers if system.failures else 0)]
        lives = [
            serve_until_broken(server, self.scheduler, ends, repaired)
            for server, repaired in enumerate(self._repaired)
        ] or [serve_forever(server, self.scheduler, ends) for server in range(n_servers)]
        self._servers = [self.env.process(life) for life in lives]

    def _make_scheduler(self, draws: DispatchDraws) -> Scheduler:
        system = self.system
        if isinstance(system.policy, TaskPolicy):
            return TaskScheduler(self.env, system, system.policy, draws, self.observers)
        return CentralScheduler(self.env, system, draws, self.observers)

    @property
    def state(self) -> StateView:
        """What observers are shown."""
        return self.scheduler if self._dynamics is None else self._dynamics

    @property
    def n_chunks(self) -> int:
        """Chunks that are kept track of; 0 where nothing happens to them."""
        return 0 if self._dynamics is None else self._dynamics.n_chunks

    def records(self) -> tuple[FailureRecord | None, ReplicationRecord | None]:
        """Return what the run says of its breakdowns, and of its replicas; see `Dynamics`.

        Returns
        -------
        (FailureRecord or None, ReplicationRecord or None)
        """
        return (None, None) if self._dynamics is None else self._dynamics.records()

    def run(self, n_slots: int, progress: Progress | None = None) -> None:
        """Simulate slots 0 to `n_slots` - 1.

        Parameters
        ----------
        n_slots : int
        progress : callable, optional
            Told the number of slots done, now and then.

        Raises
        ------
        DecisionError
            If the policy decides what cannot be done.
        """
        done = self.env.process(self._clock(n_slots, progress))
        try:
            with _seldom_collected():
                self.env.run(until=done)
        finally:
            self.observers.close(self.state)

    def _clock(self, n_slots: int, progress: Progress | None) -> Generator[Event, None, None]:
        """Lead through the phases of each slot; completions come first by their own priority."""
        scheduler, watch, state = self.scheduler, self.observers.observe, self.state
        dynamics = self._dynamics
        observation = Alarm(self.env, Phase.OBSERVATION)
        arrivals = Alarm(self.env, Phase.ARRIVALS)
        dispatch = Alarm(self.env, Phase.DISPATCH)
        slot = 0
        for batch in self.system.workload.batches(self._key, n_slots):
            parts = batch.split(TASKS_AT_ONCE)
            for arrived, their_ties in chain.from_iterable(map(self._arrivals, parts)):
                yield observation.set(1 if slot else 0)
                if dynamics is not None:
                    self._break_down(*dynamics.slot_begins(slot))
                for every, look in watch:
                    if slot % every == 0:
                        look(slot, state)
                yield arrivals.set(0)
                tasks, ties = arrived, their_ties
                if dynamics is not None:
                    tasks, ties = dynamics.joining(tasks, ties)
                if tasks:
                    scheduler.accept(tasks, ties)
                yield dispatch.set(0)
                scheduler.dispatch(slot)
                slot += 1
            if progress is not None:
                progress(slot)
        if slot != n_slots:
            raise ScenarioError(
                f"the workload ended after slot {slot - 1}, {n_slots} slots were asked for"
            )

    def _break_down(self, went_down: list[int], came_up: list[int]) -> None:
        """Let processes of servers stop what they do, or begin again."""
        for server in went_down:
            self._servers[server].interrupt()
        for server in came_up:
            self._repaired[server].ring(None)

    def _arrivals(self, batch: ArrivalBatch) -> Iterator[tuple[list[Task], list[float]]]:
        """Yield the tasks of each slot of a batch, with their routing ties."""
        numbers = np.arange(batch.first_task, batch.first_task + batch.n_tasks, dtype=np.uint64)
        draw = blocks(self._key, Stream.TASK, numbers)
        lucks = uniforms(draw[:, 0], draw[:, 1])
        luck = lucks.tolist()
        ties = uniforms(draw[:, 2], draw[:, 3]).tolist()
        replicas = _replica_lists(batch.replicas)
        bound = self.system.workload.bound
        told: dict[str, list[Any]] = {}  # what most runs need not know
        if self._tells_jobs:
            told["job"] = batch.job_numbers().tolist()
        if self.system.needs is not None:
            told["needs"] = self.system.needs.of(lucks).tolist()
        if batch.chunks is not None and self._dynamics is not None:
            told["chunk"] = batch.chunks.tolist()
        begin = 0
        for slot, count in enumerate(batch.counts.tolist(), batch.first_slot):
            end = begin + count
            named = range(batch.first_task + begin, batch.first_task + end)
            tasks = list(map(self._kind, named, repeat(slot), replicas[begin:end], luck[begin:end]))
            for name, values in told.items():
                for task, value in zip(tasks, values[begin:end], strict=True):
                    setattr(task, name, value)
            yield tasks, ties[begin:end]
            self.n_arrivals += count
            if bound is not None and count >= bound:
                self.n_bound_hits += 1
            begin = end


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let Python look for garbage in cycles seldom: a run makes none, and looking takes a tenth."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], OBJECTS_PER_COLLECTION) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _replica_lists(replicas: np.ndarray) -> list[list[int]]:
    """Return the replica sets as lists, without the fill of shorter rows."""
    lists: list[list[int]] = replicas.tolist()
    if replicas.size and (replicas[:, -1] < 0).any():
        return [[server for server in row if server >= 0] for row in lists]
    return lists


def simulate(
    system: System,
    key: Key,
    *,
    slots: int,
    warmup: int = 0,
    series_points: int = 1000,
    observers: Sequence[Observer] = (),
    progress: Progress | None = None,
) -> RunResult:
    """Run a system on the SimPy engine and measure it.

    Parameters
    ----------
    system : System
    key : Key
        Decides every draw; see `Key.of`.
    slots : int
        Slots to simulate.
    warmup : int
        Slots at the start that the averages leave out.
    series_points : int
        About how many points the time series keeps.
    observers : sequence of Observer
        Further observers.
    progress : callable, optional
        Told the number of slots done, now and then.

    Returns
    -------
    RunResult

    Raises
    ------
    DecisionError
        If the policy decides what cannot be done.
    """
    cluster = system.cluster
    measurements = Measurements(
        cluster.n_servers,
        cluster.n_tiers,
        slots=slots,
        warmup=warmup,
        series_points=series_points,
    )
    emulator = Emulator(system, key, [measurements, *observers])
    emulator.run(slots, progress)
    failures, replication = emulator.records()
    return RunResult(
        slots=slots,
        warmup=warmup,
        n_arrivals=emulator.n_arrivals,
        n_in_system=emulator.state.n_waiting + emulator.state.n_in_service,
        n_bound_hits=emulator.n_bound_hits,
        counts_service=system.reading.queue_length is QueueLength.IN_SYSTEM,
        failures=failures,
        replication=replication,
        **measurements.fields(),
    )
