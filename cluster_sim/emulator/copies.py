"""Re-replication: lost replicas are made anew from the others, so many a slot."""

from __future__ import annotations

import math
from heapq import heappop, heappush

import numpy as np

from cluster_sim.emulator.chunks import ChunkStore
from cluster_sim.model.failures import Failures
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import place_sets
from cluster_sim.randomness import Key, Stream, block

__all__ = ["Copies"]


class Copies:
    """The chunks with too few replicas, and the copies that are made of them.

    Chunks with the fewest replicas come first, then those that have waited longest, as in HDFS. A
    copy needs a live replica to read, and a server that is up and holds none. Where the placement
    is rack-aware, a chunk that is left in one rack only is copied to another, if there is one.

    Parameters
    ----------
    store : ChunkStore
    failures : Failures
        With the rate and the placement.
    topology : Topology
    key : Key

    Attributes
    ----------
    n_made : int
        Copies made so far.
    """

    def __init__(self, store: ChunkStore, failures: Failures, topology: Topology, key: Key) -> None:
        self.n_made = 0
        self._store, self._replicas = store, store.replicas
        self._rate, self._placement = failures.rereplication, failures.placement
        self._topology, self._key = topology, key
        self._credit = 0.0
        is_aware = getattr(failures.placement, "is_rack_aware", False)
        has_racks = is_aware and "rack" in topology.level_names
        self._rack: list[int] | None = topology.level("rack").tolist() if has_racks else None
        # Replicas when it was put in line, its turn, and the chunk.
        self._line: list[tuple[int, int, int]] = []
        self._n_queued = 0
        self._stuck: list[int] = []  # nobody to read from, or nowhere to go, until a server is back
        self._n_of: dict[int, int] = {}

    def want(self, chunk: int) -> None:
        """Put a chunk in line, if it has too few replicas and one to read from.

        Parameters
        ----------
        chunk : int
        """
        n_copies = self._replicas.n_copies(chunk)
        if self._rate and 0 < n_copies < self._store.n_wanted[chunk]:
            self._n_queued += 1
            heappush(self._line, (n_copies, self._n_queued, chunk))

    def server_is_back(self) -> None:
        """Take note that some server can be reached again: what was stuck may go on."""
        stuck, self._stuck = self._stuck, []
        for chunk in stuck:
            if chunk in self._replicas:
                self.want(chunk)

    def step(self) -> None:
        """Make the copies of a slot."""
        if not self._line:
            self._credit = 0.0
            return
        # Less than one copy a slot adds up; what is not used is not saved up.
        self._credit = min(self._credit + self._rate, max(self._rate, 1.0))
        n_possible = math.inf if math.isinf(self._credit) else math.floor(self._credit + 1e-9)
        while self._line and n_possible >= 1:
            n_copies, _, chunk = heappop(self._line)
            if chunk not in self._replicas or n_copies != self._replicas.n_copies(chunk):
                continue  # read by its one task, or put in line again since
            target = self._target(chunk) if self._replicas.live(chunk) else None
            if target is None:
                self._stuck.append(chunk)
                continue
            self._replicas.add(chunk, target)
            self.n_made += 1
            n_possible -= 1
            self._credit -= 1
            self.want(chunk)

    def _target(self, chunk: int) -> int | None:
        replicas, rack = self._replicas, self._rack
        free = [
            server
            for server in range(self._topology.n_servers)
            if replicas.is_up(server) and not replicas.holds(server, chunk)
        ]
        if rack is not None:
            held = {rack[server] for server in (*replicas.live(chunk), *replicas.away(chunk))}
            if len(held) == 1:
                free = [server for server in free if rack[server] not in held] or free
        if not free:
            return None
        n = self._n_of[chunk] = self._n_of.get(chunk, -1) + 1
        words = np.array([block(self._key, Stream.COPY, chunk, n)[:1]], dtype=np.uint64)
        servers = np.array(free, dtype=np.int64)
        return int(place_sets(self._placement, words, servers, self._topology, 1)[0, 0])
