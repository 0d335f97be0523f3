"""Reads the code blocks of a Markdown page, with what the page says about running them.

A remark in a comment right before a block speaks about it:

``<!-- not run: REASON -->``
    The block cannot run in a test, for the reason given.
``<!-- exit: N -->``
    The commands of the block end with this status.
``<!-- ci: NAME -->``
    `.ci/run` runs the block, in an environment of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
REMARK = re.compile(r"^\s*<!--\s*(?P<key>not run|exit|ci)\s*:\s*(?P<value>.*?)\s*-->\s*$")
FILE_NAME = re.compile(r"^# (?P<name>[\w-]+\.(?:py|toml))$")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; ``line`` is the 1-based line of its first line of text."""

    page: Path
    line: int
    language: str
    text: str
    remarks: dict[str, str]

    @property
    def where(self) -> str:
        """File and line, as an editor opens them."""
        return f"{self.page}:{self.line}"

    @property
    def file_name(self) -> str | None:
        """The name to save the block under: its first line, if that is only ``# name.py``."""
        found = FILE_NAME.match(self.text.partition("\n")[0])
        return found["name"] if found else None

    @property
    def is_directive(self) -> bool:
        """Whether the block is an instruction to Sphinx and not code."""
        return self.language.startswith("{")


def code_blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    blocks: list[Block] = []
    remarks: dict[str, str] = {}
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if remark := REMARK.match(line):
            remarks[remark["key"]] = remark["value"]
        elif fence := FENCE.match(line):
            closing = re.compile(rf"^ *{re.escape(fence['ticks'])}\s*$")
            body: list[str] = []
            for _, inner in lines:
                if closing.match(inner):
                    break
                body.append(inner.removeprefix(fence["indent"]))
            else:
                raise ValueError(f"{page}:{number}: the block is not closed")
            info = fence["info"].split()
            language = info[0] if info else ""
            blocks.append(Block(page, number + 1, language, "\n".join(body), remarks))
            remarks = {}
        elif line.strip():
            remarks = {}
    return blocks


@dataclass(frozen=True)
class Command:
    """A shell command of a console block and the output that the page shows for it."""

    line: int
    command: str
    shown: str

    @property
    def output_lines(self) -> slice:
        """Where the shown output stands in the page's list of lines."""
        start = self.line + self.command.count("\n")
        return slice(start, start + self.shown.count("\n"))


def commands(block: Block) -> list[Command]:
    """Split a console block into its ``$`` commands; a backslash continues one on the next line."""
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        last = found[-1] if found else None
        if line.startswith("$ "):
            found.append(Command(number, line[2:], ""))
        elif last and last.command.endswith("\\") and not last.shown:
            found[-1] = Command(last.line, f"{last.command}\n{line}", "")
        elif last:
            found[-1] = Command(last.line, last.command, f"{last.shown}{line}\n")
        elif line.strip():
            raise ValueError(f"{block.page}:{number}: a console block starts with '$ '")
    return found
