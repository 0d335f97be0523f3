"""The emulator: a slot clock, one process a server, a central scheduler."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import chain, repeat

import numpy as np
import simpy
from simpy.events import Event

from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.emulator.phases import Alarm, Ends, Phase
from cluster_sim.emulator.scheduler import CentralScheduler
from cluster_sim.emulator.server import serve_forever
from cluster_sim.emulator.task_scheduler import TaskScheduler
from cluster_sim.errors import ScenarioError
from cluster_sim.model.readings import QueueLength
from cluster_sim.model.task import Task
from cluster_sim.model.workload import ArrivalBatch
from cluster_sim.policies.task_base import TaskPolicy
from cluster_sim.randomness import Key, Stream, blocks, uniforms
from cluster_sim.recording.measurements import Measurements
from cluster_sim.recording.observer import Observer, ObserverHub
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System

__all__ = ["Emulator", "simulate"]

Progress = Callable[[int], None]
TASKS_AT_ONCE = (
    1024  # made of a batch: few, or the garbage collector goes over them again and again
)


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
        self.scheduler: CentralScheduler | TaskScheduler
        policy = system.policy
        self._tells_jobs = isinstance(policy, TaskPolicy)
        if isinstance(policy, TaskPolicy):
            self.scheduler = TaskScheduler(self.env, system, policy, draws, self.observers)
        else:
            self.scheduler = CentralScheduler(self.env, system, draws, self.observers)
        ends = Ends(self.env)
        for server in range(system.cluster.n_servers):
            self.env.process(serve_forever(server, self.scheduler, ends))

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
            self.env.run(until=done)
        finally:
            self.observers.close(self.scheduler)

    def _clock(self, n_slots: int, progress: Progress | None) -> Generator[Event, None, None]:
        """Lead through the phases of each slot; completions come first by their own priority."""
        scheduler, watch = self.scheduler, self.observers.observe
        observation = Alarm(self.env, Phase.OBSERVATION)
        arrivals = Alarm(self.env, Phase.ARRIVALS)
        dispatch = Alarm(self.env, Phase.DISPATCH)
        slot = 0
        for batch in self.system.workload.batches(self._key, n_slots):
            parts = batch.split(TASKS_AT_ONCE)
            for tasks, ties in chain.from_iterable(map(self._arrivals, parts)):
                yield observation.set(1 if slot else 0)
                for every, look in watch:
                    if slot % every == 0:
                        look(slot, scheduler)
                yield arrivals.set(0)
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

    def _arrivals(self, batch: ArrivalBatch) -> Iterator[tuple[list[Task], list[float]]]:
        """Yield the tasks of each slot of a batch, with their routing ties."""
        numbers = np.arange(batch.first_task, batch.first_task + batch.n_tasks, dtype=np.uint64)
        draw = blocks(self._key, Stream.TASK, numbers)
        luck = uniforms(draw[:, 0], draw[:, 1]).tolist()
        ties = uniforms(draw[:, 2], draw[:, 3]).tolist()
        replicas = _replica_lists(batch.replicas)
        bound = self.system.workload.bound
        jobs = batch.job_numbers().tolist() if self._tells_jobs else None
        begin = 0
        for slot, count in enumerate(batch.counts.tolist(), batch.first_slot):
            end = begin + count
            named = range(batch.first_task + begin, batch.first_task + end)
            tasks = list(map(Task, named, repeat(slot), replicas[begin:end], luck[begin:end]))
            if jobs is not None:
                for task, job in zip(tasks, jobs[begin:end], strict=True):
                    task.job = job
            yield tasks, ties[begin:end]
            self.n_arrivals += count
            if bound is not None and count >= bound:
                self.n_bound_hits += 1
            begin = end


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
    return RunResult(
        slots=slots,
        warmup=warmup,
        n_arrivals=emulator.n_arrivals,
        n_in_system=emulator.scheduler.n_waiting + emulator.scheduler.n_in_service,
        n_bound_hits=emulator.n_bound_hits,
        counts_service=system.reading.queue_length is QueueLength.IN_SYSTEM,
        **measurements.fields(),
    )
