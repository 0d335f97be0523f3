"""The central scheduler: it holds the queues, asks the policy, checks and performs its decision."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import simpy

from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.emulator.least import LeastWeights
from cluster_sim.emulator.longest import LongestQueues
from cluster_sim.emulator.phases import Bell
from cluster_sim.errors import DecisionError
from cluster_sim.model.readings import DispatchOrder, QueueLength, RoutingView, ServiceTier
from cluster_sim.model.service import service_time
from cluster_sim.model.task import Task
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.policies.inspection import reads_argument
from cluster_sim.recording.observer import ObserverHub
from cluster_sim.system import System, tie_break_code

__all__ = ["CentralScheduler", "shuffled"]

_NOBODY: tuple[list[int], list[int]] = ([], [])
_NO_WEIGHTS: tuple[list[int], list[float]] = ([], [])


class CentralScheduler:
    """Queues, and the decisions of a policy over them.

    Parameters
    ----------
    env : simpy.Environment
    system : System
    draws : DispatchDraws
    observers : ObserverHub

    Attributes
    ----------
    queues : list of deque of Task
        The waiting tasks, head first.
    waiting, lengths : list of int
        Per queue: waiting tasks, and the length under the reading `queue_length`.
    n_waiting : int
        Over all queues.
    """

    def __init__(
        self, env: simpy.Environment, system: System, draws: DispatchDraws, observers: ObserverHub
    ) -> None:
        self.system = system
        cluster, policy, reading = system.cluster, system.queue_policy, system.reading
        self.owners = list(policy.owners(cluster.n_servers, cluster.n_tiers))
        n_queues = len(self.owners)
        self.queues: list[deque[Task]] = [deque() for _ in range(n_queues)]
        self.waiting = [0] * n_queues
        self._counts_service = reading.queue_length is QueueLength.IN_SYSTEM
        self.lengths = [0] * n_queues if self._counts_service else self.waiting
        self.n_waiting = 0
        self.running: list[Task | None] = [None] * cluster.n_servers
        self._bells = [Bell(env) for _ in range(cluster.n_servers)]
        self._idle: list[int] = []
        self._own = [-1] * cluster.n_servers
        for queue in range(n_queues - 1, -1, -1):
            if self.owners[queue] >= 0:
                self._own[self.owners[queue]] = queue
        self._draws = draws
        self._told_arrival = observers.arrival
        self._told_start = observers.start
        self._told_completion = observers.completion
        self._route, self._serve = policy.route, policy.serve
        self._reads_tie = reads_argument(policy.serve, "tie")
        self._own_first = policy.takes_own_first
        self._constants = policy.constants(cluster.rates)
        self._tie_break = tie_break_code(reading.tie_break)
        above = policy.longest_above(cluster.rates)
        self._above = above
        self._indexed = policy.uses_longest
        self._longest = LongestQueues(cluster.groups, above)
        self._weights: LeastWeights | None = None
        if policy.uses_least:
            self._weights = LeastWeights(cluster.groups, policy, self._constants, n_queues)
        self._replica_tier = reading.service_tier is ServiceTier.REPLICA
        self._groups: list[list[int]] = cluster.groups.tolist()
        self._rates = cluster.rates

    @property
    def n_in_service(self) -> int:
        """Tasks in service."""
        return len(self.running) - len(self._idle)

    # --- arrivals ---------------------------------------------------------------------------------

    def accept(self, tasks: Sequence[Task], ties: Sequence[float]) -> None:
        """Route the arrivals of a slot, one after another.

        Parameters
        ----------
        tasks : sequence of Task
        ties : sequence of float
            Routing tie of each task.
        """
        route, queues, lengths, waiting = self._route, self.queues, self.lengths, self.waiting
        constants, tie_break, n_queues = self._constants, self._tie_break, len(queues)
        live = self.system.reading.routing_view is RoutingView.LIVE
        seen = lengths if live else list(lengths)
        counts_service, indexed, above = self._counts_service, self._indexed, self._above
        told, index = self._told_arrival, self._weights
        least, weights = _NO_WEIGHTS
        for task, tie in zip(tasks, ties, strict=True):
            if index is not None:
                least, weights = index.within(task.replicas, tie_break, tie), index.weights
            queue = route(task.replicas, seen, waiting, least, weights, constants, tie_break, tie)
            if queue.__class__ is not int or not 0 <= queue < n_queues:
                queue = self._checked_route(queue, task)
            task.queue = queue
            queues[queue].append(task)
            waiting[queue] += 1
            self.n_waiting += 1
            if counts_service:
                lengths[queue] += 1
            if indexed and lengths[queue] > above:
                self._update(queue)
            if live and index is not None:
                self._reweigh(queue)
            for tell in told:
                tell(task)
        if index is not None and not live:
            for queue in {task.queue for task in tasks}:
                self._reweigh(queue)

    # --- dispatch ---------------------------------------------------------------------------------

    def ask_for_work(self, server: int) -> Bell:
        """Let an idle server sleep until there is work for it.

        Parameters
        ----------
        server : int

        Returns
        -------
        Bell
            Rung with the task when there is one.
        """
        self._idle.append(server)
        return self._bells[server]

    def dispatch(self, slot: int) -> None:
        """Let the idle servers of a slot ask once each, in the order of `dispatch_order`.

        Parameters
        ----------
        slot : int
        """
        if not self.n_waiting:
            return
        idle, self._idle = sorted(self._idle), []
        own_first, own, waiting = self._own_first, self._own, self.waiting
        running = self.running
        try:
            for server in self._in_order(slot, idle):
                if not self.n_waiting:
                    break
                queue = own[server]
                if not own_first or queue < 0 or not waiting[queue]:
                    queue = self._decide(server, slot)
                    if queue == NO_QUEUE:
                        continue
                self._start(server, queue, slot)
        finally:  # observers are shown the state also if a decision is refused
            self._idle.extend([server for server in idle if running[server] is None])

    def _in_order(self, slot: int, idle: list[int]) -> Iterable[int]:
        order = self.system.reading.dispatch_order
        if order is DispatchOrder.INDEX:
            return idle
        random = shuffled(idle, self._draws.order_words(slot))
        if order is DispatchOrder.RANDOM:
            return random
        return self._locals_first(random)

    def _locals_first(self, order: Iterable[int]) -> Iterator[int]:
        deferred = []
        for server in order:
            own = self._own[server]
            if own >= 0 and self.waiting[own]:
                yield server
            else:
                deferred.append(server)
        yield from deferred

    def _decide(self, server: int, slot: int) -> int:
        tie = self._draws.tie(slot, server) if self._reads_tie else 0.0
        longest, n_longest = _NOBODY
        if self._indexed:
            among = partial(self._draws.among, slot, server)
            longest, n_longest = self._longest.within(server, self._tie_break, among)
        queue = self._serve(
            server,
            self.lengths,
            self.waiting,
            longest,
            n_longest,
            self._constants,
            self._tie_break,
            tie,
        )
        if queue.__class__ is not int or not -1 <= queue < len(self.waiting):
            queue = self._checked_serve(queue, server, slot)
        if queue != NO_QUEUE and not self.waiting[queue]:
            raise DecisionError(
                f"slot {slot}: policy {self.system.policy.name!r} told idle server {server} to "
                f"serve queue {queue}, where no task waits (length {self.lengths[queue]}); "
                "serve() must return a queue with waiting > 0, or NO_QUEUE"
            )
        return queue

    def _start(self, server: int, queue: int, slot: int) -> None:
        task = self.queues[queue].popleft()
        self.waiting[queue] = n_left = self.waiting[queue] - 1
        self.n_waiting -= 1
        # Where lengths count tasks in service, only the last to start changes a queue's place.
        is_moved = self._indexed and (not n_left or not self._counts_service)
        if is_moved and self.lengths[queue] + 1 > self._above:
            self._update(queue)
        if self._weights is not None and not self._counts_service:
            self._reweigh(queue)
        tier = 0 if self._replica_tier and server in task.replicas else self._tier(server, task)
        rate = self._rates[tier]
        task.tier = tier
        task.server = server
        task.start = slot
        task.service = 1 if rate == 1.0 else service_time(task.luck, rate)
        if self.running[server] is not None:
            raise DecisionError(
                f"slot {slot}: server {server} is busy, it cannot start {task.story()}"
            )
        self.running[server] = task
        for tell in self._told_start:
            tell(task)
        self._bells[server].ring(task)

    def _tier(self, server: int, task: Task) -> int:
        holders: Sequence[int] = task.replicas
        if not self._replica_tier:
            owner = self.owners[task.queue]
            if owner < 0:
                return len(self._groups) - 1
            if owner != server:
                holders = (owner,)
        for tier, group in enumerate(self._groups):
            here = group[server]
            for holder in holders:
                if group[holder] == here:
                    return tier
        return len(self._groups) - 1

    # --- completions ------------------------------------------------------------------------------

    def complete(self, server: int, task: Task) -> None:
        """Take note that the server has completed its task.

        Parameters
        ----------
        server : int
        task : Task
        """
        if self.running[server] is not task:
            raise DecisionError(f"server {server} completed what it does not run: {task.story()}")
        self.running[server] = None
        if self._counts_service:
            queue = task.queue
            length = self.lengths[queue]
            self.lengths[queue] = length - 1
            if self._indexed and length > self._above and self.waiting[queue]:
                self._update(queue)
            if self._weights is not None:
                self._reweigh(queue)
        for tell in self._told_completion:
            tell(task)

    # --- checks -----------------------------------------------------------------------------------

    def _update(self, queue: int) -> None:
        self._longest.update(queue, self.lengths[queue], self.waiting[queue])

    def _reweigh(self, queue: int) -> None:
        if self._weights is not None and self.owners[queue] >= 0:
            self._weights.update(self.owners[queue], self.lengths)

    def _checked_route(self, queue: object, task: Task) -> int:
        return _checked(
            queue,
            0,
            len(self.waiting),
            f"policy {self.system.policy.name!r}: route() for {task.story()}",
        )

    def _checked_serve(self, queue: object, server: int, slot: int) -> int:
        who = f"slot {slot}: policy {self.system.policy.name!r}: serve() for idle server {server}"
        return _checked(queue, NO_QUEUE, len(self.waiting), who)


def _checked(queue: object, lowest: int, n_queues: int, who: str) -> int:
    """Return the queue as an int, or raise with the story."""
    allowed = f"a queue from 0 to {n_queues - 1}" + ("" if lowest == 0 else ", or NO_QUEUE (-1)")
    try:
        number = operator.index(queue)  # type: ignore[arg-type]
    except TypeError:
        raise DecisionError(f"{who} returned {queue!r}; it must return {allowed}") from None
    if not lowest <= number < n_queues:
        raise DecisionError(f"{who} returned {number}; it must return {allowed}")
    return number


def shuffled(idle: list[int], words: list[int]) -> Iterator[int]:
    """Yield the servers in random order, shuffled only as far as asked (Fisher-Yates).

    Parameters
    ----------
    idle : list of int
        Servers, ascending; put out of order.
    words : list of int
        32-bit words, one a step.

    Yields
    ------
    int

    Examples
    --------
    >>> list(shuffled([0, 1, 2], [2**31, 0, 0]))
    [1, 0, 2]
    """
    n = len(idle)
    for i in range(n):
        j = i + (words[i] * (n - i) >> 32)
        server = idle[j]
        idle[j] = idle[i]
        idle[i] = server
        yield server
