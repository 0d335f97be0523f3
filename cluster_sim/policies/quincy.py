"""Quincy: in each slot the cheapest assignment of waiting tasks to idle servers, as a flow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.assignment import Problem, Solver, check_installed, solve
from cluster_sim.policies.base import Guarantee, Optimality
from cluster_sim.policies.checking import is_number
from cluster_sim.policies.task_base import Proposal, Setting, TaskPolicy, TaskScheduling

if TYPE_CHECKING:
    from cluster_sim.model.task import Task

__all__ = ["Quincy", "SlotAssignments"]

FINEST = 1e-6  # slots: costs are rounded to whole numbers of this, or of a larger unit
LARGEST = 2**26  # the largest such number; times (tasks + 1)^2 it stays exact in floating point


@final
@dataclass(frozen=True)
class Quincy(TaskPolicy):
    """Minimise the cost of transfers plus that of waiting, slot by slot and for all tasks at once.

    To start a task costs the data transfer of its tier, to leave it waiting costs `omega` for each
    slot that it has waited. A task starts remotely where that is cheaper than to wait, or equal.
    Running tasks are not moved.

    Tasks whose ages differ by more than remote_cost / omega slots start in the order of age,
    whatever their locality. If few tasks arrive in that time there is little to choose from,
    locality is lost, and a backlog feeds itself. Nothing is proved of the long run.

    Parameters
    ----------
    omega : float
        Cost of a waiting task per slot waited, 0 to ``inf``. With infinity no server is idle while
        a task waits; with 0 no task ever starts where a transfer costs anything.
    remote_cost : "auto" or float
        Cost of a remote start. ``"auto"`` is what it costs in slots of service, 1/gamma - 1/alpha.
        The costs of the tiers between are in proportion to their own such differences.
    solver : str
        ``"scipy"``, ``"ortools"`` (an extra, for thousands of waiting tasks) or ``"networkx"``.
        Where several assignments cost the same, solvers may choose differently.

    References
    ----------
    Isard et al., "Quincy: fair scheduling for distributed computing clusters", SOSP 2009; the
    default of `omega` is that of Gog et al., "Firmament", OSDI 2016, in slots.
    """

    name: ClassVar[str] = "quincy"
    title: ClassVar[str] = "Quincy: the cheapest assignment of each slot, by min-cost flow"
    paper: ClassVar[str] = "Isard et al., Quincy, SOSP 2009"
    guarantee: ClassVar[Guarantee] = Guarantee(
        Optimality.NO,
        Optimality.NO,
        "optimal for the tasks and servers of a slot; in the long run, omega too small never helps "
        "a hot spot, and omega too large starts the oldest tasks wherever a server is idle",
    )

    omega: float = 0.5
    remote_cost: Literal["auto"] | float = "auto"
    solver: str = Solver.SCIPY.value

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not (is_number(self.omega) and self.omega >= 0):
            raise ScenarioError(f"omega = {self.omega!r}: must be a number from 0 to inf")
        is_cost = is_number(self.remote_cost) and 0 <= float(self.remote_cost) < math.inf
        if self.remote_cost != "auto" and not is_cost:
            raise ScenarioError(
                f'remote_cost = {self.remote_cost!r}: must be "auto", or a number from 0 on'
            )
        allowed = [solver.value for solver in Solver]
        if self.solver not in allowed:
            raise ScenarioError(f"solver = {self.solver!r}: must be one of {', '.join(allowed)}")
        check_installed(Solver(self.solver))

    def tier_costs(self, rates: tuple[float, ...]) -> tuple[float, ...]:
        """Return the transfer cost of each tier.

        Parameters
        ----------
        rates : tuple of float

        Returns
        -------
        tuple of float
            In slots; 0 for local.

        Examples
        --------
        >>> Quincy().tier_costs((1.0, 0.8, 0.5)), Quincy(remote_cost=4).tier_costs((1.0, 0.8, 0.5))
        ((0.0, 0.25, 1.0), (0.0, 1.0, 4.0))
        """
        extra = [1 / rate - 1 / rates[0] for rate in rates]
        if self.remote_cost == "auto":
            return tuple(extra)
        if extra[-1] == 0:  # tiers of one speed: in proportion to the distance
            extra = [tier / (len(rates) - 1) for tier in range(len(rates))]
        return tuple(self.remote_cost * cost / extra[-1] for cost in extra)

    def begin(self, setting: Setting) -> SlotAssignments:
        """Return the waiting tasks of a run."""
        return SlotAssignments(setting, self)


class SlotAssignments(TaskScheduling):
    """The waiting tasks, oldest first, and the assignment of each slot.

    Parameters
    ----------
    setting : Setting
    policy : Quincy
    """

    def __init__(self, setting: Setting, policy: Quincy) -> None:
        self._groups = setting.cluster.groups
        self._costs = np.array(policy.tier_costs(setting.cluster.rates))
        self._omega = policy.omega
        self._solver = Solver(policy.solver)
        self._tasks: list[Task] = []

    def accept(self, task: Task, tie: float) -> None:
        """Let a task wait."""
        self._tasks.append(task)

    def withdrawn(self, task: Task) -> None:
        """Let a task wait no longer."""
        self._tasks.remove(task)

    def propose(self, slot: int, idle: Iterable[int]) -> Iterator[Proposal]:
        """Yield the starts of the cheapest assignment."""
        servers = list(idle)
        if not servers:
            return
        starts = solve(self.problem(slot, servers), self._solver)
        tasks, started = self._tasks, {i for i, _ in starts}
        self._tasks = [task for i, task in enumerate(tasks) if i not in started]
        for i, j in starts:
            yield servers[j], tasks[i]

    def problem(self, slot: int, servers: list[int]) -> Problem:
        """Return the assignment problem of a slot.

        Parameters
        ----------
        slot : int
        servers : list of int
            The idle servers.

        Returns
        -------
        Problem
        """
        waited = slot - np.array([task.arrival for task in self._tasks], dtype=np.int64)
        is_urgent = math.isinf(self._omega)
        waiting = np.zeros(len(waited)) if is_urgent else self._omega * waited
        unit = max(FINEST, max(waiting.max(initial=0), self._costs[-1]) / LARGEST)
        waiting_cost = np.rint(waiting / unit).astype(np.int64)
        tier_cost = np.rint(self._costs / unit).astype(np.int64)
        if is_urgent:  # more than all transfers of the slot together
            most = min(len(waited), len(servers)) + 1
            waiting_cost = np.full(len(waited), (tier_cost[-1] + 1) * most)
        replicas = [task.replicas for task in self._tasks]
        return Problem(replicas, waiting_cost, servers, tier_cost, self._groups)
