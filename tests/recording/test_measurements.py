"""What a run measures is what its events add up to, before and after the warm-up."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import get, names
from cluster_sim.randomness import Key
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from tests.emulator.cast import Recorder, ScriptedDraws, ScriptedWorkload, scripted, two_servers


def small_run(warmup: int, *, queue_length: str = "in-system") -> RunResult:
    """A run of two servers in slots 0 to 4 under the priority policy, by hand.

    task  chunk  arrives  starts  server  tier    slots   completes
    0     0      0        0       0       local   1       1
    1     0      0        0       1       remote  2       2
    2     0      0        1       0       local   1       2
    3     0      1        2       0       local   1       3
    4     0      3        3       0       local   1       4
    5     0      4        4       0       local   1       after the run

    Queue 0 has length 3 in slot 0, above the threshold 2, so server 1 takes task 1; never again.
    In the system at the observation points 0 to 4: none; 1 and 2; 3; none; none.
    Of them waiting: none; 2; 3; none; none.
    """
    workload = ScriptedWorkload({0: [[0]] * 3, 1: [[0]], 3: [[0]], 4: [[0]]})
    reading = Reading(dispatch_order="index", queue_length=queue_length)  # type: ignore[arg-type]
    system = System(two_servers(), workload, get("priority", threshold=2), reading)
    with scripted(ScriptedDraws(luck={1: 0.6})):
        return simulate(system, Key.of(1), slots=5, warmup=warmup)


def test_a_run_by_hand_without_warm_up() -> None:
    """Every measurement of the five slots, from the table."""
    result = small_run(0)
    assert (result.n_arrivals, result.n_completed, result.n_in_system) == (6, 5, 1)
    # Completion times 1, 2, 2, 2, 1; waiting times 0, 0, 1, 1, 0.
    assert result.completion_times == Histogram.of({1: 2, 2: 3})
    assert result.waiting_times == Histogram.of({0: 3, 1: 2})
    assert result.starts.tolist() == [5, 1]
    assert result.busy.tolist() == [5, 2]
    assert (result.in_system_sum, result.waiting_sum) == (3, 2)
    assert result.mean_completion_time == 8 / 5
    assert result.mean_waiting_time == 2 / 5
    assert result.mean_in_system == result.mean_queue_length == 3 / 5
    assert result.mean_waiting == 2 / 5
    assert result.utilisation == 7 / 10
    assert result.throughput == 5 / 5
    assert result.locality.tolist() == [5 / 6, 1 / 6]
    assert result.series.slots.tolist() == [0, 1, 2, 3, 4]
    assert result.series.in_system.tolist() == [0, 2, 1, 0, 0]
    assert result.series.waiting.tolist() == [0, 1, 1, 0, 0]


def test_a_run_by_hand_with_warm_up() -> None:
    """After a warm-up of two slots count completions, starts and busy slots from slot 2 on."""
    result = small_run(2)
    assert (result.n_arrivals, result.n_completed, result.n_in_system) == (6, 5, 1)
    # Tasks 1, 2, 3, 4 complete in slots 2 to 4, in 2, 2, 2 and 1 slots, after 0, 1, 1, 0.
    assert result.completion_times == Histogram.of({1: 1, 2: 3})
    assert result.waiting_times == Histogram.of({0: 2, 1: 2})
    # Tasks 3, 4, 5 start in slots 2, 3, 4.
    assert result.starts.tolist() == [3, 0]
    assert result.busy.tolist() == [3, 0]
    assert (result.in_system_sum, result.waiting_sum) == (1, 1)
    assert result.n_slots_measured == 3
    assert result.throughput == 4 / 3
    assert result.series == small_run(0).series


def test_a_service_across_the_warm_up_counts_from_there() -> None:
    """Of task 1's service in slots 0 and 1, a warm-up of one slot leaves slot 1."""
    result = small_run(1)
    assert result.busy.tolist() == [4, 1]
    assert result.starts.tolist() == [4, 0]


def test_the_queue_length_follows_the_reading() -> None:
    """The mean queue length counts tasks in service or not, as the reading says."""
    result = small_run(0, queue_length="waiting")
    assert not result.counts_service
    assert result.mean_queue_length == result.mean_waiting


