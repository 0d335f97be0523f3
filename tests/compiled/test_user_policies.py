"""A policy of the user's own runs on both engines, or the error names their line."""

from __future__ import annotations

import importlib
import itertools
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from cluster_sim import policies
from cluster_sim.compiled.assembly import CompilationError, compiled_loop
from cluster_sim.compiled.engine import check_compiles, simulate
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.model.arrivals import Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer
from cluster_sim.system import System
from cluster_sim.testing import small_systems
from compiled.both import check_same, check_same_failure

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
    def route(replicas, lengths, waiting, constants, tie_break, tie):
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
    def route(replicas, lengths, waiting, constants, tie_break, tie):
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
    def route(replicas, lengths, waiting, constants, tie_break, tie):
        return replicas[0]

    @staticmethod
    def serve(server, lengths, waiting, longest, n_longest, constants, tie_break, tie):
        {body}
"""

numbers = itertools.count()


def load(folder: Path, text: str, name: str = "") -> Any:
    """Import a module of this text from the folder, anew."""
    name = name or f"users_module_{next(numbers)}"
    (folder / f"{name}.py").write_text(HEAD + dedent(text))
    importlib.invalidate_caches()
    return importlib.import_module(name)


def mine(folder: Path, body: str, around: str = "", template: str = ROUTE_ONLY) -> QueuePolicy:
    """Return a policy with this body of its route() or serve()."""
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


def test_a_users_policy_runs_on_both_engines(modules: Path) -> None:
    """About twenty lines with a helper and a constant, named module:Class, run the same on both."""
    module = load(modules, POLICY)
    policy = policies.get(f"{module.__name__}:Overflow", patience=1)
    for used in small_systems(policy):
        check_same(used, Key.of(1), 200, warmup=20)
    assert choose_engine("auto", system(policy)).name == "compiled"


NATURAL = {
    "for over the replicas": """
best = replicas[0]
for queue in replicas:
    if lengths[queue] < lengths[best]:
        best = queue
return best
""",
    "enumerate": """
best = 0
for i, queue in enumerate(replicas):
    if lengths[queue] < lengths[replicas[best]]:
        best = i
return replicas[best]
""",
    "max, sum, divmod": """
q, r = divmod(sum(lengths), len(replicas))
return replicas[r] if q % 2 else max(replicas)
""",
    "match": """
match len(replicas):
    case 1:
        return replicas[0]
    case _:
        return replicas[1]
""",
    "negative indices": "return replicas[-1]",
    "while, and a slice": """
rest = replicas
while len(rest) > 1 and waiting[rest[0]] > 0:
    rest = rest[1:]
return rest[0]
""",
    "numpy scalars": "return replicas[np.int64(tie * len(replicas))]",
}


@pytest.mark.slow
@pytest.mark.parametrize("body", NATURAL.values(), ids=NATURAL)
def test_plain_python_compiles(body: str, modules: Path) -> None:
    """What one writes naturally with numbers and sequences runs the same on both engines."""
    check_same(system(mine(modules, body)), Key.of(2), 100)


NAMES = """
EMPTY = 0


def log(n):
    return n


def route(queues):
    return queues[0]


def serve(queues, n):
    return route(queues) if n > 3 else queues[-1]
"""
CLOSURE = """
def maker(back):
    def inner(queues):
        return queues[len(queues) - back]

    return inner


last = maker(1)
"""
CONSTANTS = """
class Way(IntEnum):
    IN = 0
    OUT = 1


