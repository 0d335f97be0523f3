"""Breakdowns and repairs, slot by slot: what they do to the disks, and the books on all of it."""

from __future__ import annotations

from typing import NamedTuple

from cluster_sim.emulator.chunks import ChunkStore
from cluster_sim.emulator.copies import Copies
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.failures import Disks, Failures, LostChunks, Outages
from cluster_sim.randomness import Key
from cluster_sim.recording.disruptions import FailureRecord

__all__ = ["Breakdowns", "SlotChange"]


class SlotChange(NamedTuple):
    """What a slot begins with.

    Attributes
    ----------
    went_down, came_up : list of int
        Servers that cannot be reached any longer, or can be again.
    wiped : list of (int, list of int)
        Servers that lost their disks, and the chunks that were on each.
    """

    went_down: list[int]
    came_up: list[int]
    wiped: list[tuple[int, list[int]]]


_NOTHING = SlotChange([], [], [])


class Breakdowns:
    """Who is up, whose disks are gone, and what is copied for it.

    Parameters
    ----------
    failures : Failures
    cluster : Cluster
    store : ChunkStore
    key : Key

    Attributes
    ----------
    n_retried, redone_slots, n_rerouted, n_waited, n_failed : int
        As in `FailureRecord`; kept by who knows the tasks.
    """

    def __init__(self, failures: Failures, cluster: Cluster, store: ChunkStore, key: Key) -> None:
        self.n_retried = self.redone_slots = self.n_rerouted = self.n_waited = self.n_failed = 0
        self._store, self._replicas = store, store.replicas
        self._outages = Outages(failures, cluster.topology, key)
        self._copies = Copies(store, failures, cluster.topology, key)
        self._loses_disks = failures.disks is Disks.LOST
        self._lets_fail = failures.lost_chunks is LostChunks.FAIL
        self._n_servers = cluster.n_servers
        self._n_breakdowns = self._n_racks = self._n_lost = self._n_chunks_lost = 0
        self._n_slots = self._n_down = self._down_slots = 0

    def step(self, slot: int) -> SlotChange:
        """Let servers break down and come back.

        Parameters
        ----------
        slot : int

        Returns
        -------
        SlotChange
        """
        change = self._outages.step(slot)
        self._n_slots += 1
        if change is None:
            self._down_slots += self._n_down
            return _NOTHING
        self._n_breakdowns += len(change.broke)
        self._n_racks += change.n_racks_broke
        self._n_down += len(change.went_down) - len(change.came_up)
        self._down_slots += self._n_down
        for server in change.went_down:
            self._replicas.unreach(server)
        wiped = []
        if self._loses_disks:
            wiped = [(server, self._replicas.wipe(server)) for server in change.broke]
        for server in change.came_up:
            self._replicas.reach(server)
        self._n_lost += sum(len(chunks) for _, chunks in wiped)
        self._follow({chunk for _, chunks in wiped for chunk in chunks})
        if change.came_up:
            self._copies.server_is_back()
        return SlotChange(change.went_down, change.came_up, wiped)

    def take_in(self, chunk: int) -> None:
        """Let a chunk that has just come up have no replica on a disk that is lost already.

        Parameters
        ----------
        chunk : int
            One that the arriving task alone reads.
        """
        if not self._loses_disks or not self._n_down:
            return
        gone = [s for s in self._replicas.away(chunk) if self._outages.is_broken(s)]
        for server in gone:
            self._replicas.remove(chunk, server)
        if gone:
            self._n_lost += len(gone)
            self._follow({chunk})

    def _follow(self, chunks: set[int]) -> None:
        """See to chunks that have lost a replica."""
        for chunk in sorted(chunks):
            if self._replicas.n_copies(chunk):
                self._copies.want(chunk)
            else:
                self._n_chunks_lost += 1

    def make_copies(self) -> None:
        """Make the copies of a slot."""
        self._copies.step()

    def is_hopeless(self, chunk: int) -> bool:
        """Return whether the tasks of a chunk fail: it has no replica left, and they may not wait.

        Parameters
        ----------
        chunk : int

        Returns
        -------
        bool
        """
        return self._lets_fail and not self._replicas.n_copies(chunk)

    def record(self, n_aside: int) -> FailureRecord:
        """Return what happened so far.

        Parameters
        ----------
        n_aside : int
            Tasks that wait for a chunk.

        Returns
        -------
        FailureRecord
        """
        return FailureRecord(
            n_breakdowns=self._n_breakdowns,
            n_rack_breakdowns=self._n_racks,
            server_slots=self._n_slots * self._n_servers,
            down_slots=self._down_slots,
            n_retried=self.n_retried,
            redone_slots=self.redone_slots,
            n_rerouted=self.n_rerouted,
            n_waited=self.n_waited,
            n_aside=n_aside,
            n_failed=self.n_failed,
            n_replicas_lost=self._n_lost,
            n_copies=self._copies.n_made,
            n_chunks_lost=self._n_chunks_lost,
        )
