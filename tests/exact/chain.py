"""A tiny cluster as a Markov chain seen at the observation point, and its long-run means."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from exact.protocol import Outcomes, SlotProtocol, State
from exact.stationary import stationary_distribution
from exact.system import TinySystem

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class ExactMeans:
    """Long-run means of a tiny system, with the size of the error of cutting the state space.

    Attributes
    ----------
    cap
        Largest number of tasks in the system that the chain holds; arrivals beyond it are dropped.
    dropped_fraction
        Fraction of the tasks that are dropped.
    completion_time_error
        About how much the mean completion time would still grow with the cap, slots.
    cap_probability
        Probability that the system is at the cap at an observation point.
    n_states
        Number of states at the observation point.
    arrival_rate
        Accepted tasks per slot.
    mean_in_system, mean_waiting
        Mean number of tasks in the system, and of those that have not started, at the observation
        point.
    mean_queue_length
        Mean sum of the queue lengths under the reading, at the observation point.
    mean_completion_time, mean_waiting_time
        Slots from arrival to completion, and from arrival to start.
    utilisation
        Per server, the fraction of slots in which it is serving once dispatch is over.
    locality
        Per tier, the fraction of starts.
    in_system_probabilities
        ``[n]`` is the probability of ``n`` tasks in the system at the observation point.
    """

    cap: int
    dropped_fraction: float
    completion_time_error: float
    cap_probability: float
    n_states: int
    arrival_rate: float
    mean_in_system: float
    mean_waiting: float
    mean_queue_length: float
    mean_completion_time: float
    mean_waiting_time: float
    utilisation: tuple[float, ...]
    locality: tuple[float, ...]
    in_system_probabilities: tuple[float, ...]


@dataclass
class Chain:
    """The states at the three points of a slot and the matrices of the steps between them.

    ``observed`` are the states before the arrivals, ``offered`` those after them, ``running``
    those after dispatch. Each matrix takes a distribution over one list, as a row vector, to the
    next list.
    """

    observed: list[State]
    offered: list[State]
    running: list[State]
    arrivals: csr_array
    dispatch: csr_array
    completions: csr_array
    dropped: Vector
    cap: int

    @property
    def transitions(self) -> csr_array:
        """The chain at the observation point."""
        return csr_array(self.arrivals @ self.dispatch @ self.completions)


class ChainBuilder:
    """Builds the chain of one system for growing caps; steps found once are kept."""

    def __init__(self, system: TinySystem) -> None:
        self.system = system
        self.protocol = SlotProtocol(system)
        self._routed: dict[tuple[State, int], Outcomes] = {}
        self._dispatched: dict[State, Outcomes] = {}
        self._completed: dict[State, Outcomes] = {}

    def chain(self, cap: int, *, max_states: int = 50_000) -> Chain:
        """Return the chain of the states that hold at most ``cap`` tasks."""
        observed = {self.protocol.empty(): 0}
        offered: dict[State, int] = {}
        running: dict[State, int] = {}
        steps: tuple[_Entries, _Entries, _Entries] = ([], [], [])
        dropped: list[float] = []
        done = [0, 0, 0]
        while done[0] < len(observed):
            for state in list(observed)[done[0] :]:
                outcomes, lost = self._arrivals(state, cap)
                dropped.append(lost)
                _note(steps[0], observed[state], outcomes, offered)
            done[0] = len(dropped)
            for state in list(offered)[done[1] :]:
                outcomes = _kept(self._dispatched, state, self.protocol.after_dispatch)
                _note(steps[1], offered[state], outcomes, running)
            done[1] = len(offered)
            for state in list(running)[done[2] :]:
                outcomes = _kept(self._completed, state, self.protocol.after_completions)
                _note(steps[2], running[state], outcomes, observed)
            done[2] = len(running)
            if len(observed) > max_states:
                raise ArithmeticError(
                    f"{self.system.name}: more than {max_states} states at a cap of {cap} tasks:"
                    " lower the load, mix fewer types in a queue, or raise the tolerance"
                )
        lists = (list(observed), list(offered), list(running))
        return Chain(
            *lists,
            _matrix(steps[0], len(observed), len(offered)),
            _matrix(steps[1], len(offered), len(running)),
            _matrix(steps[2], len(running), len(observed)),
            np.array(dropped),
            cap,
        )

    def _arrivals(self, state: State, cap: int) -> tuple[Outcomes, float]:
        """Return the states after the arrivals, and the mean number of tasks turned away."""
        room = cap - state.n_in_system
        outcomes: Outcomes = {}
        lost = 0.0
        for n_arrivals, probability in enumerate(self.system.arrivals.pmf):
            if probability == 0:
                continue
            accepted = min(n_arrivals, room)
            lost += probability * (n_arrivals - accepted)
            if (state, accepted) not in self._routed:
                self._routed[state, accepted] = self.protocol.after_arrivals(state, accepted)
            for after, share in self._routed[state, accepted].items():
                outcomes[after] = outcomes.get(after, 0.0) + probability * share
        return outcomes, lost


_Entries = list[tuple[int, int, float]]


def _note(entries: _Entries, row: int, outcomes: Outcomes, columns: dict[State, int]) -> None:
    for state, probability in outcomes.items():
        entries.append((row, columns.setdefault(state, len(columns)), probability))


def _kept(
    memory: dict[State, Outcomes], state: State, step: Callable[[State], Outcomes]
) -> Outcomes:
    if state not in memory:
        memory[state] = step(state)
    return memory[state]


def _matrix(entries: _Entries, n_rows: int, n_columns: int) -> csr_array:
    rows, columns, values = zip(*entries, strict=True)
    return csr_array(coo_array((values, (rows, columns)), shape=(n_rows, n_columns)))


def solve_chain(
    system: TinySystem,
    *,
    aim: float = 1e-9,
    tolerance: float = 1e-6,
    comfortable_states: int = 2_000,
    max_states: int = 50_000,
) -> ExactMeans:
    """Return the long-run means of a tiny system.

    The cap grows until the fraction of dropped tasks is at most ``aim``, or at most ``tolerance``
    where the aim would take more than ``comfortable_states``.

    Raises
    ------
    ArithmeticError
        If the tolerance takes more than ``max_states`` states: the load is too high, or too many
        classes of tasks mix in the queues.
    """
    builder = ChainBuilder(system)
    span = len(system.arrivals.pmf)
    cap, growth, last = 4 + span, 1.0, None
    while True:
        means = long_run_means(system, builder.chain(cap, max_states=max_states))
        if last is not None:
            means = replace(means, completion_time_error=_remaining_error(last, means))
            growth = (means.n_states / last.n_states) ** (1 / (means.cap - last.cap))
        is_enough = means.dropped_fraction <= tolerance
        if last is not None and means.dropped_fraction <= aim:
            return means
        more = min(_missing_levels(means, aim if is_enough else tolerance, span=span), 1 + cap // 2)
        if is_enough and growth > 1:
            comfortable = math.log(comfortable_states / means.n_states) / math.log(growth)
            more = min(more, math.floor(comfortable))
            if more < 1:
                return means
        last, cap = means, cap + more


def _missing_levels(means: ExactMeans, wanted: float, *, span: int) -> int:
    """Return how many levels to add, from the geometric decay of the last ones."""
    tail = np.cumsum(means.in_system_probabilities[::-1])[::-1]
    last = means.cap - 1
    if means.dropped_fraction <= wanted or tail[last] <= 0:
        return 1
    decay = (tail[last] / tail[last - span]) ** (1 / span)
    if decay >= 1:
        return span
    return max(1, math.ceil(math.log(wanted / means.dropped_fraction) / math.log(decay)))


def _remaining_error(last: ExactMeans, means: ExactMeans) -> float:
    """Return about how far the completion time is from its limit, if it moves with the drops."""
    moved = abs(means.mean_completion_time - last.mean_completion_time)
    fell = last.dropped_fraction - means.dropped_fraction
    return moved * means.dropped_fraction / fell if fell > 0 else moved


def long_run_means(system: TinySystem, chain: Chain) -> ExactMeans:
    """Return the means at one cap; ``completion_time_error`` takes two, and is left infinite."""
    cap = chain.cap
    observed = stationary_distribution(chain.transitions)
    offered = observed @ chain.arrivals
    running = offered @ chain.dispatch
    n_in_system = np.array([state.n_in_system for state in chain.observed])
    n_waiting = np.array([state.n_waiting for state in chain.observed])
    levels = np.bincount(n_in_system, weights=observed, minlength=cap + 1)
    dropped = float(observed @ chain.dropped)
    rate = system.arrivals.rate - dropped
    in_system, waiting = float(observed @ n_in_system), float(observed @ n_waiting)
    # A server that runs after dispatch and was idle before it has started in this slot.
    starts = _running_per_tier(system, chain.running, running) - _running_per_tier(
        system, chain.offered, offered
    )
    busy = np.array([[s is not None for s in state.servers] for state in chain.running])
    return ExactMeans(
        cap=cap,
        dropped_fraction=dropped / system.arrivals.rate,
        completion_time_error=math.inf,
        cap_probability=float(levels[cap]),
        n_states=len(chain.observed),
        arrival_rate=rate,
        mean_in_system=in_system,
        mean_waiting=waiting,
        mean_queue_length=in_system if system.queue_length == "in-system" else waiting,
        # A task that arrives in slot a and ends at c is seen at the points a + 1 .. c - 1.
        mean_completion_time=1 + in_system / rate,
        mean_waiting_time=waiting / rate,
        utilisation=tuple(float(u) for u in running @ busy),
        locality=tuple(float(f) for f in starts / starts.sum()),
        in_system_probabilities=tuple(float(p) for p in levels),
    )


def _running_per_tier(system: TinySystem, states: list[State], weights: Vector) -> Vector:
    """Return the mean number of servers that run a task at each tier."""
    counts = np.zeros((len(states), system.n_tiers))
    for row, state in enumerate(states):
        for service in state.servers:
            if service is not None:
                counts[row, service[1]] += 1
    return np.asarray(weights @ counts)
