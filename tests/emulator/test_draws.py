"""The dispatch draws of a slot are its own, in whatever order slots are asked."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from cluster_sim.emulator.draws import DispatchDraws
from cluster_sim.policies import get
from cluster_sim.randomness import Key, Stream, block, uniforms
from tests.emulator.cast import play, three_servers

KEY = Key.of(9)
SLOTS = [0, 1, 5_000, 3, 10_000, 10_001, 2]


@pytest.mark.parametrize("n_servers", [1, 3, 4, 9, 10_000])
def test_shuffle_words_are_the_blocks_of_the_slot(n_servers: int) -> None:
    """Word i of a slot is word i mod 4 of the block (slot, i // 4) of its stream."""
    draws = DispatchDraws(KEY, n_servers)
    for slot in SLOTS:
        words = draws.order_words(slot)
        assert len(words) >= n_servers
        for i in {0, n_servers // 2, n_servers - 1}:
            assert words[i] == block(KEY, Stream.DISPATCH_ORDER, slot, i // 4)[i % 4]


@pytest.mark.parametrize("n_servers", [1, 3, 9, 10_000])
def test_ties_are_the_halves_of_the_blocks_of_slot_and_server(n_servers: int) -> None:
    """Each server has two uniforms a slot, from the block (slot, server) of their stream."""
    draws = DispatchDraws(KEY, n_servers)
    for slot in SLOTS:
        for server in {0, n_servers // 2, n_servers - 1}:
            words = np.array(block(KEY, Stream.DISPATCH_TIE, slot, server), dtype=np.uint64)
            # Alone, then with the ties of the slots around it.
            assert DispatchDraws(KEY, n_servers).among(slot, server) == uniforms(*words[2:])
            assert draws.tie(slot, server) == uniforms(*words[:2])
            assert draws.among(slot, server) == uniforms(*words[2:])


def test_every_order_of_the_idle_servers_is_equally_likely() -> None:
    """The orders in which three servers ask, slot by slot, are uniform on the permutations."""
    # Three tasks a slot in one global queue: every server starts one, in the order of asking.
    n_slots = 3_000
    events = play(
        three_servers(1.0, 1.0),
        get("fifo"),
        {slot: [[0]] * 3 for slot in range(n_slots)},
        n_slots=n_slots,
        draws=4,
    )
    servers = [server for _, what, _, server, _, _ in events if what == "start"]
    orders = Counter(tuple(servers[i : i + 3]) for i in range(0, len(servers), 3))
    assert len(orders) == 6
    assert sum(orders.values()) == n_slots
    assert stats.chisquare(list(orders.values())).pvalue > 1e-3
