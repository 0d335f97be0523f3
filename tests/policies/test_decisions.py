"""The decision tables of the built-in policies: where a task joins, what an idle server takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.policies import NO_QUEUE, SHARED, Priority, QueuePolicy, get
from cluster_sim.policies.choices import BY_INDEX, LOCAL_FIRST, UNIFORMLY

EVERY = (UNIFORMLY, LOCAL_FIRST, BY_INDEX)
RATES = (1.0, 0.5)
GRID = 60
TIES = [(2 * i + 1) / (2 * GRID) for i in range(GRID)]


def routes(
    policy: QueuePolicy, replicas: Sequence[int], lengths: Sequence[int], tie_break: int
) -> dict[int, int]:
    """How often the task joins each queue over an even grid of ties, out of GRID."""
    constants = policy.constants(RATES)
    return dict(
        Counter(
            policy.route(replicas, lengths, lengths, [], [], constants, tie_break, tie)
            for tie in TIES
        )
    )


def serves(
    policy: QueuePolicy,
    server: int,
    lengths: Sequence[int],
    waiting: Sequence[int],
    tie_break: int,
    longest: Sequence[int] = (),
) -> dict[int, int]:
    """How often the server takes from each queue over an even grid of ties, out of GRID."""
    constants = policy.constants(RATES)
    return dict(
        Counter(
            policy.serve(
                server, lengths, waiting, longest, [1] * len(longest), constants, tie_break, tie
            )
            for tie in TIES
        )
    )


# --- joining ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["priority", "maxweight", "jsq-local"])
@pytest.mark.parametrize("tie_break", EVERY)
def test_jsq_joins_the_shortest_local_queue(name: str, tie_break: int) -> None:
    """The only shortest of the local queues is joined; shorter queues elsewhere do not count."""
    assert routes(get(name), [0, 2, 3], [4, 0, 2, 3], tie_break) == {2: GRID}


@pytest.mark.parametrize("name", ["priority", "maxweight", "jsq-local"])
def test_jsq_breaks_ties_among_local_queues(name: str) -> None:
    """Equally short local queues share evenly, or the lowest index takes all."""
    for tie_break in (UNIFORMLY, LOCAL_FIRST):
        assert routes(get(name), [0, 2, 3], [1, 0, 1, 1], tie_break) == {0: 20, 2: 20, 3: 20}
    assert routes(get(name), [0, 2, 3], [1, 0, 1, 1], BY_INDEX) == {0: GRID}


COMMON = 3  # the common queue of three servers


@pytest.mark.parametrize(
    ("lengths", "tie_break", "expected"),
    [
        # A common queue shorter than every local queue is joined, whatever the reading.
        *(([2, 0, 2, 1], tie_break, {COMMON: GRID}) for tie_break in EVERY),
        # A local queue shorter than the common one is joined.
        *(([1, 0, 2, 2], tie_break, {0: GRID}) for tie_break in EVERY),
        # One local queue and the common one tie.
        ([1, 0, 2, 1], UNIFORMLY, {0: 30, COMMON: 30}),
        ([1, 0, 2, 1], LOCAL_FIRST, {0: GRID}),
        ([1, 0, 2, 1], BY_INDEX, {0: GRID}),
        # Both local queues and the common one tie: uniform over all three.
        ([1, 0, 1, 1], UNIFORMLY, {0: 20, 2: 20, COMMON: 20}),
        ([1, 0, 1, 1], LOCAL_FIRST, {0: 30, 2: 30}),
        ([1, 0, 1, 1], BY_INDEX, {0: GRID}),
        # The local queues tie below the common one.
        ([1, 0, 1, 2], UNIFORMLY, {0: 30, 2: 30}),
        ([1, 0, 1, 2], LOCAL_FIRST, {0: 30, 2: 30}),
        ([1, 0, 1, 2], BY_INDEX, {0: GRID}),
    ],
)
def test_jsq_maxweight_joins_a_shortest_of_local_and_common(
    lengths: list[int], tie_break: int, expected: dict[int, int]
) -> None:
    """A task with chunk on 0 and 2 joins a shortest of queues 0, 2 and the common one."""
    assert routes(get("jsq-maxweight"), [0, 2], lengths, tie_break) == expected


@pytest.mark.parametrize("tie_break", EVERY)
def test_random_local_ignores_lengths(tie_break: int) -> None:
    """Every replica's queue gets the same share, long or short, under every reading."""
    shares = routes(get("random-local"), [0, 2, 3], [9, 0, 1, 0], tie_break)
    assert shares == {0: 20, 2: 20, 3: 20}


@pytest.mark.parametrize("tie_break", EVERY)
def test_fifo_has_one_queue(tie_break: int) -> None:
    """Every task joins the one queue."""
    assert routes(get("fifo"), [1, 2], [5], tie_break) == {0: GRID}


# --- serving ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tie_break", EVERY)
def test_priority_serves_its_own_queue_first(tie_break: int) -> None:
    """A local task goes before any queue, however long."""
    assert serves(get("priority"), 1, [9, 1, 0], [9, 1, 0], tie_break, [1, 0]) == {1: GRID}


@pytest.mark.parametrize("tie_break", EVERY)
def test_priority_serves_the_longest_queue_if_it_has_none(tie_break: int) -> None:
    """Without a local task it takes from the longest queue that it is offered, or stays idle."""
    # Its own queue has a task in service but none waiting: it does not count.
    lengths, waiting = [9, 1, 0], [9, 0, 0]
    assert serves(get("priority"), 1, lengths, waiting, tie_break, [NO_QUEUE, 0]) == {0: GRID}
    idle = serves(get("priority"), 1, lengths, waiting, tie_break, [NO_QUEUE, NO_QUEUE])
    assert idle == {NO_QUEUE: GRID}


