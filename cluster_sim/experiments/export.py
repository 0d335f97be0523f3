"""Sweeps as tables for other programs: one row a replication, as CSV, Parquet or a data frame."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.points import Point, fields_of
from cluster_sim.experiments.store import COLUMNS, Store
from cluster_sim.files import written_whole

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_export", "export", "table_of", "to_frame"]


def table_of(listed: Sequence[Point], store: Store) -> list[dict[str, Any]]:
    """Return the headline numbers of points, one row a replication.

    Parameters
    ----------
    listed : sequence of Point
    store : Store

    Returns
    -------
    list of dict
        The same keys in each: `point`, the swept fields by their dotted names, `replication`,
        `seed`, and `COLUMNS`. A field that a point does not have is None.
    """
    fields, rows = fields_of(listed), store.rows(listed)
    return [
        {
            "point": point.id,
            **{name: point.values.get(name) for name in fields},
            "replication": row.replication,
            "seed": row.seed,
            **row.columns,
        }
        for point in listed
        for row in rows[point.id]
    ]


def to_frame(listed: Sequence[Point], store: Store) -> pd.DataFrame:
    """Return the headline numbers of points as a data frame, one row a replication.

    Parameters
    ----------
    listed : sequence of Point
    store : Store

    Returns
    -------
    pandas.DataFrame
        With the columns of `table_of`.

    Raises
    ------
    ScenarioError
        If pandas is not installed.
    """
    _check_installed("to_frame()", "pandas")
    import pandas as pd

    columns = ["point", *fields_of(listed), "replication", "seed", *COLUMNS]
    return pd.DataFrame(table_of(listed, store), columns=columns)


def check_export(path: str) -> None:
    """Check, before a sweep begins, that its results can be exported to a file.

    Parameters
    ----------
    path : str

    Raises
    ------
    ScenarioError
        If its ending is neither ``.csv`` nor ``.parquet``, or a package is missing.
    """
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise ScenarioError(f"--export {path}: the name must end in .csv or .parquet")
    if ending == ".parquet":
        _check_installed(f"--export {path}: Parquet", "pandas", "pyarrow")


def export(path: str, listed: Sequence[Point], store: Store) -> None:
    """Write the headline numbers of points to a file, one row a replication.

    Parameters
    ----------
    path : str
        Ends in ``.csv`` or ``.parquet``. It is there as a whole or not at all.
    listed : sequence of Point
    store : Store

    Raises
    ------
    ScenarioError
        As for `check_export`.
    OSError
        If it cannot be written.
    """
    check_export(path)
    is_csv = path.lower().endswith(".csv")
    try:
        with written_whole(path) as part:
            (_write_csv if is_csv else _write_parquet)(str(part), listed, store)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, path) from None  # its own name, not the part's


def _write_csv(path: str, listed: Sequence[Point], store: Store) -> None:
    columns = ["point", *fields_of(listed), "replication", "seed", *COLUMNS]
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in table_of(listed, store):
            writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    """Return a value as a cell: nothing for nan, JSON for arrays and tables."""
    if isinstance(value, list | dict | bool):
        return json.dumps(value)
    return "" if value is None or value != value else value  # noqa: PLR0124 - nan


def _write_parquet(path: str, listed: Sequence[Point], store: Store) -> None:
    frame = to_frame(listed, store)
    for name in fields_of(listed):
        kinds = {type(value) for value in frame[name] if value is not None}
        if len(kinds) > 1 or kinds & {list, dict}:  # a column of Parquet has one type
            frame[name] = [
                None if v is None else v if isinstance(v, str) else json.dumps(v)
                for v in frame[name]
            ]
    frame["seed"] = frame["seed"].astype("uint64")
    frame.to_parquet(path, index=False)


def _check_installed(what: str, *packages: str) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ScenarioError(
            f"{what} needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed; "
            "pip install 'cluster_sim[data]', or export to .csv"
        )
