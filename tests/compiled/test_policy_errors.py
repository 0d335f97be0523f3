"""What cannot be compiled, or not be done, is told in the user's own terms."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from cluster_sim.compiled.assembly import CompilationError
from cluster_sim.compiled.engine import check_compiles, simulate
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.randomness import Key
from compiled.both import check_same_failure
from compiled.users import ROUTE_ONLY, SERVE_ONLY, WEIGH_ONLY, mine, system

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
        "free = [q for q in replicas if waiting[q] == 0]\nreturn free[0]",
        "",
        "free = [q for q in replicas if waiting[q] == 0]",
        "it makes a list",
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


@pytest.mark.parametrize(
    ("body", "line", "complaint"),
    [
        pytest.param(
            *("shown = [lengths[server]]\nreturn float(shown[0])", "shown = [lengths[server]]"),
            "it makes a list",
            marks=pytest.mark.slow,
        ),
        (
            *("if lengths[server] == 0:\n    return 1.0", "return 1.0"),
            "weigh() must return a number",
        ),
    ],
    ids=["a list", "nothing at all"],
)
def test_the_line_of_a_weight_is_named(body: str, line: str, complaint: str, modules: Path) -> None:
    """What is wrong with weigh() is told like what is wrong with the decisions."""
    check_told(mine(modules, body, template=WEIGH_ONLY), line, complaint)


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
