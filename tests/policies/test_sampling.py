"""Policies that look at a few queues: the samples are fair, and the power of d is what is known."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from policies.stories import flat, offered, services

from cluster_sim.errors import ScenarioError
from cluster_sim.model.readings import Reading, TieBreak
from cluster_sim.model.traffic import Even, Hotspot
from cluster_sim.policies import NO_QUEUE, BalancedPandasPod, JSQd, JSQMaxWeightPod, get
from cluster_sim.policies.choices import BY_INDEX, UNIFORMLY
from cluster_sim.randomness import Key


@pytest.mark.parametrize("tie_break", TieBreak)
@pytest.mark.parametrize(("d", "other"), [(3, "jsq-local"), (8, "jsq-local"), (1, "random-local")])
def test_the_ends_of_jsq_d_are_known_policies(d: int, other: str, tie_break: TieBreak) -> None:
    """With d of all replicas it is JSQ over them, with d = 1 a random one, task by task."""
    cluster, reading = flat(7, 0.5, 0.2), Reading(tie_break=tie_break)
    traffic = Even(cluster.topology, 3)
    mine, theirs = (
        offered(cluster, traffic, policy, 2.6, reading)
        for policy in (get("jsq-d", d=d), get(other))
    )
    assert services(mine) == services(theirs)


def shares(decide: Callable[[float], int], n: int) -> dict[int, float]:
    """Return how often each answer comes over an even grid of n uniforms."""
    counts = Counter(decide((i + 0.5) / n) for i in range(n))
    return {answer: count / n for answer, count in counts.items()}


@pytest.mark.parametrize("d", [2, 3])
def test_jsq_d_samples_every_set_alike(d: int) -> None:
    """Over all d-sets of five replicas the shortest is joined, ties split evenly."""
    replicas, lengths = [0, 2, 3, 5, 6], [1, 0, 3, 2, 0, 1, 2]
    expected: Counter[int] = Counter()
    sets = list(itertools.combinations(replicas, d))
    for some in sets:
        tied = [q for q in some if lengths[q] == min(lengths[n] for n in some)]
        for queue in tied:
            expected[queue] += 60 // len(tied)

    def joined(tie: float, tie_break: int = UNIFORMLY) -> int:
        return JSQd.route(replicas, lengths, lengths, [], [], (float(d),), tie_break, tie)

    found = shares(joined, 60_000)
    total = 60 * len(sets)
    assert found == pytest.approx({q: n / total for q, n in expected.items()}, abs=1e-3)
    lowest = shares(lambda tie: joined(tie, BY_INDEX), 60_000)
    by_index = Counter(min(some, key=lambda q: (lengths[q], q)) for some in sets)
    assert lowest == pytest.approx({q: n / len(sets) for q, n in by_index.items()}, abs=1e-3)


PAIRS = list(itertools.product(range(6), repeat=2))


def test_balanced_pandas_pod_samples_every_pair_alike() -> None:
    """Two of six servers with replacement: the better of each of 36 pairs is as likely."""
    # The replica, server 0, is loaded most, and its remote rate equals the local one.
    lengths = [9, 3, 4, 2, 1, 6, *[0] * 6]
    best = Counter(min(pair, key=lambda m: lengths[m]) for pair in PAIRS)

    def joined(tie: float) -> int:
        route, constants = BalancedPandasPod.route, (1.0, 1.0, 2.0)
        return route([0], lengths, lengths, [], [], constants, UNIFORMLY, tie)

    # Queue 0 is local, queue 6 + m remote; drawn twice, server 0 is no better than it is.
    expected = {(6 + m if m else 0): n / 36 for m, n in best.items()}
    assert shares(joined, 36_000) == pytest.approx(expected, abs=1e-3)


def test_jsq_maxweight_pod_samples_every_pair_alike() -> None:
    """The longer of each of 36 pairs is served, none where the own empty queue came twice."""
    waiting = [0, 3, 4, 2, 1, 6]
    longest = Counter(max(pair, key=lambda m: waiting[m]) for pair in PAIRS)

    def served(tie: float) -> int:
        serve, constants = JSQMaxWeightPod.serve, (2.0, 1.0, 2.0)
        return serve(0, waiting, waiting, [], [], constants, UNIFORMLY, tie)

    expected = {(m if m else NO_QUEUE): n / 36 for m, n in longest.items()}
    assert shares(served, 36_000) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("own", "expected"), [(2, {0: 1.0}), (1, {0: 0.25, 1: 0.75})])
def test_jsq_maxweight_pod_prefers_its_own_at_equal_weight(
    own: int, expected: dict[int, float]
) -> None:
    """With alpha = 2 gamma, 2 own tasks weigh as much as 4 others, 1 own task less than 3."""
    waiting = [own, 4 if own == 2 else 3]
    found = shares(
        lambda tie: JSQMaxWeightPod.serve(
            0, waiting, waiting, [], [], (2.0, 1.0, 2.0), UNIFORMLY, tie
        ),
        400,
    )
    assert found == expected


def supermarket(rho: float, alpha: float, d: int) -> float:
    """Mean completion time of JSQ(d) in slots as M grows without end, by its fluid limit.

    s_k is the fraction of queues with k tasks or more. While the arrivals of a slot come,
    ds_k/dx = s_(k-1)^d - s_k^d for x from 0 to the arrivals per server; then a task of each queue
    that is not empty completes with probability alpha.
    """
    tails = np.zeros(80)
    tails[0] = 1.0
    rate, n_steps = rho * alpha, 20

    def drift(s: np.ndarray) -> np.ndarray:
        return np.concatenate(([0.0], s[:-1] ** d - s[1:] ** d))

    for _ in range(1500):
        h = rate / n_steps
        for _ in range(n_steps):
            k1 = drift(tails)
            k2 = drift(tails + h / 2 * k1)
            k3 = drift(tails + h / 2 * k2)
            tails = tails + h / 6 * (k1 + 2 * k2 + 2 * k3 + drift(tails + h * k3))
        tails[1:-1] = (1 - alpha) * tails[1:-1] + alpha * tails[2:]
    return 1.0 + float(tails[1:].sum()) / rate


def test_the_fluid_limit_is_geo_geo_1_for_one_choice() -> None:
    """With d = 1 each queue is alone, with Poisson arrivals of mean r: a known discrete queue.

    Little's law with E[Q] = (r (1 - alpha) + r^2 / 2) / (alpha - r) at the observation point.
    """
    rate, alpha = 0.3, 0.5
    in_system = (rate * (1 - alpha) + rate**2 / 2) / (alpha - rate)
    assert supermarket(rate / alpha, alpha, 1) == pytest.approx(1 + in_system / rate, rel=1e-6)


@pytest.mark.parametrize(("rho", "d", "n_replicas"), [(0.6, 2, 3), (0.9, 2, 3), (0.9, 3, 5)])
def test_jsq_d_meets_the_supermarket_model(rho: float, d: int, n_replicas: int) -> None:
    """In a cluster of 1000 servers the mean completion time is within 1 % of the fluid limit."""
    simulate = pytest.importorskip("cluster_sim.compiled.engine").simulate
    cluster = flat(1000, 0.5, 0.2)
    system = offered(cluster, Even(cluster.topology, n_replicas), get("jsq-d", d=d), rho * 500)
    result = simulate(system, Key.of(3), slots=3000, warmup=600)
    assert result.mean_completion_time == pytest.approx(supermarket(rho, 0.5, d), rel=0.01)


def test_maxweight_pod_is_the_more_sensitive_to_d() -> None:
    """The claim of Moaddeli et al., where half of the servers are overloaded, at load 0.9."""
    simulate = pytest.importorskip("cluster_sim.compiled.engine").simulate
    cluster = flat(100, 1.0, 0.5)
    traffic = Hotspot(cluster.topology, 50, 1.0, 3)

    def time(name: str, d: int) -> float:
        system = offered(cluster, traffic, get(name, d=d), 0.9 * 75)  # 50 + 50 / 2 at most
        found = simulate(system, Key.of(1), slots=4000, warmup=1000).mean_completion_time
        return float(found)

    gains = {
        name: time(name, 1) / time(name, 6) for name in ("balanced-pandas-pod", "jsq-maxweight-pod")
    }
    assert gains["jsq-maxweight-pod"] > 2 * gains["balanced-pandas-pod"] > 2


@pytest.mark.parametrize("kind", [JSQd, BalancedPandasPod, JSQMaxWeightPod])
@pytest.mark.parametrize("d", [0, -1, 2.0, "2", True])
def test_impossible_samples_are_refused(kind: type, d: object) -> None:
    """The number of samples is a whole number from 1 on."""
    with pytest.raises(ScenarioError, match=r"d = .*: must be a whole number from 1 on"):
        kind(d=d)


@pytest.mark.parametrize("kind", [BalancedPandasPod, JSQMaxWeightPod])
def test_more_samples_than_a_uniform_holds_are_refused(kind: type) -> None:
    """M^d is bounded, for d samples come from one uniform; the message says what to do."""
    assert len(kind(d=4).owners(1000, 2)) >= 1000
    with pytest.raises(ScenarioError, match=r"1000\^d may be 2\^46 at most: take a smaller d"):
        kind(d=5).owners(1000, 2)
