"""A policy of the user's own runs on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_sim import policies
from cluster_sim.compiled.assembly import compiled_loop
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.randomness import Key
from cluster_sim.testing import small_systems
from compiled.both import check_same
from compiled.users import POLICY, WEIGH_ONLY, load, mine, system


def test_a_users_policy_runs_on_both_engines(modules: Path) -> None:
    """About twenty lines with a helper and a constant, named module:Class, run the same on both."""
    module = load(modules, POLICY)
    policy = policies.get(f"{module.__name__}:Overflow", patience=1)
    for used in small_systems(policy):
        check_same(used, Key.of(1), 200, warmup=20)
    assert choose_engine("auto", system(policy)).name == "compiled"


def test_a_users_weights_run_on_both_engines(modules: Path) -> None:
    """A policy that weighs servers in its own way, with a helper, looks at all servers on both."""
    body, around = "return squared(lengths[server])", "def squared(n):\n    return n * n\n"
    policy = mine(modules, body, around, WEIGH_ONLY)
    for used in small_systems(policy):
        check_same(used, Key.of(1), 200, warmup=20)


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
        "def nth(queues, k=0, n=2):\n    return queues[(k + n) % len(queues)]\n",
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
        "return replicas[TABLE[int(tie * 3)] * PAIR[1] % len(replicas)] if Way.OUT == 1 else 0",
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
