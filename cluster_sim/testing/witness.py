"""An observer between engine and policy: what is shown must be true, what is decided be done."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from typing import Any

from cluster_sim.model.readings import DispatchOrder, RoutingView, TieBreak
from cluster_sim.model.task import Task
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, NO_QUEUE, UNIFORMLY
from cluster_sim.recording.observer import StateView
from cluster_sim.system import System
from cluster_sim.testing.decisions import own_queues, watched
from cluster_sim.testing.invariants import InvariantObserver
from cluster_sim.testing.laws import Law, LawViolation
from cluster_sim.testing.states import least_candidates, longest_candidates

__all__ = ["Witness"]

CODES = {TieBreak.RANDOM: UNIFORMLY, TieBreak.LOCAL: LOCAL_FIRST, TieBreak.INDEX: BY_INDEX}


class Witness(InvariantObserver):
    """Check, beside the laws of `InvariantObserver`, every exchange between engine and policy.

    Let the engine run the system with `policy` of the witness in place of its own, and observe it
    with the witness. An engine that compiles policies cannot run it.

    Parameters
    ----------
    system : System

    Attributes
    ----------
    policy : QueuePolicy
        Decides as the system's own, and is the witness's ear.

    Raises
    ------
    LawViolation
        From within the run. Readings: lengths, candidates, ties and order are not as the readings
        say. Decision performed: something else happens than was decided. And the laws of single
        decisions: valid decision, pure decision, no mutation, own queue first.
    """

    policy: QueuePolicy

    def __init__(self, system: System) -> None:
        super().__init__(system)
        cluster, policy = system.cluster, system.queue_policy
        self._near: list[list[int]] = cluster.groups.tolist()
        self._own = own_queues(policy, cluster.n_servers, cluster.n_tiers)
        self._constants = tuple(policy.constants(system.told_cluster.rates))
        self._above = policy.longest_above(system.told_cluster.rates)
        self._at_slot_start = self.lengths
        self._routed: int | None = None
        self._served: tuple[int, int] | None = None
        self._is_dispatching = False  # from the observation point to what follows the dispatch
        self._asked: list[int] = []
        self._had_own_work: list[bool] = []
        self._twin = watched(policy, cluster.n_servers, cluster.n_tiers)
        self.policy = copy.copy(self._twin)
        object.__setattr__(self.policy, "route", self._route)
        object.__setattr__(self.policy, "serve", self._serve)

    # --- what the policy is asked -----------------------------------------------------------------

    def _route(
        self,
        replicas: Any,
        lengths: Any,
        waiting: Any,
        least: Any,
        weights: Any,
        constants: Any,
        tie_break: int,
        tie: float,
    ) -> int:
        is_live = self._system.reading.routing_view is RoutingView.LIVE
        self._check_shown("route", lengths, self.lengths if is_live else self._at_slot_start)
        self._check_common("route", waiting, constants, tie_break)
        self._check_least(replicas, lengths, least, weights)
        queue = self._twin.route(
            replicas, lengths, waiting, least, weights, constants, tie_break, tie
        )
        self._routed = queue
        return queue

    def _serve(
        self,
        server: int,
        lengths: Any,
        waiting: Any,
        longest: Any,
        n_longest: Any,
        constants: Any,
        tie_break: int,
        tie: float,
    ) -> int:
        self._check_shown("serve", lengths, self.lengths)
        self._check_common("serve", waiting, constants, tie_break)
        self._check_longest(server, longest, n_longest)
        self._check_turn(server)
        queue = self._twin.serve(
            server, lengths, waiting, longest, n_longest, constants, tie_break, tie
        )
        self._served = None if queue == NO_QUEUE else (server, queue)
        return queue

    # --- what happens then ------------------------------------------------------------------------

    def arrival(self, task: Task) -> None:
        """Check that a task joined the queue that it was routed to."""
        if task.queue != self._routed:
            raise self._broken(
                Law.DECISION_PERFORMED, f"it was routed to queue {self._routed}", task
            )
        self._routed = None
        super().arrival(task)

    def start(self, task: Task) -> None:
        """Check that a server started what it was told to."""
        if (task.server, task.queue) != self._served:
            raise self._broken(
                Law.DECISION_PERFORMED,
                f"the last decision (server, queue) to be performed was {self._served}",
                task,
            )
        self._served = None
        super().start(task)

    def completion(self, task: Task) -> None:
        """Check a completion, and before it that every idle server was asked."""
        self._end_dispatch()
        super().completion(task)

    def observe(self, slot: int, state: StateView) -> None:
        """Compare the state with the books, and begin a slot."""
        self._end_dispatch()
        super().observe(slot, state)
        self._at_slot_start = self.lengths
        self._is_dispatching = True

    def close(self, state: StateView) -> None:
        """Check the last dispatch and the final state, unless the run has failed already."""
        if sys.exception() is None:
            self._end_dispatch()
        super().close(state)

    # --- laws -------------------------------------------------------------------------------------

    def _check_shown(self, method: str, found: Sequence[int], expected: Sequence[int]) -> None:
        if list(found) != list(expected):
            raise self._misread(f"{method} was shown lengths {list(found)}, they are {expected}")

    def _check_common(
        self, method: str, waiting: Sequence[int], constants: Sequence[float], tie_break: int
    ) -> None:
        for what, found, expected in (
            ("waiting", list(waiting), self.waiting),
            ("constants", tuple(constants), self._constants),
            ("tie_break", tie_break, CODES[self._system.reading.tie_break]),
        ):
            if found != expected:
                raise self._misread(f"{method} was shown {what} {found}, it is {expected}")

    def _check_longest(self, server: int, longest: Sequence[int], n_longest: Sequence[int]) -> None:
        if not self._system.queue_policy.uses_longest:
            return
        lengths, waiting, above = self.lengths, self.waiting, self._above
        tie_break = self._system.reading.tie_break
        for tier, near in enumerate(self._near):
            tied = longest_candidates(near, server, lengths, waiting, above)
            n_tied = len(tied) if tier else 1  # the own queue is alone in its tier
            if tie_break is TieBreak.INDEX:
                tied = tied[:1]
            elif tie_break is TieBreak.LOCAL:
                inner = [[q for q in tied if row[q] == row[server]] for row in self._near]
                tied = next(filter(None, inner), tied)
            if longest[tier] not in (tied or [NO_QUEUE]) or n_longest[tier] != n_tied:
                raise self._misread(
                    f"server {server} was shown queue {longest[tier]} of {n_longest[tier]} as the "
                    f"longest within tier {tier}; it is one of {tied}, {n_tied} in all (lengths "
                    f"{lengths}, waiting {waiting}, threshold {above})"
                )

    def _check_least(
        self,
        replicas: Sequence[int],
        lengths: Sequence[int],
        least: Sequence[int],
        weights: Sequence[float],
    ) -> None:
        policy = self._system.queue_policy
        if not policy.uses_least:
            return
        expected = [
            policy.weigh(server, lengths, self._constants) for server in range(len(self._own))
        ]
        if list(weights) != expected:
            raise self._misread(f"route was shown weights {list(weights)}, they are {expected}")
        for tier, near in enumerate(self._near):
            tied = least_candidates(near, replicas, weights)
            if self._system.reading.tie_break is TieBreak.INDEX:
                tied = tied[:1]
            if least[tier] not in tied:
                raise self._misread(
                    f"a task on servers {list(replicas)} was shown server {least[tier]} as the "
                    f"least within tier {tier}; it is one of {tied} (weights {expected})"
                )

    def _check_turn(self, server: int) -> None:
        """Check that a server asks in its turn, once, and is idle."""
        if self._served is not None:
            raise LawViolation(
                Law.DECISION_PERFORMED,
                f"slot {self._slot}: server {self._served[0]} was told to serve queue "
                f"{self._served[1]}, and did not start",
            )
        if self._running[server] is not None or server in self._asked:
            raise self._misread(f"server {server} asked, being busy or having asked before")
        own = self._own[server]
        has_own_work = own != NO_QUEUE and self.waiting[own] > 0
        order = self._system.reading.dispatch_order
        if order is DispatchOrder.INDEX and any(other > server for other in self._asked):
            raise self._misread(f"server {server} asked after {self._asked}, not by index")
        if order is DispatchOrder.LOCALS_FIRST and has_own_work and not all(self._had_own_work):
            raise self._misread(
                f"server {server} has work of its own, and asked after {self._asked}, not all of "
                "whom had"
            )
        self._asked.append(server)
        self._had_own_work.append(has_own_work)

    def _end_dispatch(self) -> None:
        """Check that no idle server was passed over while tasks wait."""
        passed_over = [
            server
            for server, service in enumerate(self._running)
            if service is None and server not in self._asked
        ]
        if self._is_dispatching and passed_over and any(self.waiting):
            raise self._misread(f"idle servers {passed_over} were not asked while tasks waited")
        self._is_dispatching = False
        self._asked, self._had_own_work = [], []

    def _misread(self, what: str) -> LawViolation:
        reading = ", ".join(f"{k} = {v.value}" for k, v in vars(self._system.reading).items())
        return self._broken(Law.READINGS, f"{what}; reading {reading}")
