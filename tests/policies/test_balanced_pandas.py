"""Balanced-PANDAS joins the least weighted workload over rate, with what follows from that."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policies.stories import flat, offered, services
from scenarios.shipped import scenario

from cluster_sim.emulator.least import LeastWeights
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading, ServiceTier, TieBreak
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Types
from cluster_sim.policies import NO_QUEUE, BalancedPandas, get
from cluster_sim.policies.base import in_inverse_proportion
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY
from cluster_sim.randomness import Key
from cluster_sim.scenario.build import prepare

POLICY = BalancedPandas()

RACKS = Topology.tree(7, {"rack": 3})
CLUSTERS = {
    "beta^2 > alpha gamma": {"local": 1.0, "rack_local": 0.9, "remote": 0.5},
    "beta^2 < alpha gamma": {"local": 0.9, "rack_local": 0.6, "remote": 0.5},
    "no helpers near": {"local": 0.8, "rack_local": 0.4, "remote": 0.4},
    "two tiers": {"local": 0.6, "remote": 0.2},
}


def least_by_definition(
    cluster: Cluster, replicas: list[int], lengths: list[int]
) -> tuple[int, list[int]]:
    """The fastest tier that attains the least W_m / rate, and its servers, in exact arithmetic."""
    n, rates = cluster.n_servers, [Fraction(str(rate)) for rate in cluster.rates]
    work = [sum(lengths[t * n + m] / rate for t, rate in enumerate(rates)) for m in range(n)]
    tiers = [cluster.tier(m, replicas) for m in range(n)]
    times = [work[m] / rates[tiers[m]] for m in range(n)]
    least = [m for m in range(n) if times[m] == min(times)]
    tier = min(tiers[m] for m in least)
    return tier, [m for m in least if tiers[m] == tier]


@pytest.mark.parametrize("rates", CLUSTERS.values(), ids=CLUSTERS)
@given(data=st.data())
@settings(max_examples=40)
def test_the_least_weighted_workload_is_joined(
    rates: dict[str, float], data: st.DataObject
) -> None:
    """Over all servers W_m / rate decides, ties go to the faster tier and are uniform within it."""
    cluster = Cluster.of(RACKS, rates)
    n, constants = cluster.n_servers, POLICY.constants(cluster.rates)
    n_queues = n * cluster.n_tiers
    lengths = data.draw(st.lists(st.integers(0, 3), min_size=n_queues, max_size=n_queues))
    replicas = sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=3)))
    index = LeastWeights(cluster.groups, POLICY, constants, n_queues)
    for server in range(n):
        index.update(server, lengths)
    tier, tied = least_by_definition(cluster, replicas, lengths)
    for tie_break in (UNIFORMLY, LOCAL_FIRST, BY_INDEX):
        joined: Counter[int] = Counter()
        for i in range(420):  # divisible by all numbers of servers up to 7
            tie = (i + 0.5) / 420
            least = index.within(replicas, tie_break, tie)
            joined[
                POLICY.route(
                    replicas, lengths, lengths, least, index.weights, constants, tie_break, tie
                )
            ] += 1
        wanted = tied[:1] if tie_break == BY_INDEX else tied
        assert joined == {tier * n + m: 420 // len(wanted) for m in wanted}


def test_own_sub_queues_are_served_nearest_first() -> None:
    """A server takes local tasks, else those from its rack, else the others; never another's."""
    constants = POLICY.constants((1.0, 0.9, 0.5))

    def serves(waiting: list[int]) -> int:
        return POLICY.serve(1, waiting, waiting, [], [], constants, UNIFORMLY, 0.5)

    assert serves([9, 1, 9, 1, 9, 1]) == 1
    assert serves([9, 0, 9, 1, 9, 1]) == 3
    assert serves([9, 0, 9, 0, 9, 1]) == 5
    assert serves([9, 0, 9, 0, 9, 0]) == NO_QUEUE


@pytest.mark.parametrize("tie_break", TieBreak)
@pytest.mark.parametrize("name", ["balanced-pandas", "balanced-pandas-pod", "jfsq"])
def test_where_every_server_holds_the_chunk_it_is_jsq(name: str, tie_break: TieBreak) -> None:
    """With a replica everywhere nothing is remote: join the shortest queue, task by task."""
    everywhere = Types(np.arange(6)[None, :], np.array([1.0]))
    cluster, reading = flat(6, 0.5, 0.2), Reading(tie_break=tie_break)
    systems = [offered(cluster, everywhere, get(n), 2.7, reading) for n in (name, "jsq-local")]
    if name == "balanced-pandas-pod" and tie_break is not TieBreak.INDEX:
        # It spends its uniform otherwise, so the servers differ; what is joined does not.
        starts = [sorted(start for _, _, start, _ in services(system)) for system in systems]
        assert np.mean(starts[0]) == pytest.approx(np.mean(starts[1]), rel=0.02)
    else:
        assert services(systems[0]) == services(systems[1])