@pytest.mark.parametrize("name", ["jsq-local", "random-local"])
@pytest.mark.parametrize("tie_break", EVERY)
def test_local_policies_serve_their_own_queue_only(name: str, tie_break: int) -> None:
    """A server without a waiting task of its own stays idle, also if its own queue has length."""
    assert serves(get(name), 1, [9, 2], [9, 1], tie_break) == {1: GRID}
    assert serves(get(name), 1, [9, 1], [9, 0], tie_break) == {NO_QUEUE: GRID}


@pytest.mark.parametrize("tie_break", EVERY)
def test_fifo_serves_the_one_queue(tie_break: int) -> None:
    """Any server takes the head, if there is one; tasks in service do not count."""
    assert serves(get("fifo"), 2, [3], [1], tie_break) == {0: GRID}
    assert serves(get("fifo"), 2, [3], [0], tie_break) == {NO_QUEUE: GRID}


@pytest.mark.parametrize(
    ("lengths", "waiting", "tie_break", "expected"),
    [
        # alpha Q_1 = 2 * 2 against gamma Q_common = 1 * 3: the own queue.
        *(([0, 2, 0, 3], [0, 2, 0, 3], tie_break, {1: GRID}) for tie_break in EVERY),
        # 2 * 2 against 1 * 5: the common queue.
        *(([0, 2, 0, 5], [0, 2, 0, 5], tie_break, {COMMON: GRID}) for tie_break in EVERY),
        # 2 * 2 against 1 * 4: a tie.
        ([0, 2, 0, 4], [0, 2, 0, 4], UNIFORMLY, {1: 30, COMMON: 30}),
        ([0, 2, 0, 4], [0, 2, 0, 4], LOCAL_FIRST, {1: GRID}),
        ([0, 2, 0, 4], [0, 2, 0, 4], BY_INDEX, {1: GRID}),
        # The heavier queue has nothing waiting: the other is served.
        *(([0, 2, 0, 9], [0, 1, 0, 0], tie_break, {1: GRID}) for tie_break in EVERY),
        *(([0, 9, 0, 1], [0, 0, 0, 1], tie_break, {COMMON: GRID}) for tie_break in EVERY),
        # Neither has: the server stays idle, though other local queues are long.
        *(([9, 1, 9, 1], [9, 0, 9, 0], tie_break, {NO_QUEUE: GRID}) for tie_break in EVERY),
    ],
)
def test_jsq_maxweight_serves_the_larger_weight(
    lengths: list[int], waiting: list[int], tie_break: int, expected: dict[int, int]
) -> None:
    """Server 1 takes from the larger of 2 Q_1 and Q_common at rates 1 and 1/2."""
    assert serves(get("jsq-maxweight"), 1, lengths, waiting, tie_break) == expected


# --- queues, constants, thresholds --------------------------------------------------------------


def test_queues_belong_to_servers_or_to_nobody() -> None:
    """A queue a server; one more of nobody with JSQ-MaxWeight; a single one of nobody with FIFO."""
    assert list(get("jsq-maxweight").owners(3, 2)) == [0, 1, 2, SHARED]
    assert list(get("fifo").owners(3, 2)) == [SHARED]
    for name in ("priority", "maxweight", "jsq-local", "random-local"):
        assert list(get(name).owners(3, 2)) == [0, 1, 2]


def test_weights_are_whole_numbers_in_proportion() -> None:
    """MaxWeight weighs each tier, JSQ-MaxWeight the innermost and the outermost."""
    rates = (0.6, 0.3, 0.2)
    assert get("maxweight").constants(rates) == (6.0, 3.0, 2.0)
    assert get("jsq-maxweight").constants(rates) == (3.0, 1.0)


@pytest.mark.parametrize(
    ("policy", "rates", "above"),
    [
        (Priority(), (1.0, 0.5), 2.0),
        (Priority(), (0.6, 0.2), 3.0),  # in floating point 0.6 / 0.2 is below 3
        (Priority(), (0.9, 0.6), 1.5),
        (Priority(), (1.0, 0.9, 0.5), 2.0),  # alpha / gamma: the tiers between play no part
        (Priority(threshold=0), (1.0, 0.5), 0.0),
        (Priority(threshold=2.5), (1.0, 0.5), 2.5),
        (Priority(threshold=float("inf")), (1.0, 0.5), float("inf")),
        (get("maxweight"), (1.0, 0.5), 0.0),
    ],
)
def test_the_threshold_is_alpha_over_gamma_or_what_is_given(
    policy: QueuePolicy, rates: tuple[float, ...], above: float
) -> None:
    """A queue must be longer than T_s to be served from afar; other policies ask for none."""
    assert policy.longest_above(rates) == above


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        (-1, "-1"),
        (float("nan"), "nan"),
        ("automatic", "'automatic'"),
        ("3", "'3'"),
        (True, "True"),
    ],
)
def test_impossible_thresholds_are_refused(threshold: object, told: str) -> None:
    """The threshold is "auto" or a number from 0 on; the message says so and what was given."""
    message = f'threshold = {told}: must be "auto", or a number from 0 to inf; use "auto" for'
    with pytest.raises(ScenarioError, match=message):
        Priority(threshold=threshold)  # type: ignore[arg-type]
