"""A file that cannot be used is refused in words, whatever it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.scenario import InvalidScenarioError, load_mapping, parse_scenario, read_scenario
from tests.scenario.samples import BASE, TRAFFIC, accept_any, change


def test_a_file_that_does_not_exist_is_named_with_its_neighbours(tmp_path: Path) -> None:
    """The message lists the scenario files that are there."""
    (tmp_path / "hotspot.toml").write_text(BASE)
    with pytest.raises(ScenarioError, match=r"hotpsot.toml: no such file; .*there: hotspot.toml"):
        read_scenario(tmp_path / "hotpsot.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder is no scenario; a file in it may be."""
    with pytest.raises(ScenarioError, match="is a folder; name a scenario file in it"):
        read_scenario(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """The reason of the operating system is given."""
    path = tmp_path / "case.toml"
    path.write_text(BASE)
    path.chmod(0)
    with pytest.raises(ScenarioError, match="cannot be read: Permission denied"):
        read_scenario(path)


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    """Any other reason of the operating system is passed on as well."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="cannot be read: Not a directory"):
        read_scenario(tmp_path / "file" / "case.toml")


def test_a_path_that_no_system_accepts_is_refused() -> None:
    """A null character in a path is an error of the request."""
    with pytest.raises(ScenarioError, match="cannot be read: embedded null"):
        read_scenario("case\0.toml")


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    """A file in Latin-1 is refused at the line of its first foreign byte."""
    path = tmp_path / "case.toml"
    path.write_bytes(b'[cluster]\ntitle = "\xe9t\xe9"\n')
    with pytest.raises(ScenarioError, match=r"case.toml:2: byte 0xe9 is not UTF-8; save the file"):
        read_scenario(path)


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    """Nothing, or nothing but blanks, is told from a scenario with missing tables."""
    path = tmp_path / "case.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match="the file is empty; a scenario starts with"):
        read_scenario(path)


def test_a_file_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops at a size that no scenario has."""
    monkeypatch.setattr("cluster_sim.scenario.loading._LARGEST_FILE", 2**20)
    path = tmp_path / "case.toml"
    path.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(ScenarioError, match="is larger than 1 MiB: is it a scenario file"):
        read_scenario(path)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    """Some editors write one; it is no part of the text."""
    path = tmp_path / "case.toml"
    path.write_text("\ufeff" + BASE, encoding="utf-8")
    assert read_scenario(path).cluster.servers == 12


def test_comments_alone_are_a_scenario_without_tables(tmp_path: Path) -> None:
    """Each missing table is named with an example."""
    path = tmp_path / "case.toml"
    path.write_text("# nothing yet\n")
    with pytest.raises(InvalidScenarioError, match=r"\[run\]: missing; add \[run\] with slots"):
        read_scenario(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 5000 + "]" * 5000, "are nested too deeply for a scenario; flatten them"),
        ("x = " + "[" * 50 + "]" * 50, "are nested too deeply for a scenario; flatten them"),
        ("x = " + "1" * 5000, "a number has too many digits; shorten it"),
        ('x = "\ud800"', "holds half of a character; it is not valid text"),
    ],
    ids=["deeper-than-python", "deep", "digits", "surrogate"],
)
def test_monsters_are_refused(text: str, message: str) -> None:
    """What would break a parser is refused like any other mistake."""
    with pytest.raises(ScenarioError, match=f"^case: .*{message}$"):
        parse_scenario(text, "case")


def test_a_mapping_that_contains_itself_is_refused() -> None:
    """A Python mapping may do what no file can."""
    mapping: dict[str, object] = {}
    mapping["cluster"] = mapping
    with pytest.raises(ScenarioError, match=r"^scenario: .*nested too deeply"):
        load_mapping(mapping)


def test_what_is_no_mapping_is_refused() -> None:
    """A list of tables is no scenario."""
    with pytest.raises(ScenarioError, match=r"^mine: must be a mapping of tables, not a list"):
        load_mapping([1], "mine")  # type: ignore[arg-type]


def test_a_hexadecimal_number_of_any_size_is_shown() -> None:
    """Python cannot print it in decimal, and the message does not need to."""
    with pytest.raises(ScenarioError, match=r"servers = 0xffff.* \.\.\.: must be an integer"):
        parse_scenario(change("servers = 12", "servers = 0x" + "f" * 5000), "case")


def test_a_trace_is_found_beside_its_scenario(tmp_path: Path) -> None:
    """A relative path of the file starts at its folder; a trace that is not there is told."""
    path = tmp_path / "case.toml"
    path.write_text(change(TRAFFIC, 'kind = "trace"\nload = 0.9\npath = "day.tsv"'))
    with pytest.raises(ScenarioError, match=r"case.toml:12: \[traffic\] path = .*: no such file"):
        read_scenario(path, check_scheduler=accept_any)
    (tmp_path / "day.tsv").write_text("")
    scenario = read_scenario(path, check_scheduler=accept_any)
    assert Path(scenario.traffic.path) == tmp_path / "day.tsv"
    (tmp_path / "other.tsv").write_text("")
    override = f"traffic.path={tmp_path / 'other.tsv'}"
    scenario = read_scenario(path, [override], check_scheduler=accept_any)
    assert Path(scenario.traffic.path) == tmp_path / "other.tsv"


@pytest.mark.parametrize("path", ["x" * 5000, "a\\u0000b"], ids=["too-long", "null"])
def test_a_trace_path_that_no_system_accepts_is_refused(tmp_path: Path, path: str) -> None:
    """Such a trace is not there either."""
    case = tmp_path / "case.toml"
    case.write_text(change(TRAFFIC, f'kind = "trace"\nload = 0.9\npath = "{path}"'))
    with pytest.raises(ScenarioError, match=r"case.toml:12: \[traffic\] path = .*: no such file"):
        read_scenario(case, check_scheduler=accept_any)


def test_a_trace_path_that_is_no_text_is_one_problem(tmp_path: Path) -> None:
    """Its file is not looked for."""
    case = tmp_path / "case.toml"
    case.write_text(change(TRAFFIC, 'kind = "trace"\nload = 0.9\npath = 5'))
    with pytest.raises(InvalidScenarioError, match="path = 5: must be text in quotes") as caught:
        read_scenario(case, check_scheduler=accept_any)
    assert len(caught.value.problems) == 1


def test_a_scenario_path_too_long_for_the_system_is_refused() -> None:
    """The reason of the operating system is given."""
    with pytest.raises(ScenarioError, match="cannot be read: File name too long"):
        read_scenario("x" * 5000)
