"""The readings of dispatch, by hand: each value gives the trajectory that it says.

Each test plays one cast under the values of one reading, `dispatch_order` or `service_tier`.
Services take one slot unless the script gives luck 0.6, which at rate 1/2 is two slots.
"""

from __future__ import annotations

import pytest

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.policies import get
from tests.emulator.cast import (
    FIRST,
    LAST,
    LOCAL,
    REMOTE,
    Event,
    ScriptedDraws,
    play,
    three_servers,
    two_servers,
)

TWO_SLOTS = 0.6

# --- dispatch_order -----------------------------------------------------------------------------


ARRIVALS: list[Event] = [
    (0, "arrival", 0, None, 2, None),
    (0, "arrival", 1, None, 2, None),
    (0, "arrival", 2, None, 1, None),
]
DISPATCH_ORDER: dict[str, tuple[str, list[int], list[Event]]] = {
    "by index": (
        "index",
        [LAST, LAST],  # not asked
        [
            # Server 0 has no task of its own and takes the head of the longest queue, queue 2.
            *ARRIVALS,
            (0, "start", 0, 0, 2, REMOTE),
            (0, "start", 2, 1, 1, LOCAL),
            (0, "start", 1, 2, 2, LOCAL),
        ],
    ),
    "random, first words": (
        "random",
        [FIRST, FIRST],
        [
            # Words of 0 leave the servers in order: as by index.
            *ARRIVALS,
            (0, "start", 0, 0, 2, REMOTE),
            (0, "start", 2, 1, 1, LOCAL),
            (0, "start", 1, 2, 2, LOCAL),
        ],
    ),
    "random, last words": (
        "random",
        [LAST, LAST],
        [
            # The first word swaps the last to the front: 2, 1, 0; the second does so with the
            # rest: 2, 0, 1. So server 0 asks before server 1: queue 2 has one waiting and one in
            # service, length 2, queue 1 has length 1: task 1.
            *ARRIVALS,
            (0, "start", 0, 2, 2, LOCAL),
            (0, "start", 1, 0, 2, REMOTE),
            (0, "start", 2, 1, 1, LOCAL),
        ],
    ),
    "locals first, first words": (
        "locals-first",
        [FIRST, FIRST],
        [
            # Order 0, 1, 2; server 0 has no task of its own and comes after those that have.
            *ARRIVALS,
            (0, "start", 2, 1, 1, LOCAL),
            (0, "start", 0, 2, 2, LOCAL),
            (0, "start", 1, 0, 2, REMOTE),
        ],
    ),
    "locals first, last words": (
        "locals-first",
        [LAST, LAST],
        [
            # Order 2, 0, 1; server 0 comes last.
            *ARRIVALS,
            (0, "start", 0, 2, 2, LOCAL),
            (0, "start", 2, 1, 1, LOCAL),
            (0, "start", 1, 0, 2, REMOTE),
        ],
    ),
}


@pytest.mark.parametrize("case", DISPATCH_ORDER)
def test_idle_servers_ask_in_the_order_of_the_reading(case: str) -> None:
    """Who asks first decides who takes a remote task (here from any queue: threshold 0)."""
    dispatch_order, words, expected = DISPATCH_ORDER[case]
    events = play(
        three_servers(),
        get("priority", threshold=0),
        {0: [[2], [2], [1]]},
        n_slots=1,
        draws=ScriptedDraws(order={0: words}),
        dispatch_order=dispatch_order,
    )
    assert events == expected


def test_locals_first_keeps_a_server_from_another_ones_last_task() -> None:
    """By index server 0 takes the only task of server 1, which idles; locals first it does not."""
    cast = (two_servers(), get("priority", threshold=0), {0: [[1]]})
    arrival: Event = (0, "arrival", 0, None, 1, None)
    by_index = play(*cast, n_slots=1, dispatch_order="index")
    locals_first = play(*cast, n_slots=1, dispatch_order="locals-first")
    assert by_index == [arrival, (0, "start", 0, 0, 1, REMOTE)]
    assert locals_first == [arrival, (0, "start", 0, 1, 1, LOCAL)]


@pytest.mark.parametrize(
    ("words", "helpers"),
    [
        ([FIRST, FIRST], (0, 1)),  # the order 0, 1, 2
        ([2**31, FIRST], (1, 0)),  # the middle one first: 1, 0, 2
    ],
)
def test_locals_first_leaves_the_others_in_the_order_drawn(
    words: list[int], helpers: tuple[int, int]
) -> None:
    """Of two servers without tasks of their own, the order drawn says who helps first."""
    first, second = helpers
    draws = ScriptedDraws(order={0: words})
    events = play(
        three_servers(),
        get("priority", threshold=0),
        {0: [[2], [2], [2]]},
        n_slots=1,
        draws=draws,
        dispatch_order="locals-first",
    )
    assert events[3:] == [
        (0, "start", 0, 2, 2, LOCAL),
        (0, "start", 1, first, 2, REMOTE),
        (0, "start", 2, second, 2, REMOTE),
    ]


