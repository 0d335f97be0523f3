"""The Markov chain of a tiny cluster under any queue policy, solved exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, eye_array
from scipy.sparse.linalg import spsolve

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.decisions import ChainPolicy
from cluster_sim.theory.slot import ChainReading, Distribution, ReadingLike, SlotModel, State
from cluster_sim.theory.task_types import (
    FloatArray,
    TypesLike,
    check_ancestors,
    check_rates,
    merge_types,
)

__all__ = ["ChainReading", "ChainSolution", "poisson_probabilities", "solve_chain"]

_MOST_STATES = 60_000


@dataclass(frozen=True)
class ChainSolution:
    """Steady state of a small cluster.

    Attributes
    ----------
    mean_completion_time, mean_waiting_time : float
        Slots, over the tasks that were accepted.
    mean_in_system : float
        Tasks at the observation point.
    mean_queue_lengths : tuple of float
        Tasks of each queue at the observation point, waiting and in service.
    mean_waiting : tuple of float
        Waiting tasks of each queue at the observation point.
    locality : tuple of float
        Share of the starts in each tier.
    utilisation : float
        Share of the server slots that are busy.
    in_system : tuple of float
        Probability of 0, 1, 2, ... tasks in the system at the observation point.
    arrival_rate : float
        Tasks per slot that arrive.
    limit : int
        Tasks that the truncated system holds at most.
    lost : float
        Share of the arrivals that the truncation turns away.
    truncation_error : float
        Change of the mean completion time against the next smaller limit that was
        solved; infinite if there was none.
    residual : float
        Sum of the absolute errors of the balance equations.
    n_states : int
        States of the truncated chain.
    """

    mean_completion_time: float
    mean_waiting_time: float
    mean_in_system: float
    mean_queue_lengths: tuple[float, ...]
    mean_waiting: tuple[float, ...]
    locality: tuple[float, ...]
    utilisation: float
    in_system: tuple[float, ...]
    arrival_rate: float
    limit: int
    lost: float
    truncation_error: float
    residual: float
    n_states: int


def poisson_probabilities(rate: float, *, bound: int | None = None) -> tuple[float, ...]:
    """Return the probabilities of 0, 1, 2, ... arrivals of a truncated Poisson law.

    Parameters
    ----------
    rate : float
        Mean of the law before truncation, tasks per slot.
    bound : int, optional
        Most arrivals in a slot; by default where the rest is below 1e-15.

    Returns
    -------
    tuple of float
        They sum to 1: what lies above the bound is counted at the bound.

    Raises
    ------
    ScenarioError
        If the rate or the bound is negative.

    Examples
    --------
    >>> [round(p, 6) for p in poisson_probabilities(0.5, bound=2)]
    [0.606531, 0.303265, 0.090204]
    """
    if not rate >= 0.0 or (bound is not None and bound < 0):
        raise ScenarioError(f"rate = {rate}, bound = {bound}: must be at least 0")
    found = [float(np.exp(-rate))]
    while (len(found) <= bound) if bound is not None else (1.0 - sum(found) > 1e-15):
        found.append(found[-1] * rate / len(found))
        if found[-1] < 1e-18:
            break
    found[-1] += 1.0 - sum(found)
    return tuple(found)


class _Chain:
    """Transition probabilities of the truncated chain, explored from the empty state."""

    def __init__(self, model: SlotModel, arrivals: Sequence[float]) -> None:
        self.model = model
        self.arrivals = arrivals
        self._after_dispatch: dict[State, Distribution] = {}
        self._after_completions: dict[State, Distribution] = {}

    def admitted(self, state: State, limit: int) -> tuple[Distribution, float]:
        """Return the states after the arrivals, and the mean number turned away."""
        room = limit - _n_tasks(state)
        live = self.model.reading.routing_view == "live"
        seen = None if live else tuple(self.model.lengths(state))
        level: Distribution = {state: 1.0}
        found: Distribution = {}
        lost = 0.0
        for count, probability in enumerate(self.arrivals):
            for joined, share in level.items():
                found[joined] = found.get(joined, 0.0) + probability * share
            lost += probability * max(count - room, 0)
            if count >= room or count + 1 == len(self.arrivals):
                continue
            following: Distribution = {}
            for joined, share in level.items():
                for after, more in self.model.arrive(joined, seen).items():
                    following[after] = following.get(after, 0.0) + share * more
            level = following
        return found, lost

    def dispatched(self, state: State) -> Distribution:
        """Return the states after dispatch."""
        if state not in self._after_dispatch:
            self._after_dispatch[state] = self.model.dispatch(state)
        return self._after_dispatch[state]

    def completed(self, state: State) -> Distribution:
        """Return the states at the next observation point."""
        if state not in self._after_completions:
            self._after_completions[state] = self.model.complete(state)
        return self._after_completions[state]

    def solve(self, limit: int) -> ChainSolution:
        """Solve the chain that holds at most ``limit`` tasks."""
        index: dict[State, int] = {self.model.empty: 0}
        states = [self.model.empty]
        rows, columns, values = [], [], []
        rewards = []
        n_tiers = len(self.model.rates)
        for number, state in enumerate(states):  # grows while it is walked through
            joined, lost = self.admitted(state, limit)
            reward = np.zeros(2 + n_tiers)
            reward[0] = lost
            for before, p in joined.items():
                for started, q in self.dispatched(before).items():
                    _count(reward, before, started, p * q)
                    for after, r in self.completed(started).items():
                        if after not in index:
                            if len(states) >= _MOST_STATES:
                                raise ScenarioError(_too_large(limit))
                            index[after] = len(states)
                            states.append(after)
                        rows.append(number)
                        columns.append(index[after])
                        values.append(p * q * r)
            rewards.append(reward)
        n = len(states)
        step = csc_array(coo_array((values, (rows, columns)), shape=(n, n)))
        pi = _stationary(step)
        residual = float(np.abs(step.T @ pi - pi).sum())
        return self._summary(states, pi, pi @ np.stack(rewards), limit=limit, residual=residual)

    def _summary(
        self,
        states: list[State],
        pi: FloatArray,
        reward: FloatArray,
        *,
        limit: int,
        residual: float,
    ) -> ChainSolution:
        waiting = np.array([[len(queue) for queue in state[0]] for state in states])
        present = waiting.copy()
        for row, (_, servers) in enumerate(states):
            for service in servers:
                if service is not None:
                    present[row, service[0]] += 1
        in_system = np.bincount(present.sum(axis=1), pi)
        rate = float(np.dot(np.arange(len(self.arrivals)), self.arrivals))
        accepted = rate - reward[0]
        starts = reward[2:]
        mean = float(pi @ present.sum(axis=1))
        return ChainSolution(
            # A task is seen at one observation point less than the slots it spends.
            mean_completion_time=mean / accepted + 1.0,
            mean_waiting_time=float(pi @ waiting.sum(axis=1)) / accepted,
            mean_in_system=mean,
            mean_queue_lengths=tuple((pi @ present).tolist()),
            mean_waiting=tuple((pi @ waiting).tolist()),
            locality=tuple((starts / starts.sum()).tolist()),
            utilisation=float(reward[1]) / self.model.n_servers,
            in_system=tuple(in_system.tolist()),
            arrival_rate=rate,
            limit=limit,
            lost=float(reward[0] / rate),
            truncation_error=float("inf"),
            residual=residual,
            n_states=len(states),
        )


def _n_tasks(state: State) -> int:
    return sum(map(len, state[0])) + sum(service is not None for service in state[1])


def _count(reward: FloatArray, before: State, started: State, probability: float) -> None:
    """Add busy servers and starts by tier."""
    for old, new in zip(before[1], started[1], strict=True):
        if new is not None:
            reward[1] += probability
            if old is None:
                reward[2 + new[1]] += probability


def _too_large(limit: int) -> str:
    return (
        f"the chain with at most {limit} tasks has more than {_MOST_STATES} states: the exact "
        "solution is for tiny clusters; use fewer servers or types, a lower load or a lower limit"
    )


def _stationary(step: csc_array) -> FloatArray:
    """Solve pi = pi P with the first entry fixed, then normalise.

    Every state leads back to the first, the empty one, so the rest of I - P is not
    singular.
    """
    n = step.shape[0]
    if n == 1:
        return np.ones(1)
    balance = csc_array(eye_array(n) - step.T)
    solved = spsolve(csc_array(balance[1:, 1:]), -balance[1:, [0]].toarray().ravel())
    pi = np.concatenate([[1.0], np.atleast_1d(solved)])
    return np.asarray(pi / pi.sum(), dtype=np.float64)


def solve_chain(
    policy: ChainPolicy,
    types: TypesLike,
    weights: npt.ArrayLike,
    *,
    arrivals: Sequence[float],
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    reading: ReadingLike = ChainReading(),
    limit: int | None = None,
    tolerance: float = 1e-9,
) -> ChainSolution:
    """Solve the steady state of a tiny cluster exactly, but for a reported truncation.

    Parameters
    ----------
    policy : queue policy
        Any object with the two decisions of the policy contract.
    types : int64 array, shape (n_types, width), or sequence of tuples of int
        Local servers of each type; -1 pads shorter rows.
    weights : float64 array, shape (n_types,)
        Relative frequency of the types; scaled to sum 1.
    arrivals : sequence of float
        Probability of 0, 1, 2, ... arrivals in a slot.
    n_servers : int
        Number of servers.
    rates : sequence of float
        Service probability per slot for each tier, local first, remote last.
    ancestors : int64 array, shape (n_tiers, n_servers), optional
        Group of each server for each tier; needed for three and more tiers.
    reading : ReadingLike
        The readings of the paper; by default those of the design.
    limit : int, optional
        Most tasks in the system; arrivals beyond are turned away. By default it
        grows until the mean completion time changes by less than ``tolerance``.
    tolerance : float
        Relative; used without ``limit``.

    Returns
    -------
    ChainSolution

    Raises
    ------
    ScenarioError
        If the input is not usable, or the chain has too many states.
    DecisionError
        If the policy decides something that cannot be done.

    Notes
    -----
    A state at the observation point is, for each queue, the kinds of its waiting
    tasks in order, and for each server the queue and the tier of its service: the
    chain (Q, f) of the paper, with what FIFO order and tiers add. Decisions are
    enumerated over their tie uniforms, see `decisions.decision_probabilities`. By
    Little's law the mean completion time is the mean number of tasks at the
    observation point over the accepted rate, plus 1.

    References
    ----------
    Section 2.2 of the paper.
    """
    tiers = check_rates(rates)
    merged = merge_types(types, weights, n_servers)
    groups = check_ancestors(ancestors, n_servers, len(tiers))
    chances = [float(p) for p in arrivals]
    if min(chances, default=-1.0) < 0.0 or abs(sum(chances) - 1.0) > 1e-9:
        raise ScenarioError(
            f"arrivals = {tuple(chances)}: must be probabilities of 0, 1, 2, ... that sum to 1"
        )
    if merged.n_types == 0 or sum(chances[1:]) == 0.0:
        raise ScenarioError("no task arrives: a steady state without tasks has no completion time")
    model = SlotModel(
        policy=policy,
        replicas=tuple(merged.replicas(i) for i in range(merged.n_types)),
        weights=tuple((merged.arrival_rates / merged.total_rate).tolist()),
        rates=tiers,
        groups=tuple(tuple(row) for row in groups.tolist()),
        reading=reading,
    )
    chain = _Chain(model, chances)
    if limit is not None:
        if limit < 1:
            raise ScenarioError(f"limit = {limit}: must be at least 1")
        return _compared(chain.solve(limit), chain.solve(limit - 1) if limit > 1 else None)
    return _grown(chain, n_servers + len(chances), tolerance)


def _compared(solution: ChainSolution, smaller: ChainSolution | None) -> ChainSolution:
    from dataclasses import replace

    if smaller is None:
        return solution
    change = abs(solution.mean_completion_time - smaller.mean_completion_time)
    return replace(solution, truncation_error=change)


def _grown(chain: _Chain, limit: int, tolerance: float) -> ChainSolution:
    """Double the room until the mean completion time stays."""
    solution = chain.solve(limit)
    while True:
        limit += max(4, limit // 2)
        solution = _compared(chain.solve(limit), solution)
        if solution.truncation_error <= tolerance * solution.mean_completion_time:
            return solution
