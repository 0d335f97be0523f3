"""What a sweep exports is what its file holds."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments import export as module
from cluster_sim.experiments.export import check_export, export, table_of, to_frame
from cluster_sim.experiments.points import Point, points
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.sweep import run_sweep
from tests.experiments.sweeping import scenario

has_pandas = pytest.mark.skipif(
    importlib.util.find_spec("pandas") is None, reason="the frame needs pandas"
)


@pytest.fixture
def listed() -> list[Point]:
    return points(
        scenario(
            sweep={
                "scheduler.policy": ["priority", "fifo"],
                "scheduler.threshold": ["auto", 2, float("inf")],
            }
        )
    )


@pytest.fixture
def store(tmp_path: Path, listed: list[Point]) -> Store:
    with Store(tmp_path / "r.sqlite") as made:
        run_sweep(listed, made, workers=1)
    return Store(tmp_path / "r.sqlite", read_only=True)


def test_csv_has_a_row_a_replication(tmp_path: Path, listed: list[Point], store: Store) -> None:
    """Read back, each cell is the value in the file; what is not there is empty."""
    path = tmp_path / "out.csv"
    export(str(path), listed, store)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = table_of(listed, store)
    assert len(rows) == len(expected) == 8
    for row, values in zip(rows, expected, strict=True):
        assert row["scheduler.policy"] == values["scheduler.policy"]
        assert row["scheduler.threshold"] == str(values["scheduler.threshold"] or "")
        assert float(row["mean_completion_time"]) == values["mean_completion_time"]
    assert not list(tmp_path.glob(".*.part"))


@has_pandas
def test_a_frame_has_the_same_rows(listed: list[Point], store: Store) -> None:
    """The frame has the columns of the table, numbers as numbers."""
    frame = to_frame(listed, store)
    expected = table_of(listed, store)
    assert list(frame.columns) == list(expected[0])
    assert frame["mean_completion_time"].tolist() == [r["mean_completion_time"] for r in expected]
    assert frame.groupby("scheduler.policy")["utilisation"].mean().between(0, 1).all()


@has_pandas
def test_parquet_comes_back(tmp_path: Path, listed: list[Point], store: Store) -> None:
    """A column of mixed values becomes text; every number survives."""
    pytest.importorskip("pyarrow")
    import pandas as pd

    path = tmp_path / "out.parquet"
    export(str(path), listed, store)
    frame, expected = pd.read_parquet(path), to_frame(listed, store)
    assert frame["scheduler.threshold"].dropna().unique().tolist() == ["auto", "2", "Infinity"]
    assert frame["mean_waiting_time"].equals(expected["mean_waiting_time"])
    assert frame["seed"].dtype == "uint64"


def test_an_empty_sweep_is_a_header(tmp_path: Path, listed: list[Point]) -> None:
    """Exported before anything is there, the columns are those of a full one."""
    with Store(tmp_path / "new.sqlite") as empty:
        export(str(tmp_path / "out.csv"), listed, empty)
    assert (tmp_path / "out.csv").read_text().startswith("point,scheduler.policy,scheduler.thresh")


@pytest.mark.parametrize("name", ["out", "out.xlsx", "out.csv.gz"])
def test_other_endings_are_refused(name: str) -> None:
    """The ending says the format."""
    with pytest.raises(ScenarioError, match=r"must end in \.csv or \.parquet"):
        check_export(name)


def test_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, listed: list[Point], store: Store
) -> None:
    """Without pandas, CSV works; Parquet and the frame say what to install."""
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    check_export("out.csv")
    with pytest.raises(
        ScenarioError, match=r"needs pandas and pyarrow.*pip install 'cluster_sim\[data\]'"
    ):
        check_export("out.parquet")
    with pytest.raises(ScenarioError, match=r"to_frame\(\) needs pandas, which is not installed"):
        to_frame(listed, store)


def test_a_failed_export_leaves_nothing(tmp_path: Path, listed: list[Point], store: Store) -> None:
    """A place that cannot be written is named, and what was there stays."""
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OSError, match=r"out\.csv"):
        export(str(tmp_path / "out.csv"), listed, store)
    with pytest.raises(OSError, match=r"nowhere/out\.csv"):
        export(str(tmp_path / "nowhere" / "out.csv"), listed, store)
    assert not list(tmp_path.glob(".*.part"))