def test_the_order_is_drawn_anew_for_each_slot() -> None:
    """Slot 0 asks in the order 1, 0, slot 1 in the order 0, 1: the one global queue shows it."""
    expected: list[Event] = [
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "start", 0, 1, 0, LOCAL),
        (0, "start", 1, 0, 0, LOCAL),
        # Completions come in the order of starts.
        (1, "completion", 0, 1, 0, LOCAL),
        (1, "completion", 1, 0, 0, LOCAL),
        (1, "arrival", 2, None, 0, None),
        (1, "start", 2, 0, 0, LOCAL),
    ]
    events = play(
        two_servers(),
        get("fifo"),
        {0: [[0, 1], [0, 1]], 1: [[0, 1]]},
        n_slots=2,
        draws=ScriptedDraws(order={0: [LAST]}),
    )
    assert events == expected


# --- service_tier -------------------------------------------------------------------------------


SERVICE_TIER: dict[str, list[Event]] = {
    "replica": [
        # Task 1 waits in queue 0, but server 1 holds its chunk: local, one slot.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, 0, LOCAL),
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "completion", 1, 1, 0, LOCAL),
    ],
    "queue": [
        # Task 1 comes from another server's queue: remote, two slots.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, 0, REMOTE),
        (1, "completion", 0, 0, 0, LOCAL),
        (2, "completion", 1, 1, 0, REMOTE),
    ],
}


@pytest.mark.parametrize("service_tier", SERVICE_TIER)
def test_a_task_is_served_by_where_its_chunk_is_or_by_its_queue(service_tier: str) -> None:
    """Both tasks join queue 0, as they see the slot's start; server 1 holds the second's chunk."""
    events = play(
        two_servers(),
        get("priority", threshold=0),
        {0: [[0], [0, 1]]},
        n_slots=3,
        draws=ScriptedDraws(luck={1: TWO_SLOTS}),
        dispatch_order="index",
        tie_break="index",
        routing_view="slot-start",
        service_tier=service_tier,
    )
    assert events == SERVICE_TIER[service_tier]


@pytest.mark.parametrize(
    ("service_tier", "tiers"), [("replica", [LOCAL, REMOTE]), ("queue", [REMOTE, REMOTE])]
)
def test_a_queue_of_nobody_is_remote_to_all(service_tier: str, tiers: list[int]) -> None:
    """From the global queue a task is local where its chunk is, or nowhere."""
    events = play(
        two_servers(),
        get("fifo"),
        {0: [[0], [0]]},
        n_slots=1,
        dispatch_order="index",
        service_tier=service_tier,
    )
    assert events == [
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "start", 0, 0, 0, tiers[0]),
        (0, "start", 1, 1, 0, tiers[1]),
    ]


@pytest.mark.parametrize(("service_tier", "tier"), [("replica", LOCAL), ("queue", REMOTE)])
def test_a_common_task_that_meets_its_chunk(service_tier: str, tier: int) -> None:
    """JSQ-MaxWeight's common queue is nobody's: its task is local only by the reading `replica`."""
    common = 2
    # Task 0 joins the common queue (tie 0.9 of three shortest: the third), and server 0 takes it.
    events = play(
        two_servers(),
        get("jsq-maxweight"),
        {0: [[0, 1]]},
        n_slots=1,
        draws=ScriptedDraws(route_tie={0: 0.9}),
        dispatch_order="index",
        service_tier=service_tier,
    )
    assert events == [(0, "arrival", 0, None, common, None), (0, "start", 0, 0, common, tier)]


RACKS = Cluster.of(Topology.tree(3, {"rack": 2}), {"local": 1.0, "rack_local": 0.5, "remote": 0.25})
"""Servers 0 and 1 share a rack, server 2 has its own; tiers 0, 1 and 2."""


@pytest.mark.parametrize("service_tier", ["replica", "queue"])
def test_tiers_between_follow_the_rack(service_tier: str) -> None:
    """Where queue and replica are in one place, both readings see the same tiers."""
    # One task each in queues 0 and 2. The words make the order 1, 0, 2: 2**31 is the middle of
    # three. Queues 0 and 2 tie for server 1, by index it takes from queue 0: in its rack. Then
    # server 0 has nothing waiting of its own and takes from queue 2: elsewhere.
    events = play(
        RACKS,
        get("priority", threshold=0),
        {0: [[0], [2]]},
        n_slots=1,
        draws=ScriptedDraws(order={0: [2**31, FIRST]}),
        tie_break="index",
        service_tier=service_tier,
    )
    assert events == [
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 2, None),
        (0, "start", 0, 1, 0, 1),
        (0, "start", 1, 0, 2, 2),
    ]


@pytest.mark.parametrize(("service_tier", "tier"), [("replica", 1), ("queue", 2)])
def test_a_replica_in_the_rack_counts_only_by_replica(service_tier: str, tier: int) -> None:
    """A far queue's task with another replica in the server's rack is rack-local or remote."""
    events = play(
        RACKS,
        get("priority", threshold=0),
        {0: [[1], [1, 2], [2]]},
        n_slots=1,
        dispatch_order="index",
        service_tier=service_tier,
    )
    assert events == [
        # Task 1 sees task 0 in queue 1 and joins queue 2, which task 2 makes the longest.
        (0, "arrival", 0, None, 1, None),
        (0, "arrival", 1, None, 2, None),
        (0, "arrival", 2, None, 2, None),
        # Server 0 takes the head of queue 2, task 1, with a replica on server 1 beside it.
        (0, "start", 1, 0, 2, tier),
        (0, "start", 0, 1, 1, 0),
        (0, "start", 2, 2, 2, 0),
    ]
