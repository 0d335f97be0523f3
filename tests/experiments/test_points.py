"""The id of a point changes with everything that decides its result, and with nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import cluster_sim
from cluster_sim.errors import PolicyError, UnknownNameError
from cluster_sim.experiments.points import point_of, points
from cluster_sim.experiments.sources import source_hashes
from cluster_sim.policies import JSQLocal
from cluster_sim.scenario import parse_scenario, read_scenario
from tests.experiments.sweeping import SWEPT, points_of, scenario, write_user_policy

TRACED = SWEPT.replace('kind = "even"\nload = 0.5', 'kind = "trace"\npath = "day.tsv"\nload = 0.5')


def id_of(**values: object) -> str:
    return point_of(scenario(**values), {}).id


def ids_in(path: Path) -> list[str]:
    for name in ("my_policy", "helper_of_mine"):
        sys.modules.pop(name, None)
    return [point.id for point in points_of(path)]


@pytest.mark.parametrize(
    "values",
    [
        {"run__replications": 9},
        {"run__engine": "compiled"},
        {"run__precision": 0.1},
        {"title": "Another"},
        {"sweep": {"run.seed": [1]}},
    ],
)
def test_what_does_not_decide_a_result(values: dict[str, object]) -> None:
    """How many replications, on which engine, under which title: the id is the same."""
    assert id_of(**values) == id_of()


@pytest.mark.parametrize(
    "values",
    [
        {"run__seed": 8},
        {"run__slots": 61},
        {"run__warmup": 11},
        {"run__series_points": 10},
        {"traffic__load": 0.51},
        {"scheduler__policy": "fifo"},
        {"scheduler__threshold": 4},
        {"reading__tie_break": "index"},
        {"cluster__racks": 2},
        {"service__remote": 0.4},
    ],
)
def test_what_decides_a_result(values: dict[str, object]) -> None:
    """Any other field changes the id."""
    assert id_of(**values) != id_of()


def test_the_order_of_levels_decides() -> None:
    """Racks in pods are another network than pods in racks."""
    assert id_of(cluster__levels={"a": 2, "b": 2}) != id_of(cluster__levels={"b": 2, "a": 2})


def test_another_version_is_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one version made is not taken for the result of another."""
    before = id_of()
    monkeypatch.setattr(cluster_sim, "__version__", "99.0")
    assert id_of() != before


def test_all_points_have_the_seed_of_the_scenario() -> None:
    """Common random numbers: what differs between points is what is swept."""
    listed = points(scenario())
    assert len({point.id for point in listed}) == 6
    assert {point.scenario.run.seed for point in listed} == {7}
    assert all(point.scenario.sweep is None for point in listed)


def test_a_scenario_without_a_sweep_is_one_point() -> None:
    """It has no swept fields, and the id it has as a point of a sweep."""
    (point,) = points(scenario().without_sweep())
    assert point.values == {}
    assert point.id == points(scenario())[0].id


def test_editing_a_policy_changes_its_points_only(tmp_path: Path) -> None:
    """The source of ``module:Class``, and of what it imports beside it, is part of the id."""
    path = write_user_policy(tmp_path)
    before = ids_in(path)
    assert ids_in(path) == before
    (tmp_path / "helper_of_mine.py").write_text("LEVEL = 2\n")
    after = ids_in(path)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False] * 3
    (tmp_path / "unrelated.py").write_text("X = 1\n")
    assert ids_in(path) == after


def test_imports_within_a_package_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative imports are followed, and imports of the package by name."""
    package = tmp_path / "mine_packed"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "deep.py").write_text("Y = 1\n")
    (package / "near.py").write_text("from mine_packed.deep import Y\n")
    (package / "policies.py").write_text(
        "from cluster_sim.policies import JSQLocal\nfrom . import near\n"
        "class Mine(JSQLocal):\n    name = 'mine'\n    title = 'Mine'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = scenario(scheduler__policy="mine_packed.policies:Mine")
    before = source_hashes(found)
    (package / "deep.py").write_text("Y = 2\n")
    assert source_hashes(found).keys() == {"scheduler.policy"}
    assert source_hashes(found) != before


def test_a_class_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy typed into a notebook could change and leave no trace."""
    import types

    module = types.ModuleType("typed_in")
    module.Mine = type("Mine", (JSQLocal,), {"name": "mine", "title": "Mine"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "typed_in", module)
    with pytest.raises(PolicyError, match=r"has no source file.*put the class into a file"):
        point_of(scenario(scheduler__policy="typed_in:Mine"), {})


def test_a_module_that_is_not_there() -> None:
    """A placement is imported only when a run begins; its points say at once that it is missing."""
    with pytest.raises(UnknownNameError, match="no module 'nowhere_to_be_found'"):
        point_of(scenario(traffic__placement="nowhere_to_be_found:Mine"), {})


def test_a_trace_counts_by_what_it_holds(tmp_path: Path) -> None:
    """Another place is the same point, another content is not."""
    row = "a\t5\t5\t200000000\t0\t0\tlogs\t\t\n"
    found = []
    for name, text in (("x", row), ("y", row), ("z", row * 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "day.tsv").write_text(text)
        (tmp_path / name / "a.toml").write_text(TRACED)
        found.append(points(read_scenario(tmp_path / name / "a.toml"))[0].id)
    assert found[0] == found[1] != found[2]


def test_two_ways_to_say_it_are_one_point() -> None:
    """Values that give the same scenario give one point."""
    text = SWEPT.replace('"traffic.load" = [0.5, 0.7, 0.9]', '"traffic.load" = [1, 1.0]')
    assert len(points(parse_scenario(text))) == 2
