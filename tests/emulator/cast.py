"""Small casts for trajectories by hand: scripted arrivals, scripted draws, a recorder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from cluster_sim.emulator import draws as draws_module
from cluster_sim.emulator import emulator as emulator_module
from cluster_sim.emulator.emulator import Emulator
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.workload import ArrivalBatch
from cluster_sim.policies import QueuePolicy
from cluster_sim.randomness import Key, Stream
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System

LOCAL = 0
REMOTE = 1  # on clusters of two tiers

# The words that shuffle the idle servers: FIRST takes the lowest left, LAST the last of the list.
FIRST, LAST = 0, 2**32 - 1

Event = tuple[int, str, int, int | None, int, int | None]
"""Slot, what happened, task, server, queue, tier; an arrival has no server and no tier yet."""


def two_servers(local: float = 1.0, remote: float = 0.5) -> Cluster:
    """Servers 0 and 1 in one rack, at two tiers."""
    return Cluster.of(Topology.tree(2), {"local": local, "remote": remote})


def three_servers(local: float = 1.0, remote: float = 0.5) -> Cluster:
    """Servers 0, 1 and 2 in one rack, at two tiers."""
    return Cluster.of(Topology.tree(3), {"local": local, "remote": remote})


@dataclass(frozen=True)
class ScriptedWorkload:
    """Tasks by slot, each given by its replica set."""

    arrivals: Mapping[int, Sequence[Sequence[int]]]
    bound: int | None = 100
    slots_per_batch: int = 1_000

    @property
    def rate(self) -> float:
        return 1.0

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        n_tasks = 0
        for first in range(0, n_slots, self.slots_per_batch):
            slots = range(first, min(first + self.slots_per_batch, n_slots))
            counts = [len(self.arrivals.get(slot, ())) for slot in slots]
            tasks = [list(task) for slot in slots for task in self.arrivals.get(slot, ())]
            width = max(map(len, tasks), default=1)
            rows = [task + [-1] * (width - len(task)) for task in tasks]
            replicas = np.array(rows, dtype=np.int64).reshape(-1, width)
            yield ArrivalBatch(first, n_tasks, np.array(counts, dtype=np.int64), replicas)
            n_tasks += len(tasks)


@dataclass(frozen=True)
class ScriptedDraws:
    """The uniforms and words of a run, 0 where the script says nothing.

    Luck 0 is a service of one slot, a tie of 0 the first choice, a word of 0 the first server left.

    Parameters
    ----------
    luck, route_tie : mapping from task
    order : mapping from slot
        Words of the shuffle.
    tie, among : mapping from (slot, server)
        The tie between kinds of queues, and the pick among the longest.
    """

    luck: Mapping[int, float] = field(default_factory=dict)
    route_tie: Mapping[int, float] = field(default_factory=dict)
    order: Mapping[int, Sequence[int]] = field(default_factory=dict)
    tie: Mapping[tuple[int, int], float] = field(default_factory=dict)
    among: Mapping[tuple[int, int], float] = field(default_factory=dict)

    def blocks(
        self, key: Key, stream: Stream, index: np.ndarray, sub: np.ndarray | int = 0
    ) -> np.ndarray:
        """In place of `cluster_sim.randomness.blocks`: the words that give what the script says."""
        index, sub = np.broadcast_arrays(index, sub)
        rows = np.zeros((len(index), 4), dtype=np.uint64)
        for coordinates, block in self._blocks(stream):
            rows[(index == coordinates[0]) & (sub == coordinates[1])] = block
        return rows

    def block(self, key: Key, stream: Stream, index: int, sub: int) -> list[int]:
        """In place of `cluster_sim.randomness.block`."""
        words: list[int] = self.blocks(key, stream, np.array([index]), np.array([sub]))[0].tolist()
        return words

    def _blocks(self, stream: Stream) -> Iterator[tuple[tuple[int, int], list[int]]]:
        if stream is Stream.TASK:
            for task in self.luck.keys() | self.route_tie.keys():
                halves = (self.luck.get(task, 0.0), self.route_tie.get(task, 0.0))
                yield (task, 0), [*words_of(halves[0]), *words_of(halves[1])]
        elif stream is Stream.DISPATCH_TIE:
            for where in self.tie.keys() | self.among.keys():
                halves = (self.tie.get(where, 0.0), self.among.get(where, 0.0))
                yield where, [*words_of(halves[0]), *words_of(halves[1])]
        elif stream is Stream.DISPATCH_ORDER:
            for slot, words in self.order.items():
                padded = [*words, *[FIRST] * 4][:4]  # casts have at most four servers
                yield (slot, 0), padded
        else:
            raise AssertionError(f"the emulator asked for draws of {stream!r}")


def words_of(uniform: float) -> tuple[int, int]:
    """The two words of which `cluster_sim.randomness.uniforms` makes this uniform."""
    bits = int(uniform * 2**53)
    return (bits >> 26) << 5, (bits & (2**26 - 1)) << 6


class Recorder(Observer):
    """Notes every event with the slot of the clock, and the state at each observation point."""

    def __init__(self) -> None:
        self.emulator: Emulator
        self.events: list[Event] = []
        self.lengths: list[list[int]] = []
        self.waiting: list[list[int]] = []
        self.n_closed = 0

    @property
    def _now(self) -> int:
        return int(self.emulator.env.now)

    def arrival(self, task: Task) -> None:
        assert task.arrival == self._now
        self.events.append((self._now, "arrival", task.number, None, task.queue, None))

    def start(self, task: Task) -> None:
        assert task.start == self._now
        event = (self._now, "start", task.number, task.server, task.queue, task.tier)
        self.events.append(event)

    def completion(self, task: Task) -> None:
        assert task.start + task.service == self._now
        event = (self._now, "completion", task.number, task.server, task.queue, task.tier)
        self.events.append(event)

    def observe(self, slot: int, state: StateView) -> None:
        assert slot == self._now == len(self.lengths)
        self.lengths.append(list(state.lengths))
        self.waiting.append(list(state.waiting))

    def close(self, state: StateView) -> None:
        self.n_closed += 1


def record(
    cluster: Cluster,
    policy: QueuePolicy,
    arrivals: Mapping[int, Sequence[Sequence[int]]],
    *,
    n_slots: int,
    draws: ScriptedDraws | int | None = None,
    **reading: str,
) -> Recorder:
    """Run a cast and return what was seen.

    `draws` is a script; or a seed of real draws, for a cast whose trajectory depends on no draw.
    """
    recorder = Recorder()
    system = System(cluster, ScriptedWorkload(arrivals), policy, Reading(**reading))
    real = isinstance(draws, int)
    with scripted(ScriptedDraws() if draws is None or real else draws, enabled=not real):
        recorder.emulator = Emulator(system, Key.of(draws if real else 0), [recorder])
        recorder.emulator.run(n_slots)
    return recorder


def play(*arguments: object, **options: object) -> list[Event]:
    """Run a cast and return its trajectory; arguments as for `record`."""
    return record(*arguments, **options).events  # type: ignore[arg-type]


@contextmanager
def scripted(draws: ScriptedDraws, *, enabled: bool = True) -> Iterator[None]:
    """Let the emulator draw what the script says, if enabled, and in small windows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws_module, "DRAWS_PER_WINDOW", 8)  # short runs need few draws
        if enabled:
            patch.setattr(emulator_module, "blocks", draws.blocks)
            patch.setattr(draws_module, "blocks", draws.blocks)
            patch.setattr(draws_module, "block", draws.block)
        yield
