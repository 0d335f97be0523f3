"""A run visits every slot once, tells those who listen, and depends on its key alone."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import SyntheticWorkload, Workload
from cluster_sim.policies import get, names
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, ObserverHub, StateView
from cluster_sim.system import System
from tests.emulator.cast import Recorder, ScriptedWorkload, two_servers

KEY = Key.of(3)


def scripted(workload: Workload, name: str = "priority") -> System:
    return System(two_servers(), workload, get(name))


def random_system(name: str, load: float = 0.8) -> System:
    topology = Topology.tree(6, {"rack": 3})
    cluster = Cluster.of(topology, {"local": 0.9, "rack_local": 0.7, "remote": 0.4})
    traffic = Even(topology, 3)
    return System(cluster, SyntheticWorkload(traffic, Poisson(load * 6 * 0.9)), get(name))


def recorded(system: System, key: Key, n_slots: int) -> Recorder:
    recorder = Recorder()
    recorder.emulator = Emulator(system, key, [recorder])
    recorder.emulator.run(n_slots)
    return recorder


class Visitor(Observer):
    """Listens to observation points only."""

    def __init__(self) -> None:
        self.slots: list[int] = []

    def observe(self, slot: int, state: StateView) -> None:
        self.slots.append(slot)


def test_every_slot_is_observed_once_in_order() -> None:
    """Slots 0 to n - 1 have one observation point each, whatever the batches."""
    visitor = Visitor()
    workload = ScriptedWorkload({3: [[0]]}, slots_per_batch=4)
    Emulator(scripted(workload), KEY, [visitor]).run(11)
    assert visitor.slots == list(range(11))


def test_methods_that_are_not_overridden_are_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not listen costs nothing: no empty method is ever called but for close."""

    def called(*arguments: Any) -> None:
        raise AssertionError("an observer's empty method was called")

    visitor = Visitor()
    hub = ObserverHub([visitor, Observer()])
    assert (hub.arrival, hub.start, hub.completion) == ([], [], [])
    assert hub.observe == [(1, visitor.observe)]
    emulator = Emulator(scripted(ScriptedWorkload({0: [[0]]})), KEY, [visitor, Observer()])
    for name in ("arrival", "start", "completion", "observe"):
        monkeypatch.setattr(Observer, name, called)
    emulator.run(3)
    assert visitor.slots == [0, 1, 2]


def test_observers_are_told_in_their_order() -> None:
    """Several observers hear of an event one after another, and are all closed."""
    heard: list[tuple[str, str]] = []

    class Listener(Observer):
        def __init__(self, name: str) -> None:
            self.name = name

        def start(self, task: Task) -> None:
            heard.append((self.name, "start"))

        def close(self, state: StateView) -> None:
            heard.append((self.name, "close"))

    workload = ScriptedWorkload({0: [[0]]})
    Emulator(scripted(workload), KEY, [Listener("a"), Listener("b")]).run(2)
    assert heard == [("a", "start"), ("b", "start"), ("a", "close"), ("b", "close")]


def test_progress_tells_the_slots_done() -> None:
    """The callback hears growing numbers of slots, and at last all of them."""
    told: list[int] = []
    workload = ScriptedWorkload({3: [[0]]}, slots_per_batch=4)
    simulate(scripted(workload), KEY, slots=10, progress=told.append)
    assert told == [4, 8, 10]


@pytest.mark.parametrize(("bound", "n_hits"), [(1, 3), (2, 2), (3, 1), (4, 0), (None, 0)])
def test_slots_that_reach_the_bound_are_counted(bound: int | None, n_hits: int) -> None:
    """Of slots with 2, 0, 3 and 1 arrivals, those of at least C_A are counted, if there is one."""
    arrivals = {0: [[0]] * 2, 2: [[1]] * 3, 3: [[0]]}
    result = simulate(scripted(ScriptedWorkload(arrivals, bound=bound)), KEY, slots=5)
    assert result.n_bound_hits == n_hits
    assert result.n_arrivals == 6


def test_a_run_of_a_truncated_workload_reports_its_hits() -> None:
    """The hits are the slots whose count is the truncation bound."""
    arrivals = Poisson(1.0, max_arrivals=2)
    workload = SyntheticWorkload(Even(Topology.tree(2), 1), arrivals)
    result = simulate(scripted(workload), KEY, slots=500)
    counts = arrivals.counts(KEY, 0, 500)
    assert result.n_bound_hits == (counts == 2).sum() > 0
    assert result.n_arrivals == counts.sum()


@pytest.mark.parametrize("name", names())
def test_the_key_decides_the_trajectory(name: str) -> None:
    """The same key gives the same events, another key others."""
    system = random_system(name)
    first = recorded(system, KEY, 60).events
    assert recorded(system, KEY, 60).events == first
    assert recorded(system, Key.of(4), 60).events != first


@pytest.mark.parametrize("name", names())
def test_a_longer_run_begins_like_the_shorter(name: str) -> None:
    """The number of slots asked for changes nothing in those that both runs have."""
    system = random_system(name)
    short = recorded(system, KEY, 40).events
    assert recorded(system, KEY, 90).events[: len(short)] == short


def test_policies_meet_the_same_tasks_with_the_same_luck() -> None:
    """Under one key all policies get the same arrivals, and a task served locally takes as long."""
    arrivals, services = [], []
    for name in names():
        told: dict[int, tuple[int, list[int], float]] = {}
        local: dict[int, int] = {}

        class Notes(Observer):
            def arrival(self, task: Task, told: Any = told) -> None:
                told[task.number] = (task.arrival, list(task.replicas), task.luck)

            def start(self, task: Task, local: Any = local) -> None:
                if task.tier == 0:
                    local[task.number] = task.service

        Emulator(random_system(name), KEY, [Notes()]).run(80)
        arrivals.append(told)
        services.append(local)
    assert all(told == arrivals[0] for told in arrivals)
    for local in services[1:]:
        both = local.keys() & services[0].keys()
        assert both
        assert all(local[task] == services[0][task] for task in both)


@pytest.mark.parametrize("name", names())
def test_observing_changes_nothing(name: str) -> None:
    """A run gives the same result with further observers as without."""
    system = random_system(name)
    plain = simulate(system, KEY, slots=80, warmup=20)
    assert simulate(system, KEY, slots=80, warmup=20, observers=[Visitor()]) == plain


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("queue_length", ["in-system", "waiting"])
def test_the_state_is_what_the_events_make_it(name: str, queue_length: str) -> None:
    """At every observation point the counts follow from the events so far."""
    system = random_system(name)
    recorder = Recorder()
    recorder.emulator = Emulator(
        System(system.cluster, system.workload, system.policy, type(system.reading)(queue_length)),
        KEY,
        [recorder],
    )
    recorder.emulator.run(60)
    for slot, (lengths, waiting) in enumerate(zip(recorder.lengths, recorder.waiting, strict=True)):
        # The observation point of a slot is after its completions, before its arrivals.
        past = [
            e for e in recorder.events if e[0] < slot or (e[0] == slot and e[1] == "completion")
        ]
        for queue in range(len(lengths)):
            count = {
                what: sum(e[1] == what and e[4] == queue for e in past)
                for what in ("arrival", "start", "completion")
            }
            assert waiting[queue] == count["arrival"] - count["start"]
            in_system = count["arrival"] - count["completion"]
            assert lengths[queue] == (in_system if queue_length == "in-system" else waiting[queue])


def test_no_slots_are_no_run() -> None:
    """A run of no slots has no arrivals."""
    assert recorded(scripted(ScriptedWorkload({0: [[0]]})), KEY, 0).events == []
