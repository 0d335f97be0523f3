"""Breakdowns of servers and of rack switches: when who is down, and what happens to the disks."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from cluster_sim.errors import ScenarioError
from cluster_sim.model.placement import Placement, UniformPlacement
from cluster_sim.model.service import service_time
from cluster_sim.model.topology import Topology
from cluster_sim.randomness import Key, Stream, block, uniform

__all__ = ["Change", "Disks", "Failures", "LostChunks", "Outage", "Outages"]


class Disks(enum.StrEnum):
    """What a server that broke down comes back with."""

    LOST = "lost"  # nothing
    KEPT = "kept"  # the replicas that it had


class LostChunks(enum.StrEnum):
    """What becomes of the tasks of a chunk that has no replica left, on any disk."""

    WAIT = "wait"  # they wait, in vain unless somebody else keeps a copy
    FAIL = "fail"  # they leave the system, and are counted


@dataclass(frozen=True)
class Outage:
    """A breakdown that is planned: of a server, or of the switch of a rack.

    Parameters
    ----------
    slot : int
        The first slot in which it is down.
    down : int
        For how many slots.
    server, rack : int or None
        One of them.
    """

    slot: int
    down: int
    server: int | None = None
    rack: int | None = None

    def __post_init__(self) -> None:
        """Check that it names one thing, and a time."""
        if (self.server is None) == (self.rack is None):
            raise ScenarioError("an outage is of a server or of a rack: give one of the two")
        if self.slot < 0 or self.down < 1:
            raise ScenarioError(
                f"an outage from slot {self.slot} for {self.down} slots: slot must be at least 0, "
                "down at least 1"
            )


@dataclass(frozen=True)
class Failures:
    """What breaks down, how often and for how long, and what is done about it.

    Parameters
    ----------
    server_mean_up, server_mean_down : float or None
        Mean slots that a server is up and down; both geometric, and at least 1. None: servers do
        not break down by chance.
    rack_mean_up, rack_mean_down : float or None
        The same of the switches of racks. The servers of a rack without a switch cannot be
        reached; their disks are kept.
    events : tuple of Outage
        Planned breakdowns, besides those by chance.
    disks : Disks
    rereplication : float
        Copies a slot, cluster-wide, of chunks that lost a replica. 0: none is made.
    lost_chunks : LostChunks
    placement : Placement
        The rule by which chunks were placed. Copies go where it would place one more.

    Raises
    ------
    ScenarioError
        If a mean is below 1 or stands alone, or the rate is negative.
    """

    server_mean_up: float | None = None
    server_mean_down: float | None = None
    rack_mean_up: float | None = None
    rack_mean_down: float | None = None
    events: tuple[Outage, ...] = ()
    disks: Disks = Disks.LOST
    rereplication: float = 0.0
    lost_chunks: LostChunks = LostChunks.FAIL
    placement: Placement = UniformPlacement()

    def __post_init__(self) -> None:
        """Accept the plain strings of a scenario file, and check the numbers."""
        object.__setattr__(self, "disks", Disks(self.disks))
        object.__setattr__(self, "lost_chunks", LostChunks(self.lost_chunks))
        for what in ("server", "rack"):
            up, down = getattr(self, f"{what}_mean_up"), getattr(self, f"{what}_mean_down")
            if (up is None) != (down is None):
                raise ScenarioError(
                    f"{what}_mean_up and {what}_mean_down: give both, or neither for {what}s that "
                    "do not break down by chance"
                )
            for name, mean in ((f"{what}_mean_up", up), (f"{what}_mean_down", down)):
                if mean is not None and not (mean >= 1 and math.isfinite(mean)):
                    raise ScenarioError(f"{name} = {mean}: must be a number of slots, at least 1")
        if not (self.rereplication >= 0 and not math.isnan(self.rereplication)):
            raise ScenarioError(
                f"rereplication = {self.rereplication}: must be at least 0 copies a slot"
            )

    @property
    def has_racks(self) -> bool:
        """Whether a rack switch may fail."""
        return self.rack_mean_up is not None or any(e.rack is not None for e in self.events)


class Change(NamedTuple):
    """What changes at the beginning of a slot; servers and racks ascending.

    Attributes
    ----------
    went_down, came_up : list of int
        Servers that can be reached no longer, or again.
    broke, n_racks_broke : list of int, int
        Servers that broke down themselves, also unreachable ones; and how many switches did.
    """

    went_down: list[int]
    came_up: list[int]
    broke: list[int]
    n_racks_broke: int


class Outages:
    """Who is up in each slot: a pure function of the key, whatever the policy does.

    Parameters
    ----------
    failures : Failures
    topology : Topology
    key : Key

    Raises
    ------
    ScenarioError
        If a planned breakdown is of a server or a rack that does not exist.

    Notes
    -----
    All servers are up when slot 0 begins. Up and down times are drawn by inversion, one block of
    words for each spell, so a server is up in a fraction up / (up + down) of the slots in the long
    run.
    """

    def __init__(self, failures: Failures, topology: Topology, key: Key) -> None:
        self._key = key
        self._members: dict[Stream, list[list[int]]] = {
            Stream.BREAKDOWN: [[server] for server in range(topology.n_servers)]
        }
        if failures.has_racks:
            racks = topology.level("rack").tolist()
            members: list[list[int]] = [[] for _ in range(max(racks) + 1)]
            for server, rack in enumerate(racks):
                members[rack].append(server)
            self._members[Stream.RACK_BREAKDOWN] = members
        self._means = {
            Stream.BREAKDOWN: (failures.server_mean_up, failures.server_mean_down),
            Stream.RACK_BREAKDOWN: (failures.rack_mean_up, failures.rack_mean_down),
        }
        # How many reasons a server has to be down, and how many of these are its own.
        self._n_reasons = [0] * topology.n_servers
        self._n_own = [0] * topology.n_servers
        # Slot, whether it is an end, of what, which, and the spell; planned ones have spell -1.
        self._agenda: list[tuple[int, bool, Stream, int, int]] = []
        for event in failures.events:
            self._plan(event)
        for stream, members in self._members.items():
            if self._means[stream][0] is not None:
                for unit in range(len(members)):
                    self._agenda.append((self._spell(stream, unit, 0)[0], False, stream, unit, 0))
        heapify(self._agenda)

    def _plan(self, event: Outage) -> None:
        stream = Stream.BREAKDOWN if event.rack is None else Stream.RACK_BREAKDOWN
        unit, what = (event.server, "server") if event.rack is None else (event.rack, "rack")
        members = self._members[stream]
        if unit is None or not 0 <= unit < len(members):
            raise ScenarioError(
                f"failures: {what} = {unit} is to break down in slot {event.slot}; there are "
                f"{what}s 0 to {len(members) - 1}"
            )
        self._agenda.append((event.slot, False, stream, unit, -1))
        self._agenda.append((event.slot + event.down, True, stream, unit, -1))

    def _spell(self, stream: Stream, unit: int, spell: int) -> tuple[int, int]:
        """Return for how many slots it is up, and then down, for the n-th time."""
        up, down = self._means[stream]
        words = block(self._key, stream, unit, spell)
        return (
            service_time(uniform(words[0], words[1]), 1 / (up or 1.0)),
            service_time(uniform(words[2], words[3]), 1 / (down or 1.0)),
        )

    def is_broken(self, server: int) -> bool:
        """Return whether a server itself is down, not only the switch of its rack.

        Parameters
        ----------
        server : int

        Returns
        -------
        bool
        """
        return self._n_own[server] > 0

    def step(self, slot: int) -> Change | None:
        """Return what changes as a slot begins; slots are to be asked for in order.

        Parameters
        ----------
        slot : int

        Returns
        -------
        Change or None
            None if nothing does.
        """
        agenda, n_reasons = self._agenda, self._n_reasons
        if not agenda or agenda[0][0] > slot:
            return None
        before: dict[int, bool] = {}
        broke: set[int] = set()
        n_racks = 0
        while agenda and agenda[0][0] <= slot:
            _, is_end, stream, unit, spell = heappop(agenda)
            for server in self._members[stream][unit]:
                before.setdefault(server, n_reasons[server] == 0)
                n_reasons[server] += -1 if is_end else 1
            if stream is Stream.BREAKDOWN:
                self._n_own[unit] += -1 if is_end else 1
                if not is_end:
                    broke.add(unit)
            n_racks += not is_end and stream is Stream.RACK_BREAKDOWN
            if spell >= 0:
                if is_end:
                    ahead = self._spell(stream, unit, spell + 1)[0]
                    heappush(agenda, (slot + ahead, False, stream, unit, spell + 1))
                else:
                    down = self._spell(stream, unit, spell)[1]
                    heappush(agenda, (slot + down, True, stream, unit, spell))
        changed = sorted(server for server in before if before[server] != (n_reasons[server] == 0))
        return Change(
            [server for server in changed if n_reasons[server]],
            [server for server in changed if not n_reasons[server]],
            sorted(broke),
            n_racks,
        )
