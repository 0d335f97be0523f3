"""Discrete review: its plan is the best, is executed open loop, and is wasted in part."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.errors import DecisionError, ScenarioError
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.traffic import Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies import DiscreteReview, Fifo, Policy
from cluster_sim.policies.review_plan import PRICE_OF_TIME, ReviewProgram
from cluster_sim.randomness import Key
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from tests.emulator.cast import ScriptedWorkload
from tests.policies.literal import CLUSTERS, TWO_TIERS, at_most_one, trajectory
from tests.policies.stories import flat, services


@st.composite
def programs(draw: st.DrawFn) -> ReviewProgram:
    """Random types, supplies and times on clusters of two to four tiers."""
    cluster = CLUSTERS[draw(st.sampled_from(sorted(CLUSTERS)))]
    n = cluster.n_servers
    sets = st.sets(st.integers(0, n - 1), min_size=1, max_size=3).map(lambda s: tuple(sorted(s)))
    types = draw(st.lists(sets, min_size=1, max_size=6, unique=True))
    amount = st.integers(0, 5).map(float)
    supply = draw(st.lists(amount, min_size=len(types), max_size=len(types)))
    time = draw(st.lists(amount, min_size=n, max_size=n))
    return ReviewProgram(types, np.array(supply), np.array(time), cluster.rates, cluster.groups)


def most_by_definition(program: ReviewProgram) -> float:
    """The most services, less the price of time, with a variable for each type and server."""
    n_types, n_servers = len(program.types), len(program.time)
    rate = np.array(
        [
            [program.rates[tier_at(program, m, kind)] for m in range(n_servers)]
            for kind in program.types
        ]
    )
    by_type = np.kron(np.eye(n_types), np.ones(n_servers)) * rate.ravel()
    by_server = np.kron(np.ones(n_types), np.eye(n_servers))
    found = scipy.optimize.linprog(
        PRICE_OF_TIME * program.rates[-1] - rate.ravel(),
        A_ub=np.vstack((by_type, by_server)),
        b_ub=np.concatenate((program.supply, program.time)),
    )
    return -float(found.fun)


def tier_at(program: ReviewProgram, server: int, replicas: tuple[int, ...]) -> int:
    """The nearest tier at which a replica is in the server's group."""
    rows = [row[server] in row[list(replicas)] for row in program.groups]
    return rows.index(True)


