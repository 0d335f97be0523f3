"""A recording as few bytes: what happened, slot by slot, given what is already known.

The format is that of `view.js`, which rebuilds the state as it reads. Both go through a slot in the
same order and know the same at each step, so only what cannot be foretold takes room:

1. for each busy server, whether it completes;
2. for each queue, how many tasks arrive;
3. for each idle server, whether it takes nothing, a task of its own queue, or one of another;
4. for each queue with waiting tasks, how many go to servers that it does not belong to;
5. which of these servers takes from which of these queues, and who gets which task, as one number
   in a mixed radix;
6. for each start, whether its tier is the one to expect from its queue.

Symbols go to a stream each by what is known (a queue that is short and was busy gets more tasks
than others), so that each stream gets a code of its own when it is compressed.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cluster_sim.recording.recording import UNKNOWN, Recording

__all__ = ["Encoded", "Layout", "Packed", "encode"]

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

ESCAPE = 3  # a symbol of two bits; the value follows among the numbers
CLASSES = 4  # of queues, by how many tasks they get
LENGTHS = 6  # of a queue, told apart when tasks arrive
DEPTHS = 8  # below the longest queue, told apart when tasks are taken
CROWDS = 4  # lengths of the longest queue, told apart when a server takes a task

PAIRS = ("who", "who+")  # the streams that say which server took which task
NAMES = ("names", "replicas")


@dataclass(frozen=True, eq=False)
class Layout:
    """What does not change during a run.

    Parameters
    ----------
    owners : int64 array, shape (n_queues,)
        The server that each queue belongs to; -1 for a queue of nobody.
    n_servers, n_tiers : int
    """

    owners: Ints
    n_servers: int
    n_tiers: int

    @property
    def n_queues(self) -> int:
        """Number of queues."""
        return len(self.owners)

    @cached_property
    def queues(self) -> Ints:
        """The queues of each server, ascending: int64 array, shape (n_servers, most).

        Shorter rows are filled with `n_queues`.
        """
        owned = np.flatnonzero(self.owners >= 0)
        order = owned[np.argsort(self.owners[owned], kind="stable")]
        counts = np.bincount(self.owners[owned], minlength=self.n_servers)
        table = np.full((self.n_servers, max(int(counts.max(initial=0)), 1)), self.n_queues)
        table[np.arange(table.shape[1]) < counts[:, None]] = order
        return table


@dataclass(frozen=True)
class Packed:
    """A recording as a page holds it.

    Parameters
    ----------
    streams : tuple of (str, int)
        Names and lengths of the parts of the data, bytes.
    data : bytes
        The parts one after another, compressed by zlib.
    has_names : bool
        Whether numbers and replicas of the tasks are in it.
    has_pairs : bool
        Whether it says which server took which task.
    """

    streams: tuple[tuple[str, int], ...]
    data: bytes
    has_names: bool
    has_pairs: bool


@dataclass(frozen=True)
class Encoded:
    """A recording, encoded but not yet compressed.

    Parameters
    ----------
    parts : dict of str to bytes
        The streams by name.
    is_fifo : bool
        Whether every queue was served in the order of arrival.
    """

    parts: dict[str, bytes]
    is_fifo: bool

    def pack(self, *, has_names: bool = True, has_pairs: bool = True) -> Packed:
        """Compress what is to be kept.

        Parameters
        ----------
        has_names : bool
            Keep numbers and replicas of the tasks, if they were encoded.
        has_pairs : bool
            Keep which server took which task. Without, servers and queues are still shown as they
            were, but no task has a story, and names are of no use.

        Returns
        -------
        Packed
        """
        left_out = set() if has_pairs else set(PAIRS)
        if not (has_names and has_pairs):
            left_out |= set(NAMES)
        kept = [(name, part) for name, part in self.parts.items() if name not in left_out]
        # Short blocks, so that each stream gets a code of its own: a twentieth less than usual.
        deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 4, zlib.Z_FILTERED)
        data = deflate.compress(b"".join(part for _, part in kept)) + deflate.flush()
        sizes = tuple((name, len(part)) for name, part in kept)
        return Packed(sizes, data, NAMES[0] in dict(kept), has_pairs)


def encode(recording: Recording, layout: Layout, *, has_names: bool = True) -> Encoded:
    """Encode a recording.

    Parameters
    ----------
    recording : Recording
    layout : Layout
        Of the run.
    has_names : bool
        Whether to encode the numbers of the tasks and their replicas: four bytes or so a task.

    Returns
    -------
    Encoded
    """
    writer = _Writer(recording, layout, has_names=has_names and recording.replicas.shape[1] > 0)
    writer.write_setup()
    for slot in range(recording.first_slot, recording.end_slot):
        writer.write_slot(slot)
    return Encoded(writer.streams.parts(), writer.is_fifo)


class _Streams:
    """Symbols and numbers, by stream."""

    def __init__(self) -> None:
        self._symbols: defaultdict[str, list[Bytes]] = defaultdict(list)
        self._bits: defaultdict[str, list[Bytes]] = defaultdict(list)
        self._numbers: defaultdict[str, bytearray] = defaultdict(bytearray)

    def bits(self, name: str, values: npt.NDArray[np.bool_]) -> None:
        self._bits[name].append(values.astype(np.uint8))

    def symbols(self, name: str, contexts: Ints, values: Ints) -> None:
        """Write small numbers, each to the stream of its context; the few large ones apart."""
        for context in np.unique(contexts):
            chosen = np.minimum(values[contexts == context], ESCAPE)
            self._symbols[f"{name}{context}"].append(chosen.astype(np.uint8))
        self.numbers(f"{name}+", (values[values >= ESCAPE] - ESCAPE).tolist())

    def numbers(self, name: str, values: Iterable[int]) -> None:
        """Write whole numbers from 0, seven bits a byte, the lowest first."""
        out = self._numbers[name]
        for value in values:
            rest = value
            while rest > 127:
                out.append(rest & 127 | 128)
                rest >>= 7
            out.append(rest)

    def large(self, name: str, value: int) -> None:
        """Write a number of any size: its length goes among the numbers."""
        raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
        self.numbers(f"{name}+", [len(raw)])
        self._numbers[name] += raw

    def parts(self) -> dict[str, bytes]:
        packed = {
            name: np.packbits(np.concatenate(parts), bitorder="little").tobytes()
            for name, parts in self._bits.items()
        }
        for name, parts in self._symbols.items():
            symbols = np.concatenate(parts)
            pairs = np.stack([symbols & 1, symbols >> 1], axis=1).reshape(-1)
            packed[name] = np.packbits(pairs, bitorder="little").tobytes()
        packed |= {name: bytes(numbers) for name, numbers in self._numbers.items()}
        return dict(sorted(packed.items()))


class _Writer:
    """The state of a run, as the reader will know it at each step."""

    def __init__(self, recording: Recording, layout: Layout, *, has_names: bool) -> None:
        self.streams = _Streams()
        self.is_fifo = recording.is_fifo
        self._has_names = has_names
        self._recording, self._layout = recording, layout
        n_queues = layout.n_queues
        self._waiting: list[list[int]] = [[] for _ in range(n_queues)]  # rows, first come first
        self._n_waiting = np.zeros(n_queues + 1, dtype=np.int64)  # the last stands for no queue
        self._running = np.full(layout.n_servers, UNKNOWN, dtype=np.int64)  # row by server
        self._own = layout.queues
        self._classes = _classes(recording, n_queues)
        self._arrived = _by_slot(recording, recording.arrival, recording.queue)
        self._started = _by_slot(recording, recording.start, recording.server)

    def write_setup(self) -> None:
        """Write the classes of the queues, and what is in the system as the recording begins."""
        recording, first, write = self._recording, self._recording.first_slot, self.streams.numbers
        write("setup", self._classes.tolist())
        early = np.flatnonzero(recording.arrival < first)
        is_running = (recording.start[early] != UNKNOWN) & (recording.start[early] < first)
        for row in early[~is_running].tolist():
            self._waiting[recording.queue[row]].append(row)
        for queue, rows in enumerate(self._waiting):
            self._n_waiting[queue] = len(rows)
            write("setup", [len(rows), *(first - int(recording.arrival[row]) for row in rows)])
            self._name(rows)
        self._running[recording.server[early[is_running]]] = early[is_running]
        for row in self._running.tolist():
            write("setup", [0] if row == UNKNOWN else [1, *self._of_running(row)])
            if row != UNKNOWN:
                self._name([row])

    def _of_running(self, row: int) -> list[int]:
        recording, first = self._recording, self._recording.first_slot
        times = (first - int(recording.start[row]), first - int(recording.arrival[row]))
        return [int(recording.queue[row]), int(recording.tier[row]), *times]

    def write_slot(self, slot: int) -> None:
        """Write a slot, and bring the state to its end."""
        self._complete(slot)
        self._arrive(slot)
        self._dispatch(slot)

    def _complete(self, slot: int) -> None:
        recording = self._recording
        busy = np.flatnonzero(self._running != UNKNOWN)
        rows = self._running[busy]
        is_done = recording.end[rows] == slot
        for tier in range(self._layout.n_tiers):
            self.streams.bits(f"done{tier}", is_done[recording.tier[rows] == tier])
        self._running[busy[is_done]] = UNKNOWN
        self.streams.numbers("times", [int((slot - recording.arrival[rows[is_done]]).sum())])

    def _arrive(self, slot: int) -> None:
        rows, n_queues = self._arrived[slot - self._recording.first_slot], self._layout.n_queues
        queues = self._recording.queue[rows]
        counts = np.bincount(queues, minlength=n_queues)
        owners = self._layout.owners
        is_served = (owners >= 0) & (self._running[owners] != UNKNOWN)
        lengths = np.minimum(self._n_waiting[:-1] + is_served, LENGTHS - 1)
        self.streams.symbols("arrive", self._classes * LENGTHS + lengths, counts)
        self._n_waiting[:-1] += counts
        for queue, row in zip(queues.tolist(), rows.tolist(), strict=True):
            self._waiting[queue].append(row)
        self._name(rows.tolist())

    def _dispatch(self, slot: int) -> None:
        recording, layout = self._recording, self._layout
        rows = self._started[slot - recording.first_slot]  # by server
        idle = np.flatnonzero(self._running == UNKNOWN)
        has_own = self._n_waiting[self._own[idle]] > 0
        own = np.where(
            has_own.any(axis=1),
            self._own[idle, np.argmax(has_own, axis=1)],
            UNKNOWN,
        )
        longest = int(self._n_waiting.max())
        if not longest:
            return
        servers, queues = recording.server[rows], recording.queue[rows]
        taken = np.full(layout.n_servers, UNKNOWN)
        taken[servers] = queues
        taken = taken[idle]
        kind = np.where(taken == UNKNOWN, 0, np.where(taken == own, 1, 2))
        self.streams.symbols("take", 2 * min(longest, CROWDS) + (own != UNKNOWN), kind)
        is_help = kind[np.searchsorted(idle, servers)] == 2
        self._help(rows, is_help, longest)
        # From an own queue, the tier is that of its place among them, as under Balanced-PANDAS;
        # else the last one. Which other queue it is must not matter: a reader may not know.
        place = np.argmax(layout.queues[servers] == queues[:, None], axis=1)
        expected = np.where(is_help, layout.n_tiers - 1, np.minimum(place, layout.n_tiers - 1))
        tiers = recording.tier[rows]
        self.streams.symbols("tier", expected, np.where(tiers == expected, 0, 1 + tiers))
        self._running[servers] = rows

    def _help(self, rows: Ints, is_help: npt.NDArray[np.bool_], longest: int) -> None:
        """Write who takes what from queues other than the own one; take all tasks."""
        queues = self._recording.queue[rows]
        helped = queues[is_help]
        if len(helped):
            waiting = np.flatnonzero(self._n_waiting[:-1])
            counts = np.bincount(helped, minlength=self._layout.n_queues)[waiting]
            depths = np.minimum(longest - self._n_waiting[waiting], DEPTHS - 1)
            self.streams.symbols("help", depths, counts)
        digits = _choices(helped.tolist())
        digits += self._positions(queues.tolist(), rows.tolist())
        number = 0
        for digit, radix in reversed(digits):
            number = number * radix + digit
        if any(radix > 1 for _, radix in digits):
            self.streams.large("who", number)
        self._n_waiting[:-1] -= np.bincount(queues, minlength=self._layout.n_queues)

    def _positions(self, queues: Sequence[int], rows: Sequence[int]) -> list[tuple[int, int]]:
        """Take the tasks from their queues; return at which place each stood."""
        takers: defaultdict[int, int] = defaultdict(int)
        for queue in queues:
            takers[queue] += 1
        digits = []
        for queue, row in zip(queues, rows, strict=True):
            line = self._waiting[queue]
            place = line.index(row)
            radix = takers[queue] if self.is_fifo else len(line)
            takers[queue] -= 1
            del line[place]
            if radix > 1:
                digits.append((place, radix))
        return digits

    def _name(self, rows: Sequence[int]) -> None:
        """Write numbers and replicas of tasks that have just come in sight."""
        if not self._has_names:
            return
        recording = self._recording
        for row in rows:
            replicas = recording.replicas[row]
            replicas = replicas[replicas >= 0].tolist()
            self.streams.numbers("names", [int(recording.number[row])])
            self.streams.numbers("replicas", [len(replicas), *replicas])


def _classes(recording: Recording, n_queues: int) -> Ints:
    """Return classes of queues, from those with the fewest tasks to those with the most."""
    counts = np.bincount(recording.queue, minlength=n_queues)
    ranks = np.searchsorted(np.sort(counts), counts)
    return np.asarray(ranks * CLASSES // max(n_queues, 1), dtype=np.int64)


def _by_slot(recording: Recording, slots: Ints, then_by: Ints) -> list[Ints]:
    """Return the rows of each slot, by a second column, then by number."""
    order = np.lexsort((recording.number, then_by, slots))
    edges = np.arange(recording.first_slot, recording.end_slot + 1)
    cuts = np.searchsorted(slots[order], edges)
    return [order[begin:end] for begin, end in pairwise(cuts)]


def _choices(chosen: Sequence[int]) -> list[tuple[int, int]]:
    """Return each choice as its place among the different things still to be chosen."""
    left: defaultdict[int, int] = defaultdict(int)
    for thing in chosen:
        left[thing] += 1
    different = sorted(left)
    digits = []
    for thing in chosen:
        place = different.index(thing)
        digits.append((place, len(different)))
        left[thing] -= 1
        if not left[thing]:
            del different[place]
    return digits
