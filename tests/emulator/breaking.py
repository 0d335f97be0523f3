"""Runs in which servers break down, watched task by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cluster_sim.emulator.dynamics import Dynamics
from cluster_sim.emulator.emulator import Emulator
from cluster_sim.model.service import service_time
from cluster_sim.model.task import Task
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.scenario.build import prepare
from cluster_sim.scenario.schema import Scenario
from cluster_sim.system import System


class Watch(Observer):
    """Holds every slot to: an arrived task waits, runs, is apart, has failed or has completed."""

    def __init__(self) -> None:
        self.emulator: Emulator
        self.completed: dict[int, Task] = {}
        self.failed_ones: set[int] = set()
        self.known: set[int] = set()
        self.n_displaced = self.n_rejoined = self.n_starts = self.n_broken_off = 0

    @property
    def now(self) -> int:
        return int(self.emulator.env.now)

    def is_down(self, server: int, slot: int) -> bool:
        """Whether a planned breakdown says so; those by chance are not looked at."""
        system = self.emulator.system
        events = () if system.failures is None else system.failures.events
        rack = system.cluster.topology.ancestors[1][server]
        return any(
            event.slot <= slot < event.slot + event.down
            and (event.server == server or event.rack == rack)
            for event in events
        )

    def arrival(self, task: Task) -> None:
        assert task.number not in self.known
        self.known.add(task.number)

    def start(self, task: Task) -> None:
        assert task.start == self.now
        assert self.emulator.scheduler.running[task.server] is task
        assert not self.is_down(task.server, task.start), "a dead server starts a task"
        system = self.emulator.system
        if system.needs is None:
            assert task.service == service_time(task.luck, system.cluster.rates[task.tier])
        else:
            (needs,) = system.needs.of(np.array([task.luck]))
            assert task.service == needs[task.tier]
        self.n_starts += 1

    def completion(self, task: Task) -> None:
        assert task.start + task.service == self.now
        assert task.number not in self.completed
        self.completed[task.number] = task

    def displaced(self, task: Task, slot: int) -> None:
        assert slot == self.now
        assert task.number in self.known
        self.n_displaced += 1
        if hasattr(task, "start"):
            assert task.start < slot < task.start + task.service
            self.n_broken_off += 1

    def rejoined(self, task: Task, slot: int) -> None:
        assert slot == self.now
        self.n_rejoined += 1

    def failed(self, task: Task, slot: int) -> None:
        assert slot == self.now
        assert task.number not in self.failed_ones
        self.failed_ones.add(task.number)

    def observe(self, slot: int, state: StateView) -> None:
        scheduler = self.emulator.scheduler
        apart = state.apart() if isinstance(state, Dynamics) else []
        places = [
            {task.number for task in scheduler.waiting_tasks()},
            {task.number for task in state.running if task is not None},
            {task.number for task in apart},
            self.failed_ones,
            self.completed.keys(),
        ]
        everyone = set().union(*places)
        assert sum(map(len, places)) == len(everyone), "a task is in two places"
        assert everyone == set(range(self.emulator.n_arrivals)), "a task is lost"
        assert sum(state.waiting) == len(places[0])
        assert state.n_waiting == len(places[0]) + len(apart)
        assert state.n_in_service == len(places[1])
        assert min(state.lengths) >= 0
        assert sum(state.lengths) in (len(places[0]), len(places[0]) + len(places[1]))


def system_of(policy: str, traffic: dict[str, Any], **changes: Any) -> System:
    """A cluster of six servers in three racks, at three tiers."""
    scenario = Scenario(
        cluster={"servers": 6, "racks": 3},
        service={"local": 0.6, "rack_local": 0.5, "remote": 0.3},
        traffic={"replicas": 2, "load": 0.5, **traffic},
        scheduler={"policy": policy},
        run={"slots": 1, "warmup": 0},
    )
    return replace(prepare(scenario).system, **changes)


def watched(system: System, n_slots: int, seed: int = 0, others: Sequence[Observer] = ()) -> Watch:
    """Run a system and return what was seen, the laws having held in every slot."""
    watch = Watch()
    watch.emulator = Emulator(system, Key.of(seed), [watch, *others])
    watch.emulator.run(n_slots)
    return watch