@pytest.mark.parametrize("name", ["balanced-pandas", "balanced-pandas-pod", "jfsq", "jiq"])
def test_own_queues_are_served_where_the_chunk_is(name: str) -> None:
    """Nobody serves another's queue, so the reading of the service tier changes nothing."""
    cluster = Cluster.of(RACKS, CLUSTERS["beta^2 > alpha gamma"])
    stories = [
        services(offered(cluster, Even(RACKS, 2), get(name), 4.2, Reading(service_tier=tier)))
        for tier in ServiceTier
    ]
    assert stories[0] == stories[1]


def test_an_idle_server_is_preferred_however_far() -> None:
    """W = 0 beats any workload: the weakness at light load that the rule has by construction."""
    cluster = flat(3, 1.0, 0.001)
    constants = POLICY.constants(cluster.rates)
    index = LeastWeights(cluster.groups, POLICY, constants, 6)
    lengths = [1, 1, 0, 0, 0, 0]
    for server in (0, 1):
        index.update(server, lengths)
    least = index.within([0, 1], UNIFORMLY, 0.5)
    joined = POLICY.route([0, 1], lengths, lengths, least, index.weights, constants, UNIFORMLY, 0.5)
    assert joined == 3 + 2  # the remote sub-queue of server 2
    # Once it has that task it is loaded with 1000 slots, and nobody follows.
    lengths = [7, 7, 0, 0, 0, 1]
    for server in range(3):
        index.update(server, lengths)
    least = index.within([0, 1], BY_INDEX, 0.5)
    assert (
        POLICY.route([0, 1], lengths, lengths, least, index.weights, constants, BY_INDEX, 0.5) == 0
    )


@pytest.mark.parametrize("load", [0.6, 0.8])
def test_a_few_samples_are_better_than_all_at_medium_load(load: float) -> None:
    """The claim of Moaddeli et al.: at low and medium load Pod is faster than Balanced-PANDAS.

    Both go far for an idle server, the sampled one less often; JSQ, which never does, is faster
    than both on even traffic.
    """
    simulate = pytest.importorskip("cluster_sim.compiled.engine").simulate
    cluster = flat(100, 1.0, 0.5)
    times = [
        simulate(
            offered(cluster, Even(cluster.topology, 3), get(name), load * 100),
            Key.of(1),
            slots=4000,
            warmup=500,
        ).mean_completion_time
        for name in ("balanced-pandas", "balanced-pandas-pod", "jsq-local")
    ]
    assert times == sorted(times, reverse=True)


def test_three_tiers_keep_the_capacity_that_priority_loses() -> None:
    """Xie, Yekkehkhany, Lu 2016: inside the capacity of three tiers, priority grows, this does not.

    At load 0.9 of the shipped scenario the tasks in the system of `priority` grow by more than 1 %
    of the arrivals; those of Balanced-PANDAS stay where they were.
    """
    simulate = pytest.importorskip("cluster_sim.compiled.engine").simulate
    slots, in_system = 6000, {}
    for name in ("balanced-pandas", "priority"):
        chosen = scenario("rack-tier", policy=name)
        result = simulate(prepare(chosen).system, Key.of(1), slots=slots)
        in_system[name] = result.series.in_system
        arrivals = result.n_arrivals
    stable, growing = (np.asarray(in_system[name]) for name in ("balanced-pandas", "priority"))
    half = len(stable) // 2
    assert abs(stable[half:].mean() - stable[:half].mean()) < 0.1 * stable.mean()
    assert growing[half:].mean() - growing[:half].mean() > 0.01 * arrivals / 2


@pytest.mark.parametrize(
    ("rates", "times"),
    [
        ((1.0, 0.5), (1.0, 2.0)),
        ((0.6, 0.2), (1.0, 3.0)),
        ((0.9, 0.7, 0.5), (35.0, 45.0, 63.0)),
        ((0.5, 0.5), (1.0, 1.0)),
    ],
)
def test_service_times_are_whole_numbers_in_proportion(
    rates: tuple[float, ...], times: tuple[float, ...]
) -> None:
    """1 / rate, scaled to the smallest whole numbers, so that sums of them tie exactly."""
    assert in_inverse_proportion(rates) == times


def test_service_times_beyond_exact_numbers_are_multiples_of_the_least() -> None:
    """Rates of many digits have no small common multiple; then the ratios are right to rounding."""
    rates = (0.9999999999999, 0.7777777777771, 0.1234567890123)
    times = in_inverse_proportion(rates)
    assert times[0] == 1.0
    assert times == pytest.approx([rates[0] / rate for rate in rates], rel=1e-15)
