"""The registry of replication schemes, their parameters, and their parts by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim.errors import PolicyError, ScenarioError, UnknownNameError
from cluster_sim.policies import replication
from cluster_sim.policies.replication import Dare, Scarlett
from cluster_sim.policies.replication.dare import ElephantTrap, LeastRecentlyUsed
from cluster_sim.policies.replication.scarlett import extra_replicas


class NoScheme:
    """Not derived from ReplicationScheme."""


@pytest.mark.parametrize("name", replication.names())
def test_every_scheme_is_found_by_its_name(name: str) -> None:
    """And is made of its defaults."""
    assert replication.find(name).name == replication.get(name).name == name
    assert replication.check_parameters(name, {}) == []


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("dar", UnknownNameError, "Did you mean 'dare'"),
        ("nowhere:Scheme", UnknownNameError, "no module 'nowhere'"),
        (f"{__name__}:NoScheme", PolicyError, "must be a class derived from"),
        (
            "cluster_sim.policies.replication:ReplicationScheme",
            PolicyError,
            "define begin",
        ),
    ],
)
def test_what_is_no_scheme_is_refused(name: str, error: type[Exception], words: str) -> None:
    """With what is known, or what is missing; the check of a scenario says the same."""
    with pytest.raises(error, match=words):
        replication.find(name)
    ((key, message),) = replication.check_parameters(name, {})
    assert key == "scheme"
    assert message


@pytest.mark.parametrize(
    ("scheme", "fields", "words"),
    [
        (Dare, {"probability": 1.5}, "probability = 1.5: must be from 0 to 1"),
        (Dare, {"budget": -1}, "budget = -1: must be at least 0"),
        (Dare, {"eviction": "fifo"}, 'must be "elephant-trap" or "lru"'),
        (Dare, {"threshold": 0}, "threshold = 0: must be a whole number, at least 1"),
        (Scarlett, {"epoch": 0}, "epoch = 0: must be a whole number, at least 1"),
        (Scarlett, {"window": 1.5}, "window = 1.5: must be a whole number"),
        (Scarlett, {"delta": -1}, "delta = -1: must be a whole number, at least 0"),
        (Scarlett, {"budget": "much"}, "budget = 'much': must be at least 0"),
        (Scarlett, {"distribution": "fair"}, 'must be "round-robin" or "priority"'),
    ],
)
def test_a_parameter_out_of_range_is_refused(
    scheme: type[Dare | Scarlett], fields: dict[str, Any], words: str
) -> None:
    """By the scheme itself, and by the check of a scenario."""
    with pytest.raises(ScenarioError, match=words):
        scheme(**fields)
    ((key, message),) = replication.check_parameters(scheme.name, fields)
    assert key in fields
    assert "must be" in message


def test_a_parameter_that_a_scheme_has_not_is_refused() -> None:
    """With the nearest that it has."""
    with pytest.raises(UnknownNameError, match="Did you mean 'budget'"):
        replication.get("dare", budgett=1)
    assert replication.check_parameters("dare", {"budgett": 1})[0][0] == "budgett"
    ((_, message),) = replication.check_parameters("static", {"budget": 1})
    assert "It has none" in message


@given(
    demand=st.dictionaries(st.integers(0, 9), st.integers(1, 12)),
    delta=st.integers(0, 3),
    budget=st.integers(0, 40),
    distribution=st.sampled_from(["priority", "round-robin"]),
)
def test_what_scarlett_gives_is_wanted_and_paid_for(
    demand: dict[int, int], delta: int, budget: int, distribution: str
) -> None:
    """Never more than wanted or than the budget; all of one of the two is used."""
    base = dict.fromkeys(range(10), 3)
    given_ = extra_replicas(
        demand, base, delta=delta, budget=budget, distribution=distribution, most=8
    )
    wanted = {c: max(min(max(3, n + delta), 8) - 3, 0) for c, n in demand.items()}
    assert all(0 < extra <= wanted[chunk] for chunk, extra in given_.items())
    assert sum(given_.values()) == min(budget, sum(wanted.values()))
    short = [chunk for chunk in demand if given_.get(chunk, 0) < wanted[chunk]]
    for chunk in short:
        for other, n in demand.items():
            if distribution == "round-robin":  # nobody has two more than one who wants more
                assert given_.get(other, 0) <= given_.get(chunk, 0) + 1
            elif n < demand[chunk]:  # nothing for the less popular
                assert given_.get(other, 0) == 0


@given(st.lists(st.tuples(st.sampled_from(["add", "touch", "evict"]), st.integers(0, 5))))
def test_the_trap_and_the_list_hold_what_was_put_in(steps: list[tuple[str, int]]) -> None:
    """Adding, reading and evicting in any order; the list evicts the chunk read longest ago."""
    trap, lru, inside = ElephantTrap(1), LeastRecentlyUsed(), dict[int, None]()
    held: set[int] = set()
    for what, chunk in steps:
        if what == "add" and chunk not in inside:
            lru.add(chunk)
            inside[chunk] = None
        if what == "add" and chunk not in held:
            trap.add(chunk)
            held.add(chunk)
        if what == "touch":
            trap.touch(chunk)
            lru.touch(chunk)
            if chunk in inside:
                del inside[chunk]
                inside[chunk] = None
        if what == "evict" and inside:
            assert lru.victim() == next(iter(inside))
            del inside[lru.victim()]
            lru.remove(lru.victim())
        if what == "evict" and held:
            victim = trap.victim()
            trap.remove(victim)
            held.remove(victim)
        assert (len(trap), len(lru)) == (len(held), len(inside))


def test_the_trap_spares_what_is_read_often() -> None:
    """A chunk read eight times outlives three turns of the hand, each of which halves its count."""
    trap = ElephantTrap(1)
    trap.add(0)
    for _ in range(8):
        trap.touch(0)
    evicted = []
    for chunk in range(1, 7):
        trap.add(chunk)
        victim = trap.victim()
        trap.remove(victim)
        evicted.append(victim)
    assert evicted.index(0) == 4  # 8, 4, 2, 1, 0
