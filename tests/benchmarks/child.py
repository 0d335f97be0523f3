"""Run one system in a process of its own, and say what that took.

usage: python -m tests.benchmarks.child '{"engine": "compiled", "policy": "priority",
"n_servers": 1000, "load": 0.9, "slots": 1000}'

It prints one JSON object: `tasks` completed and their CPU `seconds`, CPU seconds of the first tiny
run (`first_seconds`: compiling, or loading from the cache), and the peak memory of the process
(`peak_bytes`).
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from tests.benchmarks.systems import evenly_loaded, tasks_of


def peak_bytes() -> int:
    """Return the peak memory of this process.

    Linux passes `ru_maxrss` on from the process that started this one, so the process's own
    high-water mark comes first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Answer the request of the command line."""
    request = json.loads(sys.argv[1])
    system = evenly_loaded(request["policy"], request["n_servers"], request["load"])
    first = tasks_of(request["engine"], system, 2)
    rate = tasks_of(request["engine"], system, request["slots"])
    answer = {
        "tasks": rate.n,
        "seconds": rate.seconds,
        "first_seconds": first.seconds,
        "peak_bytes": peak_bytes(),
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
