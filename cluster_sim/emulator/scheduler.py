"""The central scheduler: it holds the queues, asks the policy, checks and performs its decision."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import cast

import simpy

from cluster_sim.emulator.base import Scheduler
from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.emulator.least import LeastWeights
from cluster_sim.emulator.longest import LongestQueues
from cluster_sim.emulator.penalty import WithPenalty
from cluster_sim.errors import DecisionError
from cluster_sim.model.readings import RoutingView
from cluster_sim.model.task import Task
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.policies.inspection import reads_argument
from cluster_sim.recording.observer import ObserverHub
from cluster_sim.system import System, own_queues, tie_break_code

__all__ = ["CentralScheduler"]

FAR = 2**40  # what the queue of a dead server looks longer by: more than any queue is long

_NOBODY: tuple[list[int], list[int]] = ([], [])
_NO_WEIGHTS: tuple[list[int], list[float]] = ([], [])


class CentralScheduler(Scheduler):
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
    """

    def __init__(
        self, env: simpy.Environment, system: System, draws: DispatchDraws, observers: ObserverHub
    ) -> None:
        super().__init__(env, system, draws, observers)
        cluster, policy = system.cluster, system.queue_policy
        n_queues = len(self.owners)
        self.queues: list[deque[Task]] = [deque() for _ in range(n_queues)]
        self._own = own_queues(self.owners, cluster.n_servers)
        self._route, self._serve = policy.route, policy.serve
        self._far: list[int] | None = None  # FAR for the queues of dead servers, once there are any
        self._reads_tie = reads_argument(policy.serve, "tie")
        self._own_first = policy.takes_own_first
        self._constants = policy.constants(system.told_cluster.rates)
        self._tie_break = tie_break_code(system.reading.tie_break)
        self._above = policy.longest_above(system.told_cluster.rates)
        self._indexed = policy.uses_longest
        self._longest = LongestQueues(cluster.groups, self._above)
        self._weights: LeastWeights | None = None
        if policy.uses_least:
            self._weights = LeastWeights(cluster.groups, policy, self._constants, n_queues)

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

    def _assign(self, slot: int, idle: list[int]) -> None:
        """Let each idle server ask once, as long as tasks wait, and take the head of its queue."""
        own_first, own, queues, waiting = self._own_first, self._own, self.queues, self.waiting
        counts_service, indexed, above = self._counts_service, self._indexed, self._above
        for server in self._in_order(slot, idle):
            if not self.n_waiting:
                break
            queue = own[server]
            if not own_first or queue < 0 or not waiting[queue]:
                queue = self._decide(server, slot)
                if queue == NO_QUEUE:
                    continue
            task = queues[queue].popleft()
            waiting[queue] = n_left = waiting[queue] - 1
            self.n_waiting -= 1
            # Where lengths count tasks in service, only the last to start changes a queue's place.
            is_moved = indexed and (not n_left or not counts_service)
            if is_moved and self.lengths[queue] + 1 > above:
                self._update(queue)
            if self._weights is not None and not counts_service:
                self._reweigh(queue)
            self._start(server, task, slot)

    def _has_local_work(self, server: int) -> bool:
        own = self._own[server]
        return own >= 0 and self.waiting[own] > 0

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

    # --- completions ------------------------------------------------------------------------------

    def complete(self, server: int, task: Task) -> None:
        """Take note that the server has completed its task; see `Scheduler.complete`."""
        if self.running[server] is not task:
            self._refuse_completion(server, task)
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

    # --- breakdowns -------------------------------------------------------------------------------

    def take_down(self, server: int) -> tuple[Task | None, list[Task]]:
        """Empty the queues of a server, and let them look longer than any; see `Scheduler`."""
        aborted, displaced = super().take_down(server)
        if aborted is not None:
            self._noted(aborted.queue)
        if self._far is None:
            self._far = [0] * len(self.queues)
            if not self._counts_service:
                self.lengths = cast(list[int], WithPenalty(self.waiting, self._far))
        for queue in self._owned(server):
            displaced += self.queues[queue]
            self._leave(queue, len(self.queues[queue]))
            self.queues[queue].clear()
            self._far[queue] = FAR
            if self._counts_service:
                self.lengths[queue] += FAR
            self._noted(queue)
        return aborted, displaced

    def bring_up(self, server: int) -> None:
        """Let the queues of a server look as long as they are; see `Scheduler`."""
        if self._far is None:
            return
        for queue in self._owned(server):
            self._far[queue] = 0
            if self._counts_service:
                self.lengths[queue] -= FAR
            self._noted(queue)

    def waiting_tasks(self) -> Iterator[Task]:
        """Yield every waiting task, queue by queue."""
        return chain.from_iterable(self.queues)

    def withdraw(self, tasks: set[Task]) -> None:
        """Take waiting tasks out of their queues; the others keep their places."""
        for queue in {task.queue for task in tasks}:
            kept = [task for task in self.queues[queue] if task not in tasks]
            self._leave(queue, len(self.queues[queue]) - len(kept))
            self.queues[queue] = deque(kept)
            self._noted(queue)

    def shown_lengths(self) -> list[int]:
        """Return the lengths without what dead servers' queues are made to look longer by."""
        far = self._far or [0] * len(self.queues)
        if not self._counts_service:
            return self.waiting
        return [length - extra for length, extra in zip(self.lengths, far, strict=True)]

    def _owned(self, server: int) -> list[int]:
        return [queue for queue, owner in enumerate(self.owners) if owner == server]

    def _leave(self, queue: int, n: int) -> None:
        self.waiting[queue] -= n
        self.n_waiting -= n
        if self._counts_service:
            self.lengths[queue] -= n

    def _noted(self, queue: int) -> None:
        """Tell the indices of a queue that has changed."""
        if self._indexed:
            self._update(queue)
        self._reweigh(queue)

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
