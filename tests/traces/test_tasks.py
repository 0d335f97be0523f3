"""Jobs become tasks: conservation, sharing of chunks, windows, and the scaling of time."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.errors import ScenarioError, TraceError
from cluster_sim.randomness import Key
from cluster_sim.traces import Trace, in_slots, slot_seconds_for_rate, split_jobs
from cluster_sim.traces.workload import TraceWorkload

MIB = 2**20


@st.composite
def some_traces(draw):
    """Small traces with at least one job that reads something."""
    n = draw(st.integers(1, 12))
    gaps = draw(st.lists(st.integers(0, 20), min_size=n, max_size=n))
    sizes = draw(st.lists(st.integers(0, 9 * MIB), min_size=n, max_size=n))
    sizes[draw(st.integers(0, n - 1))] += 1
    paths = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    return Trace("made", np.cumsum(gaps), sizes, paths, ("a", "b", "c", "d"))


def expanded(trace, chunk_bytes, most):
    """The definition, job by job: the (path, block) that each task reads, and its time."""
    pairs, times = [], []
    for submit, n_bytes, path in zip(
        trace.submit_seconds, trace.input_bytes, trace.path_index, strict=True
    ):
        n_tasks = min(math.ceil(int(n_bytes) / chunk_bytes), most)
        pairs += [(int(path), block) for block in range(n_tasks)]
        times += [int(submit)] * n_tasks
    return pairs, times


@settings(deadline=None, derandomize=True)
@given(trace=some_traces(), most=st.one_of(st.none(), st.integers(1, 5)))
def test_tasks_are_those_of_the_definition(trace, most):
    """Two tasks read the same chunk exactly if they read the same block of the same path."""
    tasks = split_jobs(trace, 1, max_tasks_per_job=most)
    pairs, times = expanded(trace, MIB, most or math.inf)
    assert tasks.n_tasks == len(pairs)
    chunks = tasks.task_chunks(0, tasks.n_tasks)
    chunk_of_pair = dict(zip(pairs, chunks.tolist(), strict=True))
    assert [chunk_of_pair[pair] for pair in pairs] == chunks.tolist()
    assert sorted(chunk_of_pair.values()) == list(range(tasks.n_chunks)), "ids are dense"
    jobs = tasks.task_jobs(0, tasks.n_tasks)
    assert tasks.submit_seconds[jobs].tolist() == times


@settings(deadline=None, derandomize=True)
@given(trace=some_traces(), most=st.integers(1, 5))
def test_the_cap_cuts_and_counts(trace, most):
    """Given and cut tasks together are the uncapped ones."""
    free, capped = split_jobs(trace, 1), split_jobs(trace, 1, max_tasks_per_job=most)
    assert capped.n_tasks + capped.n_tasks_cut == free.n_tasks
    assert capped.n_capped_jobs == np.count_nonzero(free.n_job_tasks > most)
    assert (free.n_capped_jobs, free.n_tasks_cut) == (0, 0)
    assert capped.n_job_tasks.max() <= most


@settings(deadline=None, derandomize=True)
@given(
    trace=some_traces(),
    slot_seconds=st.floats(0.1, 50),
    cuts=st.lists(st.integers(0, 300), max_size=5),
)
def test_windows_put_together_are_the_whole(trace, slot_seconds, cuts):
    """Expanding window by window, in slots or in tasks, gives what expanding at once gives."""
    tasks = split_jobs(trace, 1)
    slots = in_slots(tasks, slot_seconds)
    end = slots.n_slots + 3
    counts, chunks = slots.window(0, end)
    assert counts.sum() == tasks.n_tasks == chunks.size
    np.testing.assert_array_equal(chunks, tasks.task_chunks(0, tasks.n_tasks))
    edges = [0, *sorted(min(cut, end) for cut in cuts), end]
    parts = [slots.window(a, b - a) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), counts)
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), chunks)
    edges = [0, *sorted(min(cut, tasks.n_tasks) for cut in cuts), tasks.n_tasks]
    for expand in (tasks.task_chunks, tasks.task_jobs):
        parts = [expand(a, b - a) for a, b in pairwise(edges)]
        np.testing.assert_array_equal(np.concatenate(parts), expand(0, tasks.n_tasks))


@settings(deadline=None, derandomize=True)
@given(trace=some_traces(), slot_seconds=st.floats(0.1, 50))
def test_slots_are_those_of_the_definition(trace, slot_seconds):
    """A task arrives in floor((submit - first submit) / slot_seconds)."""
    tasks = split_jobs(trace, 1)
    slots = in_slots(tasks, slot_seconds)
    _, times = expanded(trace, MIB, math.inf)
    expected = np.zeros(slots.n_slots, dtype=int)
    for time in times:
        expected[math.floor((time - times[0]) / slot_seconds)] += 1
    np.testing.assert_array_equal(slots.counts(0, slots.n_slots), expected)
    assert slots.peak_rate == expected.max()
    assert expected[0] > 0
    assert expected[-1] > 0
    assert slots.rate == tasks.n_tasks / slots.n_slots
    assert slots.first_task(slots.n_slots) == tasks.n_tasks


@settings(deadline=None, derandomize=True)
@given(trace=some_traces(), share=st.floats(1e-6, 1.0))
def test_the_rate_asked_for_is_reached(trace, share):
    """The number of slots is the whole number nearest to tasks over rate."""
    tasks = split_jobs(trace, 1)
    rate = share * tasks.n_tasks
    n_slots = round(tasks.n_tasks / rate)
    if tasks.duration_seconds == 0 and n_slots > 1:
        with pytest.raises(TraceError, match="all jobs are submitted in the same second"):
            slot_seconds_for_rate(tasks, rate)
        return
    slots = in_slots(tasks, slot_seconds_for_rate(tasks, rate))
    assert slots.n_slots == n_slots
    bound = rate / (2 * tasks.n_tasks - rate)
    assert abs(slots.rate / rate - 1) <= bound * (1 + 1e-9)


def test_chunk_boundaries():
    """A job of exactly k chunks has k tasks, and one byte more makes one task more."""
    sizes = [1, 64 * MIB - 1, 64 * MIB, 64 * MIB + 1, 128 * MIB]
    tasks = split_jobs(Trace("t", range(5), sizes, range(5)))
    assert tasks.n_job_tasks.tolist() == [1, 1, 1, 2, 2]
    assert split_jobs(Trace("t", [0], [3], [0]), 2**-20).n_tasks == 3


def test_zero_byte_jobs_are_skipped_and_do_not_start_the_clock():
    """Jobs without input have no tasks, and slot 0 is that of the first task."""
    trace = Trace("t", [0, 7, 9], [0, 5, 5], [0, 1, 2])
    tasks = split_jobs(trace)
    assert (tasks.n_jobs, trace.n_zero_byte_jobs) == (2, 1)
    assert tasks.job_index.tolist() == [1, 2]
    assert in_slots(tasks, 1.0).slot.tolist() == [0, 2]


def test_a_path_has_the_blocks_of_its_largest_job():
    """A path's ids leave room for its largest job, wherever that comes."""
    trace = Trace("t", [0, 1, 2], [MIB, MIB, 3 * MIB], [0, 1, 0], ("a", "b"))
    assert split_jobs(trace, 1).first_chunk.tolist() == [0, 3, 0]


