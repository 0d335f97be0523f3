"""The rules over jobs as their papers write them: no index, everything looked at every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from hypothesis import strategies as st

from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.arrivals import ArrivalProcess, Batch, Bernoulli, Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Types
from cluster_sim.model.workload import ArrivalBatch, SyntheticWorkload, Workload
from cluster_sim.policies import Policy, Setting, TaskPolicy, TaskScheduling
from cluster_sim.randomness import Key
from cluster_sim.recording.events import Event, EventRecorder
from cluster_sim.system import System

Choose = Callable[["LiteralScheduling", int, int], Task | None]
"""From the state, the slot and an idle server to the task that it starts."""


@dataclass(frozen=True)
class Literal(TaskPolicy):
    """Asks `choose` for each idle server."""

    choose: Choose

    name: ClassVar[str] = "literal"
    title: ClassVar[str] = "As the paper writes it"

    def begin(self, setting: Setting) -> LiteralScheduling:
        return LiteralScheduling(setting, self.choose)


class LiteralScheduling(TaskScheduling):
    def __init__(self, setting: Setting, choose: Choose) -> None:
        self.cluster, self._choose = setting.cluster, choose
        self.tasks: list[Task] = []  # waiting
        self.first: dict[int, int] = {}  # of each job, its first task
        self.running: Counter[int] = Counter()
        self.skips: Counter[int] = Counter()

    def accept(self, task: Task, tie: float) -> None:
        self.tasks.append(task)
        self.first.setdefault(task.job, task.number)

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[tuple[int, Task]]:
        for server in idle:
            if not self.tasks:
                return
            task = self._choose(self, slot, server)
            if task is not None:
                self.tasks.remove(task)
                self.running[task.job] += 1
                yield server, task

    def completed(self, task: Task) -> None:
        self.running[task.job] -= 1
        if not self.running[task.job] and all(other.job != task.job for other in self.tasks):
            del self.first[task.job], self.skips[task.job]  # a job is over when it has no tasks

    def in_order(self, key: Callable[[int], object]) -> list[int]:
        """The jobs with waiting tasks; those of equal keys by age."""
        jobs = {task.job for task in self.tasks}
        return sorted(jobs, key=lambda job: (key(job), self.first[job]))

    def nearest(self, job: int, server: int) -> tuple[int, Task]:
        """The oldest of a job's nearest tasks, with its tier."""
        tasks = [task for task in self.tasks if task.job == job]
        tiers = [self.cluster.tier(server, task.replicas) for task in tasks]
        return min(tiers), tasks[tiers.index(min(tiers))]


def literal_fifo(state: LiteralScheduling, slot: int, server: int) -> Task:
    return state.nearest(state.in_order(lambda job: 0)[0], server)[1]


def literal_fair(state: LiteralScheduling, slot: int, server: int) -> Task:
    return state.nearest(state.in_order(lambda job: state.running[job])[0], server)[1]


def literal_delay(thresholds: list[float]) -> Choose:
    """Algorithm 2 of Zaharia et al., 2010, with a threshold for each tier."""

    def choose(state: LiteralScheduling, slot: int, server: int) -> Task | None:
        for job in state.in_order(lambda job: state.running[job]):
            tier, task = state.nearest(job, server)
            if tier == 0:
                state.skips[job] = 0
                return task
            if state.skips[job] >= thresholds[tier]:
                return task
            state.skips[job] += 1
        return None

    return choose


class TypesNear:
    """The types with waiting tasks, as a server sees them in a slot."""

    def __init__(self, state: LiteralScheduling, slot: int, server: int) -> None:
        self._cluster, self._slot, self._server = state.cluster, slot, server
        self.tasks: dict[tuple[int, ...], list[Task]] = {}
        for task in state.tasks:
            self.tasks.setdefault(tuple(task.replicas), []).append(task)

    def tier(self, kind: tuple[int, ...]) -> int:
        return self._cluster.tier(self._server, kind)

    def rate(self, kind: tuple[int, ...]) -> int:
        return round(self._cluster.rates[self.tier(kind)] * 100)

    def length(self, kind: tuple[int, ...]) -> int:
        return len(self.tasks[kind])

    def oldest(self, kind: tuple[int, ...]) -> int:
        return self.tasks[kind][0].number

    def delay(self, kind: tuple[int, ...]) -> int:
        return self._slot - self.tasks[kind][0].arrival


