"""Readers of published workload traces, and what they become: tasks in slots, and a summary.

>>> from cluster_sim import traces
>>> traces.formats()
('swim',)
"""

from __future__ import annotations

from pathlib import Path

from cluster_sim.traces.formats import formats, read
from cluster_sim.traces.loads import hottest_over_mean, server_loads
from cluster_sim.traces.slots import TraceSlots, in_slots, slot_seconds_for_rate
from cluster_sim.traces.summary import JobSizes, Popularity, TraceSummary, summarise
from cluster_sim.traces.swim import read_swim
from cluster_sim.traces.tasks import TraceTasks, split_jobs
from cluster_sim.traces.trace import Trace

__all__ = [
    "SMALL_TRACE",
    "JobSizes",
    "Popularity",
    "Trace",
    "TraceSlots",
    "TraceSummary",
    "TraceTasks",
    "formats",
    "hottest_over_mean",
    "in_slots",
    "read",
    "read_swim",
    "server_loads",
    "slot_seconds_for_rate",
    "split_jobs",
    "summarise",
]

#: The small trace that comes with the package, made by ``scenarios/make_small_trace.py``.
SMALL_TRACE = Path(__file__).parent / "data" / "small_swim.tsv"
