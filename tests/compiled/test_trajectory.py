"""The same trajectory: identical events, tasks and results on both engines under the same seed."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from laws.systems import TRAFFICS, keys, readings, systems

from cluster_sim import policies, traces
from cluster_sim.model.arrivals import ArrivalProcess, Batch, Bernoulli, Binomial, Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.placement import HdfsPlacement, UniformPlacement
from cluster_sim.model.readings import (
    DispatchOrder,
    QueueLength,
    Reading,
    RoutingView,
    ServiceTier,
    TieBreak,
)
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import (
    NO_SERVER,
    Even,
    Hotspot,
    Traffic,
    Types,
    place_chunks,
    zipf_weights,
)
from cluster_sim.model.workload import SyntheticWorkload, Workload
from cluster_sim.randomness import Key
from cluster_sim.system import System
from cluster_sim.testing import small_systems
from cluster_sim.testing.systems import all_readings
from cluster_sim.traces.workload import TraceWorkload
from compiled.both import check_same, first_difference

LEVELS: dict[int, dict[str, int]] = {2: {}, 3: {"rack": 4}, 4: {"rack": 4, "pod": 2}}
N_SERVERS = 9  # racks of 3, 2, 2 and 2

# Every two values of two of these meet in some case of the default run.
CHOICES: dict[str, tuple[Any, ...]] = {
    "policy": (*policies.names(), "priority-T1.5"),
    "traffic": ("even", "even-hdfs", "hotspot", "types", "zipf", "trace"),
    "arrivals": ("poisson", "bernoulli", "binomial", "batch"),
    "rates": ((1.0, 0.9, 0.7, 0.5), (0.6, 0.4, 0.3, 0.2), (0.35, 0.35, 0.1, 0.1)),
    "n_tiers": (2, 3, 4),
    "load": (0.5, 0.95, 1.3),
    "queue_length": tuple(QueueLength),
    "routing_view": tuple(RoutingView),
    "dispatch_order": tuple(DispatchOrder),
    "service_tier": tuple(ServiceTier),
    "tie_break": tuple(TieBreak),
}
Case = dict[str, Any]


@cache
def pairwise_cases() -> tuple[Case, ...]:
    """Return few cases in which every two values of two choices occur together."""

    def pairs(case: Case) -> set[Any]:
        return set(itertools.combinations(((name, str(value)) for name, value in case.items()), 2))

    missing: set[Any] = set()
    for one, other in itertools.combinations(CHOICES, 2):
        both = itertools.product(CHOICES[one], CHOICES[other])
        missing |= {((one, str(a)), (other, str(b))) for a, b in both}
    rng = np.random.default_rng(5)
    cases = []
    while missing:
        candidates = [
            {name: values[rng.integers(len(values))] for name, values in CHOICES.items()}
            for _ in range(40)
        ]
        best = max(candidates, key=lambda case: len(pairs(case) & missing))
        if pairs(best) & missing:
            cases.append(best)
            missing -= pairs(best)
    return tuple(cases)


def arrivals_of(kind: str, rate: float) -> ArrivalProcess:
    if kind == "bernoulli":
        return Bernoulli(min(rate, 1.0))
    if kind == "binomial":
        return Binomial(rate, int(rate) + 2)
    return Batch(rate, 3) if kind == "batch" else Poisson(rate, int(2 * rate) + 2)


def traffic_of(kind: str, topology: Topology) -> Traffic:
    if kind == "even":
        return Even(topology, 3)
    if kind == "even-hdfs":
        return Even(
            topology, 2, HdfsPlacement() if topology.n_levels > 2 else Even(topology).placement
        )
    if kind == "hotspot":
        return Hotspot(topology, 4, 0.75, 2)
    if kind == "zipf":
        chunks = place_chunks(
            Key.of(5),
            np.arange(12),
            topology=topology,
            placement=UniformPlacement(),
            n_replicas=3,
        )
        return Types(chunks, zipf_weights(12, 1.1))
    none = NO_SERVER
    sets = [[1, 3, 4, 8], [0, none, none, none], [2, 5, none, none], [0, 6, 7, none]]
    return Types(np.array(sets, dtype=np.int64), np.array([1.0, 2.0, 3.0, 1.5]))


def trace_of(topology: Topology, slots: int, rate: float) -> TraceWorkload:
    """Return a bursty trace: jobs of several tasks, some on the same chunks, and then nothing."""
    rng = np.random.default_rng(8)
    n_jobs = max(int(0.8 * slots * rate / 2.5), 2)
    arrival = np.sort(rng.integers(0, int(0.8 * slots), n_jobs))
    sizes = rng.integers(1, 5, n_jobs) * (64 << 20)
    names = rng.integers(0, 10, n_jobs)
    trace = traces.Trace("bursts", arrival, sizes, names, tuple(f"file {i}" for i in range(10)))

    def placed(chunks: np.ndarray) -> np.ndarray:
        return place_chunks(
            Key.of(3), chunks, topology=topology, placement=UniformPlacement(), n_replicas=2
        )

    return TraceWorkload(traces.in_slots(traces.split_jobs(trace), 1.0), placed)


def system_of(case: Case, slots: int) -> System:
    topology = Topology.tree(N_SERVERS, LEVELS[case["n_tiers"]])
    local, rack, pod, remote = case["rates"]
    rates = {"local": local, "rack_local": rack, "pod_local": pod, "remote": remote}
    kept = {"local", "remote", *[f"{level}_local" for level in LEVELS[case["n_tiers"]]]}
    cluster = Cluster.of(topology, {name: rate for name, rate in rates.items() if name in kept})
    rate = case["load"] * N_SERVERS * local
    workload: Workload
    if case["traffic"] == "trace":
        workload = trace_of(topology, slots, rate)
    else:
        traffic = traffic_of(case["traffic"], topology)
        workload = SyntheticWorkload(traffic, arrivals_of(case["arrivals"], rate))
    name, _, threshold = case["policy"].partition("-T")
    policy = policies.get(name, **({"threshold": float(threshold)} if threshold else {}))
    reading = {f.name: case[f.name] for f in dataclasses.fields(Reading)}
    return System(cluster, workload, policy, Reading(**reading))


def spelt(case: Case) -> str:
    return "-".join(str(value) for value in case.values()).replace(" ", "")


def test_few_cases_cover_all_pairs() -> None:
    """The default cases are few, and meet every two values together."""
    cases = pairwise_cases()
    assert len(cases) < 100
    for one, other in itertools.combinations(CHOICES, 2):
        met = {(str(case[one]), str(case[other])) for case in cases}
        assert len(met) == len(CHOICES[one]) * len(CHOICES[other])


@pytest.mark.parametrize("case", pairwise_cases(), ids=spelt)
def test_same_trajectory(case: Case) -> None:
    """Both engines tell the same events, the same tasks and the same result."""
    check_same(system_of(case, 150), Key.of(11, 2), 150, warmup=20)


@pytest.mark.parametrize("name", policies.names())
def test_same_result_unobserved(name: str) -> None:
    """The result does not depend on whether anybody listens, or how many points are kept."""
    for system in small_systems(policies.get(name)):
        check_same(system, Key.of(3), 300, warmup=37, series_points=9, is_observed=False)


@pytest.mark.parametrize(("slots", "warmup"), [(1, 0), (2, 1), (40, 39), (40, 0)])
def test_same_result_at_the_edges_of_a_run(slots: int, warmup: int) -> None:
    """Runs of one slot, and warm-ups of all slots but one, are measured alike."""
    for system in small_systems(policies.get("priority")):
        check_same(system, Key.of(5), slots, warmup=warmup)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**32, 2**63, 2**64 - 1])
def test_same_trajectory_under_any_key(seed: int) -> None:
    """Keys of any size are used in full on both engines."""
    system = next(itertools.islice(small_systems(policies.get("maxweight")), 2, None))
    check_same(system, Key.of(seed, 3), 60)


@pytest.mark.parametrize("name", policies.names())
def test_same_trajectory_in_a_larger_cluster(name: str) -> None:
    """With more idle servers than are drawn for at once, and uneven racks, nothing changes."""
    topology = Topology.tree(83, {"rack": 9})
    cluster = Cluster.of(topology, {"local": 0.9, "rack_local": 0.6, "remote": 0.3})
    for rate in (25.0, 70.0):
        workload = SyntheticWorkload(Even(topology, 3), Poisson(rate))
        check_same(System(cluster, workload, policies.get(name)), Key.of(4), 60)


@pytest.mark.parametrize("name", policies.names())
@given(data=st.data(), key=keys)
@settings(max_examples=6)
def test_random_systems(name: str, data: st.DataObject, key: Key) -> None:
    """A short search over random small systems finds no difference."""
    check_same(data.draw(systems(name)), key, 60, warmup=7)


@pytest.mark.slow
@pytest.mark.parametrize("traffic", TRAFFICS)
@pytest.mark.parametrize("name", policies.names())
@given(data=st.data(), key=keys, warmup=st.integers(0, 119))
@settings(max_examples=150)
def test_wide_search(name: str, traffic: str, data: st.DataObject, key: Key, warmup: int) -> None:
    """A wide search over random small systems finds no difference."""
    check_same(data.draw(systems(name, traffic)), key, 120, warmup=warmup)


@pytest.mark.slow
@pytest.mark.parametrize("name", policies.names())
def test_every_reading(name: str) -> None:
    """All 72 readings agree, on systems of two to four tiers."""
    for reading in all_readings():
        for system in small_systems(policies.get(name), reading):
            check_same(system, Key.of(6), 100)


@pytest.mark.slow
@pytest.mark.parametrize("name", policies.names())
def test_long_runs(name: str) -> None:
    """Runs of many batches of arrivals agree, unobserved and to the last count."""
    for system in small_systems(policies.get(name)):
        check_same(system, Key.of(7), 30_000, warmup=1_000, is_observed=False)


def mutations(events: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield sequences that differ from the events, and where."""
    for i in range(len(events)):
        yield i, [*events[:i], "other", *events[i + 1 :]]
        yield i, events[:i]
    yield len(events), [*events, "one more"]


@given(st.lists(st.sampled_from("abc"), max_size=12))
@example([])
def test_the_first_difference_is_told(events: list[str]) -> None:
    """The message names the first difference and shows both stories around it."""
    assert first_difference(events, list(events)) == ""
    for at, changed in mutations(events):
        told = first_difference(events, changed)
        assert told.startswith(f"the engines differ from event {at} on\nsimpy:\n")
        assert told.count(f"> {at}: ") == 2
        assert "\ncompiled:\n" in told


@pytest.mark.parametrize("reading", [Reading(), Reading(tie_break=TieBreak.INDEX)])
@given(data=st.data(), key=keys, other=readings)
@settings(max_examples=4)
def test_equal_rates_and_weights(
    reading: Reading, data: st.DataObject, key: Key, other: Reading
) -> None:
    """Where tiers are equally fast every choice is a tie, and the engines break it alike."""
    system = data.draw(systems("maxweight"))
    rates = (system.cluster.rates[0],) * system.cluster.n_tiers
    cluster = dataclasses.replace(system.cluster, rates=rates)
    for used in (reading, other):
        check_same(dataclasses.replace(system, cluster=cluster, reading=used), key, 60)
