"""An engine that misreads, or does other than was decided, is noticed between engine and policy."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate
from cluster_sim.model.readings import Reading
from cluster_sim.policies import NO_QUEUE, QueuePolicy
from cluster_sim.randomness import Key
from cluster_sim.system import System
from cluster_sim.testing import Law, LawViolation, Witness, small_systems

N_SLOTS = 60


def overloaded(policy: QueuePolicy, reading: Reading) -> System:
    """Six servers in three racks, two of them far overloaded."""
    return list(small_systems(policy, reading))[2]


def run(true: System, performed: System, policy: QueuePolicy | None = None) -> None:
    """Run one system, and witness it as if it were another."""
    witness = Witness(true)
    decided_by = dataclasses.replace(performed, policy=policy or witness.policy)
    simulate(decided_by, Key.of(1), slots=N_SLOTS, observers=[witness])


MISREADINGS: dict[str, tuple[str, dict[str, str], dict[str, str], str]] = {
    "lengths without service": (
        "priority",
        {},
        {"queue_length": "waiting"},
        r"was shown lengths \[.*\], they are \[.*\]; reading queue_length = in-system",
    ),
    "old lengths": (
        "jsq-local",
        {},
        {"routing_view": "slot-start"},
        r"route was shown lengths",
    ),
    "new lengths": (
        "jsq-local",
        {"routing_view": "slot-start"},
        {},
        r"route was shown lengths .* routing_view = slot-start",
    ),
    "another order": (
        "maxweight",
        {"dispatch_order": "index"},
        {},
        r"server \d asked after \[[\d, ]+\], not by index",
    ),
    "locals not first": (
        "maxweight",
        {"dispatch_order": "locals-first"},
        {},
        r"server \d has work of its own, and asked after \[[\d, ]+\], not all of whom had",
    ),
    "other ties": (
        "jsq-local",
        {"tie_break": "index"},
        {"tie_break": "local"},
        r"route was shown tie_break 1, it is 2",
    ),
}


@pytest.mark.parametrize("case", MISREADINGS)
def test_a_misreading_is_caught(case: str) -> None:
    """A run under one reading that is taken for a run under another is refused."""
    name, true, performed, message = MISREADINGS[case]
    policy = policies.get(name)
    right, wrong = (overloaded(policy, Reading(**values)) for values in (true, performed))  # type: ignore[arg-type]
    run(right, right)
    with pytest.raises(LawViolation, match=message) as caught:
        run(right, wrong)
    assert caught.value.law in {Law.READINGS, Law.CONSERVATION}


def decides(policy: QueuePolicy, **methods: Any) -> QueuePolicy:
    """Return a policy with some methods replaced."""
    twin: QueuePolicy = type("Twin", (type(policy),), methods)(**vars(policy))
    return twin


@pytest.mark.parametrize(
    ("method", "answer", "message"),
    [
        ("constants", (7.0,), r"route was shown constants \(7\.0,\), it is \(0\.0,\)"),
        (
            "longest_above",
            4.0,
            r"was shown queue -?\d of \d as the longest within tier \d; it is one of \[",
        ),
    ],
)
def test_wrong_numbers_are_caught(method: str, answer: Any, message: str) -> None:
    """Constants and candidates that are not those of the policy are refused."""
    right = overloaded(policies.get("priority"), Reading())
    witness = Witness(right)
    object.__setattr__(witness.policy, method, lambda rates: answer)
    system = dataclasses.replace(right, policy=witness.policy)
    with pytest.raises(LawViolation, match=message) as caught:
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[witness])
    assert caught.value.law is Law.READINGS


@pytest.mark.parametrize("tie_break", ["index", "local"])
def test_ties_among_the_longest_are_checked(tie_break: str) -> None:
    """A tie that is broken otherwise than by the reading is refused, though as long a queue."""
    reading = Reading(tie_break=tie_break, dispatch_order="index")  # type: ignore[arg-type]
    right = overloaded(policies.get("maxweight"), reading)
    witness = Witness(right)
    serve = witness.policy.serve
    n_changed = 0

    def last_of_the_tied(
        server: int, lengths: Any, waiting: Any, longest: Any, n_longest: Any, *others: Any
    ) -> int:
        nonlocal n_changed
        top = longest[-1]
        if n_longest[-1] > 1 and top != NO_QUEUE:
            last = max(q for q in range(len(lengths)) if waiting[q] and lengths[q] == lengths[top])
            n_changed += last != top
            longest = [*longest[:-1], last]
        return serve(server, lengths, waiting, longest, n_longest, *others)

    object.__setattr__(witness.policy, "serve", last_of_the_tied)
    system = dataclasses.replace(right, policy=witness.policy)
    with pytest.raises(LawViolation, match="as the longest within tier 2; it is one of"):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[witness])
    assert n_changed == 1


@pytest.mark.parametrize(
    ("method", "answer", "message"),
    [
        ("weights", 7.0, r"route was shown weights \[7\.0, .*, they are \["),
        ("least", -1, r"a task on servers \[.*\] was shown server \d as the least within tier 0"),
    ],
)
def test_wrong_weights_are_caught(method: str, answer: float, message: str) -> None:
    """Weights that are not those of the queues, and a least that is not, are refused."""
    right = overloaded(policies.get("balanced-pandas"), Reading())
    witness = Witness(right)
    route = witness.policy.route

    def misled(
        replicas: Any, lengths: Any, waiting: Any, least: Any, weights: Any, *others: Any
    ) -> int:
        if method == "weights":
            weights = [answer, *weights[1:]]
        else:
            least = [next(m for m in range(6) if m not in replicas), *least[1:]]
        return route(replicas, lengths, waiting, least, weights, *others)

    object.__setattr__(witness.policy, "route", misled)
    system = dataclasses.replace(right, policy=witness.policy)
    with pytest.raises(LawViolation, match=message) as caught:
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[witness])
    assert caught.value.law is Law.READINGS


def test_old_weights_are_caught() -> None:
    """Weights of the slot's start are refused under live routing."""
    policy = policies.get("jfsq")
    right = overloaded(policy, Reading())
    wrong = overloaded(policy, Reading(routing_view="slot-start"))  # type: ignore[arg-type]
    with pytest.raises(LawViolation, match="route was shown lengths"):
        run(right, wrong)


