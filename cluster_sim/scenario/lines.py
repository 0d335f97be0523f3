"""On which line of a TOML text each key stands."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

    from cluster_sim.scenario.problems import KeyPath

__all__ = ["find_line", "index_lines"]

_KEYS = ("bare_key", "quoted_key", "dotted_key")


def index_lines(text: str) -> dict[KeyPath, int]:
    r"""Return the line of every key, table and array element of a TOML text.

    Parameters
    ----------
    text : str
        Valid TOML.

    Returns
    -------
    dict of tuple to int
        Line, counted from 1, where the key at that path is written. A table has the line of its
        header, or of the first key that implies it.

    Examples
    --------
    >>> index_lines("[run]\nslots = 10")[("run", "slots")]
    2
    """
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    tree = Parser(Language(tree_sitter_toml.language())).parse(text.encode())
    index = _Index()
    for node in tree.root_node.named_children:
        if node.type == "pair":
            index.add_pair((), node)
        elif node.type == "table":
            index.add_table(node)
        elif node.type == "table_array_element":
            index.add_element(node)
    return index.lines


def find_line(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Return the line of a key, or of the nearest thing around it that has one.

    Parameters
    ----------
    lines : dict of tuple to int
        From `index_lines`.
    path : tuple of str or int

    Returns
    -------
    int or None
        None if not even the outermost table is written.
    """
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


class _Index:
    """The lines found so far, and how many elements each array of tables has."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.n_elements: dict[KeyPath, int] = {}

    def add_table(self, node: Node) -> None:
        """Index ``[a.b]`` and its pairs."""
        self._add_pairs(self._resolve(_key_of(node)), node)

    def add_element(self, node: Node) -> None:
        """Index one ``[[a.b]]`` and its pairs."""
        names = _key_of(node)
        array = (*self._resolve(names[:-1]), *names[-1:])
        number = self.n_elements.get(array, 0)
        self.n_elements[array] = number + 1
        self._add_pairs((*array, number), node)

    def add_pair(self, table: KeyPath, node: Node) -> None:
        """Index one pair and everything inside its value, however deep, without recursion."""
        todo = [(table, node)]
        while todo:
            at, item = todo.pop()
            if item.type == "pair":
                key, *_, value = _significant(item)
                path = (*at, *_parts(key))
                self._note(path, item)
                todo.append((path, value))
            elif item.type == "inline_table":
                todo += [(at, pair) for pair in _significant(item)]
            elif item.type == "array":
                for number, element in enumerate(_significant(item)):
                    self._note((*at, number), element)
                    todo.append(((*at, number), element))

    def _add_pairs(self, table: KeyPath, node: Node) -> None:
        self._note(table, node)
        self.lines[table] = node.start_point[0] + 1  # its own header, not what implied it before
        for pair in node.named_children:
            if pair.type == "pair":
                self.add_pair(table, pair)

    def _resolve(self, names: tuple[str, ...]) -> KeyPath:
        """Return the path of a header: through an array of tables, its last element is meant."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            if path in self.n_elements:
                path = (*path, self.n_elements[path] - 1)
        return path

    def _note(self, path: KeyPath, node: Node) -> None:
        line = node.start_point[0] + 1
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)


def _significant(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _key_of(header: Node) -> tuple[str, ...]:
    return _parts(next(child for child in header.named_children if child.type in _KEYS))


def _parts(key: Node) -> tuple[str, ...]:
    """Return the names of a key; the TOML parser itself undoes quotes and escapes."""
    text = (key.text or b"").decode()
    names: list[str] = []
    inner: object = tomllib.loads(f"{text} = 0")
    while isinstance(inner, dict):
        name, inner = next(iter(inner.items()))
        names.append(name)
    return tuple(names)
