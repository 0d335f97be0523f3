"""Agents to compare with, and a search that improves one: no neural network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cluster_sim.emulator.stepped import Routing
from cluster_sim.errors import ScenarioError
from cluster_sim.rl.environment import NearDataEnv

__all__ = ["Agent", "ThresholdAgent", "follow_policy", "play", "search_threshold"]

STEP = 4.0  # tasks: standard deviation of the first trial

Agent = Callable[[NearDataEnv, dict[str, Any]], int]
"""From the environment and the info of the last step to an action."""


def follow_policy(env: NearDataEnv, info: dict[str, Any]) -> int:  # noqa: ARG001 - an agent
    """Do what the scenario's own policy does: the baseline.

    Parameters
    ----------
    env : NearDataEnv
    info : dict
        Of the last step.

    Returns
    -------
    int
        Action.
    """
    return int(info["suggestion"])


@dataclass(frozen=True)
class ThresholdAgent:
    """Join the shortest local queue; serve the own queue, else the longest above a threshold.

    Parameters
    ----------
    threshold : float
        Tasks. The policy ``priority`` takes alpha / gamma.
    """

    threshold: float

    def __call__(self, env: NearDataEnv, info: dict[str, Any]) -> int:
        """Return an action.

        Parameters
        ----------
        env : NearDataEnv
        info : dict
            Of the last step.

        Returns
        -------
        int
        """
        decision, mask = env.decision, info["action_mask"]
        none = len(mask) - 1
        if decision is None:
            return none
        lengths, possible = np.array(decision.arguments[1]), np.flatnonzero(mask[:none])
        if isinstance(decision, Routing):
            return int(possible[np.argmin(lengths[possible])])
        if mask[decision.server]:
            return decision.server
        longest = int(possible[np.argmax(lengths[possible])])
        return longest if lengths[longest] > self.threshold else none


def play(env: NearDataEnv, agent: Agent, seed: int) -> float:
    """Play an episode.

    Parameters
    ----------
    env : NearDataEnv
    agent : callable
    seed : int

    Returns
    -------
    float
        Return of the episode: minus the tasks in the system, summed over its slots.

    Examples
    --------
    >>> env = NearDataEnv(slots=30)
    >>> play(env, follow_policy, seed=1) == play(env, follow_policy, seed=1)
    True
    """
    _, info = env.reset(seed=seed)
    total, is_over = 0.0, False
    while not is_over:
        _, reward, _, is_over, info = env.step(agent(env, info))
        total += reward
    return total


def search_threshold(
    env: NearDataEnv,
    *,
    start: float,
    seeds: Sequence[int],
    n_rounds: int,
    search_seed: int = 0,
) -> tuple[float, list[float]]:
    """Improve a threshold by random search on the same episodes again and again.

    Parameters
    ----------
    env : NearDataEnv
        With a queue for each server.
    start : float
        The threshold to begin with, tasks.
    seeds : sequence of int
        Of the episodes that a threshold is tried on.
    n_rounds : int
        Thresholds to try.
    search_seed : int
        Decides which thresholds are tried.

    Returns
    -------
    float
        The best threshold.
    list of float
        The best mean return after 0, 1, ... rounds; it never falls.

    Raises
    ------
    ScenarioError
        If there is no episode to try on.

    Notes
    -----
    Each trial is the best so far plus a normal step, of four tasks in the first round and ever
    shorter ones, reflected at 0. Common random numbers make the comparison one of pairs: both
    thresholds meet the same tasks with the same luck.
    """
    if not seeds:
        raise ScenarioError("seeds: empty; name at least one episode to try thresholds on")
    rng = np.random.default_rng(search_seed)

    def worth(threshold: float) -> float:
        return float(np.mean([play(env, ThresholdAgent(threshold), seed) for seed in seeds]))

    best, value = start, worth(start)
    history = [value]
    for left in range(n_rounds, 0, -1):
        trial = abs(best + STEP * left / n_rounds * float(rng.standard_normal()))
        found = worth(trial)
        if found > value:
            best, value = trial, found
        history.append(value)
    return best, history
