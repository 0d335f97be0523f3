"""Quincy's assignments cost the least there is, and its limits are those of the paper's idea."""

from __future__ import annotations

import importlib.util
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.task import Task
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import Quincy
from cluster_sim.policies.assignment import Problem, Solver, check_installed, solve
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System
from tests.policies.literal import CLUSTERS, RACKS, TWO_TIERS, single_tasks, workloads

HAS_ORTOOLS = importlib.util.find_spec("ortools") is not None
SOLVERS = [each for each in Solver if each is not Solver.ORTOOLS or HAS_ORTOOLS]


@st.composite
def problems(draw: st.DrawFn, most: int) -> Problem:
    """Random problems on clusters of two to four tiers, with many equal costs."""
    cluster = CLUSTERS[draw(st.sampled_from(sorted(CLUSTERS)))]
    everyone = range(cluster.n_servers)
    servers = draw(st.lists(st.sampled_from(everyone), min_size=1, max_size=most, unique=True))
    sets = st.sets(st.sampled_from(everyone), min_size=1, max_size=3).map(sorted)
    replicas = draw(st.lists(sets, min_size=1, max_size=most))
    waiting = draw(st.lists(st.integers(0, 6), min_size=len(replicas), max_size=len(replicas)))
    costs = sorted(draw(st.integers(0, 5)) for _ in range(cluster.n_tiers))
    return Problem(replicas, np.array(waiting), servers, np.array(costs), cluster.groups)


def least_cost(problem: Problem) -> tuple[int, int]:
    """The least cost, and with it the fewest waiting tasks, by trying all assignments."""
    n_tasks, n_servers = len(problem.replicas), len(problem.servers)
    best = (math.inf, 0)
    # Each task on one of the servers, or on none.
    for chosen in itertools.product(range(-1, n_servers), repeat=n_tasks):
        taken = [j for j in chosen if j >= 0]
        if len(taken) == len(set(taken)):
            pairs = [(i, j) for i, j in enumerate(chosen) if j >= 0]
            best = min(best, (problem.cost(pairs), n_tasks - len(pairs)))
    return best  # type: ignore[return-value]


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=60)
@given(problem=problems(4))
def test_every_solver_finds_the_least_cost(solver: Solver, problem: Problem) -> None:
    """Against all assignments of up to four tasks; of equal ones, that with the most starts."""
    pairs = solve(problem, solver)
    n_waiting = len(problem.replicas) - len(pairs)
    assert (problem.cost(pairs), n_waiting) == least_cost(problem)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


@settings(max_examples=40)
@given(problem=problems(8))
def test_solvers_agree(problem: Problem) -> None:
    """Matrix and flow network have the same least cost, whichever pairs they choose."""
    found = [solve(problem, solver) for solver in SOLVERS]
    assert len({problem.cost(pairs) for pairs in found}) == 1
    assert len({len(pairs) for pairs in found}) == 1


@given(problem=problems(6))
def test_tiers_are_those_of_the_cluster(problem: Problem) -> None:
    """The matrix of tiers is the cluster's tier of each task at each server."""
    (cluster,) = (each for each in CLUSTERS.values() if each.groups is problem.groups)
    expected = [[cluster.tier(s, row) for s in problem.servers] for row in problem.replicas]
    assert problem.tiers.tolist() == expected


class _IdleWhileTasksWait(Observer):
    """Counts servers that were left idle in a slot after which tasks waited."""

    def __init__(self) -> None:
        self.n_seen = self.n_waits = 0
        self._just_freed: set[int] = set()

    def completion(self, task: Task) -> None:
        self._just_freed.add(task.server)

    def observe(self, slot: int, state: StateView) -> None:
        if state.n_waiting:
            idle = {server for server, task in enumerate(state.running) if task is None}
            self.n_seen += len(idle - self._just_freed)
            self.n_waits += 1
        self._just_freed.clear()


