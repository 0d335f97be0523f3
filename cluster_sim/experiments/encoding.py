"""A run's result as bytes and back, without loss: what a results file keeps of a replication.

The bytes are JSON, compressed by zlib. The JSON has the fields of `RunResult` by name, and its own
format number. Any language can read it.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ResultsError
from cluster_sim.recording.disruptions import FailureRecord, ReplicationRecord
from cluster_sim.recording.histogram import Histogram
from cluster_sim.recording.result import RunResult
from cluster_sim.recording.series import Series

__all__ = ["FORMAT", "decode", "encode"]

FORMAT = 1
_LEVEL = 6  # of zlib
_RECORDS: dict[str, type] = {
    record.__name__: record for record in (Histogram, Series, FailureRecord, ReplicationRecord)
}


def encode(result: RunResult) -> bytes:
    """Return a result as bytes.

    Parameters
    ----------
    result : RunResult

    Returns
    -------
    bytes
        The same for equal results; ``decode(encode(result)) == result``.

    Notes
    -----
    Whole numbers stay whole, of any size. Floats are written with all their digits. An array is
    an object with `dtype` and either `values` or, where that is shorter, `first` and `steps`, the
    differences from one to the next: ascending arrays, as those of a histogram or a time series,
    become small numbers that compress well.

    Examples
    --------
    >>> import numpy as np
    >>> one = Histogram.of({1: 2, 3: 1})
    >>> none = np.zeros(1, dtype=np.int64)
    >>> columns = {field.name: none for field in dataclasses.fields(Series)}
    >>> result = RunResult(
    ...     slots=10,
    ...     warmup=0,
    ...     n_arrivals=3,
    ...     n_completed=3,
    ...     n_in_system=0,
    ...     completion_times=one,
    ...     waiting_times=one,
    ...     starts=none,
    ...     busy=none,
    ...     in_system_sum=4,
    ...     waiting_sum=1,
    ...     n_bound_hits=0,
    ...     series=Series(**columns),
    ...     counts_service=True,
    ... )
    >>> decode(encode(result)) == result
    True
    """
    fields = {"format": FORMAT, **_fields(result)}
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=True)
    return zlib.compress(text.encode("ascii"), _LEVEL)


def decode(data: bytes) -> RunResult:
    """Return the result that bytes hold.

    Parameters
    ----------
    data : bytes
        From `encode`.

    Returns
    -------
    RunResult

    Raises
    ------
    ResultsError
        If the bytes are damaged, or of a newer format.
    """
    try:
        fields = json.loads(zlib.decompress(data))
        written = fields.pop("format")
    except (zlib.error, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ResultsError(
            f"a stored result is damaged ({error}); restore the file from a copy, or delete that "
            "row of the table results and run the sweep again"
        ) from None
    if written != FORMAT:
        raise ResultsError(
            f"a stored result has format {written}, and this version of cluster_sim reads format "
            f"{FORMAT}; use the version that wrote it"
        )
    return RunResult(**{name: _read(value) for name, value in fields.items()})


def _fields(record: Any) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    # What a run has nothing to say of is left out, so results without it stay as they were.
    return {name: _written(value) for name, value in values.items() if value is not None}


def _written(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _written_array(value)
    name = type(value).__name__
    if _RECORDS.get(name) is type(value):
        return {"type": name, **_fields(value)}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"no way to store a {type(value).__name__}: teach cluster_sim.experiments")


def _written_array(array: npt.NDArray[Any]) -> dict[str, Any]:
    if array.ndim != 1 or array.dtype not in (np.int64, np.float64):
        raise TypeError(f"no way to store an array of {array.dtype} with {array.ndim} dimensions")
    if array.dtype == np.float64 or len(array) < 2:
        return {"dtype": array.dtype.name, "values": array.tolist()}
    steps = np.diff(array)  # wraps around where it must, and so does the sum that undoes it
    if np.abs(steps).max() < np.abs(array).max():
        return {"dtype": array.dtype.name, "first": int(array[0]), "steps": steps.tolist()}
    return {"dtype": array.dtype.name, "values": array.tolist()}


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "dtype" in value:
        if "steps" not in value:
            return np.array(value["values"], dtype=value["dtype"])
        # The sums wrap around as the differences did.
        return np.cumsum([value["first"], *value["steps"]], dtype=np.int64)
    record = _RECORDS[value["type"]]
    return record(**{name: _read(inner) for name, inner in value.items() if name != "type"})
