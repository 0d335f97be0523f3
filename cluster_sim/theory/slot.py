"""One slot of a small cluster, as probabilities: arrivals, dispatch, completions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

from cluster_sim.errors import DecisionError, ScenarioError
from cluster_sim.theory.decisions import (
    NO_QUEUE,
    ChainPolicy,
    decision_probabilities,
    least_choice,
    longest_choices,
    tie_break_code,
)

__all__ = ["ChainReading", "Distribution", "ReadingLike", "SlotModel", "State"]

Queues: TypeAlias = tuple[tuple[int, ...], ...]  # kinds of waiting tasks, head first, by queue
Service: TypeAlias = "tuple[int, int] | None"  # queue of the task and tier of its service
_Counts: TypeAlias = tuple[int, ...]
State: TypeAlias = tuple[Queues, tuple[Service, ...]]
Distribution: TypeAlias = dict[State, float]

_READINGS = {
    "queue_length": ("in-system", "waiting"),
    "routing_view": ("live", "slot-start"),
    "dispatch_order": ("random", "index", "locals-first"),
    "service_tier": ("replica", "queue"),
}


class ReadingLike(Protocol):
    """The readings, as strings; `cluster_sim.model.readings.Reading` fits."""

    @property
    def queue_length(self) -> str:
        """``"in-system"`` or ``"waiting"``."""

    @property
    def routing_view(self) -> str:
        """``"live"`` or ``"slot-start"``."""

    @property
    def dispatch_order(self) -> str:
        """``"random"``, ``"index"`` or ``"locals-first"``."""

    @property
    def service_tier(self) -> str:
        """``"replica"`` or ``"queue"``."""

    @property
    def tie_break(self) -> str:
        """``"random"``, ``"local"`` or ``"index"``."""


@dataclass(frozen=True)
class ChainReading:
    """The readings as plain strings, with the design's defaults.

    Attributes
    ----------
    queue_length, routing_view, dispatch_order, service_tier, tie_break : str
        See `ReadingLike`.
    """

    queue_length: str = "in-system"
    routing_view: str = "live"
    dispatch_order: str = "random"
    service_tier: str = "replica"
    tie_break: str = "random"


def _add(found: Distribution, state: State, probability: float) -> None:
    found[state] = found.get(state, 0.0) + probability


@dataclass(frozen=True, eq=False)
class SlotModel:
    """The three phases of a slot, each from a state to a distribution of states.

    A waiting task is known by its *kind*: the tiers at which each server would serve
    it. Types that no server tells apart are one kind, which keeps the chain small.

    Attributes
    ----------
    policy : ChainPolicy
        Decides.
    replicas : tuple of tuple of int
        Local servers of each type, ascending.
    weights : tuple of float
        Probability of each type.
    rates : tuple of float
        Service probability per slot for each tier.
    groups : tuple of tuple of int
        Group of each server for each tier.
    reading : ReadingLike
        The readings.
    """

    policy: ChainPolicy
    replicas: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]
    rates: tuple[float, ...]
    groups: tuple[tuple[int, ...], ...]
    reading: ReadingLike

    def __post_init__(self) -> None:
        tie_break_code(self.reading.tie_break)
        for name, allowed in _READINGS.items():
            value = getattr(self.reading, name)
            if value not in allowed:
                raise ScenarioError(
                    f"{name} = {value!r}: must be one of {', '.join(map(repr, allowed))}"
                )

    @property
    def n_servers(self) -> int:
        """Number of servers."""
        return len(self.groups[0])

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """Server of each queue, -1 for a shared one."""
        return tuple(self.policy.owners(self.n_servers, len(self.groups)))

    @cached_property
    def empty(self) -> State:
        """The state without tasks."""
        return ((),) * len(self.owners), (None,) * self.n_servers

    @cached_property
    def _order(self) -> int:
        # All queues tied, and one candidate more to be safe.
        return len(self.owners) + 1

    @cached_property
    def _constants(self) -> tuple[float, ...]:
        return tuple(self.policy.constants(self.rates))

    @cached_property
    def _tie_break(self) -> int:
        return tie_break_code(self.reading.tie_break)

    @cached_property
    def _above(self) -> float:
        return self.policy.longest_above(self.rates)

    @cached_property
    def _own(self) -> tuple[int, ...]:
        owners = self.owners
        return tuple(owners.index(m) if m in owners else NO_QUEUE for m in range(self.n_servers))

    @cached_property
    def kinds(self) -> list[tuple[int, ...]]:
        """Tier of each server for each kind of waiting task; grows as kinds are met."""
        return []

    @cached_property
    def _kind_of(self) -> dict[tuple[int, int], int]:
        return {}

    @cached_property
    def _routed(self) -> dict[tuple[int, _Counts, _Counts], dict[int, float]]:
        return {}

    @cached_property
    def _served(self) -> dict[tuple[int, _Counts, _Counts], dict[int, float]]:
        return {}

    def lengths(self, state: State) -> list[int]:
        """Return the length of every queue under the reading ``queue_length``."""
        queues, servers = state
        lengths = [len(queue) for queue in queues]
        if self.reading.queue_length == "in-system":
            for service in servers:
                if service is not None:
                    lengths[service[0]] += 1
        return lengths

    # --- arrivals -----------------------------------------------------------------

    def _kind(self, kind: int, queue: int) -> int:
        """Return the number of the kind that a task of a type is in a queue."""
        known = self._kind_of.get((kind, queue))
        if known is not None:
            return known
        tiers = self._tiers(self.replicas[kind])
        if self.reading.service_tier == "queue":
            owner = self.owners[queue]
            by_owner = self._tiers((owner,) if owner >= 0 else ())
            # At its own queue a server serves where the chunk is.
            tiers = tuple(tiers[m] if m == owner else by_owner[m] for m in range(self.n_servers))
        if tiers not in self.kinds:
            self.kinds.append(tiers)
        return self._kind_of.setdefault((kind, queue), self.kinds.index(tiers))

    def _tiers(self, holders: Sequence[int]) -> tuple[int, ...]:
        """Return the tier between each server and the nearest of some others."""
        last = len(self.groups) - 1
        return tuple(
            next(
                (t for t, row in enumerate(self.groups) if row[m] in {row[h] for h in holders}),
                last,
            )
            for m in range(self.n_servers)
        )

    def _route(
        self, kind: int, seen: tuple[int, ...], waiting: tuple[int, ...]
    ) -> dict[int, float]:
        key = (kind, seen, waiting)
        if key not in self._routed:
            replicas, weights = self.replicas[kind], self._weights(seen)

            def decide(tie: float) -> int:
                least = []
                if weights:
                    least = least_choice(replicas, weights, self.groups, self._tie_break, tie)
                args = (least, list(weights), self._constants, self._tie_break, tie)
                return self.policy.route(replicas, list(seen), list(waiting), *args)

            found = decision_probabilities(decide, self._order)
            for queue in found:
                if not 0 <= queue < len(self.owners):
                    raise DecisionError(
                        f"route() for a task on servers {replicas} with lengths {seen} returned "
                        f"{queue}; it must return a queue from 0 to {len(self.owners) - 1}"
                    )
            self._routed[key] = found
        return self._routed[key]

    def _weights(self, seen: tuple[int, ...]) -> list[float]:
        if not self.policy.uses_least:
            return []
        weigh = self.policy.weigh
        return [weigh(m, list(seen), self._constants) for m in range(self.n_servers)]

    def arrive(self, state: State, seen: tuple[int, ...] | None = None) -> Distribution:
        """Add one task of a random type.

        Parameters
        ----------
        state : State
            Before.
        seen : tuple of int, optional
            The lengths that the router sees; by default those of ``state``.

        Returns
        -------
        dict from State to float
        """
        queues, servers = state
        waiting = tuple(len(queue) for queue in queues)
        view = tuple(self.lengths(state)) if seen is None else seen
        found: Distribution = {}
        for kind, weight in enumerate(self.weights):
            for queue, share in self._route(kind, view, waiting).items():
                longer = (*queues[queue], self._kind(kind, queue))
                joined = (*queues[:queue], longer, *queues[queue + 1 :])
                _add(found, (joined, servers), weight * share)
        return found

    # --- dispatch -----------------------------------------------------------------

    def dispatch(self, state: State) -> Distribution:
        """Let every idle server ask once, in the order of the reading ``dispatch_order``."""
        idle = tuple(m for m, service in enumerate(state[1]) if service is None)
        found: Distribution = {}
        level: dict[tuple[State, tuple[int, ...], tuple[int, ...]], float]
        level = {(state, idle, ()): 1.0}
        while level:
            following: dict[tuple[State, tuple[int, ...], tuple[int, ...]], float] = {}
            for (now, ahead, deferred), probability in level.items():
                if not (ahead or deferred) or not any(now[0]):
                    _add(found, now, probability)
                    continue
                for step, share in self._steps(now, ahead, deferred):
                    following[step] = following.get(step, 0.0) + probability * share
            level = following
        return found

    def _steps(
        self, state: State, ahead: tuple[int, ...], deferred: tuple[int, ...]
    ) -> list[tuple[tuple[State, tuple[int, ...], tuple[int, ...]], float]]:
        """Return what may happen when the next server's turn comes."""
        steps = []
        if not ahead:
            server, rest = deferred[0], deferred[1:]
            return [((after, (), rest), p) for after, p in self._ask(state, server).items()]
        turns = ahead[:1] if self.reading.dispatch_order == "index" else ahead
        for server in turns:
            rest = tuple(m for m in ahead if m != server)
            share = 1.0 / len(turns)
            own = self._own[server]
            if self.reading.dispatch_order == "locals-first" and not (own >= 0 and state[0][own]):
                steps.append(((state, rest, (*deferred, server)), share))
                continue
            for after, p in self._ask(state, server).items():
                steps.append(((after, rest, deferred), share * p))
        return steps

    def _ask(self, state: State, server: int) -> Distribution:
        queues, servers = state
        found: Distribution = {}
        for queue, probability in self._serve(state, server).items():
            if queue == NO_QUEUE:
                _add(found, state, probability)
                continue
            kind, *rest = queues[queue]
            service = (queue, self.kinds[kind][server])
            _add(
                found,
                (
                    (*queues[:queue], tuple(rest), *queues[queue + 1 :]),
                    (*servers[:server], service, *servers[server + 1 :]),
                ),
                probability,
            )
        return found

    def _serve(self, state: State, server: int) -> dict[int, float]:
        waiting = tuple(len(queue) for queue in state[0])
        lengths = tuple(self.lengths(state))
        key = (server, lengths, waiting)
        if key not in self._served:
            self._served[key] = self._decide(server, lengths, waiting)
        return self._served[key]

    def _decide(
        self, server: int, lengths: tuple[int, ...], waiting: tuple[int, ...]
    ) -> dict[int, float]:
        told: list[tuple[tuple[int, ...], tuple[int, ...], float]] = [((), (), 1.0)]
        if self.policy.uses_longest:
            keys = [
                lengths[q] if q >= 0 and waiting[q] and lengths[q] > self._above else 0
                for q in self._own
            ]
            told = longest_choices(server, keys, self.groups, self._tie_break)
        total: dict[int, float] = {}
        for longest, n_longest, probability in told:
            args = (list(longest), list(n_longest), self._constants, self._tie_break)
            found = decision_probabilities(
                lambda tie, args=args: self.policy.serve(  # type: ignore[misc]
                    server, list(lengths), list(waiting), *args, tie
                ),
                self._order,
            )
            for queue, share in found.items():
                in_range = NO_QUEUE <= queue < len(self.owners)
                if not in_range or (queue != NO_QUEUE and not waiting[queue]):
                    raise DecisionError(
                        f"serve() for idle server {server} with waiting {waiting} returned "
                        f"{queue}; it must return a queue with a waiting task, or -1"
                    )
                total[queue] = total.get(queue, 0.0) + probability * share
        return total

    # --- completions --------------------------------------------------------------

    def complete(self, state: State) -> Distribution:
        """End each service with the probability of its tier."""
        queues, servers = state
        outcomes: dict[tuple[Service, ...], float] = {(): 1.0}
        for service in servers:
            following: dict[tuple[Service, ...], float] = {}
            rate = 0.0 if service is None else self.rates[service[1]]
            for done, probability in outcomes.items():
                for after, share in ((None, rate), (service, 1.0 - rate)):
                    if share > 0.0:
                        key = (*done, after)
                        following[key] = following.get(key, 0.0) + probability * share
            outcomes = following
        return {(queues, done): probability for done, probability in outcomes.items()}