@settings(max_examples=40)
@given(program=programs())
def test_the_plan_is_the_best_there_is(program: ReviewProgram) -> None:
    """The plan is feasible, and pools of servers lose nothing against a program over all pairs."""
    plan = program.solve()
    spent = [sum(own.values()) / program.rates[0] for own in plan.own]
    total = np.array(spent) + plan.shares.sum(axis=0)
    assert (total <= program.time + 1e-6).all()
    done = np.zeros(len(program.types))
    for server, own in enumerate(plan.own):
        for kind, n in own.items():
            assert server in program.types[kind]
            done[kind] += n
    for (tier, group), pool in plan.pools.items():
        members = program.groups[tier] == group
        given = plan.shares[tier, members].sum()
        assert sum(pool.values()) / program.rates[tier] <= given + 1e-6
        for kind, n in pool.items():
            assert members[list(program.types[kind])].any()
            done[kind] += n
    assert (done <= program.supply + 1e-6).all()
    time = sum(spent) + sum(
        sum(pool.values()) / program.rates[tier] for (tier, _), pool in plan.pools.items()
    )
    value = plan.n_services - PRICE_OF_TIME * program.rates[-1] * time
    assert value == pytest.approx(most_by_definition(program), abs=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_with_one_type_and_a_review_in_each_slot_it_is_fifo(alpha: float, seed: int) -> None:
    """Data everywhere, planned slot by slot: each idle server takes the oldest task there is."""
    one = SyntheticWorkload(Types(np.arange(6)[None, :], np.ones(1)), Poisson(5.4 * alpha))

    def starts(policy: Policy) -> list[tuple[int, int]]:
        events = trajectory(flat(6, alpha, 0.2), one, policy, Key.of(seed), slots=100)
        return [(event.slot, event.task) for event in events if event.kind == "start"]

    assert starts(DiscreteReview(period=1)) == starts(Fifo())


def waits(policy: DiscreteReview, arrivals: dict[int, list[list[int]]], slots: int) -> list[int]:
    """How long each scripted task waited on three servers that serve in one slot, in order."""
    system = System(flat(3, 1.0, 0.5), ScriptedWorkload(arrivals), policy)
    events = trajectory(system.cluster, system.workload, policy, Key.of(1), slots=slots)
    arrived = {event.task: event.slot for event in events if event.kind == "arrival"}
    started = {event.task: event.slot for event in events if event.kind == "start"}
    return [started[task] - slot for task, slot in sorted(arrived.items()) if task in started]


def test_what_is_not_planned_waits_for_the_next_review() -> None:
    """Open loop: reviews in slots 0 and 5 serve what came by then; all servers idle in between.

    The one after that would be due in slot 10. Nothing waits then, so it is made in slot 12.
    """
    arrivals = {0: [[0]], 1: [[1]], 4: [[0], [2]], 12: [[1]], 13: [[1]]}
    assert waits(DiscreteReview(period=5), arrivals, 30) == [0, 4, 1, 1, 0, 4]


def test_the_safety_stock_decides_whether_expected_arrivals_are_planned() -> None:
    """A task a slot, four slots a period: with a stock of a period's arrivals each waits a review.

    That is 3, 2, 1 or 0 slots, and more if the plan lets one server do all four. Without a stock,
    once the rate is observed, the plan has the four that will come, and none waits.
    """
    arrivals = {slot: [[0, 1]] for slot in range(400)}
    with_stock = waits(DiscreteReview(period=4), arrivals, 400)[200:380]
    assert np.mean(with_stock) >= (3 + 2 + 1 + 0) / 4
    assert max(with_stock) <= 2 * 4 - 1
    without = waits(DiscreteReview(period=4, safety=0), arrivals, 400)[200:380]
    assert set(without) == {0}


def run_n_system(load: float, **parameters: float) -> RunResult:
    """Run the N-system: server 0 cannot serve its own type alone, server 1 helps at half speed."""
    alpha, gamma = 0.5, 0.25
    per_load = 1 / ((0.6 - alpha) / gamma + 0.27 / alpha)
    types = Types(np.array([[0], [1]]), np.array([0.6, 0.27]))
    workload = SyntheticWorkload(types, Poisson(0.87 * load * per_load))
    system = System(flat(2, alpha, gamma), workload, DiscreteReview(**parameters))  # type: ignore[arg-type]
    return simulate(system, Key.of(5), slots=10_000)


@pytest.mark.slow
def test_near_capacity_only_long_periods_are_stable() -> None:
    """Harrison 1998 lets the period grow with the scale: plans of a fixed one are wasted in part.

    What is over sooner than planned is time lost; per period that is about the root of its length.
    """
    assert run_n_system(0.94, period=8).n_in_system > 500
    assert run_n_system(0.94, period=100).n_in_system < 200


def test_a_plan_for_expected_arrivals_saves_the_wait_for_the_review() -> None:
    """With full safety stocks a task waits most of a period of 100 slots, with small ones less."""
    cautious, daring = (run_n_system(0.7, period=100, safety=each) for each in (1.0, 0.2))
    assert cautious.mean_waiting_time > 50
    assert daring.mean_waiting_time < 25


def test_memory_stays_with_the_arrivals_of_ten_periods() -> None:
    """Observed arrivals are forgotten."""
    system = System(TWO_TIERS, at_most_one(TWO_TIERS, 0.9), DiscreteReview(period=3))
    emulator = Emulator(system, Key.of(1))
    emulator.run(500)
    scheduling = emulator.scheduler.scheduling  # type: ignore[union-attr]
    assert len(scheduling._arrived) <= 10 * 3 + 3
    assert sum(scheduling._n_arrived.values()) == len(scheduling._arrived)


def test_a_solver_that_gives_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the run ends with what it was about."""
    nothing = SimpleNamespace(x=None, message="numerical difficulties")
    monkeypatch.setattr(scipy.optimize, "linprog", lambda *_, **__: nothing)
    system = System(TWO_TIERS, at_most_one(TWO_TIERS, 0.9), DiscreteReview())
    with pytest.raises(
        DecisionError,
        match=r"^policy 'discrete-review': no plan for 1 types on 6 servers was found \(numerical "
        r"difficulties\); try another period, or another policy$",
    ):
        services(system, slots=20)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"period": 0}, '^period = 0: must be "auto", or a whole number of slots from 1 on$'),
        ({"period": 2.5}, "^period = 2.5: must be"),
        ({"period": True}, "^period = True: must be"),
        ({"safety": -1}, "^safety = -1: must be a number from 0 on, in expected arrivals of a"),
        ({"safety": math.inf}, "^safety = inf: must be"),
    ],
)
def test_the_parameters_are_checked(parameters: dict[str, float], message: str) -> None:
    """Periods are whole slots, stocks are finite."""
    with pytest.raises(ScenarioError, match=message):
        DiscreteReview(**parameters)  # type: ignore[arg-type]
