"""A cluster whose scheduler is an agent: `NearDataEnv`."""

from __future__ import annotations

import enum
from collections.abc import Generator, Mapping, Sequence
from typing import Any, SupportsInt

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from cluster_sim.emulator.stepped import Decision, Routing, SteppedEmulator
from cluster_sim.errors import ScenarioError
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.loading import load_mapping
from cluster_sim.scenario.schema import Scenario

__all__ = ["DEFAULT", "NearDataEnv", "Phase", "Routes"]

Observation = dict[str, Any]

DEFAULT: dict[str, Any] = {
    "title": "Four servers, one of them hot",
    "cluster": {"servers": 4},
    "service": {"local": 0.5, "remote": 0.25},
    "traffic": {
        "kind": "hotspot",
        "replicas": 1,
        "hot_servers": 1,
        "hot_probability": 0.6,
        "load": 0.9,
    },
    "scheduler": {"policy": "priority"},
    "run": {"slots": 500, "seed": 1},
}
"""The scenario of the environment, if none is given."""


class Phase(enum.IntEnum):
    """What a decision is about."""

    ROUTE = 0  # which queue an arriving task joins
    SERVE = 1  # which queue an idle server takes a task from


class Routes(enum.StrEnum):
    """Which queues an arriving task may join."""

    LOCAL = "local"  # those of its replicas, and those of nobody
    ANY = "any"


