"""Verification of a load decomposition against the paper's lemmas, one condition at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from cluster_sim.theory.task_types import BoolArray, FloatArray, IntArray, TaskTypes

__all__ = ["Checkable", "Condition", "Violation", "check_decomposition"]


class Condition(Enum):
    """What a decomposition must fulfil, by equation or lemma."""

    RATES_NONNEGATIVE = "Eq. (1): no rate is negative"
    LOCAL_QUEUES = "Eq. (1): tasks wait in queues of their local servers only"
    RATES_ADD_UP = "Eq. (1): the rates of a type add up to its arrival rate"
    LOADS_BELOW_ONE = "Eq. (1): every server has load below 1"
    OVERLOADED_TYPES = "Lemma 2: an overloaded queue gets only types local to overloaded servers"
    HELPER_NOT_OVERLOADED = "Lemma 3: a helper's queue gets less than alpha"
    HELPER_RECEIVES_NOTHING = "Lemma 3: a helper's queue receives no remote service"
    BENEFICIARY_OVERLOADED = "Lemma 3: a beneficiary's queue gets at least alpha"
    BENEFICIARY_TYPES = "Lemma 3: a beneficiary's queue gets only types in L_B"
    BENEFICIARY_PROVIDES_NOTHING = "Lemma 3: a beneficiary provides no remote service"
    EQUAL_LOADS = "Lemma 9: every server has load 1 - epsilon_0"
    REMOTE_SHARE = "Lemma 9: helpers serve part of every type in L_B at each of its queues"


@dataclass(frozen=True)
class Violation:
    """A condition that does not hold, and where.

    Attributes
    ----------
    condition : Condition
        What should hold.
    message : str
        Where it fails, with the value.
    """

    condition: Condition
    message: str

    def __str__(self) -> str:
        return f"{self.condition.value}; {self.message}"


class Checkable(Protocol):
    """What a decomposition must offer to be checked; see `decomposition.Decomposition`."""

    @property
    def types(self) -> TaskTypes:
        """The distinct types."""

    @property
    def local_rate(self) -> float:
        """The rate alpha."""

    @property
    def is_beneficiary(self) -> BoolArray:
        """The servers in B."""

    @property
    def flow_type(self) -> IntArray:
        """Type of each rate."""

    @property
    def flow_queue(self) -> IntArray:
        """Queue of each rate."""

    @property
    def flow_server(self) -> IntArray:
        """Server of each rate."""

    @property
    def flow_rate(self) -> FloatArray:
        """The rates."""

    @property
    def queue_rates(self) -> FloatArray:
        """Arrivals at each queue."""

    @property
    def server_loads(self) -> FloatArray:
        """Load of each server."""

    @property
    def epsilon_0(self) -> float:
        """Idle share of every server in Lemma 9."""

    @property
    def lambda_0(self) -> float:
        """Least remote rate of a type in L_B at one of its queues."""


class _Findings:
    """Collects violations; each entry names the first place and counts the rest."""

    def __init__(self, decomposition: Checkable) -> None:
        self.decomposition = decomposition
        self.list: list[Violation] = []

    def flows(self, condition: Condition, wrong: BoolArray) -> None:
        """Report the rates that break a condition."""
        if not wrong.any():
            return
        d, first = self.decomposition, int(np.flatnonzero(wrong)[0])
        kind = int(d.flow_type[first])
        self.add(
            condition,
            f"type {d.types.replicas(kind)} in queue {d.flow_queue[first]} served by server "
            f"{d.flow_server[first]} at rate {d.flow_rate[first]:.6g}",
            int(wrong.sum()) - 1,
        )

    def servers(self, condition: Condition, wrong: BoolArray, values: FloatArray) -> None:
        """Report the servers that break a condition."""
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            self.add(condition, f"server {first} has {values[first]:.9g}", int(wrong.sum()) - 1)

    def add(self, condition: Condition, message: str, n_more: int = 0) -> None:
        """Report one violation."""
        more = f" (and {n_more} more)" if n_more else ""
        self.list.append(Violation(condition, message + more))


def _check_equation_1(found: _Findings, tolerance: float) -> None:
    d = found.decomposition
    found.flows(Condition.RATES_NONNEGATIVE, d.flow_rate < 0.0)
    n_servers = d.types.n_servers
    edges = d.types.owners * n_servers + d.types.servers
    is_local = np.isin(d.flow_type * n_servers + d.flow_queue, edges)
    found.flows(Condition.LOCAL_QUEUES, ~is_local & (np.abs(d.flow_rate) > tolerance))
    sums = np.bincount(d.flow_type, d.flow_rate, d.types.n_types)
    off = np.abs(sums - d.types.arrival_rates) > tolerance * np.maximum(1.0, sums)
    if off.any():
        kind = int(np.flatnonzero(off)[0])
        found.add(
            Condition.RATES_ADD_UP,
            f"type {d.types.replicas(kind)}: sum {sums[kind]:.9g}, arrival rate "
            f"{d.types.arrival_rates[kind]:.9g}",
            int(off.sum()) - 1,
        )
    found.servers(Condition.LOADS_BELOW_ONE, d.server_loads >= 1.0, d.server_loads)


def _check_lemmas_2_and_3(found: _Findings, tolerance: float) -> None:
    d = found.decomposition
    positive = d.flow_rate > tolerance
    limit = d.local_rate * (1.0 - tolerance)
    overloaded = d.queue_rates >= limit
    outside = ~d.types.is_inside(overloaded)[d.flow_type]
    found.flows(Condition.OVERLOADED_TYPES, overloaded[d.flow_queue] & outside & positive)
    has_b = d.is_beneficiary
    away = (d.flow_queue != d.flow_server) & positive
    shared = ~d.types.is_inside(has_b)[d.flow_type]
    found.servers(Condition.HELPER_NOT_OVERLOADED, ~has_b & overloaded, d.queue_rates)
    found.flows(Condition.HELPER_RECEIVES_NOTHING, ~has_b[d.flow_queue] & away)
    found.servers(Condition.BENEFICIARY_OVERLOADED, has_b & ~overloaded, d.queue_rates)
    found.flows(Condition.BENEFICIARY_TYPES, has_b[d.flow_queue] & shared & positive)
    found.flows(Condition.BENEFICIARY_PROVIDES_NOTHING, has_b[d.flow_server] & away)


def check_decomposition(
    decomposition: Checkable, *, lemma_9: bool = False, tolerance: float = 1e-9
) -> list[Violation]:
    """Return the conditions that a decomposition does not meet.

    Parameters
    ----------
    decomposition : Decomposition
        Any decomposition, constructed here or not.
    lemma_9 : bool
        Whether to ask for the two conditions of Lemma 9 too. Not every rate vector
        admits them.
    tolerance : float
        Rates (tasks per slot) and loads that differ by less count as equal.

    Returns
    -------
    list of Violation
        Empty if all conditions hold; else at most one entry for each condition.

    References
    ----------
    Eq. (1), Lemmas 2, 3 and 9 of the paper.
    """
    found = _Findings(decomposition)
    _check_equation_1(found, tolerance)
    _check_lemmas_2_and_3(found, tolerance)
    if lemma_9:
        ideal = 1.0 - decomposition.epsilon_0
        loads = decomposition.server_loads
        found.servers(Condition.EQUAL_LOADS, np.abs(loads - ideal) > tolerance, loads)
        if not decomposition.lambda_0 > 0.0:
            found.add(
                Condition.REMOTE_SHARE,
                f"the least remote rate is {decomposition.lambda_0:.6g}, must be positive",
            )
    return found.list
