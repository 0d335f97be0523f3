"""Harrison's discrete review (BIGSTEP): plan a period by a linear program, and do just that."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.review_plan import LEAST, Plan, ReviewProgram
from cluster_sim.policies.task_base import Proposal, Setting, TaskPolicy
from cluster_sim.policies.type_queues import TypeQueue, TypeQueues

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["DiscreteReview", "Reviews"]

PERIODS_OBSERVED = 10  # arrivals of so many periods make the observed rates


@final
@dataclass(frozen=True)
class DiscreteReview(TaskPolicy):
    """At each review, plan by a linear program who starts what until the next, and do just that.

    At a review the policy looks at the queue of each task type, a replica set, and at the servers.
    The plan starts as many services as the servers have time for in the period, of tasks that wait
    or are expected, less a safety stock, and of such plans takes the one of least time: local where
    that starts as many. It is executed without looking again: what is not in it waits for the next
    review, also if servers are idle. A period begins when the last one is over and a task waits.

    Parameters
    ----------
    period : int or "auto"
        Slots between reviews, from 1 on. ``"auto"`` is the mean time of five remote services,
        rounded up. Each plan is wasted in part: services that end sooner than expected leave
        servers idle. That is about the root of the number of services in a period, so near the
        boundary only long periods are stable; and tasks wait for about a period.
    safety : float
        Safety stock of a type: so many times its expected arrivals in a period are to be left.
        With 1 only tasks that wait at the review are planned for; with 0 all expected ones as well.

    Notes
    -----
    Arrival rates are those observed over the last ten periods. Expected arrivals and safety stocks
    are rounded to whole tasks, so types that are rare have neither; a task of a rare type that
    arrives after a review waits for the next.

    A busy server is expected to be busy for (1 - (1 - mu)^l) / mu of the l slots, which is exact
    for geometric service. Planned fractions of a service are started as whole ones while tasks
    wait; within the plan, the nearest tier and then the oldest task come first.

    All tasks cost the same, so to start most services is to leave the least cost at the end of the
    period. Harrison's program weighs classes by holding costs and idleness by its price; there are
    no such data here.

    The program has three variables a type and tier and one a server and tier. Its time grows faster
    than the number of types with waiting tasks: one reason why the paper calls queues per type
    impractical.

    References
    ----------
    Harrison, "Heavy traffic analysis of a system with parallel servers: asymptotic optimality of
    discrete-review policies", Annals of Applied Probability 8(3), 1998; Harrison, "The BIGSTEP
    approach to flow management in stochastic processing networks", in Stochastic Networks: Theory
    and Applications, 1996.
    """

    name: ClassVar[str] = "discrete-review"
    title: ClassVar[str] = "Discrete review (BIGSTEP): a linear program plans each period"
    paper: ClassVar[str] = "Harrison, Annals of Applied Probability 8(3), 1998"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.CONDITIONAL,
        Optimality.CONDITIONAL,
        "with periods and safety stocks that grow with the scale, under complete resource pooling; "
        "a fixed period costs every task that arrives within it a wait",
    )

    period: int | Literal["auto"] = "auto"
    safety: float = 1.0

    def __post_init__(self) -> None:
        """Check both numbers."""
        period: object = self.period
        is_whole = isinstance(period, int) and not isinstance(period, bool) and period >= 1
        if period != "auto" and not is_whole:
            raise ScenarioError(
                f'period = {period!r}: must be "auto", or a whole number of slots from 1 on'
            )
        if not (is_number(self.safety) and 0 <= self.safety < math.inf):
            raise ScenarioError(
                f"safety = {self.safety!r}: must be a number from 0 on, in expected arrivals of a "
                "period"
            )

    def slots(self, rates: tuple[float, ...]) -> int:
        """Return the length of a period.

        Parameters
        ----------
        rates : tuple of float

        Returns
        -------
        int
            Slots.

        Examples
        --------
        >>> DiscreteReview().slots((1.0, 0.4)), DiscreteReview(period=3).slots((1.0, 0.4))
        (13, 3)
        """
        return math.ceil(5 / rates[-1]) if self.period == "auto" else int(self.period)

    def begin(self, setting: Setting) -> Reviews:
        """Return the queues of a run."""
        return Reviews(setting, self.slots(setting.cluster.rates), float(self.safety))


class Reviews(TypeQueues):
    """The queues of a run, the plan in force, and the arrivals observed.

    Parameters
    ----------
    setting : Setting
    period : int
    safety : float

    Attributes
    ----------
    n_reviews : int
        So far.
    """

    def __init__(self, setting: Setting, period: int, safety: float) -> None:
        super().__init__(setting, goes_by_length=False)
        self._cluster = setting.cluster
        self._period, self._safety = period, safety
        self._next_review = self.n_reviews = 0
        self._plan: Plan | None = None
        self._types: list[tuple[int, ...]] = []
        self._running: dict[int, int] = {}  # the tier of what each busy server runs
        self._arrived: deque[tuple[int, tuple[int, ...]]] = deque()
        self._n_arrived: Counter[tuple[int, ...]] = Counter()

    def key(self, queue: TypeQueue, tier: int) -> None:
        """Return None: plans name types, nobody looks for them."""

    def accept(self, task: Task, tie: float) -> None:
        """Add a task to the queue of its type, and count it."""
        super().accept(task, tie)
        replicas = tuple(task.replicas)
        self._arrived.append((task.arrival, replicas))
        self._n_arrived[replicas] += 1

    def completed(self, task: Task) -> None:
        """Take note that a server is idle."""
        self._running.pop(task.server, None)

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield what the plan has for each idle server, after a review if one is due."""
        if slot >= self._next_review:
            self._review(slot)
            self._next_review = slot + self._period
        for proposal in super().propose(slot, idle):
            yield proposal
            self._running[proposal[0]] = proposal[1].tier

    def choose(self, server: int, slot: int) -> TypeQueue | None:
        """Return the queue of the oldest task that the plan has for a server, nearest tier first.

        The service counts as started.
        """
        plan = self._plan
        assert plan is not None  # a review comes first
        queue = self._from_pool(plan.own[server])
        if queue is not None:
            return queue
        for tier, rate in enumerate(self._cluster.rates[1:], 1):
            if plan.shares[tier, server] > LEAST:
                queue = self._from_pool(plan.pools.get((tier, self.groups[tier][server]), {}))
                if queue is not None:
                    plan.shares[tier, server] -= 1 / rate
                    return queue
        return None

    def _from_pool(self, pool: dict[int, float]) -> TypeQueue | None:
        """Return the queue of the oldest task among planned services, one of which it uses up.

        The plan lists types by the age of their oldest task, and types without one last.
        """
        for kind, n_planned in pool.items():
            queue = self.queue_of(self._types[kind])
            if queue is not None:
                pool[kind] = n_planned - 1
                if pool[kind] <= LEAST:
                    del pool[kind]
                return queue
        return None

    # --- reviews ----------------------------------------------------------------------------------

    def _review(self, slot: int) -> None:
        """Plan the next period."""
        self.n_reviews += 1
        expected = self._expected(slot)
        waiting = sorted(self.queues(), key=lambda queue: queue.tasks[0].number)
        lengths = {queue.replicas: len(queue.tasks) for queue in waiting}
        self._types = list(dict.fromkeys(chain(lengths, expected)))
        supply = [
            lengths.get(kind, 0) + round(number) - round(self._safety * number)
            for kind in self._types
            for number in (expected.get(kind, 0.0),)
        ]
        program = ReviewProgram(
            self._types,
            np.maximum(np.array(supply, dtype=np.float64), 0.0),
            self._time(),
            self._cluster.rates,
            self._cluster.groups,
        )
        self._plan = program.solve()

    def _expected(self, slot: int) -> dict[tuple[int, ...], float]:
        """Return the arrivals expected in a period, of the types of which half a one or more is."""
        n_slots = PERIODS_OBSERVED * self._period
        while self._arrived and self._arrived[0][0] <= slot - n_slots:
            _, replicas = self._arrived.popleft()
            self._n_arrived[replicas] -= 1
            if not self._n_arrived[replicas]:
                del self._n_arrived[replicas]
        factor = self._period / min(slot + 1, n_slots)
        found = {kind: n * factor for kind, n in self._n_arrived.items() if n * factor >= 0.5}
        return dict(sorted(found.items()))

    def _time(self) -> np.ndarray:
        """Return the time of each server until the next review, less what it is expected to need.

        A busy server needs its task's remaining service, cut off at the review.
        """
        period = self._period
        time = np.full(self._cluster.n_servers, float(period))
        needed = [
            -math.expm1(period * math.log1p(-mu)) / mu if mu < 1 else 1.0
            for mu in self._cluster.rates
        ]
        for server, tier in self._running.items():
            time[server] = max(period - needed[tier], 0.0)
        return time
