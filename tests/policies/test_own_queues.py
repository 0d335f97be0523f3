"""Decisions that a policy inherits are compiled and cached like its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest

from cluster_sim import policies
from cluster_sim.model.readings import Reading
from cluster_sim.policies import QueuePolicy
from cluster_sim.policies.own_queues import OwnQueuePolicy, ShortestOfAllPolicy
from cluster_sim.testing import check_policy

HEIRS = [
    policies.find(name)
    for name in policies.names()
    if issubclass(policies.find(name), OwnQueuePolicy)
]


def test_the_policies_without_stealing_share_their_decisions() -> None:
    """Six built-in policies serve their own queue only, three of them weigh queues by length.

    `tests/compiled/test_trajectory.py` holds them to the same events on both engines.
    """
    assert {policy.name for policy in HEIRS} == {
        "jfsq", "jfiq", "jiq", "jsq-local", "jsq-d", "random-local"
    }  # fmt: skip
    assert all(policy.serve is OwnQueuePolicy.serve for policy in HEIRS)  # type: ignore[attr-defined]
    weighing = {policy.name for policy in HEIRS if issubclass(policy, ShortestOfAllPolicy)}
    assert weighing == {"jfsq", "jfiq", "jiq"}


@dataclass(frozen=True)
class Last(ShortestOfAllPolicy):
    """Join the last replica unless some server is idle."""

    name: ClassVar[str] = "last"
    title: ClassVar[str] = "The last replica, if no server is idle"

    @staticmethod
    def route(
        replicas: Sequence[int],
        lengths: Sequence[int],
        waiting: Sequence[int],
        least: Sequence[int],
        weights: Sequence[float],
        constants: Sequence[float],
        tie_break: int,
        tie: float,
    ) -> int:
        return least[-1] if weights[least[-1]] == 0 else replicas[-1]


def test_a_policy_with_inherited_decisions_keeps_the_laws() -> None:
    """A subclass that only routes is a whole policy."""
    check_policy(Last, n_slots=12, readings=[Reading()])


def test_another_inherited_decision_is_other_code() -> None:
    """The cache is keyed by what a decision does, wherever it was written."""
    assembly = pytest.importorskip("cluster_sim.compiled.assembly")
    if not assembly.is_available():
        pytest.skip("numba is not installed")

    @dataclass(frozen=True)
    class Busy(OwnQueuePolicy):
        """Serves its own queue from two waiting tasks on."""

        @staticmethod
        def serve(
            server: int,
            lengths: Sequence[int],
            waiting: Sequence[int],
            longest: Sequence[int],
            n_longest: Sequence[int],
            constants: Sequence[float],
            tie_break: int,
            tie: float,
        ) -> int:
            return server if waiting[server] > 1 else -1

    def heir(base: type[OwnQueuePolicy]) -> QueuePolicy:
        attributes = {"name": "heir", "title": "An heir", "route": staticmethod(Last.route)}
        return type("Heir", (base,), attributes)()  # type: ignore[no-any-return]

    first, second = (assembly.compiled_loop(heir(base)) for base in (OwnQueuePolicy, Busy))
    assert first is not second
    assert assembly.compiled_loop(heir(OwnQueuePolicy)) is first
