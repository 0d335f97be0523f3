"""The trace scenario, on the small trace and on the published one where it is present."""

from __future__ import annotations

import pytest

from cluster_sim import compare, prepare
from cluster_sim.experiments.replications import Outcome
from cluster_sim.traces.workload import TraceWorkload
from tests.cli.shell import call
from tests.scenarios.shipped import FACEBOOK, FOLDER, scenario

POLICIES = ["priority", "jsq-maxweight", "jsq-local", "fifo"]

published = pytest.mark.skipif(
    not FACEBOOK.is_file(), reason="the published Facebook trace is not beside this checkout"
)


def check_bursts_decide(found: list[Outcome]) -> None:
    """Check what the comment of the scenario claims."""
    *seekers, fifo = found
    for outcome in seekers:
        assert outcome.as_dict()["locality"]["local"] > 0.97, "nearly every task is local"
        assert outcome.mean_completion_time.mean > 5 * 1.1, "bursts, against even traffic"
    times = [outcome.mean_completion_time.mean for outcome in seekers]
    assert max(times) < 1.1 * min(times), "policies that look for locality are close"
    assert fifo.as_dict()["locality"]["remote"] > 0.9
    assert fifo.mean_completion_time.mean > 2 * max(times)


def test_the_small_trace_is_bursty_and_local() -> None:
    """On the small trace bursts decide, and any policy that looks for locality finds it."""
    check_bursts_decide(
        list(compare(scenario("facebook-trace", replications=2), POLICIES).outcomes)
    )


def test_the_run_is_as_long_as_the_trace() -> None:
    """Without slots in the scenario, every task of the trace arrives."""
    prepared = prepare(scenario("facebook-trace"))
    workload = prepared.system.workload
    assert isinstance(workload, TraceWorkload)
    assert prepared.slots == workload.slots.n_slots
    batches = workload.batches(prepared.key(), prepared.slots)
    assert sum(batch.n_tasks for batch in batches) == workload.slots.tasks.n_tasks


@published
def test_the_published_trace_is_bursty_and_local() -> None:
    """The same holds on the beginning of the published Facebook trace."""
    shortened = scenario("facebook-trace", path=str(FACEBOOK), slots=2000, replications=1)
    check_bursts_decide(list(compare(shortened, POLICIES).outcomes))


@published
def test_the_commands_for_the_published_trace_work() -> None:
    """The two commands of the comment run with the path of the published file."""
    options = ["--max-tasks-per-job", "100", "--servers", "50"]
    assert "571,676" in call("trace", str(FACEBOOK), *options).out
    file = str(FOLDER / "facebook-trace.toml")
    options = ["--set", f"traffic.path={FACEBOOK}", "--set", "run.slots=300", "--quiet"]
    done = call("run", file, *options)
    assert (done.status, done.err) == (0, "")