@pytest.mark.parametrize("name", CLUSTERS)
@settings(max_examples=10)
@given(data=st.data(), seed=st.integers(0, 99))
def test_with_infinite_omega_no_server_is_idle_while_tasks_wait(
    name: str, data: st.DataObject, seed: int
) -> None:
    """To wait costs more than any transfer: Quincy is then work-conserving."""
    cluster, watch = CLUSTERS[name], _IdleWhileTasksWait()
    system = System(cluster, data.draw(workloads(cluster)), Quincy(omega=math.inf))
    simulate(system, Key.of(seed), slots=60, observers=[watch])
    assert watch.n_seen == 0


def test_with_infinite_omega_tasks_wait_now_and_then() -> None:
    """The test above has something to see."""
    watch = _IdleWhileTasksWait()
    system = System(TWO_TIERS, single_tasks(TWO_TIERS, 4.2), Quincy(omega=math.inf))
    simulate(system, Key.of(1), slots=200, observers=[watch])
    assert watch.n_waits > 20
    patient = System(TWO_TIERS, single_tasks(TWO_TIERS, 4.2), Quincy(omega=0.1))
    simulate(patient, Key.of(1), slots=200, observers=[watch])
    assert watch.n_seen > 20


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_with_omega_0_a_transfer_never_pays(cluster: Cluster) -> None:
    """To wait costs nothing: every start is local."""
    system = System(cluster, single_tasks(cluster, 2.0), Quincy(omega=0.0))
    starts = simulate(system, Key.of(2), slots=300).starts
    assert starts[0] > 500
    assert not starts[1:].any()


def test_a_task_starts_remotely_when_waiting_has_cost_as_much() -> None:
    """No task starts remotely before omega times its age is the remote cost; then one does."""

    class Ages(Observer):
        least = math.inf

        def start(self, task: Task) -> None:
            if task.tier == 2:
                self.least = min(self.least, task.start - task.arrival)

    ages = Ages()
    hot = SyntheticWorkload(Types(np.array([[0, 1]]), np.ones(1)), Poisson(2.0))
    system = System(RACKS, hot, Quincy(omega=0.25, remote_cost=2.0))
    simulate(system, Key.of(3), slots=400, observers=[ages])
    assert ages.least == 8


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"omega": -1}, "^omega = -1: must be a number from 0 to inf$"),
        ({"omega": "much"}, "^omega = 'much': must be"),
        ({"omega": math.nan}, "^omega = nan: must be"),
        ({"remote_cost": -2}, '^remote_cost = -2: must be "auto", or a number from 0 on$'),
        ({"remote_cost": math.inf}, "^remote_cost = inf: must be"),
        ({"remote_cost": "dear"}, "^remote_cost = 'dear': must be"),
        ({"solver": "magic"}, "^solver = 'magic': must be one of scipy, ortools, networkx$"),
    ],
)
def test_parameters_are_checked(parameters: dict[str, object], message: str) -> None:
    """Costs are numbers, and solvers those there are."""
    with pytest.raises(ScenarioError, match=message):
        Quincy(**parameters)  # type: ignore[arg-type]


def test_a_solver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install, or do instead."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = (
        r'^solver = "ortools": is not installed; pip install \'cluster_sim\[flow\]\', or use '
        'solver = "scipy"$'
    )
    with pytest.raises(ScenarioError, match=message):
        check_installed(Solver.ORTOOLS)
    with pytest.raises(ScenarioError, match="is not installed"):
        Quincy(solver="ortools")


@pytest.mark.skipif(not HAS_ORTOOLS, reason="needs ortools")
def test_costs_too_large_for_ortools_are_told() -> None:
    """Its whole numbers end at 2^63; the message says what else to do."""
    problem = Problem(
        [[0]], np.array([2**60]), [0, 1], np.array([0, 2**60]), np.array([[0, 1], [0, 0]])
    )
    with pytest.raises(ScenarioError, match=r"^ortools cannot assign 1 tasks .*scipy"):
        solve(problem, Solver.ORTOOLS)


def test_equal_rates_cost_by_distance() -> None:
    """Where service is as fast everywhere, a cost that is given grows with the tiers."""
    assert Quincy().tier_costs((0.5, 0.5, 0.5)) == (0, 0, 0)
    assert Quincy(remote_cost=3).tier_costs((0.5, 0.5, 0.5)) == (0, 1.5, 3)
