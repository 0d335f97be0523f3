"""Every built-in policy plays a small cast exactly as its rules and the slot protocol say.

Unless a test says otherwise: local services take one slot, remote ones one slot too unless the
script gives the task luck 0.6, which at rate 1/2 is two slots; idle servers ask in order of index.
A slot is: completions, observation, arrivals, dispatch.
"""

from __future__ import annotations

import numpy as np
import pytest

from cluster_sim.model.cluster import Cluster
from cluster_sim.model.topology import Topology
from cluster_sim.policies import get
from tests.emulator.cast import LOCAL, REMOTE, Event, ScriptedDraws, play, record, two_servers

TWO_SLOTS = 0.6  # luck: 1 + floor(ln 0.4 / ln 0.5) = 1 + floor(1.32) = 2 slots at rate 1/2
FOUR_SLOTS = 0.9  # luck: 1 + floor(ln 0.1 / ln 0.5) = 1 + floor(3.32) = 4 slots at rate 1/2
RACK_LOCAL = 1
ELSEWHERE = 2  # on the cluster of three tiers


def test_priority_helps_beyond_the_threshold_only() -> None:
    """Server 1 takes a remote task only while queue 0 is longer than alpha / gamma = 2."""
    expected: list[Event] = [
        # Slot 0: both tasks have their chunk on server 0, which takes the first. The queue's
        # length, the task in service included, is 2: not above 2, so server 1 stays idle.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        # Slot 1: the length falls to 1 and grows to 3. Server 0 takes its head, task 1; the length
        # stays 3, above 2, and server 1 takes the next, task 2, for two slots.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "arrival", 2, None, 0, None),
        (1, "arrival", 3, None, 0, None),
        (1, "start", 1, 0, 0, LOCAL),
        (1, "start", 2, 1, 0, REMOTE),
        # Slot 2: the length is 2 (task 2 in service, task 3 waiting); server 0 takes its own.
        (2, "completion", 1, 0, 0, LOCAL),
        (2, "start", 3, 0, 0, LOCAL),
        # Slot 3: both end; the one that started first is told first.
        (3, "completion", 2, 1, 0, REMOTE),
        (3, "completion", 3, 0, 0, LOCAL),
    ]
    seen = record(
        two_servers(),
        get("priority"),
        {0: [[0], [0]], 1: [[0], [0]]},
        n_slots=4,
        draws=ScriptedDraws(luck={2: TWO_SLOTS}),
        dispatch_order="index",
    )
    assert seen.events == expected
    assert seen.lengths == [[0, 0], [1, 0], [2, 0], [0, 0]]
    assert seen.waiting == [[0, 0], [1, 0], [1, 0], [0, 0]]


def test_priority_with_an_infinite_threshold_never_helps() -> None:
    """With threshold inf server 1 idles beside a queue of four."""
    expected: list[Event] = [
        # Slot 0: server 0 takes one task a slot; server 1 is never allowed to help.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "arrival", 3, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "start", 1, 0, 0, LOCAL),
        (2, "completion", 1, 0, 0, LOCAL),
        (2, "start", 2, 0, 0, LOCAL),
        (3, "completion", 2, 0, 0, LOCAL),
        (3, "start", 3, 0, 0, LOCAL),
    ]
    arrivals = {0: [[0], [0], [0], [0]]}
    policy = get("priority", threshold=float("inf"))
    for seed in range(3):  # no draw matters
        assert play(two_servers(), policy, arrivals, n_slots=4, draws=seed) == expected


