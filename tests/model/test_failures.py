"""Breakdowns by chance have the availability of the formula; planned ones are as planned."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.model.failures import Failures, Outage, Outages
from cluster_sim.model.topology import Topology
from cluster_sim.randomness import Key

RACKS = Topology.tree(6, {"rack": 3})


def down_by_slot(outages: Outages, n_servers: int, n_slots: int) -> list[set[int]]:
    """Who is down in each slot, from the changes."""
    down: set[int] = set()
    seen = []
    for slot in range(n_slots):
        change = outages.step(slot)
        if change is not None:
            assert down.isdisjoint(change.went_down)
            assert down.issuperset(change.came_up)
            down = (down | set(change.went_down)) - set(change.came_up)
        seen.append(set(down))
    return seen


def sigma(up: float, down: float, n: int) -> float:
    """Standard deviation of the mean of a two-state chain over n slots."""
    p, memory = up / (up + down), 1 - 1 / up - 1 / down
    return math.sqrt(p * (1 - p) * (1 + memory) / (1 - memory) / n)


@pytest.mark.parametrize(("up", "down"), [(50.0, 10.0), (8.0, 2.0), (3.0, 1.0)])
def test_a_server_is_up_a_fraction_up_over_up_plus_down(up: float, down: float) -> None:
    """Alternating geometric times are a two-state chain; its mean and its variance are known."""
    n_slots, n_servers = 4000, 20
    outages = Outages(Failures(up, down), Topology.tree(n_servers), Key.of(5))
    n_down = sum(map(len, down_by_slot(outages, n_servers, n_slots)[200:]))
    n = n_servers * (n_slots - 200)
    assert 1 - n_down / n == pytest.approx(up / (up + down), abs=4 * sigma(up, down, n))


def test_servers_behind_switches_are_up_by_the_product() -> None:
    """A server is reached if it is up and its switch works, which are independent."""
    failures = Failures(20, 5, 30, 10)
    outages = Outages(failures, Topology.tree(40, {"rack": 20}), Key.of(6))
    n_down = sum(map(len, down_by_slot(outages, 40, 4000)[200:]))
    error = 4 * (sigma(20, 5, 40 * 3800) + sigma(30, 10, 20 * 3800))
    assert 1 - n_down / (40 * 3800) == pytest.approx(20 / 25 * 30 / 40, abs=error)


def test_planned_breakdowns_are_as_planned() -> None:
    """Overlapping ones add up: a server is back when the last is over."""
    events = (Outage(2, 3, server=1), Outage(4, 3, server=1), Outage(4, 1, rack=0))
    down = down_by_slot(Outages(Failures(events=events), RACKS, Key.of(0)), 6, 9)
    assert down == [set(), set(), {1}, {1}, {0, 1}, {1}, {1}, set(), set()]


def test_what_breaks_is_told_from_what_cannot_be_reached() -> None:
    """A server that breaks behind a failed switch is told, though it was out of reach already."""
    events = (Outage(1, 5, rack=1), Outage(2, 1, server=3))
    outages = Outages(Failures(events=events), RACKS, Key.of(0))
    changes = [outages.step(slot) for slot in range(7)]
    assert changes[1] == ([2, 3], [], [], 1)
    assert changes[2] == ([], [], [3], 0)
    assert outages.is_broken(3) is False
    assert changes[3] == ([], [], [], 0)
    assert changes[6] == ([], [2, 3], [], 0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"server_mean_up": 5}, "server_mean_up and server_mean_down: give both"),
        ({"rack_mean_down": 5}, "rack_mean_up and rack_mean_down: give both"),
        ({"server_mean_up": 0.5, "server_mean_down": 2}, "server_mean_up = 0.5: must be a number"),
        ({"rereplication": -1.0}, "rereplication = -1.0: must be at least 0"),
    ],
)
def test_failures_refuse_what_cannot_be(fields: dict[str, Any], words: str) -> None:
    """A mean below one slot, half a pair, a negative rate."""
    with pytest.raises(ScenarioError, match=words):
        Failures(**fields)


def test_an_outage_is_of_one_thing_for_some_time() -> None:
    """Both or none of server and rack, or no time, are refused; so is what does not exist."""
    with pytest.raises(ScenarioError, match="of a server or of a rack: give one of the two"):
        Outage(1, 1)
    with pytest.raises(ScenarioError, match="slot must be at least 0, down at least 1"):
        Outage(1, 0, server=0)
    with pytest.raises(ScenarioError, match="there are servers 0 to 5"):
        Outages(Failures(events=(Outage(1, 1, server=6),)), RACKS, Key.of(0))
    with pytest.raises(ScenarioError, match="there are racks 0 to 2"):
        Outages(Failures(events=(Outage(1, 1, rack=3),)), RACKS, Key.of(0))
