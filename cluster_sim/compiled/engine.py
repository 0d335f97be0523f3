"""The driver of the compiled loop: same call, same result as the SimPy engine's `simulate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from cluster_sim.compiled import state
from cluster_sim.compiled.assembly import (
    CompilationError,
    compiled_fill,
    compiled_loop,
    index_type,
)
from cluster_sim.compiled.batches import fast_batches
from cluster_sim.compiled.diagnosis import explain
from cluster_sim.compiled.events import EventFeed
from cluster_sim.errors import ClusterSimError, DecisionError, ScenarioError
from cluster_sim.kernels.codes import Counter, Stop
from cluster_sim.kernels.numbers import REPLICAS
from cluster_sim.kernels.parts import Batch
from cluster_sim.model.readings import QueueLength
from cluster_sim.model.workload import ArrivalBatch
from cluster_sim.randomness import Key
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.recording.series import Thinning
from cluster_sim.system import System

__all__ = ["OutOfMemoryError", "check_compiles", "simulate"]

Progress = Callable[[int], None]

# Why loops could not be compiled: numba takes long to find out, and says less the second time.
_refused: dict[Callable[..., int], str] = {}


class OutOfMemoryError(ClusterSimError, MemoryError):
    """The backlog has outgrown the memory."""


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
    """Run a system on the compiled engine and measure it.

    Parameters
    ----------
    system, key, slots, warmup, series_points, progress
        As for `cluster_sim.emulator.emulator.simulate`.
    observers : sequence of Observer
        Further observers. One that defines nothing but `Observer.observe` costs a copy of the
        queues each time it looks; one that is told of events costs some microseconds each.

    Returns
    -------
    RunResult
        Equal to the SimPy engine's.

    Raises
    ------
    CompilationError
        If numba cannot compile the policy.
    DecisionError
        If the policy decides what cannot be done.
    OutOfMemoryError
        If the waiting tasks outgrow the memory; the message says how far the run came.
    """
    run = _Run(system, key, slots=slots, warmup=warmup, observers=observers)
    thinning, done = Thinning(series_points), 0
    try:
        n_servers = system.cluster.n_servers
        for batch in fast_batches(system.workload, key, slots, n_servers=n_servers):
            run.keep_series(run.advance(batch, progress), thinning)
            done = batch.first_slot + batch.n_slots
            if progress is not None:
                progress(done)
        if done != slots:
            raise ScenarioError(
                f"the workload ended after slot {done - 1}, {slots} slots were asked for"
            )
    finally:
        run.close()
    return run.result(thinning)


def check_compiles(system: System) -> None:
    """Compile the loop for a system's policy, or load it from the cache, without running anything.

    Parameters
    ----------
    system : System

    Raises
    ------
    CompilationError
        If numba cannot compile the policy.
    """
    nothing = ArrivalBatch(0, 0, np.zeros(0, np.int64), np.zeros((0, 1), np.int32))
    _Run(system, Key(0, 0), slots=1, warmup=0, observers=()).advance(nothing)


class _Run:
    """A run in progress: what the loop works on, and what has been read off it so far."""

    def __init__(
        self, system: System, key: Key, *, slots: int, warmup: int, observers: Sequence[Observer]
    ) -> None:
        self.system = system
        self._slots, self._warmup = slots, warmup
        self._feed = EventFeed(observers, system.cluster.n_servers)
        self._n_needs = 0 if system.needs is None else system.needs.n_columns
        self._loop = compiled_loop(system.queue_policy, given_times=system.needs is not None)
        self._fill_tasks = compiled_fill("fill_tasks")
        self._index = index_type()
        cluster, policy, index = system.cluster, system.queue_policy, self._index
        self._rules = state.rules_of(
            system,
            key,
            slots=slots,
            warmup=warmup,
            logs=self._feed.wants_events,
            look_every=self._feed.look_every,
            index=index,
        )
        self._counters = np.zeros(len(Counter), dtype=np.int64)
        self._queues = state.queues_of(system, self._rules, index)
        n_queues = len(self._queues.waiting)
        self._servers = state.servers_of(cluster.n_servers, index)
        self._pool = state.grown_pool(
            None, self._counters, index, n_needed=1, width=1, n_needs=self._n_needs
        )
        self._longest = state.longest_index(cluster.groups, policy.uses_longest, index)
        self._least = state.least_index(
            cluster.groups, policy, self._rules.constants.tolist(), n_queues, index
        )
        self._scratch = state.scratch_of(cluster.n_servers, index)
        self._measured = state.measurements(cluster.n_servers, cluster.n_tiers)
        self._buffers = state.event_buffers(self._rules, cluster.n_servers, n_queues)
        self._outliers: dict[str, dict[int, int]] = {"completion": {}, "waiting": {}}
        self._n_arrivals = 0
        self._draws = np.empty((2, 0))
        self._sums = (0, 0, 0)  # arrived, in system, waiting: over the slots so far, for the series

    def advance(self, arrivals: ArrivalBatch, progress: Progress | None = None) -> Batch:
        """Run the slots of a batch; telling observers takes long, so progress is told meanwhile."""
        batch, counters = self._batch(arrivals), self._counters
        width = arrivals.replicas.shape[1]
        counters[Counter.SLOT] = counters[Counter.TASK] = 0
        self._feed.take_batch(batch)
        if REPLICAS + width + self._n_needs > self._pool.tasks.shape[1]:
            self._grow(batch, 0)
        stop = None
        while stop != Stop.DONE:
            stop = self._call(batch)
            if stop == Stop.NEEDS_TASKS:
                self._grow(batch, int(batch.counts[counters[Counter.SLOT]]))
            elif stop == Stop.NEEDS_OUTLIERS:
                self._take_outliers()
            elif stop == Stop.NEEDS_EVENTS:
                self._take_events(int(batch.counts[counters[Counter.SLOT]]))
                if progress is not None:
                    progress(batch.first_slot + int(counters[Counter.SLOT]))
            elif stop != Stop.DONE:
                self._take_events(0)
                raise self._decision_error(Stop(stop), batch)
        self._take_events(0)
        self._n_arrivals += arrivals.n_tasks
        return batch

    def _batch(self, arrivals: ArrivalBatch) -> Batch:
        n_tasks, n_slots = arrivals.n_tasks, arrivals.n_slots
        if n_tasks > self._draws.shape[1]:
            self._draws = np.empty((2, 2 * n_tasks))
        lucks, ties = self._draws[:, :n_tasks]
        key, needs = (self._rules.key_low, self._rules.key_high), self.system.needs
        self._fill_tasks(*key, arrivals.first_task, lucks, ties)
        return Batch(
            first_slot=arrivals.first_slot,
            first_task=arrivals.first_task,
            counts=arrivals.counts,
            replicas=cast("npt.NDArray[np.int32]", arrivals.replicas),
            lucks=lucks,
            ties=ties,
            needs=np.zeros((0, 0), dtype=np.int64) if needs is None else needs.of(lucks),
            row=np.zeros(arrivals.replicas.shape[1], dtype=self._index),
            in_system_at=np.zeros(n_slots, dtype=np.int64),
            waiting_at=np.zeros(n_slots, dtype=np.int64),
        )

    def _call(self, batch: Batch) -> int:
        if self._loop in _refused:
            raise CompilationError(_refused[self._loop])
        try:
            return int(
                self._loop(
                    self._rules,
                    self._counters,
                    batch,
                    self._queues,
                    self._servers,
                    self._pool,
                    self._longest,
                    self._least,
                    self._scratch,
                    self._measured,
                    self._buffers,
                )
            )
        except Exception as error:
            if type(error).__module__.startswith("numba"):
                _refused[self._loop] = explain(self.system.queue_policy, error)
                raise CompilationError(_refused[self._loop]) from error
            raise

    def _grow(self, batch: Batch, n_needed: int) -> None:
        counters, width = self._counters, batch.replicas.shape[1]
        try:
            self._pool = state.grown_pool(
                self._pool,
                counters,
                self._index,
                n_needed=n_needed,
                width=width,
                n_needs=self._n_needs,
            )
        except MemoryError as error:
            done = batch.first_slot + int(counters[Counter.SLOT])
            raise OutOfMemoryError(
                f"slot {done}: {int(counters[Counter.N_WAITING]):,} tasks wait, and there is no "
                "memory for more; the system is likely unstable: lower the load, or run fewer slots"
            ) from error

    def _take_outliers(self) -> None:
        """Move the times beyond the dense histograms into dictionaries."""
        kept = self._measured.outliers[: self._counters[Counter.N_OUTLIERS]]
        for column, counts in enumerate(self._outliers.values()):
            for value, n in zip(*np.unique(kept[:, column], return_counts=True), strict=True):
                counts[int(value)] = counts.get(int(value), 0) + int(n)
        self._counters[Counter.N_OUTLIERS] = 0

    def _take_events(self, n_arrivals: int) -> None:
        """Tell the observers what happened, and make room for a slot with so many arrivals."""
        counters, events = self._counters, self._buffers.events
        self._feed.tell(events[: counters[Counter.N_EVENTS]], self._buffers)
        counters[Counter.N_EVENTS] = counters[Counter.N_LOOKS] = 0
        if not self._feed.wants_events:
            return
        n_rows = n_arrivals + 2 * self.system.cluster.n_servers
        if n_rows >= len(events):
            room = np.zeros((2 * n_rows, 7), dtype=np.int64)
            self._buffers = self._buffers._replace(events=room)

    def keep_series(self, batch: Batch, thinning: Thinning) -> None:
        """Offer the observation points of a batch to the time series."""
        counts, in_system, waiting = batch.counts, batch.in_system_at, batch.waiting_at
        arrived, in_system_sums, waiting_sums = map(np.cumsum, (counts, in_system, waiting))
        before = self._sums
        while thinning.next_slot < batch.first_slot + len(counts):
            at = thinning.next_slot - batch.first_slot
            thinning.offer(
                thinning.next_slot,
                int(in_system[at]),
                int(waiting[at]),
                # Over the slots before: without the slot itself.
                arrived=before[0] + int(arrived[at] - counts[at]),
                in_system_sum=before[1] + int(in_system_sums[at] - in_system[at]),
                waiting_sum=before[2] + int(waiting_sums[at] - waiting[at]),
            )
        if len(counts):
            self._sums = (
                before[0] + int(arrived[-1]),
                before[1] + int(in_system_sums[-1]),
                before[2] + int(waiting_sums[-1]),
            )

    def close(self) -> None:
        """Close the observers."""
        self._feed.close(self._queues, self._counters)

    def result(self, thinning: Thinning) -> RunResult:
        """Return what was measured."""
        self._take_outliers()
        counters, measured = self._counters, self._measured
        n_in_system = int(counters[Counter.N_WAITING] + counters[Counter.N_IN_SERVICE])
        return RunResult(
            slots=self._slots,
            warmup=self._warmup,
            n_arrivals=self._n_arrivals,
            n_completed=self._n_arrivals - n_in_system,
            n_in_system=n_in_system,
            completion_times=Histogram.of_dense(measured.completion_times)
            + Histogram.of(self._outliers["completion"]),
            waiting_times=Histogram.of_dense(measured.waiting_times)
            + Histogram.of(self._outliers["waiting"]),
            starts=measured.starts.copy(),
            busy=self._servers.busy.copy(),
            in_system_sum=int(counters[Counter.IN_SYSTEM_SUM]),
            waiting_sum=int(counters[Counter.WAITING_SUM]),
            n_bound_hits=int(counters[Counter.N_BOUND_HITS]),
            series=thinning.series(),
            counts_service=self.system.reading.queue_length is QueueLength.IN_SYSTEM,
        )

    def _decision_error(self, stop: Stop, batch: Batch) -> DecisionError:
        counters = self._counters
        slot = batch.first_slot + int(counters[Counter.SLOT])
        name, queue = self.system.policy.name, int(counters[Counter.ERROR_QUEUE])
        server, n_queues = int(counters[Counter.ERROR_SERVER]), len(self._queues.waiting)
        if stop is Stop.NOTHING_WAITS:
            length = int(self._queues.lengths[queue])
            return DecisionError(
                f"slot {slot}: policy {name!r} told idle server {server} to serve queue {queue}, "
                f"where no task waits (length {length}); serve() must return a queue with waiting "
                "> 0, or NO_QUEUE"
            )
        if stop is Stop.BAD_SERVE:
            return DecisionError(
                f"slot {slot}: policy {name!r}: serve() for idle server {server} returned {queue}; "
                f"it must return a queue from 0 to {n_queues - 1}, or NO_QUEUE (-1)"
            )
        at = int(counters[Counter.TASK])
        chunk = [int(server) for server in batch.replicas[at] if server >= 0]
        return DecisionError(
            f"policy {name!r}: route() for task {batch.first_task + at} (chunk on servers "
            f"{chunk}) arrived in slot {slot} returned {queue}; it must return a queue from 0 to "
            f"{n_queues - 1}"
        )