def test_priority_serves_its_own_task_before_a_longer_queue() -> None:
    """A local task goes first, however long the other queue; then server 1 helps again."""
    expected: list[Event] = [
        # Slot 0: queue 0 has three tasks, queue 1 one. Each server takes its own.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "arrival", 3, None, 1, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 3, 1, 1, LOCAL),
        # Slot 1: with two more arrivals queue 0 has length 4 (tasks 1, 2, 4, 5 wait). Server 0
        # takes task 1, server 1 has nothing of its own: 4 > 2, it takes task 2.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "completion", 3, 1, 1, LOCAL),
        (1, "arrival", 4, None, 0, None),
        (1, "arrival", 5, None, 0, None),
        (1, "start", 1, 0, 0, LOCAL),
        (1, "start", 2, 1, 0, REMOTE),
        # Slot 2: both done; the length is 2, so only server 0 goes on.
        (2, "completion", 1, 0, 0, LOCAL),
        (2, "completion", 2, 1, 0, REMOTE),
        (2, "start", 4, 0, 0, LOCAL),
    ]
    arrivals = {0: [[0], [0], [0], [1]], 1: [[0], [0]]}
    assert play(two_servers(), get("priority"), arrivals, n_slots=3, dispatch_order="index") == (
        expected
    )


def test_jsq_maxweight_weighs_its_queue_against_the_common_one() -> None:
    """Arrivals overflow to the common queue; a server takes the larger of 2 Q_m and Q_common."""
    common = 2
    expected: list[Event] = [
        # Slot 0: all chunks are on server 0. The lengths of queues 0, 1 and common go
        # 000 -> 100 (tie: the local queue) -> 101 (the common one is shorter) -> 201 (tie) -> 202.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, common, None),
        (0, "arrival", 2, None, 0, None),
        (0, "arrival", 3, None, common, None),
        # Server 0: 2 * 2 > 1 * 2, its own. Server 1 has none of its own: the common queue's head.
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, common, REMOTE),
        # Slot 1: lengths 1, 0, 2 (task 1 is in service until slot 2): 2 * 1 = 1 * 2, a tie, which
        # goes to the own queue by index.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "start", 2, 0, 0, LOCAL),
        # Slot 2: lengths 0, 0, 1. Server 0 has none of its own and takes the common task, whose
        # chunk it holds.
        (2, "completion", 1, 1, common, REMOTE),
        (2, "completion", 2, 0, 0, LOCAL),
        (2, "start", 3, 0, common, LOCAL),
        (3, "completion", 3, 0, common, LOCAL),
    ]
    seen = record(
        two_servers(),
        get("jsq-maxweight"),
        {0: [[0], [0], [0], [0]]},
        n_slots=4,
        draws=ScriptedDraws(luck={1: TWO_SLOTS}),
        dispatch_order="index",
        tie_break="index",
    )
    assert seen.events == expected
    assert seen.lengths == [[0, 0, 0], [1, 0, 2], [0, 0, 1], [0, 0, 0]]


def test_jsq_maxweight_takes_a_heavier_common_queue_first() -> None:
    """With 2 Q_m < Q_common the common queue goes before a waiting local task."""
    common = 2
    expected: list[Event] = [
        # Slot 0: all chunks are on server 0. The lengths of queues 0, 1 and common go
        # 000 -> 100 -> 101 -> 201 -> 202 -> 302 -> 303: even tasks in queue 0, odd ones in common.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, common, None),
        (0, "arrival", 2, None, 0, None),
        (0, "arrival", 3, None, common, None),
        (0, "arrival", 4, None, 0, None),
        (0, "arrival", 5, None, common, None),
        # Server 0: 2 * 3 > 1 * 3, its own. Server 1 takes task 1, for four slots (luck 0.9).
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, common, REMOTE),
        # Slot 1: lengths 2, 0, 3: 2 * 2 > 1 * 3, its own.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "start", 2, 0, 0, LOCAL),
        # Slot 2: lengths 1, 0, 3: 2 * 1 < 1 * 3, the common queue, though task 4 waits in its own.
        (2, "completion", 2, 0, 0, LOCAL),
        (2, "start", 3, 0, common, LOCAL),
        # Slot 3: lengths 1, 0, 2: a tie, its own by index.
        (3, "completion", 3, 0, common, LOCAL),
        (3, "start", 4, 0, 0, LOCAL),
        # Slot 4: task 1, started in slot 0, ends before task 4. One common task is left.
        (4, "completion", 1, 1, common, REMOTE),
        (4, "completion", 4, 0, 0, LOCAL),
        (4, "start", 5, 0, common, LOCAL),
    ]
    events = play(
        two_servers(),
        get("jsq-maxweight"),
        {0: [[0]] * 6},
        n_slots=5,
        draws=ScriptedDraws(luck={1: FOUR_SLOTS}),
        dispatch_order="index",
        tie_break="index",
    )
    assert events == expected