TABLE, PAIR = np.array([5, 4, 3]), (1, 2)
"""
HELPERS = {
    "default and keyword": (
        "return nth(replicas, n=1)",
        "def nth(queues, k=0, *, n=2):\n    return queues[(k + n) % len(queues)]\n",
    ),
    # The kernels have functions of these names, and put the policy in the place of the first two.
    "names of the kernels": (
        "return serve(replicas, len(waiting)) + log(0) + EMPTY",
        NAMES,
    ),
    "recursion": (
        "return replicas[halvings(len(waiting)) % len(replicas)]",
        "def halvings(n):\n    if n < 2:\n        return 0\n    return 1 + halvings(n // 2)\n",
    ),
    "closure": (
        "return last(replicas)",
        CLOSURE,
    ),
    "compiled by the user": (
        "return twice(replicas[0]) % len(waiting)",
        "import numba\n\n\n@numba.njit\ndef twice(n):\n    return 2 * n\n",
    ),
    "constants of every kind": (
        "return replicas[TABLE[int(tie * 3)] * PAIR[1] % len(replicas)] if Way.OUT else 0",
        CONSTANTS,
    ),
}


@pytest.mark.parametrize(
    ("body", "around"),
    [
        pytest.param(*case, id=name, marks=() if "kernels" in name else pytest.mark.slow)
        for name, case in HELPERS.items()
    ],
)
def test_helpers_compile(body: str, around: str, modules: Path) -> None:
    """Helpers of any name, with defaults, recursion, closures and constants, run the same."""
    check_same(system(mine(modules, body, around)), Key.of(2), 100)


# What numba cannot compile: body of route(), what stands around, the line to blame, what is said.
TROUBLE = {
    "a dict of sets": (
        "if replicas[0] in SEEN[0]:\n    return replicas[0]\nreturn replicas[0]",
        "SEEN = {0: {1, 2}}\n",
        "if replicas[0] in SEEN[0]:",
        "'SEEN': Cannot determine Numba type of <class 'dict'>",
    ),
    "an f-string in a helper": (
        "return named(replicas[0])",
        'def named(queue):\n    text = f"{queue:05d}"\n    return int(text)\n',
        'text = f"{queue:05d}"',
        "format spec in f-strings not supported",
    ),
}
MORE_TROUBLE = {
    "an object": (
        "return BOX.pick(replicas)",
        "class Box:\n    def pick(self, queues):\n        return queues[0]\n\n\nBOX = Box()\n",
        "return BOX.pick(replicas)",
        "'BOX': Cannot determine Numba type of",
    ),
    "a list": (
        "free = [q for q in replicas if waiting[q] == 0]\nreturn (free or replicas)[0]",
        "",
        "free = [q for q in replicas if waiting[q] == 0]",
        "",
    ),
    "sorted": ("return sorted(replicas)[0]", "", "return sorted(replicas)[0]", "it makes a list"),
    "a key function": (
        "return min(replicas, key=lambda q: lengths[q])",
        "",
        "return min(replicas, key=lambda q: lengths[q])",
        "",
    ),
    "a name that is not there": (
        "first = replicas[0]\nreturn first + no_such_name",
        "",
        "return first + no_such_name",
        "name 'no_such_name' is not defined",
    ),
    "a function of a module": (
        "return choices.shortest(replicas, lengths, tie_break, tie)",
        "from cluster_sim.policies import choices\n",
        "return choices.shortest(replicas, lengths, tie_break, tie)",
        "write: from cluster_sim.policies.choices import shortest",
    ),
}


def check_told(policy: QueuePolicy, line: str, complaint: str) -> None:
    """Compile a policy that cannot be compiled, and read the error as its author would."""
    file = Path(importlib.import_module(type(policy).__module__).__file__ or "")
    number = 1 + file.read_text().splitlines().index(
        next(text for text in file.read_text().splitlines() if text.strip() == line)
    )
    with pytest.raises(CompilationError) as caught:
        check_compiles(system(policy))
    told = str(caught.value)
    assert told.startswith("policy 'mine': numba cannot compile it: ")
    assert complaint in told
    assert f'File "{file}", line {number}, in ' in told
    assert f"\n    {line}\n" in told
    assert told.endswith('or run it on the SimPy engine: engine = "simpy"')
    assert len(told.splitlines()) == 4


@pytest.mark.parametrize(("body", "around", "line", "complaint"), TROUBLE.values(), ids=TROUBLE)
def test_the_users_own_line_is_named(
    body: str, around: str, line: str, complaint: str, modules: Path
) -> None:
    """The error of what numba cannot compile shows the user's file, line and source text."""
    check_told(mine(modules, body, around), line, complaint)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "around", "line", "complaint"), MORE_TROUBLE.values(), ids=MORE_TROUBLE
)
def test_more_lines_are_named(
    body: str, around: str, line: str, complaint: str, modules: Path
) -> None:
    """The same for other things that numba refuses, each with words of its own."""
    check_told(mine(modules, body, around), line, complaint)


def test_auto_falls_back_with_a_note(modules: Path) -> None:
    """Asked to choose, a policy that cannot be compiled runs on SimPy, and the note says why."""
    body, around, line, complaint = TROUBLE["a dict of sets"]
    policy = mine(modules, body, around)
    with pytest.raises(CompilationError, match="numba cannot compile it"):
        choose_engine("compiled", system(policy))
    engine = choose_engine("auto", system(policy))
    assert engine.name == "simpy"
    assert engine.note is not None
    assert complaint in engine.note
    assert line in engine.note
    assert engine.simulate(system(policy), Key.of(1), slots=20).n_arrivals > 0


