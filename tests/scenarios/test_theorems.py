"""The scenarios of the theorems are those of the reproductions, explained and runnable."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_sim import read_scenario
from cluster_sim.experiments.reproductions.bases import BASES, base
from tests.cli.shell import call
from tests.scenarios.shipped import FOLDER, ROOT, commands, opening_comment

THEOREMS = FOLDER / "theorems"


def test_every_base_has_its_file_and_every_file_its_base() -> None:
    """One file for each scenario that the reproductions start from, and no other."""
    assert {file.stem for file in THEOREMS.iterdir()} == set(BASES)


@pytest.mark.parametrize("name", BASES)
def test_file_and_reproduction_agree(name: str) -> None:
    """What a user can play with is what the reproduction starts from."""
    assert read_scenario(THEOREMS / f"{name}.toml") == base(name)


@pytest.mark.parametrize("name", BASES)
def test_a_file_explains_itself_and_its_commands_work(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its comment says what to look at; its commands do their work on a shortened run."""
    file: Path = THEOREMS / f"{name}.toml"
    monkeypatch.chdir(ROOT)
    assert "# Look at:" in opening_comment(file)
    assert commands(file)
    for command in commands(file):
        short = ["--quiet", "--set", "run.slots=40", "--set", "run.warmup=0"]
        done = call(*command, *([] if command[0] == "theory" else short))
        assert (done.status, done.err) == (0, ""), command
        assert done.out
