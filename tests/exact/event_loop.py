"""The same tiny clusters by brute force: tasks with names, a loop over slots, a random generator.

Written from the protocol a second time, with nothing of the chain but the description of the
system, so that a slip in one of the two shows.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from statistics import fmean, stdev

from exact.system import TinySystem


@dataclass
class Task:
    """One task and its history."""

    replicas: tuple[int, ...]
    arrived: int
    queue: int = -1
    started: int = -1
    ends: int = -1
    tier: int = -1


@dataclass
class Batch:
    """Sums over one stretch of slots; tasks count where they arrive."""

    tasks: list[Task] = field(default_factory=list)
    in_system: int = 0
    busy: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Estimate:
    """A mean over batches and its standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: list[float]) -> Estimate:
        """Summarise one value per batch."""
        return cls(fmean(values), stdev(values) / math.sqrt(len(values)))

    def agrees_with(self, exact: float, *, n_errors: float = 4.0) -> bool:
        """Whether the exact value lies within so many standard errors."""
        return abs(self.mean - exact) <= n_errors * self.error + 1e-9


class EventLoop:
    """The cluster, slot by slot."""

    def __init__(self, system: TinySystem, seed: int) -> None:
        self.system = system
        self.random = random.Random(seed)
        self.servers: list[Task | None] = [None] * system.n_servers
        n_queues = {"fifo": 1, "jsq-maxweight": system.n_servers + 1}
        self.queues: list[deque[Task]] = [
            deque() for _ in range(n_queues.get(system.policy, system.n_servers))
        ]

    def run(self, *, slots: int, n_batches: int) -> list[Batch]:
        """Simulate from empty and return the batches after the first, which is the warm-up."""
        batches = [Batch(busy=[0] * self.system.n_servers) for _ in range(n_batches + 1)]
        length = slots // n_batches
        for slot in range(length * (n_batches + 1)):
            self.slot(slot, batches[slot // length])
        slot = length * (n_batches + 1)
        while any(self.queues) or any(self.servers):
            self.complete(slot)
            self.dispatch(slot)
            slot += 1
        return batches[1:]

    def slot(self, slot: int, batch: Batch) -> None:
        """Pass one slot of the protocol."""
        self.complete(slot)
        batch.in_system += sum(map(len, self.queues)) + sum(t is not None for t in self.servers)
        pmf = self.system.arrivals.pmf
        (n_arrivals,) = self.random.choices(range(len(pmf)), pmf)
        at_start = [self.length(q) for q in range(len(self.queues))]
        for _ in range(n_arrivals):
            (kind,) = self.random.choices(self.system.types, [w for _, w in self.system.types])
            task = Task(kind[0], slot)
            live = self.system.routing_view == "live"
            now = [self.length(q) for q in range(len(self.queues))] if live else at_start
            task.queue = self.route(task, now)
            self.queues[task.queue].append(task)
            batch.tasks.append(task)
        self.dispatch(slot)
        for server, running in enumerate(self.servers):
            batch.busy[server] += running is not None

    def complete(self, slot: int) -> None:
        """Free the servers whose service ends now."""
        for server, task in enumerate(self.servers):
            if task is not None and task.ends == slot:
                self.servers[server] = None

    def length(self, queue: int) -> int:
        """Count the tasks of a queue under the reading."""
        running = sum(task is not None and task.queue == queue for task in self.servers)
        return len(self.queues[queue]) + running * (self.system.queue_length == "in-system")

    def route(self, task: Task, lengths: list[int]) -> int:
        """Pick the queue of an arriving task."""
        policy, tie_break = self.system.policy, self.system.tie_break
        if policy == "fifo":
            return 0
        if policy == "random-local":
            return self.random.choice(task.replicas)
        options = list(task.replicas)
        if policy == "jsq-maxweight":
            options.append(self.system.n_servers)

        def rank(queue: int) -> tuple[float, float, float]:
            is_common = queue == self.system.n_servers
            luck = queue if tie_break == "index" else self.random.random()
            return lengths[queue], is_common and tie_break == "local", luck

        return min(options, key=rank)

    def dispatch(self, slot: int) -> None:
        """Let every idle server ask once."""
        idle = [server for server, task in enumerate(self.servers) if task is None]
        if self.system.dispatch_order != "index":
            self.random.shuffle(idle)
        if self.system.dispatch_order == "locals-first" and self.system.policy != "fifo":
            remaining = []
            for server in idle:
                if self.queues[server]:
                    self.ask(server, slot)
                else:
                    remaining.append(server)
            idle = remaining
        for server in idle:
            self.ask(server, slot)

    def ask(self, server: int, slot: int) -> None:
        """Start a task on the server if the policy grants one."""
        queue = self.grant(server)
        if queue is None:
            return
        task = self.queues[queue].popleft()
        where = set(task.replicas)
        if self.system.service_tier == "queue":
            where = {queue} if queue < self.system.n_servers else set()
            where = set() if self.system.policy == "fifo" else where
        task.tier = self.distance(server, where)
        task.started = slot
        task.ends = slot + 1
        while self.random.random() >= self.system.rates[task.tier]:
            task.ends += 1
        self.servers[server] = task

    def grant(self, server: int) -> int | None:
        """Pick the queue that an idle server serves."""
        policy, rates = self.system.policy, self.system.rates
        full = [q for q in range(len(self.queues)) if self.queues[q]]
        if policy == "fifo":
            return full[0] if full else None
        if policy in {"jsq-local", "random-local"} or (policy == "priority" and server in full):
            return server if server in full else None
        if policy == "jsq-maxweight":
            common = self.system.n_servers
            return self.best(
                {q: rates[-(q == common)] * self.length(q) for q in (server, common) if q in full},
                server,
            )
        if policy == "maxweight":
            return self.best(
                {q: rates[self.distance(server, {q})] * self.length(q) for q in full}, server
            )
        return self.best(
            {q: self.length(q) for q in full if self.length(q) > self.system.threshold}, server
        )

    def best(self, scores: dict[int, float], server: int) -> int | None:
        """Pick the queue with the highest score, ties by the reading."""
        tie_break = self.system.tie_break

        def rank(queue: int) -> tuple[float, float, float]:
            near = -self.distance(server, {queue}) if tie_break == "local" else 0
            luck = -queue if tie_break == "index" else self.random.random()
            return round(scores[queue], 9), near, luck

        return max(scores, key=rank, default=None)

    def distance(self, server: int, others: set[int]) -> int:
        """Return the tier between a server and the nearest of others."""
        if server in others:
            return 0
        racks = self.system.racks
        if racks and any(racks[server] == racks[n] for n in others if n < len(racks)):
            return 1
        return len(self.system.rates) - 1


def estimates(
    system: TinySystem, *, slots: int, seed: int, n_batches: int = 40
) -> dict[str, Estimate]:
    """Return estimates of the means that the chain knows, under the same names.

    Means per server and per tier have the index in the name, as in ``locality[0]``.
    """
    batches = EventLoop(system, seed).run(slots=slots, n_batches=n_batches)
    length = slots // n_batches
    series = {
        "mean_in_system": [b.in_system / length for b in batches],
        "mean_completion_time": [fmean(t.ends - t.arrived for t in b.tasks) for b in batches],
        "mean_waiting_time": [fmean(t.started - t.arrived for t in b.tasks) for b in batches],
    }
    for server in range(system.n_servers):
        series[f"utilisation[{server}]"] = [b.busy[server] / length for b in batches]
    for tier in range(len(system.rates)):
        series[f"locality[{tier}]"] = [fmean(t.tier == tier for t in b.tasks) for b in batches]
    return {name: Estimate.of(values) for name, values in series.items()}
