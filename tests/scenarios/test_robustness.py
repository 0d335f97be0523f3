"""What the scenarios of slow servers, wrong rates, stragglers, bursts and moves say is so."""

from __future__ import annotations

from functools import cache

import pytest

from cluster_sim import prepare
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.recording.result import RunResult
from tests.scenarios.shipped import HAS_NUMBA, scenario

pytestmark = pytest.mark.skipif(not HAS_NUMBA, reason="takes long without the compiled engine")


@cache
def result(name: str, policy: str, slots: int, **values: object) -> RunResult:
    given = {key.replace("__", "."): value for key, value in values.items()}
    prepared = prepare(scenario(name, policy=policy).with_values(given))
    simulate = choose_engine("compiled", prepared.system).simulate
    return simulate(prepared.system, prepared.key(), slots=slots, warmup=slots // 5)


def mean(name: str, policy: str, slots: int = 3_000, **values: object) -> float:
    return result(name, policy, slots, **values).completion_times.mean


def test_balanced_pandas_is_less_sensitive_to_wrong_rates_than_maxweight() -> None:
    """Remote service overestimated by 60 % slows MaxWeight far more (Daghighi and Chen 2020)."""
    slower = {
        policy: mean("wrong-rates", policy) / mean("wrong-rates", policy, estimates__remote=1.0)
        for policy in ("maxweight", "balanced-pandas", "priority")
    }
    assert slower["maxweight"] > 1.5
    assert slower["balanced-pandas"] < 1.05
    assert slower["priority"] < 1.05


def test_both_break_where_the_order_of_the_tiers_turns_round() -> None:
    """Believed to be faster than local, remote service makes both unstable; `priority` stays."""
    for policy, is_stable in (("maxweight", False), ("balanced-pandas", False), ("priority", True)):
        found = result("wrong-rates", policy, 3_000, estimates__remote=2.4)
        assert (found.n_in_system < 1_000) == is_stable


def test_stragglers_hurt_the_tail_of_balanced_pandas_more() -> None:
    """From geometric to heavy tails, its p99 grows by a larger factor than that of priority."""
    p99 = {}
    for policy in ("priority", "balanced-pandas"):
        heavy = result("stragglers", policy, 6_000)
        light = result("stragglers", policy, 6_000, service__distribution="geometric")
        p99[policy] = [float(run.completion_times.quantile(0.99)) for run in (heavy, light)]
    grows = {policy: heavy / light for policy, (heavy, light) in p99.items()}
    assert grows["balanced-pandas"] > grows["priority"] > 1.5


def test_slow_servers_overload_who_gets_no_help() -> None:
    """At load 0.8 of what the slow cluster can do, only `jsq-local` has queues without end."""
    assert mean("slow-servers", "jsq-local") > 20 * mean("slow-servers", "balanced-pandas")


def test_moves_cost_little_beyond_the_load_they_hide() -> None:
    """A hot spot that moves costs what one costs that stays, at the same arrival rate (10 %)."""
    stays = mean("moving-hot-spot", "priority", phases__move=0, traffic__load=0.97135)
    assert mean("moving-hot-spot", "priority") == pytest.approx(stays, rel=0.1)


def test_bursts_take_their_time_under_any_scheduler() -> None:
    """Bursts multiply the completion time, and about alike for two good schedulers."""
    found = [mean("bursts", policy, 8_000) for policy in ("priority", "balanced-pandas")]
    assert found[0] == pytest.approx(found[1], rel=0.1)
    assert min(found) > 4 * mean("bursts", "priority", 8_000, phases__factor=(1.0, 1.0))
