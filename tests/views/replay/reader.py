"""The reader of the replay's format a second time, as plain as can be, to check the writer."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from cluster_sim.views.replay.encoding import CROWDS, DEPTHS, ESCAPE, LENGTHS, Layout, Packed


@dataclass
class Stream:
    data: bytes
    at: int = 0

    def bits(self, n: int) -> int:
        value = (self.data[self.at * n // 8] >> (self.at * n % 8)) % 2**n
        self.at += 1
        return value

    def raw(self, n: int) -> bytes:
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self) -> int:
        value = shift = 0
        while (byte := self.raw(1)[0]) > 127:
            value += (byte & 127) << shift
            shift += 7
        return value + (byte << shift)


@dataclass
class Read:
    """What a reader knows of a task."""

    queue: int
    arrival: int
    start: int = -1
    server: int = -1
    tier: int = -1
    end: int = -1
    number: int = -1
    replicas: tuple[int, ...] = ()


@dataclass
class Reader:
    packed: Packed
    layout: Layout
    first: int
    is_fifo: bool
    tasks: list[Read] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    in_queues: list[list[int]] = field(default_factory=list)  # waiting tasks after each slot

    def __post_init__(self) -> None:
        data, at = zlib.decompress(self.packed.data), 0
        self.streams: defaultdict[str, Stream] = defaultdict(lambda: Stream(b""))
        for name, size in self.packed.streams:
            self.streams[name] = Stream(data[at : at + size])
            at += size
        assert at == len(data)

    def read(self, n_slots: int) -> Reader:
        """Read everything; nothing may be left over."""
        self._setup()
        for slot in range(self.first, self.first + n_slots):
            self._complete(slot)
            for queue, line in enumerate(self.lines):
                owner = self.layout.owners[queue]
                served = owner >= 0 and self.running[owner] is not None
                length = min(len(line) + served, LENGTHS - 1)
                n = self._symbol("arrive", self.classes[queue] * LENGTHS + length)
                line += [self._task(queue, slot) for _ in range(n)]
            self._dispatch(slot)
            self.in_queues.append([len(line) for line in self.lines])
        for name, stream in self.streams.items():
            per_byte = 8 if name.startswith("done") else 4 if name[-1].isdigit() else 1
            assert len(stream.data) == -(-stream.at // per_byte), f"{name} is not read to its end"
        return self

    def _symbol(self, name: str, context: int) -> int:
        symbol = self.streams[f"{name}{context}"].bits(2)
        return symbol + self.streams[f"{name}+"].number() if symbol == ESCAPE else symbol

    def _task(self, queue: int, arrival: int) -> Read:
        task = Read(queue, arrival)
        if self.packed.has_names:
            replicas = self.streams["replicas"]
            task.number = self.streams["names"].number()
            task.replicas = tuple(replicas.number() for _ in range(replicas.number()))
        self.tasks.append(task)
        return task

    def _setup(self) -> None:
        setup, first = self.streams["setup"], self.first
        self.classes = [setup.number() for _ in range(self.layout.n_queues)]
        self.lines = [
            [self._task(queue, first - setup.number()) for _ in range(setup.number())]
            for queue in range(self.layout.n_queues)
        ]
        self.running: list[Read | None] = []
        for server in range(self.layout.n_servers):
            if not setup.number():
                self.running.append(None)
                continue
            queue, tier, ago, age = (setup.number() for _ in range(4))
            task = self._task(queue, first - age)
            task.tier, task.start, task.server = tier, first - ago, server
            self.running.append(task)

    def _complete(self, slot: int) -> None:
        for server, task in enumerate(self.running):
            if task is not None and self.streams[f"done{task.tier}"].bits(1):
                task.end, self.running[server] = slot, None
        self.times.append(self.streams["times"].number())

    def _dispatch(self, slot: int) -> None:
        longest = max(map(len, self.lines))
        if not longest:
            return
        takers: list[list[int]] = []  # server, queue, expected tier, kind
        for server, task in enumerate(self.running):
            if task is not None:
                continue
            queues = [q for q in range(len(self.lines)) if self.layout.owners[q] == server]
            own = next((q for q in queues if self.lines[q]), -1)
            kind = self._symbol("take", 2 * min(longest, CROWDS) + (own >= 0))
            last = self.layout.n_tiers - 1
            if kind:
                tier = last if kind == 2 else min(queues.index(own), last)
                takers.append([server, own, tier, kind])
        digit = self._digits()
        self._help([taker for taker in takers if taker[3] == 2], longest, digit)
        left = Counter(queue for _, queue, _, _ in takers)
        taken = []
        for _, queue, _, _ in takers:
            line = self.lines[queue]
            taken.append(line.pop(digit(left[queue] if self.is_fifo else len(line))))
            left[queue] -= 1
        for (server, _, expected, _), task in zip(takers, taken, strict=True):
            symbol = self._symbol("tier", expected)
            task.tier = symbol - 1 if symbol else expected
            task.start, task.server, self.running[server] = slot, server, task

    def _help(self, helpers: list[list[int]], longest: int, digit: Callable[[int], int]) -> None:
        if not helpers:
            return
        left: list[int] = []
        for queue, line in enumerate(self.lines):
            if line:
                n = self._symbol("help", min(longest - len(line), DEPTHS - 1))
                left += [queue] * n
        for helper in helpers:
            different = sorted(set(left))
            helper[1] = different[digit(len(different))]
            left.remove(helper[1])

    def _digits(self) -> Callable[[int], int]:
        number: int | None = None

        def digit(radix: int) -> int:
            nonlocal number
            if radix < 2 or not self.packed.has_pairs:
                return 0
            if number is None:
                number = int.from_bytes(self.streams["who"].raw(self.streams["who+"].number()))
            number, rest = divmod(number, radix)
            return rest

        return digit
