"""The summary says of a trace what counting by hand says."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.errors import ScenarioError
from cluster_sim.traces import (
    Trace,
    hottest_over_mean,
    read,
    server_loads,
    split_jobs,
    summarise,
)

MIB = 2**20

job_lists = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), min_size=1, max_size=40)


def trace_of(jobs):
    """A job a second, each (tasks, path); a first one that surely reads something."""
    jobs = [(1, 0), *jobs]
    n_tasks, paths = zip(*jobs, strict=True)
    return Trace("t", range(len(jobs)), np.array(n_tasks) * MIB, paths, tuple("abcdef"))


def counted(popularity, counts):
    """Compare a popularity with the plain count of accesses per thing."""
    ranked = sorted(counts.values(), reverse=True)
    total = sum(ranked)
    assert (popularity.n_things, popularity.n_accesses) == (len(ranked), total)
    assert popularity.top_share == pytest.approx(ranked[0] / total)
    assert popularity.top_ten_share == pytest.approx(sum(ranked[:10]) / total)
    n_percent = -(-len(ranked) // 100)
    assert popularity.top_percent_share == pytest.approx(sum(ranked[:n_percent]) / total)
    assert popularity.once_share == pytest.approx(ranked.count(1) / len(ranked))


@settings(deadline=None, derandomize=True)
@given(job_lists)
def test_popularity_is_that_of_the_plain_count(jobs):
    """Paths by jobs, paths by tasks and chunks by tasks agree with counting one by one."""
    trace = trace_of(jobs)
    tasks = split_jobs(trace, 1)
    summary = summarise(tasks)
    counted(summary.path_popularity, Counter(trace.path_index.tolist()))
    by_tasks = Counter()
    for path, n_bytes in zip(trace.path_index.tolist(), trace.input_bytes.tolist(), strict=True):
        by_tasks[path] += n_bytes // MIB
    counted(summary.path_popularity_by_tasks, +by_tasks)
    counted(summary.chunk_popularity, Counter(tasks.task_chunks(0, tasks.n_tasks).tolist()))
    assert summary.n_tasks == summary.chunk_popularity.n_accesses
    assert summary.n_chunks == summary.chunk_popularity.n_things


@settings(deadline=None, derandomize=True)
@given(job_lists, st.integers(1, 3), st.integers(3, 9))
def test_loads_are_conserved_and_as_counted(jobs, n_replicas, n_servers):
    """Server loads sum to the tasks, and are the shares of each task at its replicas."""
    tasks = split_jobs(trace_of(jobs), 1)

    def place(chunks):
        return (chunks[:, np.newaxis] * 7 + np.arange(n_replicas)) % n_servers

    loads = server_loads(tasks, place, n_servers=n_servers)
    expected = np.zeros(n_servers)
    for chunk in tasks.task_chunks(0, tasks.n_tasks):
        expected[(chunk * 7 + np.arange(n_replicas)) % n_servers] += 1 / n_replicas
    np.testing.assert_allclose(loads, expected, atol=1e-9)
    assert loads.sum() == pytest.approx(tasks.n_tasks)
    ratio = hottest_over_mean(tasks, place, n_servers=n_servers)
    assert ratio == pytest.approx(expected.max() / expected.mean())
    assert ratio >= 1 - 1e-12


def test_everything_on_one_server_and_evenly():
    """All data on one of n servers is n times the mean; on all servers, exactly the mean."""
    tasks = split_jobs(trace_of([(5, 1), (2, 2)]), 1)
    one = hottest_over_mean(tasks, lambda c: np.zeros((c.size, 1), dtype=int), n_servers=8)
    everywhere = hottest_over_mean(tasks, lambda c: np.tile(np.arange(8), (c.size, 1)), n_servers=8)
    assert one == pytest.approx(8)
    assert everywhere == pytest.approx(1)


def test_rows_padded_with_minus_one():
    """A chunk with fewer replicas puts all its load on those it has."""
    tasks = split_jobs(Trace("t", [0, 1], [1, 1], [0, 1]))
    loads = server_loads(tasks, lambda _: np.array([[0, 1], [2, -1]]), n_servers=3)
    np.testing.assert_array_equal(loads, [0.5, 0.5, 1.0])


def test_chunks_are_placed_once_in_bounded_windows():
    """The placement is asked for each chunk once, in order, never for too many at a time."""
    tasks = split_jobs(Trace("t", [0, 1], [200_000, 150_000], [0, 0], ("a",)), 2**-20)
    asked = []

    def place(chunks):
        asked.append(chunks)
        return chunks[:, np.newaxis] % 2

    loads = server_loads(tasks, place, n_servers=2)
    np.testing.assert_array_equal(np.concatenate(asked), np.arange(200_000))
    assert max(chunks.size for chunks in asked) <= 65_536
    np.testing.assert_array_equal(loads, [175_000, 175_000])


@pytest.mark.parametrize(
    ("replicas", "message"),
    [
        (np.zeros(1, dtype=int), r"shape \(1,\) for 1 chunks: must be whole numbers, shape \(1, n"),
        (np.zeros((2, 1), dtype=int), r"shape \(2, 1\) for 1 chunks"),
        (np.zeros((1, 1)), "place returned a float64 array"),
        (np.array([[4]]), "servers from 4 to 4: must be from 0 to 3"),
        (np.array([[-2]]), "servers from -2 to -2: must be"),
        (np.array([[-1, -1]]), "a chunk without replicas: each needs at least one"),
    ],
)
def test_wrong_placement(replicas, message):
    """A placement that returns something other than servers is refused."""
    tasks = split_jobs(Trace("t", [0], [1], [0]))
    with pytest.raises(ScenarioError, match=message):
        server_loads(tasks, lambda _: replicas, n_servers=4)


def test_no_servers():
    """There is at least one server."""
    with pytest.raises(ScenarioError, match="n_servers = 0: must be at least 1"):
        server_loads(split_jobs(Trace("t", [0], [1], [0])), lambda c: c, n_servers=0)


def test_reread_gaps():
    """Gaps run between successive jobs of the same path; without any, there is no median."""
    trace = Trace("t", [0, 4, 10, 13, 90], [1] * 5, [0, 1, 0, 0, 1], ("a", "b"))
    assert summarise(split_jobs(trace)).median_reread_gap_seconds == 10  # of 3, 10 and 86
    lone = summarise(split_jobs(Trace("t", [0, 1], [1, 1], [0, 1])))
    assert lone.median_reread_gap_seconds is None
    assert not lone.has_paths


def test_sizes_are_quantiles_that_occur():
    """Among 100 jobs of 1 to 100 tasks the quantiles are 50, 90, 99 and 100."""
    sizes = np.arange(1, 101) * MIB
    summary = summarise(split_jobs(Trace("t", range(100), sizes, range(100)), 1))
    assert dataclasses.astuple(summary.job_tasks) == (50, 90, 99, 100)
    assert dataclasses.astuple(summary.job_bytes) == (50 * MIB, 90 * MIB, 99 * MIB, 100 * MIB)


def test_rates_are_per_slot():
    """Mean and peak arrival rate follow the slot length."""
    tasks = split_jobs(Trace("t", [0, 1, 9], [2 * MIB, MIB, MIB], range(3)), 1)
    summary = summarise(tasks, 5.0)
    assert (summary.n_slots, summary.mean_rate, summary.peak_rate) == (2, 2.0, 3)
    assert summary.duration_seconds == 9


def test_summary_is_ready_for_json(small_trace):
    """A summary holds plain numbers only, and survives JSON."""
    summary = dataclasses.asdict(summarise(split_jobs(small_trace)))
    assert json.loads(json.dumps(summary)) == summary


def test_published_facebook_day(facebook_file):
    """What is published of the Facebook day of 2010 is what the reader finds.

    The numbers are those of the notes that come with the file, measured apart from this code;
    each is asserted to the digits given there.
    """
    trace = read(facebook_file)
    tasks = split_jobs(trace, 64)
    summary = summarise(tasks)
    paths = summary.path_popularity
    assert (summary.n_jobs, summary.n_zero_byte_jobs) == (25_428, 1_020)
    assert summary.n_paths == paths.n_things == 17_158
    assert round(paths.once_share, 2) == 0.92
    assert round(paths.top_share, 4) == 0.0284
    assert round(paths.top_ten_share, 3) == 0.115
    assert round(paths.top_percent_share, 3) == 0.260
    assert summary.median_reread_gap_seconds == 61
    assert round(summary.n_tasks / 1e6, 1) == 18.0
    assert (summary.job_tasks.p50, summary.job_tasks.largest) == (1, 316_999)


def test_published_facebook_day_is_expanded_in_windows(facebook_file):
    """All 18 million tasks come out of windows, each of bounded size, none lost."""
    tasks = split_jobs(read(facebook_file), 64)
    window, n_seen, last = 1_000_000, 0, -1
    for first in range(0, tasks.n_tasks, window):
        chunks = tasks.task_chunks(first, min(window, tasks.n_tasks - first))
        n_seen += chunks.size
        last = max(last, int(chunks.max()))
    assert n_seen == tasks.n_job_tasks.sum() == tasks.n_tasks
    assert last == tasks.n_chunks - 1
