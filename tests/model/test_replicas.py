"""The replica map keeps the books that a plain set of pairs would."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cluster_sim.errors import ScenarioError
from cluster_sim.model.replicas import ReplicaMap

N = 4
SERVERS, CHUNKS = st.integers(0, N - 1), st.integers(0, 5)


class Books(RuleBasedStateMachine):
    """The map beside a set of (chunk, server) and a set of servers that are up."""

    def __init__(self) -> None:
        super().__init__()
        self.map = ReplicaMap(N)
        self.pairs: set[tuple[int, int]] = set()
        self.up = set(range(N))
        self.lists: dict[int, list[int]] = {}

    @rule(chunk=CHUNKS, servers=st.sets(SERVERS))
    def add_chunk(self, chunk: int, servers: set[int]) -> None:
        if chunk not in self.map:
            self.lists[chunk] = self.map.add_chunk(chunk, sorted(servers))
            self.pairs |= {(chunk, server) for server in servers}

    @rule(chunk=CHUNKS)
    def forget(self, chunk: int) -> None:
        if chunk in self.map:
            self.map.forget(chunk)
            del self.lists[chunk]
            self.pairs = {pair for pair in self.pairs if pair[0] != chunk}

    @rule(chunk=CHUNKS, server=SERVERS)
    def add(self, chunk: int, server: int) -> None:
        if chunk not in self.map:
            return
        if server in self.up and (chunk, server) not in self.pairs:
            self.map.add(chunk, server)
            self.pairs.add((chunk, server))
        else:
            with pytest.raises(ScenarioError, match=r"holds it already|is down"):
                self.map.add(chunk, server)

    @rule(chunk=CHUNKS, server=SERVERS)
    def remove(self, chunk: int, server: int) -> None:
        if (chunk, server) in self.pairs:
            self.map.remove(chunk, server)
            self.pairs.remove((chunk, server))
        else:
            with pytest.raises(ScenarioError, match="is not on server"):
                self.map.remove(chunk, server)

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def unreach(self, data: st.DataObject) -> None:
        server = data.draw(st.sampled_from(sorted(self.up)))
        self.map.unreach(server)
        self.up.remove(server)

    @precondition(lambda self: len(self.up) < N)
    @rule(data=st.data())
    def reach(self, data: st.DataObject) -> None:
        server = data.draw(st.sampled_from(sorted(set(range(N)) - self.up)))
        self.map.reach(server)
        self.up.add(server)

    @rule(server=SERVERS)
    def wipe(self, server: int) -> None:
        gone = sorted(chunk for chunk, holder in self.pairs if holder == server)
        assert self.map.wipe(server) == gone
        self.pairs = {pair for pair in self.pairs if pair[1] != server}

    @invariant()
    def is_as_the_pairs_say(self) -> None:
        assert self.map.n_replicas == len(self.pairs)
        assert len(self.map) == len(self.lists)
        for chunk, live in self.lists.items():
            holders = {server for other, server in self.pairs if other == chunk}
            assert live is self.map.live(chunk)
            assert live == sorted(holders & self.up)
            assert set(self.map.away(chunk)) == holders - self.up
            assert self.map.n_copies(chunk) == len(holders)
        for server in range(N):
            held = sorted(chunk for chunk, holder in self.pairs if holder == server)
            assert self.map.held(server) == held
            assert all(self.map.holds(server, chunk) for chunk in held)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_changes_of_live_replicas_are_noted() -> None:
    """Not those of replicas that are away."""
    replicas = ReplicaMap(3)
    replicas.add_chunk(1, [0, 1])
    replicas.unreach(0)
    assert replicas.changed == {1}
    replicas.changed.clear()
    replicas.wipe(0)
    assert not replicas.changed
    replicas.add(1, 2)
    assert replicas.changed == {1}
