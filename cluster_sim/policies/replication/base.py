"""The contract of a replication scheme: it sees who reads what, and makes and drops replicas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from cluster_sim.model.cluster import Cluster
    from cluster_sim.model.task import Task

__all__ = ["Replicating", "ReplicationScheme", "SchemeSetting", "Storage"]


class Storage(Protocol):
    """The disks, as a scheme sees them. What it makes is told apart from what was there before."""

    @property
    def chunks(self) -> Sequence[int]:
        """Every chunk, ascending."""
        ...

    @property
    def n_extra(self) -> int:
        """Replicas that the scheme has made and that are still there."""
        ...

    def is_up(self, server: int) -> bool:
        """Return whether a server can be reached."""
        ...

    def live(self, chunk: int) -> Sequence[int]:
        """Return the servers that hold a chunk and can be reached, ascending."""
        ...

    def holds(self, server: int, chunk: int) -> bool:
        """Return whether a chunk is on the disk of a server."""
        ...

    def n_copies(self, chunk: int) -> int:
        """Return how many replicas a chunk has, on servers that cannot be reached too."""
        ...

    def extra_on(self, chunk: int) -> Sequence[int]:
        """Return the servers that hold a chunk by the doing of the scheme, ascending."""
        ...

    def create(self, chunk: int, server: int, *, is_transfer: bool) -> None:
        """Put a replica on a server that is up and has none.

        `is_transfer` says whether the chunk crosses the network for it; it does not where a task
        has read it there anyway.
        """
        ...

    def evict(self, chunk: int, server: int) -> None:
        """Take away a replica that the scheme made.

        Where the chunk has lost replicas and needs this one, it stays in place of one of them, and
        counts as the scheme's no longer.
        """
        ...


@dataclass(frozen=True, eq=False)
class SchemeSetting:
    """What a scheme is given before the first task arrives.

    Parameters
    ----------
    cluster : Cluster
    storage : Storage
    draw : callable
        From a number to a pair of independent uniforms on [0, 1), the same in every run of this
        key. It is the only randomness to use.
    """

    cluster: Cluster
    storage: Storage
    draw: Callable[[int], tuple[float, float]]


class Replicating(ABC):  # noqa: B024 - a scheme overrides what it needs
    """The state of a scheme in one run; `ReplicationScheme.begin` makes it."""

    def slot_begins(self, slot: int) -> None:  # noqa: B027
        """Do what is due at the beginning of a slot, after breakdowns and before arrivals.

        Parameters
        ----------
        slot : int
        """

    def arrived(self, task: Task) -> None:  # noqa: B027
        """Take note of a task that wants ``task.chunk``.

        Parameters
        ----------
        task : Task
        """

    def has_read(self, task: Task) -> None:  # noqa: B027
        """Take note of a task that has completed on ``task.server``, and so has read its chunk.

        Parameters
        ----------
        task : Task
        """

    def failed(self, task: Task) -> None:  # noqa: B027
        """Take note of a task that left without service, because its chunk is lost.

        Parameters
        ----------
        task : Task
        """

    def lost(self, chunk: int, server: int) -> None:  # noqa: B027
        """Take note that a replica which the scheme made is gone, with the disk of its server.

        Parameters
        ----------
        chunk, server : int
        """


@dataclass(frozen=True)
class ReplicationScheme(ABC):
    """A rule that makes and drops replicas during a run.

    A subclass is a frozen dataclass. Its fields are its parameters, as a scenario's
    ``[replication]`` table names them. A scheme decides; the engine performs, checks and counts. It
    works with every scheduling policy, and runs on the SimPy engine.

    Attributes
    ----------
    name : str
        The name in scenarios and tables.
    title : str
        One line for tables.
    paper : str
        The source.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str] = ""

    @property
    def is_static(self) -> bool:
        """Whether replicas stay where they are. Only then do both engines run it."""
        return False

    @abstractmethod
    def begin(self, setting: SchemeSetting) -> Replicating:
        """Return the state for a new run.

        Parameters
        ----------
        setting : SchemeSetting

        Returns
        -------
        Replicating
        """