def test_maxweight_goes_to_the_rack_before_its_own_shorter_queue() -> None:
    """Rates 1, 1/2, 1/4 weigh a queue by 4, 2 and 1: own, same rack, elsewhere."""
    # Servers 0 and 1 share a rack, server 2 has its own.
    cluster = Cluster.of(
        Topology.tree(3, {"rack": 2}), {"local": 1.0, "rack_local": 0.5, "remote": 0.25}
    )
    expected: list[Event] = [
        # Slot 0: four tasks in queue 0, which all servers turn to: it has the only tasks.
        # Luck 0.6 is two slots at rate 1/2, and 1 + floor(ln 0.4 / ln 0.75) = 4 at rate 1/4.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "arrival", 3, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, 0, RACK_LOCAL),
        (0, "start", 2, 2, 0, ELSEWHERE),
        # Slot 1: three of the four are left (1 and 2 in service); one task joins queue 1, two
        # queue 0. Only server 0 is idle: 4 * 5 of its own against 2 * 1.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "arrival", 4, None, 1, None),
        (1, "arrival", 5, None, 0, None),
        (1, "arrival", 6, None, 0, None),
        (1, "start", 3, 0, 0, LOCAL),
        # Slot 2: queue 0 has length 3 (task 2 in service, 5 and 6 waiting), queue 1 length 1.
        # Server 0 takes its own. Server 1: 4 * 1 of its own against 2 * 3 in its rack: task 6.
        (2, "completion", 1, 1, 0, RACK_LOCAL),
        (2, "completion", 3, 0, 0, LOCAL),
        (2, "start", 5, 0, 0, LOCAL),
        (2, "start", 6, 1, 0, RACK_LOCAL),
        # Slot 3: queue 0 has only task 2, in service: nothing waits there. Server 0 takes task 4
        # from queue 1.
        (3, "completion", 5, 0, 0, LOCAL),
        (3, "completion", 6, 1, 0, RACK_LOCAL),
        (3, "start", 4, 0, 1, RACK_LOCAL),
        # Slot 4: the remote service of slot 0 ends first, as it started first.
        (4, "completion", 2, 2, 0, ELSEWHERE),
        (4, "completion", 4, 0, 1, RACK_LOCAL),
    ]
    seen = record(
        cluster,
        get("maxweight"),
        {0: [[0]] * 4, 1: [[1], [0], [0]]},
        n_slots=5,
        draws=ScriptedDraws(luck={1: TWO_SLOTS, 2: TWO_SLOTS}),
        dispatch_order="index",
    )
    assert seen.events == expected
    assert seen.lengths == [[0, 0, 0], [3, 0, 0], [3, 1, 0], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tie_break", ["random", "local", "index"])
def test_jsq_local_never_leaves_its_queue(seed: int, tie_break: str) -> None:
    """Arrivals join the shorter queue, and a server without own tasks waits: no draw matters."""
    expected: list[Event] = [
        # Slot 0: queue 0 has three tasks when task 3 comes, with its chunk on both: queue 1.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "arrival", 3, None, 1, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 3, 1, 1, LOCAL),
        # Slot 1: server 1 idles, though two tasks wait in queue 0.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "completion", 3, 1, 1, LOCAL),
        (1, "start", 1, 0, 0, LOCAL),
        # Slot 2: lengths 1 and 0, so task 4 joins queue 1; now 1 and 1: a task of server 0.
        (2, "completion", 1, 0, 0, LOCAL),
        (2, "arrival", 4, None, 1, None),
        (2, "arrival", 5, None, 0, None),
        (2, "start", 2, 0, 0, LOCAL),
        (2, "start", 4, 1, 1, LOCAL),
        (3, "completion", 2, 0, 0, LOCAL),
        (3, "completion", 4, 1, 1, LOCAL),
        (3, "start", 5, 0, 0, LOCAL),
    ]
    arrivals = {0: [[0], [0], [0], [0, 1]], 2: [[0, 1], [0]]}
    events = play(
        two_servers(),
        get("jsq-local"),
        arrivals,
        n_slots=4,
        draws=seed,
        dispatch_order="index",
        tie_break=tie_break,
    )
    assert events == expected


@pytest.mark.parametrize("tie_break", ["random", "local", "index"])
def test_random_local_throws_its_own_die(tie_break: str) -> None:
    """The task's uniform alone picks among its replicas, whatever the lengths and tie_break."""
    expected: list[Event] = [
        # Uniform 0.2 is the first of two replicas, 0.7 the second: queue 1 gets two of three,
        # though queue 0 is shorter for the last.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 1, None),
        (0, "arrival", 2, None, 1, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, 1, LOCAL),
        # Slot 1: server 0 does not help.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "completion", 1, 1, 1, LOCAL),
        (1, "start", 2, 1, 1, LOCAL),
        (2, "completion", 2, 1, 1, LOCAL),
    ]
    events = play(
        two_servers(),
        get("random-local"),
        {0: [[0, 1], [0, 1], [0, 1]]},
        n_slots=3,
        draws=ScriptedDraws(route_tie={0: 0.2, 1: 0.7, 2: 0.7}),
        dispatch_order="index",
        tie_break=tie_break,
    )
    assert events == expected


def test_fifo_serves_in_order_of_arrival_near_or_far() -> None:
    """The head goes to whoever asks first, local only by accident."""
    expected: list[Event] = [
        # Slot 0: server 0 gets task 0, whose chunk is on server 1, for two slots; server 1 gets
        # task 1 of server 0.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "start", 0, 0, 0, REMOTE),
        (0, "start", 1, 1, 0, REMOTE),
        # Slot 1: server 1 gets task 2, by accident its own.
        (1, "completion", 1, 1, 0, REMOTE),
        (1, "arrival", 3, None, 0, None),
        (1, "start", 2, 1, 0, LOCAL),
        # Slot 2: task 0 started first. Then server 0 gets its own task 3.
        (2, "completion", 0, 0, 0, REMOTE),
        (2, "completion", 2, 1, 0, LOCAL),
        (2, "start", 3, 0, 0, LOCAL),
    ]
    seen = record(
        two_servers(),
        get("fifo"),
        {0: [[1], [0], [1]], 1: [[0]]},
        n_slots=3,
        draws=ScriptedDraws(luck={0: TWO_SLOTS}),
        dispatch_order="index",
    )
    assert seen.events == expected
    assert seen.lengths == [[0], [2], [1]]  # in service and waiting: 0, 2; 3


def test_a_server_runs_one_task_to_its_end() -> None:
    """A long service is not interrupted, and its server gets nothing until it ends."""
    expected: list[Event] = [
        (0, "arrival", 0, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (1, "arrival", 1, None, 0, None),
        (4, "completion", 0, 0, 0, LOCAL),
        (4, "start", 1, 0, 0, LOCAL),
        (5, "completion", 1, 0, 0, LOCAL),
    ]
    seen = record(
        Cluster.of(Topology.tree(1), {"local": 0.5, "remote": 0.5}),
        get("priority"),
        {0: [[0]], 1: [[0]]},
        n_slots=6,
        draws=ScriptedDraws(luck={0: FOUR_SLOTS}),
    )
    assert seen.events == expected
    assert np.array_equal(seen.lengths, [[0], [1], [2], [2], [1], [0]])
