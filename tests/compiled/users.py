"""Modules as users write them: policies of their own, imported from a temporary folder."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from textwrap import dedent
from typing import Any

from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.system import System

HEAD = """\
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import numpy as np

from cluster_sim.policies import NO_QUEUE, QueuePolicy
"""

POLICY = """
LIMIT = 3


def pressed(queue, waiting, limit=LIMIT):
    return waiting[queue] >= limit


@dataclass(frozen=True)
class Overflow(QueuePolicy):
    name: ClassVar[str] = "overflow"
    title: ClassVar[str] = "The first replica that is not pressed, else the last"

    patience: int = 2

    def constants(self, rates):
        return (float(self.patience), rates[0])

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        for i in range(len(replicas)):
            if not pressed(replicas[i], waiting):
                return replicas[i]
        return replicas[len(replicas) - 1]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        if waiting[server] > 0:
            return server
        other = int(tie * len(waiting))
        return other if waiting[other] > constants[0] else NO_QUEUE
"""

ROUTE_ONLY = """
@dataclass(frozen=True)
class Mine(QueuePolicy):
    name: ClassVar[str] = "mine"
    title: ClassVar[str] = "A policy to be tried"

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        {body}

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return server if waiting[server] > 0 else NO_QUEUE
"""

SERVE_ONLY = """
@dataclass(frozen=True)
class Mine(QueuePolicy):
    name: ClassVar[str] = "mine"
    title: ClassVar[str] = "A policy to be tried"

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        return replicas[0]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        {body}
"""

WEIGH_ONLY = """
@dataclass(frozen=True)
class Mine(QueuePolicy):
    name: ClassVar[str] = "mine"
    title: ClassVar[str] = "A policy to be tried"
    uses_least: ClassVar[bool] = True

    @staticmethod
    def weigh(server, lengths, constants):
        {body}

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        far = least[-1]
        return far if 2 * weights[far] < weights[least[0]] else least[0]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return server if waiting[server] > 0 else NO_QUEUE
"""

numbers = itertools.count()


def load(folder: Path, text: str, name: str = "") -> Any:
    """Import a module of this text from the folder, anew."""
    name = name or f"users_module_{next(numbers)}"
    (folder / f"{name}.py").write_text(HEAD + dedent(text))
    importlib.invalidate_caches()
    return importlib.import_module(name)


def mine(folder: Path, body: str, around: str = "", template: str = ROUTE_ONLY) -> QueuePolicy:
    """Return a policy with this body of its route(), serve() or weigh()."""
    indented = body.strip().replace("\n", "\n        ")
    policy: QueuePolicy = load(folder, around + template.replace("{body}", indented)).Mine()
    return policy


def system(policy: QueuePolicy, rate: float = 3.0) -> System:
    topology = Topology.tree(6)
    return System(
        Cluster.of(topology, {"local": 0.9, "remote": 0.4}),
        SyntheticWorkload(Even(topology, 3), Poisson(rate)),
        policy,
    )
