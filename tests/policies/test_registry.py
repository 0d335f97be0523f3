"""Policies are found by name or as module:Class; what is no policy is refused with the remedy."""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster_sim import policies
from cluster_sim.errors import PolicyError, ScenarioError, UnknownNameError
from cluster_sim.policies import (
    JFIQ,
    JFSQ,
    JIQ,
    BalancedPandas,
    BalancedPandasPod,
    Fifo,
    JSQd,
    JSQLocal,
    JSQMaxWeight,
    JSQMaxWeightPod,
    MaxWeight,
    Priority,
    RandomLocal,
)

WriteModule = Callable[[str], str]
KNOWN = ", ".join(sorted(policies.names(None)))

GOOD = """
from dataclasses import dataclass
from typing import ClassVar
from cluster_sim.policies import NO_QUEUE, QueuePolicy

@dataclass(frozen=True)
class FirstReplica(QueuePolicy):
    name: ClassVar[str] = "first-replica"
    title: ClassVar[str] = "The first replica's queue"
    patience: int = 3
    limit: float = 1.0

    def __post_init__(self):
        if self.patience < 0:
            raise ValueError("patience must be 0 or more")

    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        return replicas[0]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return server if waiting[server] else NO_QUEUE
"""


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteModule:
    """Write a module into the current directory, under a name not used before."""
    monkeypatch.chdir(tmp_path)
    number = itertools.count()

    def write(source: str) -> str:
        name = f"policies_of_{tmp_path.name.replace('-', '_')}_{next(number)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


def test_built_in_policies_have_their_names() -> None:
    """The registry names the built-in policies, in the order of the documentation."""
    assert {name: policies.find(name) for name in policies.names()} == {
        "priority": Priority,
        "jsq-maxweight": JSQMaxWeight,
        "maxweight": MaxWeight,
        "balanced-pandas": BalancedPandas,
        "balanced-pandas-pod": BalancedPandasPod,
        "jsq-maxweight-pod": JSQMaxWeightPod,
        "jfsq": JFSQ,
        "jfiq": JFIQ,
        "jiq": JIQ,
        "jsq-local": JSQLocal,
        "jsq-d": JSQd,
        "random-local": RandomLocal,
        "fifo": Fifo,
    }
    assert policies.get("priority", threshold=3) == Priority(threshold=3)


def test_a_policy_of_ones_own_is_found_in_the_current_directory(write_module: WriteModule) -> None:
    """A class named module:Class works like a built-in one; the import path stays as it was."""
    path = list(sys.path)
    policy = policies.get(f"{write_module(GOOD)}:FirstReplica", patience=5)
    assert repr(policy) == "FirstReplica(patience=5, limit=1.0)"
    assert sys.path == path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "prioritty",
            (
                rf"policy 'prioritty': Did you mean 'priority'\? Known: {KNOWN}\. "
                r"For a policy of your own write module:Class\."
            ),
        ),
        ("x", r"policy 'x': Known: balanced-pandas, "),
        (
            "no_such_module_here:Thing",
            (
                "policy 'no_such_module_here:Thing': no module 'no_such_module_here'; "
                "run from the folder that holds it, or install it"
            ),
        ),
        (":Thing", "policy ':Thing': importing  failed: ValueError"),
    ],
)
def test_unknown_policies_are_refused(name: str, message: str) -> None:
    """A name nobody has is answered with the nearest and all known names."""
    with pytest.raises(UnknownNameError, match=message):
        policies.find(name)


def test_a_missing_class_is_refused_with_the_nearest(write_module: WriteModule) -> None:
    """The module is there but not the class: its classes are listed."""
    module = write_module(GOOD)
    with pytest.raises(
        UnknownNameError,
        match=f"module {module} has no 'FirstReplika'. Did you mean 'FirstReplica'",
    ):
        policies.find(f"{module}:FirstReplika")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import a_module_that_is_nowhere", "no module 'a_module_that_is_nowhere'"),
        ("1 / 0", "importing .* failed: ZeroDivisionError: division by zero"),
        ("def broken(:", "importing .* failed: SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused(
    write_module: WriteModule, source: str, message: str
) -> None:
    """Whatever goes wrong in the user's module is told, not raised as such."""
    module = write_module(source)
    with pytest.raises(UnknownNameError, match=f"policy '{module}:Any': {message}"):
        policies.find(f"{module}:Any")


