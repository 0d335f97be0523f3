"""The runner of documentation pages notices a page that does not do what it says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from support.markdown import code_blocks, commands
from support.page_runner import PageError, PageRunner, completed, is_as_shown, to_toml


def run_page(folder: Path, text: str, *, is_updating: bool = False) -> PageRunner:
    page = folder / "page.md"
    page.write_text(text)
    work = folder / "work"
    work.mkdir()
    runner = PageRunner(work, is_updating=is_updating)
    for block in code_blocks(page):
        runner.run(block)
    return runner


def test_blocks_of_a_page_share_a_namespace(tmp_path: Path) -> None:
    """What one Python block defines, a later block and a later doctest see."""
    run_page(
        tmp_path,
        "```python\nx = 6\n```\n\n```python\n>>> y = x + 1\n>>> y\n7\n```\n\n"
        "```python\nassert y == 7\n```\n",
    )


def test_a_wrong_doctest_is_noticed(tmp_path: Path) -> None:
    """A prompt whose answer differs fails with both answers."""
    with pytest.raises(PageError, match=r"Expected:\s+3\s+Got:\s+2"):
        run_page(tmp_path, "```pycon\n>>> 1 + 1\n3\n```\n")


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    """A command that prints something else fails and names file and line."""
    with pytest.raises(PageError, match=r"page\.md:4: .* printed\n1\n"):
        run_page(tmp_path, "A page\n\n```console\n$ python -c 'print(1)'\n2\n```\n")


def test_a_failing_command_is_noticed(tmp_path: Path) -> None:
    """An exit status other than the stated one fails."""
    with pytest.raises(PageError, match=r"ended with 3, not 0"):
        run_page(tmp_path, "```console\n$ python -c 'raise SystemExit(3)'\n```\n")


def test_a_stated_exit_status_is_expected(tmp_path: Path) -> None:
    """A block marked with a status passes if its commands end so; their message is compared."""
    run_page(
        tmp_path,
        "<!-- exit: 1 -->\n```console\n$ python -c 'raise SystemExit(\"no\")'\nno\n```\n",
    )


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("```\nx\n```", "a block in '' cannot be run"),
        ("```rust\nx\n```", "a block in 'rust' cannot be run"),
        ("```console\n$ rm -r x\n```", "'rm' is not run in a test"),
        ("```toml\nx = \n```", r"page\.md:2: Invalid value"),
    ],
)
def test_nothing_is_skipped_in_silence(tmp_path: Path, block: str, message: str) -> None:
    """A block that the runner cannot run fails, unless the page gives the reason."""
    with pytest.raises(PageError, match=message):
        run_page(tmp_path, f"{block}\n")
    (tmp_path / "work").rename(tmp_path / "first")
    run_page(tmp_path, f"<!-- not run: it is an example -->\n{block}\n")


def test_an_open_block_is_an_error(tmp_path: Path) -> None:
    """A fence without its closing fence names its line."""
    with pytest.raises(ValueError, match=r"page\.md:2: the block is not closed"):
        run_page(tmp_path, "text\n```python\nx = 1\n")


def test_a_named_block_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python block that starts with its file name is a module, here and for commands."""
    monkeypatch.syspath_prepend(tmp_path / "work")
    run_page(
        tmp_path,
        "```python\n# of_the_page.py\nONE = 1\n```\n\n```python\nassert ONE == 1\n```\n\n"
        "```console\n$ python -c 'import of_the_page; print(of_the_page.ONE)'\n1\n```\n",
    )


def test_outdated_outputs_are_replaced_in_place(tmp_path: Path) -> None:
    """Updating changes the outputs that differ and nothing else."""
    first = "$ python -c 'print(1)'\nold\nlines\n"
    second = "$ python \\\n  -c 'print(2)'\n2\n"
    text = f"```console\n{first}{second}```\nend\n"
    runner = run_page(tmp_path, text, is_updating=True)
    lines = text.splitlines()
    for place, new in reversed(runner.replacements):
        lines[place] = new
    assert "\n".join(lines) + "\n" == text.replace("old\nlines", "1")


def test_commands_are_told_from_outputs(tmp_path: Path) -> None:
    """A backslash continues a command; other lines are output."""
    page = tmp_path / "page.md"
    page.write_text("```console\n$ python \\\n  -V\nPython\n\n$ ls\n```\n")
    (block,) = code_blocks(page)
    first, second = commands(block)
    assert (first.line, first.command, first.shown) == (2, "python \\\n  -V", "Python\n\n")
    assert first.output_lines == slice(3, 5)
    assert (second.line, second.command, second.shown) == (6, "ls", "")


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("mean 3.5\n", "mean   3.5 \n\n", True),
        ("mean 3.5\n", "mean 3.6\n", False),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("done in 1.5 s\n", "done in 12.25 s\n", True),
        ('"wall_seconds": 1.5,', '"wall_seconds": 2e-3,', True),
        ("90,000 tasks/s", "1.2e+05 tasks/s", True),
        ("5 slots", "6 slots", False),
    ],
)
def test_only_spacing_and_times_may_differ(shown: str, printed: str, same: bool) -> None:
    """Outputs are compared exactly but for spacing, times, speeds and dots."""
    assert is_as_shown(shown, printed) is same


def test_fragments_are_completed_without_being_changed() -> None:
    """A completed fragment is a whole scenario that says what the fragment says."""
    whole = completed({"traffic": {"kind": "even", "rate": 2.0}, "reading": {"tie_break": "index"}})
    assert whole["traffic"] == {"kind": "even", "rate": 2.0}
    assert whole["reading"] == {"tie_break": "index"}
    assert whole["cluster"]["servers"] > 0


def test_scenarios_survive_being_written() -> None:
    """Reading what was written gives the same scenario."""
    scenario = {
        "title": 'A "title"',
        "cluster": {"servers": 4, "levels": {"rack": 2}},
        "traffic": {"types": [{"replicas_on": [0, 1], "weight": 0.5}], "load": 0.9},
        "scheduler": {"threshold": float("inf")},
    }
    assert tomllib.loads(to_toml(scenario)) == scenario
