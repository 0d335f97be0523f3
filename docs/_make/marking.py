"""Markdown, as the generators write it."""

from __future__ import annotations

from collections.abc import Sequence

NOTE = "<!-- Made by `python docs/_make`; edit the code instead. -->\n\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; a column that is empty in all rows is left out."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [[head[i] for i in kept], ["---"] * len(kept)]
    lines += [[cell(row[i]) for i in kept] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Return a text that stays in its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Return a text as code."""
    return f"`{text}`"


def anchor(name: str) -> str:
    """Return a target for links, before a heading."""
    return f"({name})=\n"


def plain(text: str) -> str:
    """Return the text of a docstring as Markdown: code has single backticks there."""
    return text.replace("``", "`").strip()
