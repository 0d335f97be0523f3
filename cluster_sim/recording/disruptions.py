"""What a run says of its breakdowns, and of the replicas that it moved."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, Self

__all__ = ["FailureRecord", "ReplicationRecord"]


class _Sums:
    """Counts of a run, which add up over runs."""

    def __add__(self, other: Self) -> Self:
        """Return the counts of both together."""
        pairs = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return type(self)(**pairs)

    @classmethod
    def total(cls, records: list[Self]) -> Self:
        """Return the counts of several runs together.

        Parameters
        ----------
        records : list
            At least one.
        """
        return reduce(lambda one, other: one + other, records)


@dataclass(frozen=True)
class FailureRecord(_Sums):
    """Breakdowns of a run, and what became of its tasks and chunks; over the whole run.

    Parameters
    ----------
    n_breakdowns, n_rack_breakdowns : int
        Of servers themselves, and of rack switches.
    server_slots, down_slots : int
        Servers times slots, and in how many of these a server could not be reached.
    n_retried : int
        Runs of tasks that were broken off, to be begun again.
    redone_slots : int
        Slots of service that these runs had had.
    n_rerouted : int
        Waiting tasks that had to join a queue anew: their server broke down, or their chunk was
        away.
    n_waited : int
        Times that a task had to wait for a replica of its chunk.
    n_aside : int
        Tasks that wait for one at the end.
    n_failed : int
        Tasks that left without service, as their chunk is lost.
    n_replicas_lost, n_copies : int
        Replicas lost with their disks, and made anew by re-replication.
    n_chunks_lost : int
        Chunks that lost their last replica while somebody could still read them.
    """

    n_breakdowns: int
    n_rack_breakdowns: int
    server_slots: int
    down_slots: int
    n_retried: int
    redone_slots: int
    n_rerouted: int
    n_waited: int
    n_aside: int
    n_failed: int
    n_replicas_lost: int
    n_copies: int
    n_chunks_lost: int

    @property
    def availability(self) -> float:
        """Fraction of server-slots in which the server could be reached; nan without slots."""
        if not self.server_slots:
            return float("nan")
        return 1 - self.down_slots / self.server_slots

    def as_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON types.

        Returns
        -------
        dict
        """
        return {
            "breakdowns": self.n_breakdowns,
            "rack_breakdowns": self.n_rack_breakdowns,
            "availability": self.availability if self.server_slots else None,
            "retried": self.n_retried,
            "redone_slots": self.redone_slots,
            "rerouted": self.n_rerouted,
            "waited_for_chunk": self.n_waited,
            "waiting_for_chunk_at_end": self.n_aside,
            "failed": self.n_failed,
            "replicas_lost": self.n_replicas_lost,
            "rereplicated": self.n_copies,
            "chunks_lost": self.n_chunks_lost,
        }


@dataclass(frozen=True)
class ReplicationRecord(_Sums):
    """What a replication scheme did, over the whole run.

    Parameters
    ----------
    n_created, n_evicted, n_lost : int
        Replicas that it made, that it took away, and that went with the disk of a server.
    n_transfers : int
        Those made that crossed the network for it.
    n_slots, extra_sum : int
        Slots, and the replicas of its making that were there in them, summed.
    extra_peak : int
        Most at one time; of several runs together, the sum.
    n_initial : int
        Replicas in the beginning.
    """

    n_created: int
    n_evicted: int
    n_lost: int
    n_transfers: int
    n_slots: int
    extra_sum: int
    extra_peak: int
    n_initial: int

    @property
    def mean_extra(self) -> float:
        """Replicas of its making that were there, mean over slots; nan without slots."""
        return self.extra_sum / self.n_slots if self.n_slots else float("nan")

    def as_dict(self, n_runs: int = 1) -> dict[str, Any]:
        """Return the record as plain JSON types.

        Parameters
        ----------
        n_runs : int
            Runs that it is of.

        Returns
        -------
        dict
        """
        return {
            "created": self.n_created,
            "evicted": self.n_evicted,
            "lost": self.n_lost,
            "transfers": self.n_transfers,
            "extra_mean": self.mean_extra if self.n_slots else None,
            "extra_peak": self.extra_peak / n_runs,
            "initial_replicas": self.n_initial // n_runs,
        }
