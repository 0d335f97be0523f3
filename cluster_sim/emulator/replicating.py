"""A replication scheme at work: what it asks for is checked, performed and counted."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_sim.emulator.chunks import ChunkStore
from cluster_sim.errors import DecisionError
from cluster_sim.model.task import Task
from cluster_sim.policies.replication import ReplicationScheme, SchemeSetting
from cluster_sim.randomness import Key, Stream, block, uniform
from cluster_sim.recording.disruptions import ReplicationRecord
from cluster_sim.system import System

__all__ = ["SchemeAtWork"]


class SchemeAtWork:
    """The disks as a scheme sees them, and the books on what it does.

    Parameters
    ----------
    system : System
    scheme : ReplicationScheme
    store : ChunkStore
    key : Key

    Attributes
    ----------
    chunks : sequence of int
    n_extra : int
    """

    def __init__(
        self, system: System, scheme: ReplicationScheme, store: ChunkStore, key: Key
    ) -> None:
        self.chunks: Sequence[int] = range(len(store.replicas))
        self.n_extra = 0
        self._name = scheme.name
        self._store, self._replicas = store, store.replicas
        self._extra: dict[int, set[int]] = {}
        self._n_created = self._n_evicted = self._n_lost = self._n_transfers = 0
        self._n_slots = self._sum = self._peak = 0
        self._n_initial = store.n_initial
        self._n_servers = system.cluster.n_servers

        def draw(number: int) -> tuple[float, float]:
            words = block(key, Stream.SCHEME, number)
            return uniform(words[0], words[1]), uniform(words[2], words[3])

        self.state = scheme.begin(SchemeSetting(system.cluster, self, draw))

    # --- what the scheme is told ------------------------------------------------------------------

    def slot_begins(self, slot: int) -> None:
        """Let the scheme act at the beginning of a slot, and count what there is.

        Parameters
        ----------
        slot : int
        """
        self.state.slot_begins(slot)
        self._n_slots += 1
        self._sum += self.n_extra

    def has_read(self, task: Task) -> None:
        """Tell the scheme of a completed task.

        Parameters
        ----------
        task : Task
        """
        self.state.has_read(task)

    def wiped(self, server: int, chunks: Sequence[int]) -> None:
        """Take note of what was lost with the disk of a server.

        Parameters
        ----------
        server : int
        chunks : sequence of int
        """
        for chunk in chunks:
            if server in self._extra.get(chunk, ()):
                self._drop(chunk, server)
                self._n_lost += 1
                self.state.lost(chunk, server)

    # --- what the scheme may look at --------------------------------------------------------------

    def is_up(self, server: int) -> bool:
        """Return whether a server can be reached."""
        return self._replicas.is_up(server)

    def live(self, chunk: int) -> Sequence[int]:
        """Return the servers that hold a chunk and can be reached, ascending."""
        return self._replicas.live(chunk)

    def holds(self, server: int, chunk: int) -> bool:
        """Return whether a chunk is on the disk of a server."""
        return self._replicas.holds(server, chunk)

    def n_copies(self, chunk: int) -> int:
        """Return how many replicas a chunk has, on servers that cannot be reached too."""
        return self._replicas.n_copies(chunk)

    def extra_on(self, chunk: int) -> Sequence[int]:
        """Return the servers that hold a chunk by the doing of the scheme, ascending."""
        return sorted(self._extra.get(chunk, ()))

    # --- what the scheme may do -------------------------------------------------------------------

    def create(self, chunk: int, server: int, *, is_transfer: bool) -> None:
        """Put a replica on a server; see `Storage.create`.

        Raises
        ------
        DecisionError
            If the server has one or is down, or nobody is left to copy from.
        """
        replicas = self._replicas
        who = f"replication scheme {self._name!r}: create(chunk {chunk}, server {server})"
        if chunk not in replicas or not 0 <= server < self._n_servers:
            raise DecisionError(f"{who}: there is no such chunk, or no such server")
        if not replicas.is_up(server) or replicas.holds(server, chunk):
            why = "holds it already" if replicas.is_up(server) else "is down"
            raise DecisionError(f"{who}: the server {why}; ask is_up() and holds() first")
        if is_transfer and not replicas.live(chunk):
            raise DecisionError(f"{who}: no replica can be reached to copy from; ask live() first")
        replicas.add(chunk, server)
        self._extra.setdefault(chunk, set()).add(server)
        self._n_created += 1
        self._n_transfers += is_transfer
        self.n_extra += 1
        self._peak = max(self._peak, self.n_extra)

    def evict(self, chunk: int, server: int) -> None:
        """Take a replica of the scheme away; see `Storage.evict`.

        Raises
        ------
        DecisionError
            If the scheme has made none there.
        """
        if server not in self._extra.get(chunk, ()):
            raise DecisionError(
                f"replication scheme {self._name!r}: evict(chunk {chunk}, server {server}): the "
                "scheme has no replica there; ask extra_on() first"
            )
        self._drop(chunk, server)
        self._n_evicted += 1
        replicas, n_wanted = self._replicas, self._store.n_wanted[chunk]
        if replicas.n_copies(chunk) > n_wanted and replicas.live(chunk) != [server]:
            replicas.remove(chunk, server)  # else it takes the place of one that was lost

    def _drop(self, chunk: int, server: int) -> None:
        self._extra[chunk].remove(server)
        if not self._extra[chunk]:
            del self._extra[chunk]
        self.n_extra -= 1

    def record(self) -> ReplicationRecord:
        """Return what it did so far.

        Returns
        -------
        ReplicationRecord
        """
        return ReplicationRecord(
            n_created=self._n_created,
            n_evicted=self._n_evicted,
            n_lost=self._n_lost,
            n_transfers=self._n_transfers,
            n_slots=self._n_slots,
            extra_sum=self._sum,
            extra_peak=self._peak,
            n_initial=self._n_initial,
        )
