"""Writing TOML: keys, values and whole tables of plain data."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping

__all__ = ["format_document", "format_key", "format_value", "to_toml_text"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SHOWN = 60  # characters of a value in a message
_DEEPEST_SHOWN = 4
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def format_key(key: object) -> str:
    """Return a key as TOML writes it, quoted only where it must be.

    Parameters
    ----------
    key : object
        A string, or what a Python mapping had in place of one.

    Returns
    -------
    str

    Examples
    --------
    >>> print(format_key("servers"), format_key("two words"))
    servers "two words"
    """
    text = str(key)
    return text if _BARE_KEY.fullmatch(text) else _quote(text)


def format_value(value: object) -> str:
    """Return a value for a message: as TOML writes it, on one line, cut when long.

    Parameters
    ----------
    value : object

    Returns
    -------
    str

    Examples
    --------
    >>> format_value({"rack": 4, "names": ["a", "b"]})
    '{ rack = 4, names = ["a", "b"] }'
    """
    text = _inline(value, _DEEPEST_SHOWN)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 4].rstrip() + " ..."


def to_toml_text(value: object) -> str:
    """Return a whole value as TOML, inline and on one line.

    Parameters
    ----------
    value : object
        Plain data: text, numbers, booleans, lists and dictionaries with text keys.

    Returns
    -------
    str

    Examples
    --------
    >>> to_toml_text([1, 0.5, True, float("inf"), "a"])
    '[1, 0.5, true, inf, "a"]'
    """
    return _inline(value, 1_000)


def format_document(tables: Mapping[str, object]) -> str:
    """Return plain data as a TOML document: keys first, then one ``[table]`` a mapping.

    Parameters
    ----------
    tables : mapping of str to object
        Plain data; a list of mappings inside a table becomes ``[[table.key]]``.

    Returns
    -------
    str

    Examples
    --------
    >>> print(format_document({"title": "A", "run": {"slots": 10}}), end="")
    title = "A"
    <BLANKLINE>
    [run]
    slots = 10
    """
    lines = [_pair(key, value) for key, value in tables.items() if not isinstance(value, Mapping)]
    for name, table in tables.items():
        if isinstance(table, Mapping):
            lines += ["", *_table(format_key(name), table)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(name: str, table: Mapping[str, object]) -> Iterator[str]:
    yield f"[{name}]"
    # Arrays of tables go last: a key written after one would belong to it.
    rows = {key: value for key, value in table.items() if _is_array_of_tables(value)}
    yield from (_pair(key, value) for key, value in table.items() if key not in rows)
    for key, value in rows.items():
        assert isinstance(value, list | tuple)
        for row in value:
            yield ""
            yield f"[[{name}.{format_key(key)}]]"
            yield from (_pair(inner, item) for inner, item in row.items())


def _is_array_of_tables(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return len(value) > 0 and all(isinstance(item, Mapping) for item in value)


def _pair(key: str, value: object) -> str:
    return f"{format_key(key)} = {to_toml_text(value)}"


def _inline(value: object, depth: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quote(str(value))
    if isinstance(value, int):
        return _integer(int(value))
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else str(float(value))
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if depth == 0:
        return "..."
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(item, depth - 1) for item in value) + "]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{format_key(k)} = {_inline(v, depth - 1)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return f"a Python {type(value).__name__}"


def _integer(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write thousands of digits in decimal
        return hex(value)


def _quote(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(char) or _escape(char) for char in text) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    is_plain = code >= 0x20 and code != 0x7F and not 0xD800 <= code <= 0xDFFF
    return char if is_plain else f"\\u{code:04X}"
