"""The readings of lengths, by hand: each value gives the trajectory that it says.

Each test plays one cast under the values of one reading, `queue_length` or `routing_view`. Services
take one slot unless the script gives luck 0.6, which at rate 1/2 is two slots.
"""

from __future__ import annotations

import pytest

from cluster_sim.policies import get
from tests.emulator.cast import LOCAL, REMOTE, Event, ScriptedDraws, play, record, two_servers

TWO_SLOTS = 0.6

# --- queue_length -------------------------------------------------------------------------------


QUEUE_LENGTH_AND_THRESHOLD: dict[str, list[Event]] = {
    "in-system": [
        # Slot 0: after server 0 has taken task 0, queue 0 still counts 3, above the threshold 2:
        # server 1 takes task 1 for two slots.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, 0, REMOTE),
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "start", 2, 0, 0, LOCAL),
        (2, "completion", 1, 1, 0, REMOTE),
        (2, "completion", 2, 0, 0, LOCAL),
    ],
    "waiting": [
        # Slot 0: after server 0 has taken task 0, two tasks wait, not above 2: server 1 idles,
        # and server 0 runs the three one after another.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "start", 1, 0, 0, LOCAL),
        (2, "completion", 1, 0, 0, LOCAL),
        (2, "start", 2, 0, 0, LOCAL),
    ],
}


@pytest.mark.parametrize("queue_length", QUEUE_LENGTH_AND_THRESHOLD)
def test_the_length_counts_the_task_in_service_or_not_at_the_threshold(queue_length: str) -> None:
    """Three tasks of server 0 are above the threshold 2 only if the one in service counts."""
    events = play(
        two_servers(),
        get("priority"),
        {0: [[0], [0], [0]]},
        n_slots=3,
        draws=ScriptedDraws(luck={1: TWO_SLOTS}),
        dispatch_order="index",
        queue_length=queue_length,
    )
    assert events == QUEUE_LENGTH_AND_THRESHOLD[queue_length]


QUEUE_LENGTH_AND_ROUTING: dict[str, tuple[list[Event], list[list[int]]]] = {
    "in-system": (
        [
            # Slot 0: task 0 takes two slots on server 0. Slot 1: queue 0 counts 1, queue 1 counts
            # 0, so task 1 joins queue 1 and starts at once.
            (0, "arrival", 0, None, 0, None),
            (0, "start", 0, 0, 0, LOCAL),
            (1, "arrival", 1, None, 1, None),
            (1, "start", 1, 1, 1, LOCAL),
            (2, "completion", 0, 0, 0, LOCAL),
            (2, "completion", 1, 1, 1, LOCAL),
        ],
        [[0, 0], [1, 0], [0, 0], [0, 0]],
    ),
    "waiting": (
        [
            # Slot 1: nobody waits, a tie at 0: by index queue 0, where the server is busy.
            (0, "arrival", 0, None, 0, None),
            (0, "start", 0, 0, 0, LOCAL),
            (1, "arrival", 1, None, 0, None),
            (2, "completion", 0, 0, 0, LOCAL),
            (2, "start", 1, 0, 0, LOCAL),
            (3, "completion", 1, 0, 0, LOCAL),
        ],
        [[0, 0], [0, 0], [1, 0], [0, 0]],
    ),
}


@pytest.mark.parametrize("queue_length", QUEUE_LENGTH_AND_ROUTING)
def test_the_length_counts_the_task_in_service_or_not_for_an_arrival(queue_length: str) -> None:
    """An arrival avoids a busy server only if the task in service counts."""
    seen = record(
        two_servers(local=0.5, remote=0.5),
        get("jsq-local"),
        {0: [[0]], 1: [[0, 1]]},
        n_slots=4,
        draws=ScriptedDraws(luck={0: TWO_SLOTS}),
        tie_break="index",
        queue_length=queue_length,
    )
    assert (seen.events, seen.lengths) == QUEUE_LENGTH_AND_ROUTING[queue_length]


# --- routing_view -------------------------------------------------------------------------------


ROUTING_VIEW: dict[str, list[Event]] = {
    "live": [
        # Slot 0: task 1 sees task 0 in queue 0 and joins queue 1; task 2 sees 1 and 1: queue 0.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 1, None),
        (0, "arrival", 2, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        (0, "start", 1, 1, 1, LOCAL),
        # Slot 1: lengths 1 and 0 after the completions; tasks 3 and 4 see 1, 0 and then 1, 1.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "completion", 1, 1, 1, LOCAL),
        (1, "arrival", 3, None, 1, None),
        (1, "arrival", 4, None, 0, None),
        (1, "start", 2, 0, 0, LOCAL),
        (1, "start", 3, 1, 1, LOCAL),
    ],
    "slot-start": [
        # Slot 0: all three see the empty queues of the observation point: queue 0 by index.
        (0, "arrival", 0, None, 0, None),
        (0, "arrival", 1, None, 0, None),
        (0, "arrival", 2, None, 0, None),
        (0, "start", 0, 0, 0, LOCAL),
        # Slot 1: the view has the completion of this slot: 2 and 0. Both see it: queue 1.
        (1, "completion", 0, 0, 0, LOCAL),
        (1, "arrival", 3, None, 1, None),
        (1, "arrival", 4, None, 1, None),
        (1, "start", 1, 0, 0, LOCAL),
        (1, "start", 3, 1, 1, LOCAL),
    ],
}


@pytest.mark.parametrize("queue_length", ["in-system", "waiting"])
@pytest.mark.parametrize("routing_view", ROUTING_VIEW)
def test_an_arrival_sees_those_before_it_or_the_start_of_the_slot(
    routing_view: str, queue_length: str
) -> None:
    """Tasks of one slot spread over the queues if they see each other, else they flock together.

    At the observation points of this cast no task is in service, so the other reading is the same.
    """
    events = play(
        two_servers(),
        get("jsq-local"),
        {0: [[0, 1]] * 3, 1: [[0, 1]] * 2},
        n_slots=2,
        draws=5,  # no draw matters
        dispatch_order="index",
        tie_break="index",
        routing_view=routing_view,
        queue_length=queue_length,
    )
    assert events == ROUTING_VIEW[routing_view]
