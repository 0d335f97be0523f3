"""Scenario texts that the tests share, and a scheduler check that knows no registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cluster_sim.scenario import InvalidScenarioError, Problem, parse_scenario

BASE = """\
title = "A cluster"
[cluster]
servers = 12
racks = 4
[service]
local = 1.0
rack_local = 0.8
remote = 0.5
[traffic]
kind = "even"
load = 0.9
[scheduler]
policy = "priority"
[run]
slots = 100
warmup = 10
"""

TRAFFIC = 'kind = "even"\nload = 0.9'
"""The traffic of `BASE`; what replaces it starts on line 10."""


def accept_any(policy: str, parameters: Mapping[str, object]) -> list[tuple[str, str]]:
    """Find nothing wrong with any policy."""
    return []


def refusal_of(read: Callable[[], object]) -> InvalidScenarioError | None:
    """Return the error of ours that a call raises; None if it raises nothing."""
    try:
        read()
    except InvalidScenarioError as error:
        return error
    return None


def problems_of(text: str, *overrides: str) -> tuple[Problem, ...]:
    """Return what is wrong with a scenario text; fail if nothing is."""
    error = refusal_of(
        lambda: parse_scenario(text, "case.toml", overrides, check_scheduler=accept_any)
    )
    assert error is not None, f"accepted:\n{text}"
    assert str(error).splitlines() == [str(problem) for problem in error.problems]
    return error.problems


def change(old: str, new: str, text: str = BASE) -> str:
    """Return the base scenario with one piece replaced."""
    assert text.count(old) == 1, f"{old!r} must stand once"
    return text.replace(old, new)