def test_observers_of_the_state_need_simpy() -> None:
    """An observer that looks at the state in every slot is refused compiled, with the remedy."""
    from cluster_sim.errors import ScenarioError

    class Looks(Observer):
        def observe(self, slot: int, state: object) -> None:
            pass

    used = system(policies.get("fifo"))
    with pytest.raises(ScenarioError, match=r'engine = "compiled": .* needs engine = "simpy"'):
        choose_engine("compiled", used, [Looks()])
    assert choose_engine("auto", used, [Looks()]).name == "simpy"
    assert choose_engine("auto", used, [Observer()]).name == "compiled"


@pytest.mark.parametrize(
    ("template", "body", "line", "rule"),
    [
        (ROUTE_ONLY, "return replicas[0] / 1", "return replicas[0] / 1", "route() must return a"),
        pytest.param(
            *(SERVE_ONLY, "if waiting[server]:\n    return server", "return server"),
            "serve() must return a queue or NO_QUEUE",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["a float", "nothing at all"],
)
def test_decisions_that_are_no_whole_numbers_are_refused(
    template: str, body: str, line: str, rule: str, modules: Path
) -> None:
    """SimPy refuses the decision when it is made, the compiled engine before it begins."""
    from cluster_sim.emulator.emulator import simulate as simulate_simpy
    from cluster_sim.errors import DecisionError

    policy = mine(modules, body, template=template)
    with pytest.raises(DecisionError, match="it must return a queue from 0 to 5"):
        simulate_simpy(system(policy), Key.of(1), slots=50)
    check_told(policy, line, rule)


WRONG = {
    "route beyond the last queue": (
        *(ROUTE_ONLY, "return replicas[0] if lengths[replicas[0]] < 3 else len(lengths)"),
        r"route\(\) for task \d+ \(chunk on servers \[.*\]\) arrived in slot \d+ returned 6; it",
    ),
    "route to no queue": (
        *(ROUTE_ONLY, "return replicas[0] if lengths[replicas[0]] < 2 else NO_QUEUE"),
        r"route\(\) for task .* returned -1; it must return a queue from 0 to 5$",
    ),
    "serve an empty queue": (
        *(SERVE_ONLY, "return server if waiting[server] > 0 or tie < 0.9 else NO_QUEUE"),
        r"slot \d+: .* told idle server \d to serve queue \d, where no task waits \(length 0\)",
    ),
    "serve beyond the last queue": (
        *(SERVE_ONLY, "return server if waiting[server] > 0 else (6 if tie > 0.9 else -1)"),
        r"serve\(\) for idle server \d returned 6; it must return a queue from 0 to 5, or NO_QUEUE",
    ),
    "serve below the first": (
        *(SERVE_ONLY, "return server if waiting[server] > 0 else (-2 if tie > 0.9 else -1)"),
        r"serve\(\) for idle server \d returned -2; it must return a queue from 0 to 5, or",
    ),
}
QUICK = ("serve an empty queue",)


@pytest.mark.parametrize(
    ("template", "body", "message"),
    [
        pytest.param(*case, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, case in WRONG.items()
    ],
)
def test_impossible_decisions_are_refused_alike(
    template: str, body: str, message: str, modules: Path
) -> None:
    """Both engines tell the same events up to a wrong decision, and refuse it in the same words."""
    policy = mine(modules, body, template=template)
    told = check_same_failure(system(policy), Key.of(3), 500)
    assert re.search(message, told), told


@pytest.mark.slow
def test_an_error_of_the_users_own_is_raised(modules: Path) -> None:
    """An exception that a policy raises is the same on both engines."""
    body = 'if lengths[replicas[0]] > 2:\n    raise ValueError("no room")\nreturn replicas[0]'
    policy = mine(modules, body)
    from cluster_sim.emulator.emulator import simulate as simulate_simpy

    for run in (simulate_simpy, simulate):
        with pytest.raises(ValueError, match="no room"):
            run(system(policy, rate=6.0), Key.of(3), slots=500)


def test_a_changed_helper_is_compiled_anew(modules: Path) -> None:
    """In a notebook a helper or a constant is redefined; the next run uses what holds then."""
    module = load(modules, POLICY)
    policy = module.Overflow()
    first = check_same(system(policy), Key.of(1), 200)
    before = compiled_loop(policy)
    module.LIMIT = 3  # as it was
    assert compiled_loop(policy) is before
    exec("def pressed(queue, waiting):\n    return waiting[queue] >= 1\n", module.__dict__)
    second = check_same(system(policy), Key.of(1), 200)
    assert first != second
