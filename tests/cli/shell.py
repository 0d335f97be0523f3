"""Calling the command line as a shell does, within this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster_sim.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]

SCENARIO = """\
title = "Six servers"

[cluster]
servers = 6
racks = 3

[service]
local = 1.0
rack_local = 0.8
remote = 0.5

[traffic]
kind = "even"
load = 0.5

[scheduler]
policy = "priority"

[run]
slots = 60
warmup = 10
replications = 2
seed = 7
"""

TRACE = (
    "a\t5\t5\t200000000\t0\t0\tlogs\t\t\n"
    "b\t7\t2\t900\t0\t0\tusers\t\t\n"
    "c\t9\t2\t90\t0\t0\tlogs\t\t\n"
)

OF_TRACE = SCENARIO.replace(
    'kind = "even"\nload = 0.5', 'kind = "trace"\npath = "day.tsv"\nslot_seconds = 1'
)


def change(old: str, new: str, text: str = SCENARIO) -> str:
    """Return a scenario with one piece replaced."""
    assert text.count(old) == 1, f"{old!r} must stand once"
    return text.replace(old, new)


@dataclass(frozen=True)
class Result:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON object that it must be; nan and infinity are refused."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


def call(*arguments: str, stdin: bytes = b"") -> Result:
    """Run a command in this process."""
    out, err, old = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(arguments)
    finally:
        sys.stdin = old
    return Result(status, out.getvalue(), err.getvalue())


def start(*arguments: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    environment.pop("COLUMNS", None)
    given: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": environment,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cluster_sim", *arguments], cwd=folder, text=True, **given | options
    )
