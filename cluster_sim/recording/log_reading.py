"""Read an event log back: what `EventLog` wrote, as a recording."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cluster_sim.errors import ScenarioError
from cluster_sim.model.task import Task
from cluster_sim.recording.events import EventKind
from cluster_sim.recording.logs import EVENT_COLUMNS
from cluster_sim.recording.recording import Recorder, Recording

__all__ = ["read_event_log"]


def read_event_log(
    path: str | Path,
    *,
    first_slot: int,
    n_slots: int,
    tier_names: Sequence[str],
    n_servers: int,
    n_queues: int,
) -> Recording:
    """Read a stretch of an event log.

    Parameters
    ----------
    path : str or Path
        As ``cluster-sim run --events`` wrote it; compressed if it ends in ``.gz``.
    first_slot, n_slots : int
        The stretch.
    tier_names : sequence of str
        Of the cluster that ran.
    n_servers, n_queues : int
        Of that cluster under that policy.

    Returns
    -------
    Recording
        Without replicas, which such a log does not hold.

    Raises
    ------
    ScenarioError
        If the file cannot be read, is no event log, or is the log of another system.
    """
    reader = _Reader(str(path), Recorder(first_slot, n_slots), tier_names, n_servers, n_queues)
    end = first_slot + n_slots
    with _opened(str(path)) as file:
        rows = csv.reader(file)
        header = tuple(next(rows, ()))
        if header != EVENT_COLUMNS:
            raise ScenarioError(
                f"{path}: its first row is {','.join(header)[:80]!r}; an event log has "
                f"{','.join(EVENT_COLUMNS)}, as `cluster-sim run --events FILE` writes it"
            )
        for line, row in enumerate(rows, 2):
            if reader.take(line, row) >= end:
                break
    return reader.recorder.recording()


@contextmanager
def _opened(path: str) -> Iterator[io.TextIOBase]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.endswith(".gz")
            else Path(path).open(encoding="utf-8", newline="")
        ) as file:
            yield file
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScenarioError(
            f"{path}: cannot be read ({reason}); give a file that `cluster-sim run --events` wrote"
        ) from error


class _Reader:
    """The tasks in the system, as far as the log has been read."""

    def __init__(
        self,
        path: str,
        recorder: Recorder,
        tier_names: Sequence[str],
        n_servers: int,
        n_queues: int,
    ) -> None:
        self.recorder = recorder
        self._path = path
        self._tiers = {name: tier for tier, name in enumerate(tier_names)}
        self._bounds = {"server": n_servers, "queue": n_queues}
        self._tasks: dict[int, Task] = {}

    def take(self, line: int, row: list[str]) -> int:
        """Tell the recorder of a row; return its slot."""
        where = f"{self._path}:{line}"
        try:
            slot_text, kind_text, number_text, server_text, queue_text, tier_text = row
            slot, number, kind = int(slot_text), int(number_text), EventKind(kind_text)
            queue = self._within(where, "queue", int(queue_text))
            if kind is EventKind.ARRIVAL:
                task = self._tasks[number] = Task(number, slot, (), 0.0)
                task.queue = queue
                self.recorder.arrival(task)
                return slot
            task = self._tasks[number]
            if kind is EventKind.START:
                task.server = self._within(where, "server", int(server_text))
                task.start, task.tier = slot, self._tier(where, tier_text)
                self.recorder.start(task)
            else:
                task.service = slot - task.start
                self.recorder.completion(self._tasks.pop(number))
        except (ValueError, AttributeError) as error:
            if isinstance(error, ScenarioError):
                raise
            raise ScenarioError(
                f"{where}: {','.join(row)!r} is no event ({error}); the log is damaged"
            ) from error
        except KeyError as error:
            raise ScenarioError(
                f"{where}: task {error} has not arrived before; the log is damaged, or its first "
                "part is missing"
            ) from error
        return slot

    def _within(self, where: str, name: str, value: int) -> int:
        bound = self._bounds[name]
        if not 0 <= value < bound:
            raise ScenarioError(
                f"{where}: {name} {value}: the scenario has {name}s 0 to {bound - 1} under this "
                "policy; name the scenario and the policy that the log is of"
            )
        return value

    def _tier(self, where: str, name: str) -> int:
        if name not in self._tiers:
            raise ScenarioError(
                f"{where}: tier {name!r}: the scenario has {', '.join(self._tiers)}; name the "
                "scenario that the log is of"
            )
        return self._tiers[name]
