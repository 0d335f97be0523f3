"""One slot of the protocol as three random steps between states: arrivals, dispatch, completions.

A state holds, for each queue, the classes of its waiting tasks in order, and for each server what
it runs. Two types are of one class in a queue if every server that may ever take them from there
runs them at the same tier: then no later event tells them apart.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, TypeVar

from exact.decisions import Choice, queue_joined, queue_served
from exact.system import TinySystem

Item = TypeVar("Item")

Service = tuple[int, int]
"""What a busy server runs: the queue the task came from, and the tier."""

ANY_QUEUE = -1
"""The queue of a running task where lengths do not depend on it."""


class State(NamedTuple):
    """The cluster between two steps of a slot."""

    queues: tuple[tuple[int, ...], ...]
    servers: tuple[Service | None, ...]

    @property
    def n_waiting(self) -> int:
        """Number of tasks that have not started."""
        return sum(map(len, self.queues))

    @property
    def n_in_system(self) -> int:
        """Number of tasks that have not ended."""
        return self.n_waiting + sum(service is not None for service in self.servers)


Outcomes = dict[State, float]


class SlotProtocol:
    """The steps of a slot for one system, each as a function from a state to a distribution."""

    def __init__(self, system: TinySystem) -> None:
        self.system = system
        self.n_queues = len(system.owners)
        # A queue of the whole cluster without any say in routing holds types that no decision has
        # looked at: they stay independent draws, and the type may be drawn at the start of service.
        self.draws_type_at_start = system.policy == "fifo" and system.service_tier == "replica"
        self.remembers_queue = system.queue_length == "in-system" and system.uses_lengths
        # Servers that never take from the same queue may ask in any order.
        self.shares_queues = any(
            sum(system.may_serve(server, queue) for server in range(system.n_servers)) > 1
            for queue in range(self.n_queues)
        )
        # Few lengths occur in many states; decisions are kept per instance.
        self._joined = cache(self._decide_joined)
        self._served = cache(self._decide_served)
        self.tiers_of_class: list[list[tuple[int, ...]]] = []
        self.class_of_type: list[list[int]] = []
        for queue in range(self.n_queues):
            tiers = [self._tiers(queue, index) for index in range(len(system.types))]
            distinct = sorted(set(tiers))
            self.tiers_of_class.append(distinct)
            self.class_of_type.append([distinct.index(vector) for vector in tiers])

    def _tiers(self, queue: int, type_index: int) -> tuple[int, ...]:
        """Return the tier at each server, LOCAL where the server never takes from the queue."""
        return tuple(
            self.system.service_tier_of(server, queue, type_index)
            if self.system.may_serve(server, queue)
            else 0
            for server in range(self.system.n_servers)
        )

    def _decide_joined(self, type_index: int, lengths: tuple[int, ...]) -> Choice:
        return queue_joined(self.system, self.system.types[type_index][0], lengths)

    def _decide_served(
        self, server: int, waiting: tuple[int, ...], lengths: tuple[int, ...]
    ) -> Choice:
        return queue_served(self.system, server, waiting=waiting, lengths=lengths)

    def empty(self) -> State:
        """Return the state without tasks."""
        return State(((),) * self.n_queues, (None,) * self.system.n_servers)

    def lengths(self, state: State) -> tuple[int, ...]:
        """Return the queue lengths under the reading."""
        counts = list(map(len, state.queues))
        if self.remembers_queue:
            for service in state.servers:
                if service is not None:
                    counts[service[0]] += 1
        return tuple(counts)

    def after_arrivals(self, state: State, n_arrivals: int) -> Outcomes:
        """Return the states after so many arrivals, routed one after another."""
        seen_by_all = self.lengths(state) if self.system.routing_view == "slot-start" else None
        now: Outcomes = {state: 1.0}
        for _ in range(n_arrivals):
            after: defaultdict[State, float] = defaultdict(float)
            for before, p in now.items():
                for joined, q in self._after_one_arrival(before, seen_by_all):
                    after[joined] += p * q
            now = after
        return now

    def _after_one_arrival(
        self, state: State, seen_by_all: tuple[int, ...] | None
    ) -> Iterator[tuple[State, float]]:
        lengths = self.lengths(state) if seen_by_all is None else seen_by_all
        for index, probability in enumerate(self.system.type_probabilities):
            for queue, share in self._joined(index, lengths):
                # Where types are drawn at the start, a waiting task is just a task.
                task_class = 0 if self.draws_type_at_start else self.class_of_type[queue][index]
                longer = (*state.queues[queue], task_class)
                joined = State(_replaced(state.queues, queue, longer), state.servers)
                yield joined, probability * share

    def after_dispatch(self, state: State) -> Outcomes:
        """Return the states after every idle server has asked once."""
        idle = [m for m, service in enumerate(state.servers) if service is None]
        if not idle or not state.n_waiting:
            return {state: 1.0}
        orders = list(itertools.permutations(idle))
        if self.system.dispatch_order == "index" or not self.shares_queues:
            orders = [tuple(idle)]
        outcomes: defaultdict[State, float] = defaultdict(float)
        for order in orders:
            now: dict[tuple[State, tuple[int, ...]], float] = {(state, ()): 1 / len(orders)}
            for server in order:
                now = self._after_turn(now, server)
            for (before, deferred), p in now.items():
                last: Outcomes = {before: p}
                for server in deferred:
                    last = self._all_after_asking(last, server)
                for after, q in last.items():
                    outcomes[after] += q
        return outcomes

    def _after_turn(
        self, now: dict[tuple[State, tuple[int, ...]], float], server: int
    ) -> dict[tuple[State, tuple[int, ...]], float]:
        """Let the server ask, or put it off if only servers with work of their own go first."""
        after: defaultdict[tuple[State, tuple[int, ...]], float] = defaultdict(float)
        for (state, deferred), p in now.items():
            has_own_work = server in self.system.owners and state.queues[server]
            if self.system.dispatch_order == "locals-first" and not has_own_work:
                after[state, (*deferred, server)] += p
                continue
            for next_state, q in self._after_asking(state, server):
                after[next_state, deferred] += p * q
        return after

    def _all_after_asking(self, now: Outcomes, server: int) -> Outcomes:
        after: defaultdict[State, float] = defaultdict(float)
        for state, p in now.items():
            for next_state, q in self._after_asking(state, server):
                after[next_state] += p * q
        return after

    def _after_asking(self, state: State, server: int) -> Iterator[tuple[State, float]]:
        waiting = tuple(map(len, state.queues))
        choice = self._served(server, waiting, self.lengths(state))
        if not choice:
            yield state, 1.0
        for queue, share in choice:
            if queue < 0:
                yield state, share
                continue
            head, *rest = state.queues[queue]
            queues = _replaced(state.queues, queue, tuple(rest))
            origin = queue if self.remembers_queue else ANY_QUEUE
            for tier, p in self._tiers_of_head(server, queue, head):
                yield State(queues, _replaced(state.servers, server, (origin, tier))), share * p

    def _tiers_of_head(self, server: int, queue: int, head: int) -> Iterator[tuple[int, float]]:
        if not self.draws_type_at_start:
            yield self.tiers_of_class[queue][head][server], 1.0
            return
        for index, probability in enumerate(self.system.type_probabilities):
            yield self.system.service_tier_of(server, queue, index), probability

    def after_completions(self, state: State) -> Outcomes:
        """Return the states at the observation point of the next slot."""
        outcomes: Outcomes = {state: 1.0}
        for server, service in enumerate(state.servers):
            if service is None:
                continue
            rate = self.system.rates[service[1]]
            after: defaultdict[State, float] = defaultdict(float)
            for before, p in outcomes.items():
                after[State(before.queues, _replaced(before.servers, server, None))] += p * rate
                if rate < 1:
                    after[before] += p * (1 - rate)
            outcomes = after
        return outcomes


def _replaced(items: tuple[Item, ...], index: int, item: Item) -> tuple[Item, ...]:
    return (*items[:index], item, *items[index + 1 :])
