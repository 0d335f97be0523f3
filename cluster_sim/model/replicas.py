"""Which servers hold which chunk, while it changes: replicas are lost, made and moved away."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from cluster_sim.errors import ScenarioError

__all__ = ["ReplicaMap"]


class ReplicaMap:
    """The replicas of every chunk that somebody may still read.

    A replica is live where a server can be reached, and away on the disk of one that cannot.

    Parameters
    ----------
    n_servers : int

    Attributes
    ----------
    n_replicas : int
        On all disks, away ones included.
    changed : set of int
        Chunks whose live replicas have changed; for the reader to empty.

    Examples
    --------
    >>> replicas = ReplicaMap(3)
    >>> live = replicas.add_chunk(7, [0, 2])
    >>> replicas.unreach(2)
    >>> live, replicas.away(7)
    ([0], [2])
    >>> replicas.reach(2)
    >>> replicas.wipe(0)
    [7]
    >>> live
    [2]
    """

    def __init__(self, n_servers: int) -> None:
        self.n_replicas = 0
        self.changed: set[int] = set()
        self._live: dict[int, list[int]] = {}
        self._away: dict[int, list[int]] = {}
        self._held: list[set[int]] = [set() for _ in range(n_servers)]
        self._is_up = [True] * n_servers

    def __contains__(self, chunk: int) -> bool:
        """Return whether a chunk is known."""
        return chunk in self._live

    def __len__(self) -> int:
        """Return the number of chunks."""
        return len(self._live)

    def is_up(self, server: int) -> bool:
        """Return whether a server can be reached.

        Parameters
        ----------
        server : int

        Returns
        -------
        bool
        """
        return self._is_up[server]

    def live(self, chunk: int) -> list[int]:
        """Return the servers that hold a chunk and can be reached, ascending.

        Parameters
        ----------
        chunk : int

        Returns
        -------
        list of int
            Always the same list, changed in place: who keeps it sees what becomes of the chunk.
        """
        return self._live[chunk]

    def away(self, chunk: int) -> list[int]:
        """Return the servers that hold a chunk and cannot be reached.

        Parameters
        ----------
        chunk : int

        Returns
        -------
        list of int
        """
        return self._away.get(chunk, [])

    def n_copies(self, chunk: int) -> int:
        """Return how many replicas a chunk has, away ones included.

        Parameters
        ----------
        chunk : int

        Returns
        -------
        int
        """
        return len(self._live[chunk]) + len(self.away(chunk))

    def holds(self, server: int, chunk: int) -> bool:
        """Return whether a server has a chunk on its disk.

        Parameters
        ----------
        server, chunk : int

        Returns
        -------
        bool
        """
        return chunk in self._held[server]

    def held(self, server: int) -> Sequence[int]:
        """Return the chunks on the disk of a server, ascending.

        Parameters
        ----------
        server : int

        Returns
        -------
        sequence of int
        """
        return sorted(self._held[server])

    def add_chunk(self, chunk: int, servers: Iterable[int]) -> list[int]:
        """Take in a chunk and return its live replicas.

        Parameters
        ----------
        chunk : int
        servers : iterable of int
            Where it is, ascending.

        Returns
        -------
        list of int
            See `live`.
        """
        live = self._live[chunk] = []
        for server in servers:
            self._held[server].add(chunk)
            self.n_replicas += 1
            if self._is_up[server]:
                live.append(server)
            else:
                self._away.setdefault(chunk, []).append(server)
        return live

    def forget(self, chunk: int) -> None:
        """Let a chunk go that nobody will read again.

        Parameters
        ----------
        chunk : int
        """
        for server in (*self._live.pop(chunk), *self._away.pop(chunk, ())):
            self._held[server].remove(chunk)
            self.n_replicas -= 1
        self.changed.discard(chunk)

    def add(self, chunk: int, server: int) -> None:
        """Put a replica on a server.

        Parameters
        ----------
        chunk, server : int

        Raises
        ------
        ScenarioError
            If the server has one, or cannot be reached.
        """
        if chunk in self._held[server] or not self._is_up[server]:
            why = "holds it already" if self._is_up[server] else "is down"
            raise ScenarioError(f"chunk {chunk} cannot be copied to server {server}, which {why}")
        self._held[server].add(chunk)
        insort(self._live[chunk], server)
        self.n_replicas += 1
        self.changed.add(chunk)

    def remove(self, chunk: int, server: int) -> None:
        """Take a replica off the disk of a server, up or not.

        Parameters
        ----------
        chunk, server : int

        Raises
        ------
        ScenarioError
            If there is none.
        """
        if chunk not in self._held[server]:
            raise ScenarioError(f"chunk {chunk} is not on server {server}")
        self._held[server].remove(chunk)
        self.n_replicas -= 1
        if self._is_up[server]:
            live = self._live[chunk]
            del live[bisect_left(live, server)]
            self.changed.add(chunk)
        else:
            self._take_away(chunk, server)

    def unreach(self, server: int) -> None:
        """Take note that a server cannot be reached: its replicas are away.

        Parameters
        ----------
        server : int
        """
        self._is_up[server] = False
        for chunk in self._held[server]:
            live = self._live[chunk]
            del live[bisect_left(live, server)]
            self._away.setdefault(chunk, []).append(server)
        self.changed |= self._held[server]

    def reach(self, server: int) -> None:
        """Take note that a server can be reached again, with what it has on its disk.

        Parameters
        ----------
        server : int
        """
        self._is_up[server] = True
        for chunk in self._held[server]:
            self._take_away(chunk, server)
            insort(self._live[chunk], server)
        self.changed |= self._held[server]

    def wipe(self, server: int) -> list[int]:
        """Lose everything on the disk of a server.

        Parameters
        ----------
        server : int

        Returns
        -------
        list of int
            The chunks that were on it, ascending.
        """
        lost = sorted(self._held[server])
        for chunk in lost:
            self.remove(chunk, server)
        return lost

    def _take_away(self, chunk: int, server: int) -> None:
        away = self._away[chunk]
        away.remove(server)
        if not away:
            del self._away[chunk]
