"""A result survives being stored."""

from __future__ import annotations

import dataclasses
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_sim import prepare, run
from cluster_sim.errors import ResultsError
from cluster_sim.experiments.encoding import FORMAT, decode, encode
from cluster_sim.recording.disruptions import FailureRecord, ReplicationRecord
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.result import RunResult
from cluster_sim.recording.series import Series
from tests.experiments.sweeping import scenario

ANY = st.integers(-(2**63), 2**63 - 1)
COLUMN = st.lists(ANY, max_size=30).map(lambda values: np.array(values, dtype=np.int64))
HISTOGRAM = st.dictionaries(st.integers(0, 2**62), st.integers(1, 2**62), max_size=20).map(
    Histogram.of
)
RESULTS = st.builds(
    RunResult,
    slots=ANY,
    warmup=ANY,
    n_arrivals=ANY,
    n_completed=ANY,
    n_in_system=ANY,
    completion_times=HISTOGRAM,
    waiting_times=HISTOGRAM,
    starts=COLUMN,
    busy=COLUMN,
    in_system_sum=st.integers(0, 2**80),
    waiting_sum=st.integers(0, 2**80),
    n_bound_hits=ANY,
    series=st.builds(Series, *[COLUMN] * len(dataclasses.fields(Series))),
    counts_service=st.booleans(),
    failures=st.none() | st.builds(FailureRecord, *[ANY] * len(dataclasses.fields(FailureRecord))),
    replication=st.none()
    | st.builds(ReplicationRecord, *[ANY] * len(dataclasses.fields(ReplicationRecord))),
)


def one() -> RunResult:
    return run(prepare(scenario(run__replications=1))).results[0]


@given(RESULTS)
def test_round_trip(result: RunResult) -> None:
    """What comes back is equal, whatever the numbers, and of the same types."""
    back = decode(encode(result))
    assert back == result
    for field in dataclasses.fields(RunResult):
        assert type(getattr(back, field.name)) is type(getattr(result, field.name))
    assert back.busy.dtype == back.series.slots.dtype == back.completion_times.values.dtype


def test_a_run_survives() -> None:
    """The result of a run is the same after a round trip, and so are its means."""
    result = one()
    back = decode(encode(result))
    assert back == result
    assert back.mean_completion_time == result.mean_completion_time


def test_equal_results_are_equal_bytes() -> None:
    """The bytes are a function of the result."""
    assert encode(one()) == encode(one())


def test_the_format_is_plain() -> None:
    """The bytes are JSON in zlib, with the fields of a result by name and a format number.

    What the run has nothing to say of is left out.
    """
    fields = json.loads(zlib.decompress(encode(one())))
    names = {field.name for field in dataclasses.fields(RunResult)}
    assert fields.keys() == {"format"} | names - {"failures", "replication"}
    assert fields["format"] == FORMAT


def test_floats_keep_every_digit() -> None:
    """An array of floats and a lone float come back to the last bit."""
    numbers = np.array([0.1, -0.0, 1e-308, np.inf, np.nan])
    result = dataclasses.replace(one(), busy=numbers, waiting_sum=0.1 + 0.2)
    back = decode(encode(result))
    assert back.busy.tobytes() == numbers.tobytes()
    assert back.waiting_sum == 0.1 + 0.2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is damaged"),
        (b"no zlib at all", "is damaged"),
        (zlib.compress(b"no json"), "is damaged"),
        (zlib.compress(b"[1]"), "is damaged"),
        (zlib.compress(b"{}"), "is damaged"),
        (zlib.compress(b'{"format": 99}'), "has format 99, and this version of cluster_sim reads"),
    ],
)
def test_damage_is_noticed(data: bytes, message: str) -> None:
    """Bytes that are no result are an error that says what to do."""
    with pytest.raises(ResultsError, match=message):
        decode(data)


def test_a_flipped_bit_is_noticed() -> None:
    """The checksum of zlib covers the whole result."""
    data = bytearray(encode(one()))
    data[len(data) // 2] ^= 1
    with pytest.raises(ResultsError, match="is damaged"):
        decode(bytes(data))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((2, 2), dtype=np.int64), "2 dimensions"),
        (np.zeros(2, dtype=np.int32), "int32"),
        ({"a": 1}, "a dict"),
    ],
)
def test_what_cannot_be_stored_is_refused(value: Any, message: str) -> None:
    """A field of a new type is an error for its author, not a silent loss."""
    with pytest.raises(TypeError, match=f"no way to store .*{message}"):
        encode(dataclasses.replace(one(), busy=value))