def test_an_empty_run_has_no_means() -> None:
    """Without tasks, means and locality are nan, counts and time averages 0."""
    system = System(two_servers(), ScriptedWorkload({}), get("priority"))
    result = simulate(system, Key.of(1), slots=4)
    assert math.isnan(result.mean_completion_time)
    assert math.isnan(result.mean_waiting_time)
    assert np.isnan(result.locality).all()
    assert result.utilisation == result.throughput == result.mean_in_system == 0.0


def test_results_are_equal_if_all_they_show_is() -> None:
    """Two runs of the same key are equal, runs that differ in one slot are not."""
    assert small_run(0) == small_run(0)
    assert small_run(0) != small_run(1)
    assert small_run(0) != "a result"


class Tasks(Observer):
    """Keeps every task."""

    def __init__(self) -> None:
        self.all: list[Task] = []

    def arrival(self, task: Task) -> None:
        self.all.append(task)


SLOTS = 300


def long_run(name: str, warmup: int) -> tuple[RunResult, list[Task]]:
    topology = Topology.tree(5, {"rack": 2})
    cluster = Cluster.of(topology, {"local": 0.6, "rack_local": 0.5, "remote": 0.3})
    system = System(cluster, SyntheticWorkload(Even(topology, 2), Poisson(2.0)), get(name))
    tasks = Tasks()
    result = simulate(system, Key.of(8), slots=SLOTS, warmup=warmup, observers=[tasks])
    return result, tasks.all


def end_of(task: Task) -> int:
    """The slot in which the task completes, if that is before the end of the run."""
    return task.start + task.service if hasattr(task, "start") else SLOTS


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("warmup", [0, 100, SLOTS - 1])
def test_measurements_add_up_from_the_tasks(name: str, warmup: int) -> None:
    """Every sum and histogram is the one made from the full list of tasks."""
    result, tasks = long_run(name, warmup)
    done = [task for task in tasks if end_of(task) < SLOTS]
    started = [task for task in tasks if hasattr(task, "start")]
    measured = [task for task in done if end_of(task) >= warmup]
    assert result.n_arrivals == len(tasks)
    assert result.n_completed == len(done)
    assert result.n_in_system == len(tasks) - len(done)
    assert result.completion_times == Histogram.of(
        Counter(end_of(task) - task.arrival for task in measured)
    )
    assert result.waiting_times == Histogram.of(
        Counter(task.start - task.arrival for task in measured)
    )
    tiers = Counter(task.tier for task in started if task.start >= warmup)
    assert result.starts.tolist() == [tiers[tier] for tier in range(3)]
    busy: Counter[int] = Counter()
    for task in started:
        busy[task.server] += max(min(end_of(task), SLOTS) - max(task.start, warmup), 0)
    assert result.busy.tolist() == [busy[server] for server in range(5)]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("warmup", [0, 100])
def test_time_sums_are_the_sums_over_tasks(name: str, warmup: int) -> None:
    """Little's law, exact on a sample path: sums over time and over tasks are the same."""
    result, tasks = long_run(name, warmup)

    def points(arrival: int, leaves: int) -> int:
        """Observation points at which a task is there: after its arrival, up to its leaving."""
        return max(min(leaves, SLOTS) - max(arrival + 1, warmup), 0)

    assert result.in_system_sum == sum(points(task.arrival, end_of(task)) for task in tasks)
    # A task that starts in slot s is waiting at the observation point of slot s.
    assert result.waiting_sum == sum(
        points(task.arrival, task.start + 1 if hasattr(task, "start") else SLOTS) for task in tasks
    )


def test_the_series_is_the_state_at_the_observation_points() -> None:
    """Each point of the series is what an observer sees in that slot."""
    system = System(
        two_servers(0.5, 0.25),
        SyntheticWorkload(Even(Topology.tree(2), 1), Poisson(0.5)),
        get("jsq-maxweight"),
    )

    class States(Recorder):
        def arrival(self, task: Task) -> None: ...
        def start(self, task: Task) -> None: ...
        def completion(self, task: Task) -> None: ...

        def observe(self, slot: int, state: object) -> None:
            self.waiting.append(list(state.waiting))  # type: ignore[attr-defined]
            self.lengths.append(list(state.lengths))  # type: ignore[attr-defined]

    states = States()
    result = simulate(system, Key.of(2), slots=200, series_points=10, observers=[states])
    slots = result.series.slots
    assert 10 <= len(slots) <= 20
    assert result.series.waiting.tolist() == [sum(states.waiting[slot]) for slot in slots]
    assert result.series.in_system.tolist() == [sum(states.lengths[slot]) for slot in slots]