@pytest.mark.parametrize("chunk_mib", [0, -1, math.nan, math.inf, 2.0**-21, 2.0**34])
def test_wrong_chunk_size(chunk_mib):
    """A chunk has at least a byte and at most the largest input."""
    with pytest.raises(ScenarioError, match=r"chunk_mib = .*: must be from one byte"):
        split_jobs(Trace("t", [0], [1], [0]), chunk_mib)


def test_wrong_cap():
    """A job cannot be cut to nothing."""
    with pytest.raises(ScenarioError, match="max_tasks_per_job = 0: must be at least 1"):
        split_jobs(Trace("t", [0], [1], [0]), max_tasks_per_job=0)


def test_no_input_at_all():
    """A trace whose jobs read nothing has no tasks to schedule."""
    with pytest.raises(TraceError, match="t: none of the 2 jobs reads any input"):
        split_jobs(Trace("t", [0, 1], [0, 0], [0, 1]))


def test_too_many_tasks():
    """More tasks than can be counted exactly are refused."""
    with pytest.raises(TraceError, match=r"t: more than 2\*\*53 tasks at chunk_mib"):
        split_jobs(Trace("t", range(2), [2**53] * 2, range(2)), 2**-20)


@pytest.mark.parametrize("slot_seconds", [0.0, -1.0, math.nan, math.inf])
def test_wrong_slot_length(slot_seconds):
    """A slot has a positive length."""
    with pytest.raises(ScenarioError, match=r"slot_seconds = .*: must be a finite number above 0"):
        in_slots(split_jobs(Trace("t", [0], [1], [0])), slot_seconds)


