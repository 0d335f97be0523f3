"""The output that the README shows for its first command."""

from __future__ import annotations

import pytest
from support.markdown import code_blocks, commands
from support.page_runner import is_as_shown

from tests.cli.shell import call
from tests.scenarios.shipped import HAS_NUMBA, ROOT


@pytest.mark.slow
@pytest.mark.skipif(not HAS_NUMBA, reason="the compiled engine needs numba")
def test_the_first_command_prints_what_the_readme_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of the block for new users, run here, prints the block after it."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    blocks = code_blocks(ROOT / "README.md")
    (start,) = (i for i, block in enumerate(blocks) if block.remarks.get("ci") == "start")
    (command,) = commands(blocks[start])
    _, _, arguments = command.command.partition(".venv/bin/cluster-sim ")
    done = call(*arguments.split())
    assert done.status == 0
    assert is_as_shown(blocks[start + 1].text, done.out)
