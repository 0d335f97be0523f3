"""A figure is on disk whole or not at all, and the same figure is the same file."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.views.saving import check_figure, new_figure, save_figure, save_text


def saved(path: Path) -> Path:
    with new_figure(3.0, 2.0) as figure:
        figure.subplots().plot([0, 1], [1, 0])
    return save_figure(figure, path)


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_figure_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    """Twice drawn, byte for byte alike; nothing else is left in the folder."""
    one, two = saved(tmp_path / f"one{suffix}"), saved(tmp_path / f"two{suffix}")
    assert one.read_bytes() == two.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"one{suffix}", f"two{suffix}"]


def test_text_in_svg_is_text(tmp_path: Path) -> None:
    """Labels can be searched and restyled."""
    with new_figure(3.0, 2.0) as figure:
        figure.suptitle("Helpers")
    assert "Helpers" in save_figure(figure, tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.svg.gz"])
def test_other_formats_are_refused(name: str) -> None:
    """The suffix must be that of a known format."""
    with pytest.raises(ScenarioError, match=r"a figure is saved as .svg or .png"):
        check_figure(name)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The message names the file and the remedy; nothing is written."""
    with pytest.raises(ScenarioError, match=r"a.png: cannot be written \(No such file"):
        saved(tmp_path / "missing" / "a.png")
    with pytest.raises(ScenarioError, match=r"cannot be written \(embedded null byte\)"):
        save_text("x", tmp_path / "a\0.txt")


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk is full the old file stays, and no part of the new one."""
    path = save_text("old", tmp_path / "a.txt")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ScenarioError, match="No space left on device"):
        save_text("new", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_without_matplotlib_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra to install."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    with pytest.raises(ScenarioError, match=r"pip install 'cluster_sim\[plot\]'"), new_figure(1, 1):
        pass