def test_too_many_slots():
    """Slots too short to be counted are refused."""
    tasks = split_jobs(Trace("t", [0, 10], [1, 1], [0, 1]))
    with pytest.raises(ScenarioError, match=r"gives more than 2\*\*50 slots over 10 seconds"):
        in_slots(tasks, 1e-300)
    with pytest.raises(ScenarioError, match=r"gives more than 2\*\*50 slots; must be larger"):
        slot_seconds_for_rate(tasks, 1e-300)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf, 2.5])
def test_wrong_rate(rate):
    """A trace of two tasks has at most two in a slot."""
    tasks = split_jobs(Trace("t", [0, 10], [1, 1], [0, 1]))
    with pytest.raises(ScenarioError, match=r"rate = .* must be above 0 and at most 2, the tasks"):
        slot_seconds_for_rate(tasks, rate)


def test_wrong_windows():
    """A window must lie in the trace, except that it may go on after its last slot."""
    tasks = split_jobs(Trace("t", [0, 10], [1, 1], [0, 1]))
    for first, n in [(-1, 1), (0, -1), (1, 2)]:
        with pytest.raises(TraceError, match=f"t: {n} tasks from task {first} on: the trace has"):
            tasks.task_chunks(first, n)
    slots = in_slots(tasks, 1.0)
    for first, n in [(-1, 1), (0, -1)]:
        with pytest.raises(TraceError, match=f"{n} slots from slot {first} on: neither may be"):
            slots.window(first, n)
    assert slots.counts(11, 2).tolist() == [0, 0]


def test_same_second_fits_one_slot():
    """Jobs of one second all arrive in slot 0, at the rate of all their tasks."""
    tasks = split_jobs(Trace("t", [4, 4], [1, 1], [0, 1]))
    assert in_slots(tasks, slot_seconds_for_rate(tasks, 2.0)).n_slots == 1


@settings(deadline=None, derandomize=True)
@given(trace=some_traces(), seconds=st.sampled_from([0.5, 1.0, 7.0]))
def test_the_workload_names_the_job_of_each_task(trace, seconds):
    """Every task of a batch has the number of the trace's job that brought it, across batches."""
    slots = in_slots(split_jobs(trace, 1), seconds)
    tasks = TraceWorkload(slots, lambda chunks: np.zeros((len(chunks), 1), dtype=np.int64))
    batches = list(tasks.batches(Key.of(1), slots.n_slots + 5))
    jobs = [job for batch in batches for job in batch.job_numbers().tolist()]
    counts = slots.tasks.n_job_tasks.tolist()
    assert jobs == [job for job, count in enumerate(counts) for _ in range(count)]