class NearDataEnv(gymnasium.Env[Observation, np.int64]):
    """A cluster whose scheduler is the agent; each step is one decision.

    Parameters
    ----------
    scenario : Scenario or mapping, optional
        The cluster and its traffic; by default `DEFAULT`. Its policy must be a queue policy. It
        says which queues there are, and what it would do is in ``info["suggestion"]``.
    slots : int, optional
        Length of an episode; by default that of the scenario.
    routes : Routes
        Which queues an arriving task may join.
    length_scale : int
        Lengths in the observation are divided by it, and cut at 1.
    observers : sequence of Observer
        Told of what happens, as in any run.
    render_mode : None
        There is no picture; record the events and replay them.

    Raises
    ------
    ScenarioError
        If the scenario is not usable here; see `SteppedEmulator`.

    Notes
    -----
    *Actions.* 0 to n_queues - 1 name a queue; n_queues means none, for an idle server. The mask of
    what is possible is in the observation and in ``info["action_mask"]``. An action outside of it
    is replaced: by none for a server, by the first possible queue for a task.

    *Reward.* Minus the tasks in the system, for each observation point passed. So the return of an
    episode is minus the sum over slots of the tasks in the system, and by Little's law that is
    minus the number of tasks times their mean completion time, less one slot each, but for those
    still there at the end.

    *Episodes* end by truncation after `slots` slots. ``reset(seed=s)`` is replication 0 of seed s,
    and each further ``reset()`` the next replication: the same tasks with the same luck as in a
    run of the engines.

    Examples
    --------
    >>> env = NearDataEnv(slots=20)
    >>> observation, info = env.reset(seed=1)
    >>> observation, reward, terminated, truncated, info = env.step(info["suggestion"])
    >>> terminated, truncated
    (False, False)
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as gymnasium declares it

    def __init__(
        self,
        scenario: Scenario | Mapping[str, Any] | None = None,
        *,
        slots: int | None = None,
        routes: Routes | str = Routes.LOCAL,
        length_scale: int = 50,
        observers: Sequence[Observer] = (),
        render_mode: None = None,
    ) -> None:
        if not isinstance(scenario, Scenario):
            scenario = load_mapping(DEFAULT if scenario is None else scenario)
        if slots is not None:
            scenario = scenario.with_values({"run.slots": slots})
        if length_scale < 1:
            raise ScenarioError(f"length_scale = {length_scale}: must be at least 1 task")
        self.prepared: Prepared = prepare(scenario)
        self.render_mode = render_mode
        self._observers, self._routes = tuple(observers), Routes(routes)
        self._scale = float(length_scale)
        self._run = self._start(scenario.run.seed, 0)
        n_servers, n_queues = len(self._run.scheduler.running), len(self._run.scheduler.owners)
        self._n_servers, self._n_queues = n_servers, n_queues
        self.action_space = spaces.Discrete(n_queues + 1)
        lengths = spaces.Box(0.0, 1.0, (n_queues,), np.float32)
        self.observation_space = spaces.Dict(
            {
                "phase": spaces.Discrete(len(Phase)),
                "lengths": lengths,
                "waiting": lengths,
                "busy": spaces.MultiBinary(n_servers),
                "replicas": spaces.MultiBinary(n_servers),
                "server": spaces.MultiBinary(n_servers),
                "action_mask": spaces.MultiBinary(n_queues + 1),
            }
        )
        self._seed: int = scenario.run.seed
        self._episode = -1
        self._decisions: Generator[Decision | int, int, None] | None = None
        self.decision: Decision | None = None
        """What is asked now; None once the episode is over."""
        self._reward = 0.0

    # --- the interface of gymnasium ---------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode.

        Parameters
        ----------
        seed : int, optional
            Begin with replication 0 of this seed; without, the next replication of the last one.
        options : dict, optional
            There are none.

        Returns
        -------
        dict
            Observation.
        dict
            ``action_mask``, ``suggestion``, ``slot``.
        """
        super().reset(seed=seed, options=options)
        self.close()
        self._seed, self._episode = (self._seed, self._episode + 1) if seed is None else (seed, 0)
        self._run = self._start(self._seed, self._episode)
        self._decisions = self._run.decisions(self.prepared.slots)
        self._reward = 0.0
        self._advance(None)
        return self._observation(), self._info()

    def step(self, action: SupportsInt) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Perform a decision and go on to the next.

        Parameters
        ----------
        action : int
            A queue, or n_queues for none.

        Returns
        -------
        dict
            Observation.
        float
            Minus the tasks in the system, for each observation point passed.
        bool
            Terminated: never.
        bool
            Truncated: the slots are over.
        dict
            As of `reset`, and ``is_replaced``: whether the action was not possible.

        Raises
        ------
        ScenarioError
            If there is no episode to go on with.
        """
        if self._decisions is None:
            raise ScenarioError("step(): no episode has begun, or it is over; call reset() first")
        mask, chosen = self.action_mask(), int(action)
        is_replaced = not (0 <= chosen <= self._n_queues and mask[chosen])
        if is_replaced:
            chosen = self._n_queues if mask[self._n_queues] else int(np.flatnonzero(mask)[0])
        self._reward = 0.0
        if self.decision is not None:  # in a whole episode nothing may arrive
            self._advance(NO_QUEUE if chosen == self._n_queues else chosen)
        is_over = self.decision is None
        if is_over:
            self._decisions = None
        info = self._info() | {"is_replaced": is_replaced}
        return self._observation(), self._reward, False, is_over, info

    def close(self) -> None:
        """End the episode; observers are closed with the state as it is."""
        if self.decision is not None:
            self._run.observers.close(self._run.state)
        self._decisions, self.decision = None, None

    # --- what an agent may ask --------------------------------------------------------------------

    def action_mask(self) -> npt.NDArray[np.int8]:
        """Return which actions are possible now.

        Returns
        -------
        int8 array, shape (n_queues + 1,)
        """
        mask = np.zeros(self._n_queues + 1, dtype=np.int8)
        scheduler, decision = self._run.scheduler, self.decision
        if isinstance(decision, Routing):
            holders = set(decision.task.replicas)
            is_any = self._routes is Routes.ANY
            for queue, owner in enumerate(scheduler.owners):
                mask[queue] = is_any or owner < 0 or owner in holders
            return mask
        mask[self._n_queues] = 1
        if decision is not None:
            mask[: self._n_queues] = np.array(scheduler.waiting) > 0
        return mask

    def suggestion(self) -> int:
        """Return the action of the scenario's own policy: the baseline.

        Returns
        -------
        int
        """
        policy: Any = self.prepared.system.queue_policy
        decision = self.decision
        if decision is None:
            return self._n_queues
        decide = policy.route if isinstance(decision, Routing) else policy.serve
        queue = int(decide(*decision.arguments))
        return self._n_queues if queue == NO_QUEUE else queue

    # --- inside -----------------------------------------------------------------------------------

    def _start(self, seed: int, episode: int) -> SteppedEmulator:
        key = Key.of(seed, episode)
        return SteppedEmulator(self.prepared.system, key, self._observers)

    def _advance(self, answer: int | None) -> None:
        """Answer, and go on to the next decision; count what is passed."""
        assert self._decisions is not None
        try:
            found = next(self._decisions) if answer is None else self._decisions.send(answer)
            while isinstance(found, int):
                self._reward -= found
                found = next(self._decisions)
            self.decision = found
        except StopIteration:
            self.decision = None
            self._run.observers.close(self._run.state)

    def _observation(self) -> Observation:
        scheduler, decision = self._run.scheduler, self.decision
        replicas, server = np.zeros((2, self._n_servers), dtype=np.int8)
        if isinstance(decision, Routing):
            replicas[decision.task.replicas] = 1
        elif decision is not None:
            server[decision.server] = 1
        busy = np.array([task is not None for task in scheduler.running], dtype=np.int8)
        return {
            "phase": np.int64(Phase.ROUTE if isinstance(decision, Routing) else Phase.SERVE),
            "lengths": self._scaled(scheduler.lengths),
            "waiting": self._scaled(scheduler.waiting),
            "busy": busy,
            "replicas": replicas,
            "server": server,
            "action_mask": self.action_mask(),
        }

    def _scaled(self, lengths: Sequence[int]) -> npt.NDArray[np.float32]:
        scaled = np.minimum(np.array(lengths, dtype=np.float64) / self._scale, 1.0)
        return np.asarray(scaled, dtype=np.float32)

    def _info(self) -> dict[str, Any]:
        slot = self.prepared.slots if self.decision is None else self.decision.slot
        return {
            "action_mask": self.action_mask(),
            "suggestion": self.suggestion(),
            "slot": slot,
        }