def test_a_start_that_nobody_decided_is_caught() -> None:
    """A run that does not ask the policy is refused at its first arrival."""
    right = overloaded(policies.get("priority"), Reading())
    with pytest.raises(LawViolation, match="it was routed to queue None; task 0 ") as caught:
        run(right, right, policy=right.policy)
    assert caught.value.law is Law.DECISION_PERFORMED


def test_a_server_that_starts_unasked_is_caught() -> None:
    """An engine that trusts a promise which the policy does not make starts without asking."""
    right = overloaded(policies.get("jsq-local"), Reading())
    witness = Witness(right)
    object.__setattr__(witness.policy, "takes_own_first", True)
    system = dataclasses.replace(right, policy=witness.policy)
    with pytest.raises(LawViolation, match=r"the last decision .* to be performed was None"):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[witness])


def test_a_decision_that_is_not_performed_is_caught() -> None:
    """A server that was told to serve and stays idle is noticed when the next one asks."""
    right = overloaded(policies.get("maxweight"), Reading())
    witness = Witness(right)
    serve = witness.policy.serve

    def dropped(*arguments: Any) -> int:
        serve(*arguments)
        return NO_QUEUE

    object.__setattr__(witness.policy, "serve", dropped)
    system = dataclasses.replace(right, policy=witness.policy)
    with pytest.raises(
        LawViolation, match=r"slot \d+: server \d was told to serve queue \d, and did not start"
    ):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[witness])


def test_a_server_that_is_passed_over_is_caught() -> None:
    """While tasks wait, every idle server is to be asked."""
    right = overloaded(policies.get("maxweight"), Reading())
    witness = Witness(right)
    serve = witness.policy.serve

    def unasked(server: int, *arguments: Any) -> int:
        return NO_QUEUE if server == 3 else serve(server, *arguments)

    object.__setattr__(witness.policy, "serve", unasked)
    system = dataclasses.replace(right, policy=witness.policy)
    with pytest.raises(LawViolation, match=r"idle servers \[3\] were not asked while tasks"):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[witness])


def test_a_server_asks_once() -> None:
    """A server that asks a second time in one slot is refused."""
    right = overloaded(policies.get("fifo"), Reading())
    witness = Witness(right)
    serve = witness.policy.serve

    def twice(*arguments: Any) -> int:
        object.__setattr__(witness, "_served", None)
        queue = serve(*arguments)
        object.__setattr__(witness, "_served", None)
        serve(*arguments)
        return queue

    object.__setattr__(witness.policy, "serve", twice)
    system = dataclasses.replace(right, policy=witness.policy)
    with pytest.raises(LawViolation, match=r"server \d asked, being busy or having asked before"):
        simulate(system, Key.of(1), slots=N_SLOTS, observers=[witness])
