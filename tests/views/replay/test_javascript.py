"""The reader of the page rebuilds what was recorded; run by node, where there is one."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster_sim.recording.recording import UNKNOWN, Recording
from cluster_sim.views.replay.page import Detail, Shown, describe, pack
from tests.views.replay.cases import HOTSPOT, RACKS, shown

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")

SCRIPT = """
import { readRuns } from "./view.mjs";
import { readFileSync } from "node:fs";
const { meta, data } = JSON.parse(readFileSync("in.json"));
const runs = await readRuns(meta, data);
const ofTasks = ["number", "arrival", "queue", "start", "server", "tier", "end"];
const columns = [...ofTasks, "nWaiting", "nBusy", "times"];
const out = runs.map((run) => {
  const lists = Object.fromEntries(columns.map((name) => [name, [...run[name]]]));
  const jumps = [];
  for (const slot of [run.nSlots - 1, 0, 40, 39, 70 % run.nSlots]) {
    run.goTo(slot);
    const running = [...run.running].map((row) => (row < 0 ? -1 : run.number[row]));
    jumps.push([slot, [...run.waiting], running]);
  }
  const queues = [...Array(run.nQueues).keys()];
  const lines = queues.map((queue) => run.line(queue, 30).map((row) => run.number[row]));
  return { ...lists, replicas: run.replicas, jumps, lines };
});
console.log(JSON.stringify(out));
"""


def read(runs: list[Shown], folder: Path, detail: Detail = Detail.FULL) -> list[dict[str, Any]]:
    encoded, packed = pack(runs, detail)
    data = [base64.b64encode(each.data).decode() for each in packed]
    given = {"meta": describe(runs, encoded, packed), "data": data}
    source = resources.files("cluster_sim.views.replay").joinpath("view.js")
    (folder / "view.mjs").write_bytes(source.read_bytes())
    (folder / "main.mjs").write_text(SCRIPT)
    (folder / "in.json").write_text(json.dumps(given))
    done = subprocess.run(
        [str(NODE), "main.mjs"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def counts(recording: Recording) -> tuple[list[int], list[int]]:
    """Tasks that wait, and those in service, at the end of each slot."""
    never = 10**9
    start, end = (np.where(x == UNKNOWN, never, x) for x in (recording.start, recording.end))
    slots = range(recording.first_slot, recording.end_slot)
    waiting = [int(((recording.arrival <= t) & (start > t)).sum()) for t in slots]
    return waiting, [int(((start <= t) & (end > t)).sum()) for t in slots]


def test_every_task_reads_back(tmp_path: Path) -> None:
    """All columns, for policies with own, common and several queues, from a later slot on."""
    names = ["priority", "jsq-maxweight", "balanced-pandas", "fifo"]
    runs = shown(names, RACKS, first=70, n_slots=100)
    for run, found in zip(runs, read(runs, tmp_path), strict=True):
        order = np.argsort(found["number"])
        for name in ("number", "arrival", "queue", "start", "server", "tier", "end"):
            assert np.array_equal(np.array(found[name])[order], getattr(run.recording, name)), name
        replicas = [found["replicas"][i] for i in order]
        assert replicas == run.recording.replicas.tolist()
        assert (found["nWaiting"], found["nBusy"]) == counts(run.recording)


def test_any_slot_can_be_jumped_to(tmp_path: Path) -> None:
    """Forward, back, and from one stored state to another, queues and servers are right."""
    (run,) = shown(["priority"], HOTSPOT, n_slots=150)
    (found,) = read([run], tmp_path)
    r = run.recording
    never = 10**9
    start, end = (np.where(x == UNKNOWN, never, x) for x in (r.start, r.end))
    for slot, waiting, running in found["jumps"]:
        waits = (r.arrival <= slot) & (start > slot)
        assert waiting == np.bincount(r.queue[waits], minlength=10).tolist()
        serving = np.full(10, -1)
        runs_now = (start <= slot) & (end > slot)
        serving[r.server[runs_now]] = r.number[runs_now]
        assert running == serving.tolist()
    lines = [
        r.number[(r.arrival <= 30) & (start > 30) & (r.queue == q)].tolist() for q in range(10)
    ]
    assert found["lines"] == lines


def test_without_pairs_the_counts_are_right(tmp_path: Path) -> None:
    """Only who took which task is unknown."""
    runs = shown(["priority", "jsq-maxweight"], RACKS, first=50, n_slots=100)
    for run, found in zip(runs, read(runs, tmp_path, Detail.STATES), strict=True):
        assert found["replicas"] is None
        assert (found["nWaiting"], found["nBusy"]) == counts(run.recording)