HEAD = """
from cluster_sim.policies import QueuePolicy
"""
ROUTE = """
    @staticmethod
    def route(replicas, lengths, waiting, least, weights, constants, tie_break, tie):
        return 0
"""
SERVE = """
    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        return -1
"""
NAMED = """
class Mine(QueuePolicy):
    name = "mine"
    title = "Mine"
"""


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "Mine = 3",
            r"policy 3: must be a class derived from cluster_sim\.policies\.QueuePolicy",
        ),
        ("class Mine: pass", "Mine'>: must be a class derived from"),
        (HEAD + NAMED, ":Mine: define route, serve as static methods"),
        (HEAD + NAMED + ROUTE, ":Mine: define serve as static methods"),
        (
            HEAD + "class Mine(QueuePolicy):\n    title = 'Mine'" + ROUTE + SERVE,
            ":Mine: give it a class attribute name, a str",
        ),
        (
            HEAD + "class Mine(QueuePolicy):\n    name = 'mine'\n    title = 3" + ROUTE + SERVE,
            ":Mine: give it a class attribute title, a str",
        ),
        (
            HEAD + NAMED + ROUTE + SERVE.replace("    @staticmethod\n", ""),
            r":Mine: serve must be a @staticmethod \(it may not use self\)",
        ),
        (
            HEAD + NAMED + ROUTE.replace("@staticmethod", "@classmethod") + SERVE,
            r":Mine: route must be a @staticmethod \(it may not use self\)",
        ),
        (
            HEAD + NAMED + ROUTE.replace("replicas, lengths", "lengths, replicas") + SERVE,
            (
                r":Mine: route\(lengths, replicas, waiting, .*, constants, tie_break, tie\) must "
                r"take \(replicas, lengths, waiting, least, weights, constants, tie_break, tie\)"
            ),
        ),
        (
            HEAD + NAMED + ROUTE + SERVE + "\n    def weigh(self, server):\n        return 0.0\n",
            r":Mine: weigh must be a @staticmethod \(it may not use self\)",
        ),
        (
            HEAD + NAMED + ROUTE + SERVE.replace(", tie):", "):"),
            (
                r":Mine: serve\(server, .*, constants, tie_break\) must take "
                r"\(server, lengths, waiting, longest, n_longest, constants, tie_break, tie\)"
            ),
        ),
    ],
)
def test_what_is_no_policy_is_refused(write_module: WriteModule, source: str, message: str) -> None:
    """A class that misses a part of the contract is told which."""
    module = write_module(source)
    with pytest.raises(PolicyError, match=message):
        policies.find(f"{module}:Mine")


def test_unknown_parameters_are_refused_with_the_nearest() -> None:
    """A parameter that the policy does not have is answered with those that it has."""
    message = (
        r"'treshold' is not a parameter of policy 'priority'\. Did you mean 'threshold'\? "
        r"Known: threshold\."
    )
    with pytest.raises(UnknownNameError, match=message):
        policies.get("priority", treshold=3)
    message = r"parameter of policy 'fifo'\. It has none; leave it out\."
    with pytest.raises(UnknownNameError, match=message):
        policies.get("fifo", threshold=3)


def test_errors_of_a_policy_of_ones_own_are_told(write_module: WriteModule) -> None:
    """A ValueError or TypeError of the policy's own checks becomes a PolicyError with its words."""
    name = f"{write_module(GOOD)}:FirstReplica"
    with pytest.raises(PolicyError, match=f"policy '{name}': patience must be 0 or more"):
        policies.get(name, patience=-1)
    with pytest.raises(PolicyError, match=f"policy '{name}': '<' not supported"):
        policies.get(name, patience="much")
    with pytest.raises(ScenarioError, match="threshold = -1: must be"):
        policies.get("priority", threshold=-1)


@pytest.mark.parametrize(
    ("name", "parameters", "problems"),
    [
        ("priority", {}, []),
        ("priority", {"threshold": 2}, []),
        (
            "priority",
            {"threshold": -2},
            [
                (
                    "threshold",
                    (
                        'must be "auto", or a number from 0 to inf; use "auto" for the paper\'s '
                        "alpha / gamma"
                    ),
                )
            ],
        ),
        (
            "priority",
            {"treshold": 2},
            [
                (
                    "treshold",
                    (
                        "is not a parameter of policy 'priority'. Did you mean 'threshold'? "
                        "Known: threshold."
                    ),
                )
            ],
        ),
        (
            "fiffo",
            {"anything": 2},
            [
                (
                    "policy",
                    (
                        f"Did you mean 'fifo'? Known: {KNOWN}. For a policy of your own write "
                        "module:Class."
                    ),
                )
            ],
        ),
    ],
)
def test_a_table_is_checked_as_a_whole(
    name: str, parameters: dict[str, object], problems: list[tuple[str, str]]
) -> None:
    """Every problem of a [scheduler] table is listed with its key."""
    assert policies.check_parameters(name, parameters) == problems


def test_all_problems_of_a_table_are_listed(write_module: WriteModule) -> None:
    """Unknown keys and bad values are told together."""
    name = f"{write_module(GOOD)}:FirstReplica"
    problems = policies.check_parameters(name, {"patience": -1, "limits": 2})
    assert [key for key, _ in problems] == ["limits", "patience"]
    assert problems[1][1] == "patience must be 0 or more"
