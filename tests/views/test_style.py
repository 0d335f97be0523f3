"""Each policy looks the same everywhere, and unlike the others, also without colours."""

from __future__ import annotations

import itertools
import subprocess
import sys

from cluster_sim import policies
from cluster_sim.views.style import look_of


def test_registered_policies_are_told_apart_in_black_and_white() -> None:
    """No two share marker and line."""
    looks = {name: look_of(name) for name in policies.names(None)}
    for one, other in itertools.combinations(looks, 2):
        ours, theirs = looks[one], looks[other]
        assert (ours.marker, ours.line) != (theirs.marker, theirs.line), (one, other)


def test_a_users_policy_keeps_its_look_in_another_process() -> None:
    """The look of an unknown name does not depend on the process, as Python's hash does."""
    code = "from cluster_sim.views.style import look_of; print(look_of('mine:Mine'))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {repr(look_of("mine:Mine"))}


def test_many_users_policies_seldom_look_alike() -> None:
    """There are 84 looks, and names spread over most of them."""
    looks = {look_of(f"module_{i}:Policy") for i in range(300)}
    assert len(looks) > 70
