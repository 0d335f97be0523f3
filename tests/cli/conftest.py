"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import SCENARIO


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a new folder with the scenario ``six.toml``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "six.toml").write_text(SCENARIO)
    return tmp_path
