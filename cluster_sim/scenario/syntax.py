"""TOML syntax errors in plain words: where, what was expected, and what usually mends it."""

from __future__ import annotations

import re

from cluster_sim.scenario.writing import format_value

__all__ = ["explain_syntax"]

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE_WORD = re.compile(r"[A-Za-z_][\w:.-]*")
_WORDS = (
    ("Expected '=' after a key", "expected = after the key: write key = value"),
    ("Invalid statement", "expected a key or a [table] at the start of the line"),
    ("Invalid initial character for a key", "expected a key: letters, digits, _ and -"),
    ("Expected newline or end of document", "expected the end of the line after the value"),
    ("Expected ']' at the end of a table", "expected ] after the name of the table"),
    ("Expected ']]' at the end of an array", "expected ]] after the name of the table"),
    ("Unclosed array", "expected a comma or ] in the array"),
    ("Unclosed inline table", "expected a comma or } in the inline table, on the same line"),
    ("Unterminated string", "expected the closing quote of the text"),
    ('Expected \'"""\'', "expected the closing quotes of the text"),
    ("Unescaped", "expected \\\\ for a backslash; or put the text in '...'"),
    ("Cannot declare", "this table is declared already: keep one of them, with all its keys"),
    ("Cannot overwrite", "this key is set already: keep one of them"),
    ("Duplicate inline table key", "this key is set already: keep one of them"),
    ("Cannot mutate", "this table is complete as written: put the key inside it"),
    ("Cannot redefine", "this table is declared already: keep one of them, with all its keys"),
    ("Invalid date or datetime", "expected a date that exists; scenarios have none: use quotes"),
    ("Invalid hex value", "expected hexadecimal digits after \\u; or put the text in '...'"),
    ("Escaped character", "expected the code of a character after \\u"),
    ("Found invalid character", "expected printable text; remove the control character"),
    ("Illegal character", "expected text on one line; close the quotes before the line ends"),
)
_VALUE = "expected a value: a number, true, false, text in quotes, [a, b] or { key = value }"


def explain_syntax(message: str, text: str) -> tuple[int, str]:
    """Return the line of a TOML syntax error and a message for people.

    Parameters
    ----------
    message : str
        From ``tomllib.TOMLDecodeError``.
    text : str
        What was parsed.

    Returns
    -------
    int
        Line, counted from 1.
    str
        Column, what was expected, and what stands there.

    Examples
    --------
    >>> line, words = explain_syntax("Invalid value (at line 1, column 10)", "policy = fifo")
    >>> print(line, words)
    1 column 10: expected a value; is fifo meant as text? Write "fifo"
    """
    lines = text.splitlines() or [""]
    match = _PLACE.search(message)
    if match is None or match[1] is None:
        line, column, here = len(lines), len(lines[-1]) + 1, "the text ends"
    else:
        line, column = int(match[1]), int(match[2])
        # The parser counts line feeds only, as editors do.
        row = text.split("\n")[line - 1]
        rest = row[column - 1 :].strip()
        here = f"found {format_value(rest)}" if rest else "the line ends"
    return line, f"column {column}: {_expected(message, here, text, line, column)}"


def _expected(message: str, here: str, text: str, line: int, column: int) -> str:
    if not message.startswith("Invalid value"):
        known = (words for start, words in _WORDS if message.startswith(start))
        return f"{next(known, _PLACE.sub('', message))} ({here})"
    rows = text.split("\n")
    rest = rows[line - 1][column - 1 :] if line <= len(rows) else ""
    word = _BARE_WORD.match(rest)
    if word and word[0].lower() in ("true", "false", "inf", "nan"):
        return f"expected a value; write {word[0].lower()} in lower case"
    if word:
        return f'expected a value; is {word[0]} meant as text? Write "{word[0]}"'
    return f"{_VALUE} ({here})"
