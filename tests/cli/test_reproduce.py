"""``cluster-sim reproduce`` lists, prints, writes and refuses; ``theory --plot`` draws."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster_sim.experiments import reproductions
from cluster_sim.experiments.reproductions import Curve, Line, Panel, Report, Reproduction, Verdict
from cluster_sim.experiments.statistics import Estimate
from tests.cli.shell import call, change


def report(**asked: object) -> Report:
    progress = asked["progress"]
    progress("one", 1, 2)  # type: ignore[operator]
    return Report(
        "toy",
        "A toy",
        "Toys are toys.",
        ("One toy.",),
        (
            Line("toy", "size", Estimate(1.25, 0.01, 8), "1.2", Verdict.NOT_SEEN),
            Line("toy", "colour", "red", "-", None, {"nothing": float("nan")}),
        ),
        (Panel("Toy", "x", "y", (Curve("toy", (0.0, 1.0), (1.0, 2.0), policy="fifo"),)),),
    )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reproduction that costs nothing."""
    monkeypatch.setitem(reproductions._REGISTRY, "toy", Reproduction("toy", "A toy", report))


def test_without_a_name_it_lists_them() -> None:
    """Every name with its title, one a line; as JSON too."""
    lines = call("reproduce").out.splitlines()
    assert [line.split()[0] for line in lines] == list(reproductions.names())
    found = call("reproduce", "--json").json["reproductions"]
    assert [each["name"] for each in found] == list(reproductions.names())


def test_unknown_name_is_a_mistake() -> None:
    """Exit status 2, with the nearest name."""
    result = call("reproduce", "theorem1")
    assert result.status == 2
    assert "reproduction 'theorem1': Did you mean 'theorem-1'?" in result.err


def test_each_line_has_its_five_parts(toy: None) -> None:
    """Measured, interval, predicted and verdict stand in a row; not seen is not a failure."""
    result = call("reproduce", "toy")
    assert result.status == 0
    row = next(line for line in result.out.splitlines() if "size" in line)
    assert row.split("   ")[:1] == ["toy "] or row.startswith("toy")
    for part in ("1.250", "± 0.010", "1.2", "not seen"):
        assert part in row
    assert "verdict: not seen" in result.out
    assert "-o DIR writes the table and the figure" in result.err


def test_output_has_table_numbers_and_figures(toy: None, tmp_path: Path) -> None:
    """A folder that is not there is made, and holds four files; JSON on the screen names them."""
    folder = tmp_path / "new" / "folder"
    result = call("reproduce", "toy", "-o", str(folder), "--json")
    assert result.err == ""
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["toy.json", "toy.png", "toy.svg", "toy.txt"]
    assert sorted(Path(path).name for path in result.json["files"]) == names
    on_disk = json.loads((folder / "toy.json").read_text())
    assert on_disk["lines"][0]["measured"] == 1.25
    assert on_disk["lines"][0]["verdict"] == "not seen"
    assert on_disk["lines"][1]["nothing"] is None
    assert "± 0.010" in (folder / "toy.txt").read_text()


def test_output_that_cannot_be_a_folder(toy: None, tmp_path: Path) -> None:
    """A file in the way is noticed before anything runs."""
    (tmp_path / "file").write_text("")
    result = call("reproduce", "toy", "-o", str(tmp_path / "file"))
    assert (result.status, result.out) == (2, "")
    assert "cannot be made a folder" in result.err


def test_theory_draws_the_decomposition(folder: Path) -> None:
    """``theory --plot`` writes the picture beside its usual output."""
    two = change("rack_local = 0.8\n", "")
    (folder / "two.toml").write_text(two)
    plain, drawn = call("theory", "two.toml"), call("theory", "two.toml", "--plot", "a.svg")
    assert (drawn.status, drawn.err) == (0, "")
    assert drawn.out == plain.out
    assert "Arrivals at each queue" in (folder / "a.svg").read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.pdf", "a.pdf: a figure is saved as .svg or .png"),
        ("six.toml", "--plot six.toml: would overwrite the scenario six.toml"),
        ("a.svg", "--plot a.svg: there is no ideal load decomposition to draw: helpers, bene"),
        ("no/a.svg", "there is no ideal load decomposition"),
    ],
)
def test_theory_refuses_what_it_cannot_draw(folder: Path, name: str, message: str) -> None:
    """A format it does not know, its own input, and three tiers (of six.toml)."""
    result = call("theory", "six.toml", "--plot", name)
    assert (result.status, result.out) == (2, "")
    assert message in result.err