def literal_c_mu(cost_of: str, exponent: float, linear: float) -> Choose:
    """The largest C'(x) times rate; ties to the nearer tier, then to the oldest head."""

    def choose(state: LiteralScheduling, slot: int, server: int) -> Task:
        near = TypesNear(state, slot, server)
        amount = near.delay if cost_of == "delay" else near.length

        def weight(kind: tuple[int, ...]) -> float:
            rising = amount(kind) ** (exponent - 1)
            return (linear + exponent * rising if linear else rising) * near.rate(kind)

        def rank(kind: tuple[int, ...]) -> tuple[float, int, int]:
            return -weight(kind), near.tier(kind), near.oldest(kind)

        return near.tasks[min(near.tasks, key=rank)][0]

    return choose


def literal_squillante(thresholds: Sequence[float]) -> Choose:
    """The oldest local task, else the longest type above a threshold, the nearest tier first."""

    def choose(state: LiteralScheduling, slot: int, server: int) -> Task | None:
        near = TypesNear(state, slot, server)

        def rank(kind: tuple[int, ...]) -> tuple[int, int, int]:
            tier = near.tier(kind)
            return tier, -near.length(kind) if tier else 0, near.oldest(kind)

        kinds = [k for k in near.tasks if near.length(k) > thresholds[near.tier(k)]]
        return near.tasks[min(kinds, key=rank)][0] if kinds else None

    return choose


def literal_bell_williams(threshold: float) -> Choose:
    """The longest of the types above the threshold on lower servers, else the oldest local task."""

    def choose(state: LiteralScheduling, slot: int, server: int) -> Task | None:
        near = TypesNear(state, slot, server)
        helped = [k for k in near.tasks if near.length(k) > threshold and max(k) < server]
        if helped:
            chosen = min(helped, key=lambda kind: (-near.length(kind), near.oldest(kind)))
            return near.tasks[chosen][0]
        own = [kind for kind in near.tasks if server in kind]
        return near.tasks[min(own, key=near.oldest)][0] if own else None

    return choose


@dataclass(frozen=True, eq=False)
class InJobs:
    """A workload whose tasks are given other jobs."""

    workload: Workload
    job_of: Callable[[int], int]

    @property
    def rate(self) -> float:
        return self.workload.rate

    @property
    def bound(self) -> int | None:
        return self.workload.bound

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        for batch in self.workload.batches(key, n_slots):
            tasks = range(batch.first_task, batch.first_task + batch.n_tasks)
            yield replace(batch, jobs=np.array([self.job_of(i) for i in tasks], dtype=np.int64))


TWO_TIERS = Cluster.of(Topology.tree(6), {"local": 0.8, "remote": 0.4})
RACKS = Cluster.of(Topology.tree(8, {"rack": 4}), {"local": 0.8, "rack_local": 0.6, "remote": 0.3})
PODS = Cluster.of(
    Topology.tree(9, {"rack": 6, "pod": 3}),
    {"local": 0.9, "rack_local": 0.7, "pod_local": 0.5, "remote": 0.3},
)
CLUSTERS = {"two tiers": TWO_TIERS, "racks": RACKS, "pods": PODS}

keys = st.builds(Key.of, st.integers(0, 2**32))


@st.composite
def workloads(draw: st.DrawFn, cluster: Cluster) -> Workload:
    """Random types, and jobs that are single tasks, batches, or spread over many slots."""
    n = cluster.n_servers
    pairs = st.sets(st.integers(0, n - 1), min_size=2, max_size=2)
    sets = draw(st.lists(pairs, min_size=1, max_size=9))
    rows = np.array([sorted(row) for row in sets], dtype=np.int64)
    rate = draw(st.sampled_from([0.5, 0.8, 1.2])) * cluster.rates[-1] * n
    size = draw(st.sampled_from([1, 2, 5, 20]))
    arrivals: ArrivalProcess = Poisson(rate) if size == 1 else Batch(rate, size)
    traffic = draw(st.sampled_from([Even(cluster.topology, 2), Types(rows, np.ones(len(rows)))]))
    workload = SyntheticWorkload(traffic, arrivals)
    n_jobs = draw(st.sampled_from([0, 0, 1, 3]))
    return InJobs(workload, lambda i: i * 7 % n_jobs) if n_jobs else workload


def single_tasks(cluster: Cluster, rate: float) -> SyntheticWorkload:
    """Jobs of one task, even traffic."""
    return SyntheticWorkload(Even(cluster.topology, 2), Poisson(rate))


def at_most_one(cluster: Cluster, rate: float) -> SyntheticWorkload:
    """At most one task a slot, even traffic, three replicas."""
    return SyntheticWorkload(Even(cluster.topology, 3), Bernoulli(rate))


def trajectory(
    cluster: Cluster, workload: Workload, policy: Policy, key: Key, *, slots: int, **reading: str
) -> list[Event]:
    """Every event of a run."""
    events = EventRecorder()
    system = System(cluster, workload, policy, Reading(**reading))
    simulate(system, key, slots=slots, observers=[events])
    return events.events
