"""What a page holds is what was recorded, task by task; less is left out, never wrong."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from cluster_sim import policies
from cluster_sim.recording.recording import UNKNOWN, Recording
from cluster_sim.views.replay.encoding import Layout, encode
from cluster_sim.views.replay.page import Shown, layout_of
from tests.views.replay.cases import TABLES, shown
from tests.views.replay.reader import Read, Reader

EVERY_POLICY = sorted(policies.names(None))  # those over jobs serve their pool out of order


def read(run: Shown, *, names: bool = True, pairs: bool = True) -> Reader:
    encoded, layout = encode(run.recording, layout_of(run.prepared)), layout_of(run.prepared)
    packed = encoded.pack(has_names=names, has_pairs=pairs)
    reader = Reader(packed, layout, run.recording.first_slot, encoded.is_fifo)
    return reader.read(run.recording.n_slots)


def tasks_of(recording: Recording) -> list[Read]:
    """The recording as a reader knows it, by number."""
    columns = ("queue", "arrival", "start", "server", "tier", "end", "number")
    table = zip(*(getattr(recording, name).tolist() for name in columns), strict=True)
    replicas = [tuple(r for r in row if r >= 0) for row in recording.replicas.tolist()]
    return [Read(*row, each) for row, each in zip(table, replicas, strict=True)]


@pytest.mark.parametrize("policy", EVERY_POLICY)
def test_every_policy_reads_back(policy: str) -> None:
    """Queue, times, server, tier, number and replicas of every task are those recorded."""
    (run,) = shown([policy], TABLES["racks"])
    found = sorted(read(run).tasks, key=lambda task: task.number)
    assert found == tasks_of(run.recording)


@pytest.mark.parametrize("tables", TABLES)
@pytest.mark.parametrize("policy", ["priority", "jsq-maxweight", "balanced-pandas", "fifo"])
def test_a_stretch_in_the_middle_reads_back(policy: str, tables: str) -> None:
    """What is in the system as the stretch begins is told too."""
    (run,) = shown([policy], TABLES[tables], first=80, n_slots=40)
    assert (run.recording.arrival < 80).any()
    found = sorted(read(run).tasks, key=lambda task: task.number)
    assert found == tasks_of(run.recording)


@pytest.mark.parametrize("policy", EVERY_POLICY)
def test_without_pairs_servers_and_queues_are_as_they_were(policy: str) -> None:
    """Leaving out who took which task changes neither what servers do nor what waits."""
    (run,) = shown([policy], TABLES["racks"], first=20)
    full, states = read(run), read(run, pairs=False)
    assert states.in_queues == full.in_queues
    assert states.times == full.times
    on_servers = [
        Counter((t.server, t.tier, t.start, t.end) for t in each.tasks) for each in (full, states)
    ]
    assert on_servers[0] == on_servers[1]


def test_names_can_be_left_out() -> None:
    """Without numbers and replicas the rest is the same, and takes less room."""
    (run,) = shown(["priority"])
    bare = [dataclasses.replace(task, number=-1, replicas=()) for task in tasks_of(run.recording)]

    def key(task: Read) -> tuple[object, ...]:
        return dataclasses.astuple(task)

    assert sorted(read(run, names=False).tasks, key=key) == sorted(bare, key=key)
    encoded = encode(run.recording, layout_of(run.prepared))
    sizes = [
        len(encoded.pack(has_names=names, has_pairs=pairs).data)
        for names, pairs in ((True, True), (False, True), (False, False))
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_a_queue_that_is_not_served_in_order_reads_back() -> None:
    """A task policy may start any task of its pool; the place in it is then told."""
    columns = {
        "number": [0, 1, 2, 3],
        "arrival": [0, 0, 0, 1],
        "queue": [0, 0, 0, 0],
        "start": [2, 0, 0, UNKNOWN],
        "server": [1, 1, 0, UNKNOWN],
        "tier": [0, 1, 0, UNKNOWN],
        "end": [UNKNOWN, 1, 3, UNKNOWN],
    }
    arrays = {name: np.array(values) for name, values in columns.items()}
    recording = Recording(0, 4, **arrays, replicas=np.array([[1], [0], [0], [1]]))
    assert not recording.is_fifo
    layout = Layout(np.array([-1]), 2, 2)
    encoded = encode(recording, layout)
    found = Reader(encoded.pack(), layout, 0, is_fifo=False).read(4).tasks
    assert sorted(found, key=lambda task: task.number) == tasks_of(recording)


def test_completion_times_are_summed_by_slot() -> None:
    """The sums behind the curve of mean completion times are exact, with pairs or without."""
    (run,) = shown(["jsq-maxweight"], first=50)
    recording = run.recording
    done = recording.end != UNKNOWN
    times = (recording.end - recording.arrival)[done]
    sums = np.bincount(recording.end[done] - 50, times, recording.n_slots)
    assert read(run, pairs=False).times == sums.tolist()
