"""The environment is a run of the engine, by gymnasium's rules."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gymnasium")

import gymnasium
from gymnasium.utils.env_checker import check_env

import cluster_sim.rl
from cluster_sim import Scenario
from cluster_sim.emulator.emulator import simulate
from cluster_sim.emulator.stepped import Routing
from cluster_sim.errors import ScenarioError
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.policies.priority import Priority
from cluster_sim.randomness import Key
from cluster_sim.recording.events import EventRecorder
from cluster_sim.rl.agents import ThresholdAgent, follow_policy, play, search_threshold
from cluster_sim.rl.environment import DEFAULT, NearDataEnv, Phase, Routes

N_SLOTS = 150


@pytest.mark.parametrize("routes", list(Routes))
def test_gymnasium_accepts_it(routes: Routes) -> None:
    """`check_env` finds nothing, and warns of nothing but what it warns of always."""
    env = gymnasium.make(cluster_sim.rl.ENVIRONMENT, slots=40, routes=routes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_the_paper_s_algorithm_is_the_engine_s_run() -> None:
    """Priority's own route and serve on the environment's state: the same events, in order."""
    recorder, policy = EventRecorder(), Priority()
    env = NearDataEnv(slots=N_SLOTS, observers=[recorder])
    _, info = env.reset(seed=7)
    total, is_over, none = 0.0, False, int(env.action_space.n) - 1  # type: ignore[attr-defined]
    while not is_over:
        arguments: Any = env.decision.arguments  # type: ignore[union-attr]
        is_routing = isinstance(env.decision, Routing)
        queue = policy.route(*arguments) if is_routing else policy.serve(*arguments)
        _, reward, _, is_over, info = env.step(none if queue == NO_QUEUE else queue)
        assert not info["is_replaced"]
        total += reward
    engine = EventRecorder()
    system = env.prepared.system
    result = simulate(system, Key.of(7, 0), slots=N_SLOTS, observers=[engine])
    assert recorder.events == engine.events
    assert total == -result.in_system_sum


@pytest.mark.parametrize("policy", ["fifo", "maxweight", "balanced-pandas"])
def test_the_suggestion_is_the_policy_of_the_scenario(policy: str) -> None:
    """Whatever its queues, following it gives the engine's run; so is each next episode."""
    tables = DEFAULT | {"scheduler": {"policy": policy}}
    recorder = EventRecorder()
    env = NearDataEnv(tables, slots=N_SLOTS, routes=Routes.ANY, observers=[recorder])
    play(env, follow_policy, seed=3)
    recorder.events.clear()
    _, info = env.reset()
    is_over = False
    while not is_over:
        *_, is_over, info = env.step(info["suggestion"])
    engine = EventRecorder()
    simulate(env.prepared.system, Key.of(3, 1), slots=N_SLOTS, observers=[engine])
    assert recorder.events == engine.events


def test_observations_are_bounded_and_say_what_is() -> None:
    """Each is in its space; the mask is what waits, or where the chunk is."""
    env = NearDataEnv(slots=N_SLOTS, length_scale=3)
    observation, info = env.reset(seed=1)
    phases, is_over = set(), False
    while not is_over:
        assert env.observation_space.contains(observation)
        mask = info["action_mask"]
        assert (mask == observation["action_mask"]).all()
        assert mask[info["suggestion"]]
        phase = Phase(observation["phase"])
        phases.add(phase)
        if phase is Phase.ROUTE:
            assert (mask[:-1] == observation["replicas"]).all()
            assert not observation["server"].any()
        else:
            assert (mask[:-1] == (observation["waiting"] > 0)).all()
            (server,) = np.flatnonzero(observation["server"])
            assert not observation["busy"][server]
        observation, _, _, is_over, info = env.step(info["suggestion"])
    assert phases == set(Phase)
    assert observation["lengths"].max() <= 1
    assert (info["slot"], info["action_mask"].sum()) == (N_SLOTS, 1)


def test_an_impossible_action_is_replaced() -> None:
    """An agent that ignores the mask still gets an episode, and is told."""
    env = NearDataEnv(slots=N_SLOTS)
    _, info = env.reset(seed=1)
    replaced, is_over = 0, False
    rng = np.random.default_rng(1)
    while not is_over:
        action = int(rng.integers(env.action_space.n))  # type: ignore[attr-defined]
        is_possible = bool(info["action_mask"][action])
        *_, is_over, info = env.step(action)
        assert info["is_replaced"] == (not is_possible)
        replaced += info["is_replaced"]
    assert replaced > 0


def test_a_seed_is_an_episode() -> None:
    """The same seed gives the same return, another one another."""
    env = NearDataEnv(slots=N_SLOTS)
    returns = [play(env, follow_policy, seed) for seed in (1, 1, 2)]
    assert returns[0] == returns[1] != returns[2]


def test_what_cannot_be_done_is_refused() -> None:
    """Steps outside of an episode, and scales that scale nothing."""
    env = NearDataEnv(slots=5)
    with pytest.raises(ScenarioError, match=r"no episode has begun, or it is over; call reset"):
        env.step(0)
    play(env, follow_policy, seed=1)
    with pytest.raises(ScenarioError, match=r"call reset\(\) first"):
        env.step(0)
    with pytest.raises(ScenarioError, match=r"length_scale = 0: must be at least 1 task"):
        NearDataEnv(length_scale=0)
    with pytest.raises(ValueError, match=r"'nearest' is not a valid Routes"):
        NearDataEnv(routes="nearest")


def test_an_episode_without_tasks_ends() -> None:
    """Where nothing arrives there is one step, and no reward."""
    quiet = Scenario(**DEFAULT).with_values({"traffic.rate": 1e-9, "run.slots": 3})
    env = NearDataEnv(quiet)
    _, info = env.reset(seed=1)
    assert info["action_mask"].tolist() == [0, 0, 0, 0, 1]
    _, reward, terminated, truncated, _ = env.step(4)
    assert (reward, terminated, truncated) == (0.0, False, True)


def test_search_improves_and_says_by_how_much() -> None:
    """Never worse than where it began, on its episodes; better than never helping, on others."""
    env = NearDataEnv(slots=N_SLOTS)
    best, history = search_threshold(env, start=15.0, seeds=range(3), n_rounds=8)
    assert history == sorted(history)
    assert history[-1] > history[0]
    fresh = range(50, 56)
    means = {
        threshold: np.mean([play(env, ThresholdAgent(threshold), seed) for seed in fresh])
        for threshold in (best, float("inf"))
    }
    assert means[best] > means[float("inf")]
    with pytest.raises(ScenarioError, match=r"seeds: empty; name at least one episode"):
        search_threshold(env, start=1.0, seeds=[], n_rounds=1)


def test_the_threshold_of_the_paper_is_the_policy_up_to_ties() -> None:
    """With alpha / gamma the agent does what priority does, but for ties."""
    env = NearDataEnv(slots=N_SLOTS)
    _, info = env.reset(seed=2)
    agent, same, n, is_over = ThresholdAgent(2.0), 0, 0, False
    while not is_over:
        same += agent(env, info) == info["suggestion"]
        n += 1
        *_, is_over, info = env.step(info["suggestion"])
    assert same > 0.9 * n
