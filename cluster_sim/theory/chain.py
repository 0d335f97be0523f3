"""The Markov chain of a tiny cluster under any queue policy, solved exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from cluster_sim.errors import ScenarioError
from cluster_sim.theory.decisions import ChainPolicy
from cluster_sim.theory.slot import ChainReading, Distribution, ReadingLike, SlotModel, State
from cluster_sim.theory.stationary import stationary
from cluster_sim.theory.task_types import (
    FloatArray,
    TypesLike,
    check_ancestors,
    check_rates,
    merge_types,
)

__all__ = ["ChainReading", "ChainSolution", "poisson_probabilities", "solve_chain"]

DEFAULT_READING = ChainReading()
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


class _Phase:
    """One phase of the slot as a matrix: from the states before it to those after."""

    def __init__(self, after: Callable[[State], Distribution]) -> None:
        self.after = after
        self.index: dict[State, int] = {}
        self.states: list[State] = []
        self.rows: list[Distribution] = []

    def add(self, state: State) -> bool:
        """Take a state in, and tell whether it was new."""
        if state in self.index:
            return False
        if len(self.states) >= _MOST_STATES:
            raise ScenarioError(
                f"the chain has more than {_MOST_STATES} states: the exact solution is for tiny "
                "clusters; use fewer servers or types, a lower load or a lower limit"
            )
        self.index[state] = len(self.states)
        self.states.append(state)
        self.rows.append(self.after(state))
        return True

    def matrix(self, index: dict[State, int]) -> csr_array:
        """Return the transition probabilities to the states of the next phase."""
        ends = np.cumsum([0, *map(len, self.rows)])
        columns = np.fromiter((index[s] for row in self.rows for s in row), np.int64, ends[-1])
        values = np.fromiter((p for row in self.rows for p in row.values()), np.float64, ends[-1])
        return csr_array((values, columns, ends), shape=(len(self.rows), len(index)))


class _Chain:
    """Transition probabilities of the truncated chain, explored from the empty state."""

    def __init__(self, model: SlotModel, arrivals: Sequence[float]) -> None:
        self.model = model
        self.arrivals = arrivals
        self._arrived: dict[tuple[State, tuple[int, ...] | None], Distribution] = {}

    def _arrive(self, state: State, seen: tuple[int, ...] | None) -> Distribution:
        key = (state, seen)
        if key not in self._arrived:
            self._arrived[key] = self.model.arrive(state, seen)
        return self._arrived[key]

    def admit(self, state: State, limit: int) -> Distribution:
        """Return the states after the arrivals of a slot; those beyond the limit are lost."""
        room = limit - _n_tasks(state)
        live = self.model.reading.routing_view == "live"
        seen = None if live else tuple(self.model.lengths(state))
        level: Distribution = {state: 1.0}
        found: Distribution = {}
        for n_arrived, probability in enumerate(self.arrivals):
            for joined, share in level.items():
                found[joined] = found.get(joined, 0.0) + probability * share
            if n_arrived >= room or n_arrived + 1 == len(self.arrivals):
                continue
            following: Distribution = {}
            for joined, share in level.items():
                for after, more in self._arrive(joined, seen).items():
                    following[after] = following.get(after, 0.0) + share * more
            level = following
        return found

    def solve(self, limit: int) -> ChainSolution:
        """Solve the chain that holds at most ``limit`` tasks."""
        admit = _Phase(lambda state: self.admit(state, limit))
        dispatch, complete = _Phase(self.model.dispatch), _Phase(self.model.complete)
        admit.add(self.model.empty)
        for number in count():  # the lists grow while they are walked through
            if number == len(admit.states):
                break
            for joined in admit.rows[number]:
                if dispatch.add(joined):
                    for started in dispatch.rows[-1]:
                        if complete.add(started):
                            for after in complete.rows[-1]:
                                admit.add(after)
        joins = admit.matrix(dispatch.index)
        starts = dispatch.matrix(complete.index)
        step = csr_array(joins @ starts @ complete.matrix(admit.index))
        pi = stationary(step)
        dispatched = (joins.T @ pi, starts.T @ (joins.T @ pi))
        room = np.array([limit - _n_tasks(state) for state in admit.states])
        beyond = np.maximum(np.arange(len(self.arrivals)) - room[:, None], 0) @ self.arrivals
        return replace(
            self._summary(admit.states, pi, accepted=self.rate - float(pi @ beyond)),
            locality=self._locality(dispatch, dispatched[0]),
            utilisation=float(dispatched[1] @ [_n_busy(s) for s in complete.states])
            / self.model.n_servers,
            limit=limit,
            residual=float(np.abs(step.T @ pi - pi).sum()),
        )

    @property
    def rate(self) -> float:
        """Mean arrivals in a slot."""
        return float(np.dot(np.arange(len(self.arrivals)), self.arrivals))

    def _locality(self, dispatch: _Phase, weights: FloatArray) -> tuple[float, ...]:
        starts = np.zeros(len(self.model.rates))
        for before, row, weight in zip(dispatch.states, dispatch.rows, weights, strict=True):
            for after, probability in row.items():
                for old, new in zip(before[1], after[1], strict=True):
                    if old is None and new is not None:
                        starts[new[1]] += weight * probability
        return tuple((starts / starts.sum()).tolist())

    def _summary(self, states: list[State], pi: FloatArray, *, accepted: float) -> ChainSolution:
        waiting = np.array([[len(queue) for queue in state[0]] for state in states])
        present = waiting.copy()
        for row, (_, servers) in enumerate(states):
            for service in servers:
                if service is not None:
                    present[row, service[0]] += 1
        mean = float(pi @ present.sum(axis=1))
        return ChainSolution(
            # A task is seen at one observation point less than the slots it spends.
            mean_completion_time=mean / accepted + 1.0,
            mean_waiting_time=float(pi @ waiting.sum(axis=1)) / accepted,
            mean_in_system=mean,
            mean_queue_lengths=tuple((pi @ present).tolist()),
            mean_waiting=tuple((pi @ waiting).tolist()),
            locality=(),
            utilisation=0.0,
            in_system=tuple(np.bincount(present.sum(axis=1), pi).tolist()),
            arrival_rate=self.rate,
            limit=0,
            lost=1.0 - accepted / self.rate,
            truncation_error=float("inf"),
            residual=0.0,
            n_states=len(states),
        )


def _n_busy(state: State) -> int:
    return sum(service is not None for service in state[1])


def _n_tasks(state: State) -> int:
    return sum(map(len, state[0])) + _n_busy(state)


def solve_chain(
    policy: ChainPolicy,
    types: TypesLike,
    weights: npt.ArrayLike,
    *,
    arrivals: Sequence[float],
    n_servers: int,
    rates: Sequence[float],
    ancestors: npt.ArrayLike | None = None,
    reading: ReadingLike = DEFAULT_READING,
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
        If the input is not usable, the policy is a task policy, or the chain has too many states.
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
    if not hasattr(policy, "route"):
        raise ScenarioError(
            f"policy {getattr(policy, 'name', policy)!r}: the exact chain is one over queues, so "
            "it needs a queue policy; compare a task policy with the SimPy engine's own limit cases"
        )
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
