"""A sweep is read back from its results file without its scenario."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cluster_sim.errors import ResultsError
from cluster_sim.experiments.points import points
from cluster_sim.experiments.store import Store
from cluster_sim.experiments.stored import is_results_file, stored_sweep, sweep_document
from cluster_sim.experiments.sweep import outcome, run_sweep
from cluster_sim.scenario import parse_scenario
from tests.experiments.sweeping import finished, scenario

NESTED = """
[[sweep.points]]
"traffic.kind" = "even"

[[sweep.points]]
"traffic.kind" = "hotspot"
"traffic.hot_servers" = 3
"traffic.hot_probability" = 0.8
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.sqlite"


def test_points_and_outcomes_come_back(path: Path) -> None:
    """Ids, values and results are those of the sweep that was run."""
    listed = points(scenario())
    finished(listed, path)
    with Store(path, read_only=True) as store:
        found = stored_sweep(store)
        expected = [outcome(point, store) for point in listed]
    assert found.points == tuple(listed)
    assert [p.values for p in found.points] == [p.values for p in listed]
    assert [each.results for each in found.outcomes] == [each.results for each in expected if each]
    assert all(each.is_complete for each in found.outcomes)
    assert (found.n_changed, found.n_missing, found.n_others) == (0, 0, 0)
    assert found.fields == ["traffic.load", "scheduler.policy"]


@pytest.mark.parametrize("extra", ["", NESTED])
def test_the_document_gives_the_same_points(path: Path, extra: str) -> None:
    """A scenario file is written that leads to the same ids, combined or one by one."""
    text = scenario().to_toml()
    listed = points(parse_scenario(text + extra))
    finished(listed, path)
    with Store(path, read_only=True) as store:
        written = sweep_document(stored_sweep(store).points)
    assert {p.id for p in points(parse_scenario(written))} == {p.id for p in listed}
    assert ("[[sweep.points]]" in written) is bool(extra)


def test_a_scenario_without_a_sweep_is_one_point(path: Path) -> None:
    """Its document is the scenario itself."""
    (point,) = points(scenario().without_sweep())
    finished([point], path)
    with Store(path, read_only=True) as store:
        found = stored_sweep(store)
    assert found.fields == []
    assert points(parse_scenario(sweep_document(found.points)))[0].id == point.id


def test_the_last_sweep_is_meant(path: Path) -> None:
    """Points of earlier sweeps are counted, not mixed in; values are in order, not as they came."""
    first = points(scenario(sweep__traffic__load=[0.9, 0.5]))
    finished(first, path)
    second = points(scenario(sweep__traffic__load=[0.9, 0.3]))
    with Store(path) as store:
        run_sweep(second[:2], store, workers=1)
        assert stored_sweep(store).n_others == 2
        run_sweep(second, store, workers=1)
        found = stored_sweep(store)
    assert [p.values["traffic.load"] for p in found.points] == [0.3, 0.3, 0.9, 0.9]
    assert found.n_others == 2


def test_what_has_no_results_yet_is_counted(path: Path) -> None:
    """A sweep that was cut off is shown as far as it is."""
    listed = points(scenario())
    finished(listed[:2], path)
    with Store(path) as store:
        store.register(listed)
        found = stored_sweep(store)
    assert (len(found.points), found.n_missing) == (2, 4)


def test_a_file_without_results_is_refused(path: Path) -> None:
    """The message says what to run."""
    with Store(path) as store:
        store.register(points(scenario()))
        with pytest.raises(ResultsError, match=r"holds no results of the last sweep; run it"):
            stored_sweep(store)


def test_results_of_another_version_are_told(path: Path) -> None:
    """Ids hold the version, so points of another are changed ones; their numbers stay."""
    listed = points(scenario())
    finished(listed, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE points SET version = '0.0.1'")
        connection.execute("UPDATE points SET id = 'a' || id")
        connection.execute("UPDATE results SET point_id = 'a' || point_id")
        connection.execute("DELETE FROM meta WHERE key = 'last sweep'")
    with Store(path, read_only=True) as store:
        found = stored_sweep(store)
    assert found.versions == ("0.0.1",)
    assert found.n_changed == len(listed) == len(found.outcomes)


def test_a_results_file_is_told_from_a_scenario(path: Path, tmp_path: Path) -> None:
    """By its first bytes; what cannot be read is none."""
    finished(points(scenario())[:1], path)
    (tmp_path / "a.toml").write_text("title = 'x'")
    assert is_results_file(path)
    assert not is_results_file(tmp_path / "a.toml")
    assert not is_results_file(tmp_path / "none")
    assert not is_results_file(tmp_path)
    assert not is_results_file("\0")
