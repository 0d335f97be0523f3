"""Python processes of their own: what happens at start-up cannot be seen from within a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

REPOSITORY = Path(__file__).resolve().parents[2]

# A tiny system, the same as `users.system`; prints one line that tells runs apart.
RUN = """
import sys
from cluster_sim import policies
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.randomness import Key
from cluster_sim.system import System


def tiny(policy):
    topology = Topology.tree(6)
    cluster = Cluster.of(topology, {"local": 0.9, "remote": 0.4})
    return System(cluster, SyntheticWorkload(Even(topology, 3), Poisson(3.0)), policies.get(policy))


def show(result):
    print(result.n_arrivals, result.in_system_sum, result.waiting_sum, result.busy.tolist())
"""


def program(text: str) -> list[str]:
    """Return the command that runs a program after `RUN`."""
    return [sys.executable, "-c", RUN + dedent(text)]


def environment(**changes: str | None) -> dict[str, str]:
    """Return this process's environment with changes; None takes a variable away."""
    result = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    for name, value in changes.items():
        result.pop(name, None)
        if value is not None:
            result[name] = value
    return result


def start(text: str, folder: Path, **changes: str | None) -> subprocess.Popen[str]:
    """Start a program in a folder."""
    return subprocess.Popen(
        program(text),
        cwd=folder,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(text: str, folder: Path, **changes: str | None) -> str:
    """Return what a program prints; fail if it fails."""
    return output_of(start(text, folder, **changes))


def output_of(child: subprocess.Popen[str]) -> str:
    """Return what a started program prints; fail if it fails."""
    with child:
        try:
            out, err = child.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
    assert child.returncode == 0, err
    return out
