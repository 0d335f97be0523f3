"""Every code block of the documentation does what its page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from support.markdown import code_blocks
from support.page_runner import REPOSITORY, PageRunner

PAGES = [
    REPOSITORY / "README.md",
    *sorted(p for p in (REPOSITORY / "docs").rglob("*.md") if "_build" not in p.parts),
]


def page_id(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_code_block_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """The blocks of a page run in order, and each command prints what the page shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    runner = PageRunner(tmp_path, is_updating=pytestconfig.getoption("update_docs"))
    try:
        for block in code_blocks(page):
            runner.run(block)
    finally:
        forget_modules_in(tmp_path)
    replace_lines(page, runner.replacements)


def forget_modules_in(folder: Path) -> None:
    """Drop what a page imported from its own files, so that the next page starts afresh."""
    for name, module in list(sys.modules.items()):
        if name == "page" or str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]


def replace_lines(page: Path, replacements: list[tuple[slice, list[str]]]) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    for place, new in reversed(replacements):
        lines[place] = new
    if replacements:
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_local_link_leads_somewhere(page: Path) -> None:
    """A link to a file of the project names a file that exists."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = [t for t in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in t]
    missing = [t for t in targets if not (page.parent / t).exists()]
    assert not missing, f"{page}: {missing}"
