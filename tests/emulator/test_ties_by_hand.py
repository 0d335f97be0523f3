"""Ties go where the reading `tie_break` sends them, by hand: at random, near first, by index."""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.policies import get
from tests.emulator.cast import (
    LAST,
    LOCAL,
    REMOTE,
    Event,
    ScriptedDraws,
    play,
    three_servers,
    two_servers,
)

TWO_SLOTS = 0.6  # luck: two slots at rate 1/2
ALMOST_ONE = 1.0 - 2.0**-53

RACKS = Cluster.of(Topology.tree(3, {"rack": 2}), {"local": 1.0, "rack_local": 0.5, "remote": 0.25})
"""Servers 0 and 1 share a rack, server 2 has its own; tiers 0, 1 and 2."""


@pytest.mark.parametrize(
    ("tie_break", "tie", "queue"),
    [
        ("random", 0.0, 0),
        ("random", 0.5, 1),
        ("random", ALMOST_ONE, 2),
        ("local", 0.0, 0),  # local queues are all of one kind: uniformly among them
        ("local", 0.5, 1),
        ("local", ALMOST_ONE, 2),
        ("index", 0.0, 0),
        ("index", ALMOST_ONE, 0),
    ],
)
@pytest.mark.parametrize("name", ["priority", "maxweight", "jsq-local"])
def test_equally_short_local_queues(name: str, tie_break: str, tie: float, queue: int) -> None:
    """A task of three servers with empty queues joins the one that the reading and its tie pick."""
    events = play(
        three_servers(),
        get(name),
        {0: [[0, 1, 2]]},
        n_slots=1,
        draws=ScriptedDraws(route_tie={0: tie}),
        dispatch_order="locals-first",
        tie_break=tie_break,
    )
    assert events == [
        (0, "arrival", 0, None, queue, None),
        (0, "start", 0, queue, queue, LOCAL),
    ]


@pytest.mark.parametrize(
    ("tie_break", "queue"),
    [
        ("random", 2),  # the last of three: queues 0, 1 and the common one
        ("local", 1),  # the last of the two local ones
        ("index", 0),
    ],
)
def test_local_and_common_queue_equally_short(tie_break: str, queue: int) -> None:
    """With one and the same tie, the three values send the task to three different queues."""
    seen = play(
        two_servers(),
        get("jsq-maxweight"),
        {0: [[0, 1]]},
        n_slots=1,
        draws=ScriptedDraws(route_tie={0: ALMOST_ONE}),
        dispatch_order="index",
        tie_break=tie_break,
    )
    server = {0: 0, 1: 1, 2: 0}[queue]  # the common queue's task goes to server 0, who asks first
    assert seen == [(0, "arrival", 0, None, queue, None), (0, "start", 0, server, queue, LOCAL)]


@pytest.mark.parametrize(
    ("tie_break", "tie", "takes_common"),
    [("random", 0.4, False), ("random", 0.7, True), ("local", 0.7, False), ("index", 0.7, False)],
)
def test_local_and_common_queue_of_equal_weight(
    tie_break: str, tie: float, takes_common: bool
) -> None:
    """In slot 1 queue 0 (length 1) and the common queue (length 2) weigh the same."""
    common = 2
    slot_0: list[Event] = [
        # As in the cast of JSQ-MaxWeight's own test: the local queue wins the ties of routing
        # (tie 0 is the first queue), then lengths are 2, 0, 2.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, common, None),
        (0, "arrival", 2, None, 0, None),
        (0, "arrival", 3, None, common, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, common, REMOTE),
        (1, "completion", 0, 0, 0, LOCAL),
    ]
    own: Event = (1, "start", 2, 0, 0, LOCAL)
    other: Event = (1, "start", 3, 0, common, LOCAL)
    events = play(
        two_servers(),
        get("jsq-maxweight"),
        {0: [[0]] * 4},
        n_slots=2,
        draws=ScriptedDraws(luck={1: TWO_SLOTS}, tie={(1, 0): tie}),
        tie_break=tie_break,
    )
    assert events == [*slot_0, other if takes_common else own]


@pytest.mark.parametrize("name", ["priority", "maxweight"])
def test_equally_long_queues(name: str) -> None:
    """Server 2 finds queues 0 and 1 equally long; queue 1 is in its rack, queue 0 the lower."""
    # Servers 1 and 2 share a rack; beta = gamma, so that MaxWeight, too, sees a tie.
    ancestors = np.array([[0, 1, 2], [0, 1, 1], [0, 0, 0]])
    topology = Topology(ancestors, ("server", "rack", "core"))
    cluster = Cluster.of(topology, {"local": 1.0, "rack_local": 0.5, "remote": 0.5})
    policy = get("priority", threshold=0) if name == "priority" else get("maxweight")

    def taken(tie_break: str, among: float) -> Event:
        # One task each in queues 0 and 1; the words let server 2 ask first.
        events = play(
            cluster,
            policy,
            {0: [[0], [1]]},
            n_slots=1,
            draws=ScriptedDraws(order={0: [LAST]}, among={(0, 2): among}),
            tie_break=tie_break,
        )
        return events[2]

    from_0: Event = (0, "start", 0, 2, 0, 2)
    from_1: Event = (0, "start", 1, 2, 1, 1)
    for among in (0.1, 0.9):
        assert taken("index", among) == from_0
        assert taken("local", among) == from_1
    # Each of the two for one half of the ties, in an order that is the index's own matter.
    assert {taken("random", 0.1), taken("random", 0.9)} == {from_0, from_1}
    assert {taken("random", 0.49), taken("random", 0.51)} == {from_0, from_1}
    assert taken("random", 0.1) == taken("random", 0.49)


def test_equal_weights_at_three_tiers() -> None:
    """Server 0 weighs 4 * 1 of its own, 2 * 2 in its rack and 1 * 4 elsewhere: all the same."""

    def taken(tie_break: str, tie: float) -> Event:
        events = play(
            RACKS,
            get("maxweight"),
            {0: [[0], [1], [1], [2], [2], [2], [2]]},
            n_slots=1,
            draws=ScriptedDraws(tie={(0, 0): tie}),
            dispatch_order="index",
            tie_break=tie_break,
        )
        return events[7]

    # Server 0 starts the head of queue 0, 1 or 2: task 0, 1 or 3; queue q is at tier q.
    own, rack, elsewhere = (
        (0, "start", head, 0, queue, queue) for queue, head in enumerate((0, 1, 3))
    )
    for tie in (0.2, 0.5, 0.8):
        assert taken("local", tie) == own
        assert taken("index", tie) == own
    # A third of the ties for each, in an order that is the policy's own matter.
    assert {taken("random", tie) for tie in (0.2, 0.5, 0.8)} == {own, rack, elsewhere}
    assert taken("random", 0.01) == taken("random", 0.32)
    assert taken("random", 0.35) == taken("random", 0.65)
    assert taken("random", 0.68) == taken("random", 0.99)
