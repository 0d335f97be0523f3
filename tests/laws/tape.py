"""A run written down call by call, so that a test can change it and play it to an observer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.task import Task
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System


@dataclass
class State:
    """A snapshot of what an observer may look at."""

    waiting: list[int]
    lengths: list[int]
    running: list[Task | None]
    n_waiting: int
    n_in_service: int

    @classmethod
    def of(cls, state: StateView) -> State:
        return cls(
            list(state.waiting),
            list(state.lengths),
            [copy.copy(task) for task in state.running],
            state.n_waiting,
            state.n_in_service,
        )


@dataclass
class Call:
    """One call of an observer: its method, and the task or the state that it was told."""

    method: str
    task: Any = None  # a Task, where there is one
    slot: int = -1
    state: Any = None  # a State, where there is one

    def play(self, observer: Observer) -> None:
        if self.method == "observe":
            observer.observe(self.slot, self.state)
        elif self.method == "close":
            observer.close(self.state)
        else:
            getattr(observer, self.method)(self.task)


class Tape(Observer):
    """Write down every call, with copies of what is told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def arrival(self, task: Task) -> None:
        self.calls.append(Call("arrival", task=copy.copy(task)))

    def start(self, task: Task) -> None:
        self.calls.append(Call("start", task=copy.copy(task)))

    def completion(self, task: Task) -> None:
        self.calls.append(Call("completion", task=copy.copy(task)))

    def observe(self, slot: int, state: StateView) -> None:
        self.calls.append(Call("observe", slot=slot, state=State.of(state)))

    def close(self, state: StateView) -> None:
        self.calls.append(Call("close", state=State.of(state)))

    @classmethod
    def of(cls, system: System, n_slots: int) -> Tape:
        tape = cls()
        simulate(system, Key.of(1), slots=n_slots, observers=[tape])
        return tape

    def play(self, observer: Observer) -> None:
        for call in self.calls:
            call.play(observer)

    def find(self, method: str, where: Callable[[Call], bool] = lambda _: True) -> int:
        """Return the place of the first call of a method that fits."""
        return next(i for i, call in enumerate(self.calls) if call.method == method and where(call))

    def every(self, number: int) -> Iterable[Task]:
        """Yield every copy of a task on the tape, those of the snapshots included."""
        for call in self.calls:
            tasks = [call.task] if call.task is not None else []
            if call.state is not None:
                tasks += [task for task in call.state.running if task is not None]
            yield from (task for task in tasks if task.number == number)
