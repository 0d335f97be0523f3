"""The Python interface: what ``__all__`` names, module by module; Sphinx reads the docstrings.

A package that says what is public (it has an ``__all__``) is documented by that alone; of others,
every module is. Sources are read, not imported, so the pages do not depend on which extras are
installed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from marking import NOTE, plain, table

ROOT = Path(__file__).resolve().parents[2]
# The command line has a page of its own, notebooks are read in the demo, and kernels are the inside
# of the compiled engine.
_LEFT_OUT = ("cli", "kernels", "demo", "__main__")
_ONLY = {"compiled": ("engine",)}  # modules of which a package shows no others

_REST = """\
The rest, package by package. What is listed is public; other names of a module may change at any
time.
"""

Definition = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True)
class Source:
    """A module, read."""

    path: Path

    @cached_property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def short_name(self) -> str:
        return self.name.partition(".")[2]

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def summary(self) -> str:
        return _summary(self.tree)

    @cached_property
    def public(self) -> list[str]:
        """The names in ``__all__``; none without it."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return list(ast.literal_eval(node.value))
        return []

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        kinds = (ast.ClassDef, ast.FunctionDef)
        return {node.name: node for node in self.tree.body if isinstance(node, kinds)}

    @cached_property
    def imported(self) -> dict[str, str]:
        """The module from which each name comes that is imported from this project."""
        return {
            alias.asname or alias.name: node.module
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cluster_sim")
            for alias in node.names
        }


def pages() -> dict[str, str]:
    """Return the pages on the Python interface, one a package, and their table of contents."""
    sources = {
        each.name: each for each in map(Source, sorted((ROOT / "cluster_sim").rglob("*.py")))
    }
    groups: dict[str, list[Source]] = {}
    for each in sources.values():
        part = each.short_name.partition(".")[0]
        if part and part not in _LEFT_OUT and "._" not in each.name:
            groups.setdefault(part, []).append(each)
    lone = [group[0] for group in groups.values() if not group[0].is_package]
    found = {
        f"reference/python/{part}.md": _package(group, sources)
        for part, group in groups.items()
        if group[0].is_package
    }
    found["reference/python/others.md"] = _others(lone)
    return {**found, "reference/python.md": _index(sources["cluster_sim"], sources, list(found))}


def _package(group: list[Source], sources: dict[str, Source]) -> str:
    head, *modules = group
    parts = [f"{NOTE}# `{head.name}`\n", f"{head.summary}\n"]
    if head.public:
        nested = [each for each in modules if each.is_package and each.public]
        shown = [part for each in (head, *nested) for part in _closed(each, sources)]
        return "\n".join([*parts, *shown])
    wanted = _ONLY.get(head.short_name)
    closed = [each for each in modules if each.is_package and each.public]
    inside = tuple(f"{each.name}." for each in closed)
    for each in modules:
        if each in closed:
            parts += _closed(each, sources)
        elif not each.name.startswith(inside):
            is_wanted = wanted is None or each.name.rpartition(".")[2] in wanted
            parts += [_module(each, each.public)] if is_wanted else []
    return "\n".join(part for part in parts if part)


def _closed(package: Source, sources: dict[str, Source]) -> list[str]:
    """Return what a package that says what is public shows: a table, and each name at its home."""
    top, homes = sources["cluster_sim"], dict[str, list[str]]()
    for source, names in ((package, package.public), (top, top.public)):
        for name in names:
            home = _home(source, name, sources)
            if home and f"{home.name}.".startswith(f"{package.name}."):
                listed = homes.setdefault(home.name, [])
                listed += [] if name in listed else [name]
    modules = [_module(sources[home], names) for home, names in sorted(homes.items())]
    return [_exports(package, sources), *modules]


def _others(modules: list[Source]) -> str:
    parts = [f"{NOTE}# Modules of no package\n"]
    return "\n".join([*parts, *(_module(each, each.public) for each in modules)])


def _index(package: Source, sources: dict[str, Source], pages: list[str]) -> str:
    names = [f"python/{Path(page).stem}" for page in pages]
    return "\n".join(
        [
            f"{NOTE}# The Python interface\n",
            "What most scripts need comes from the package itself:\n",
            _exports(package, sources),
            _REST,
            "```{toctree}\n:maxdepth: 1\n",
            *sorted(names, key=lambda each: (each.endswith("others"), each)),
            "```\n",
        ]
    )


def _exports(package: Source, sources: dict[str, Source]) -> str:
    """Return a table of what is imported from a package."""
    rows = []
    for name in sorted(package.public, key=str.lower):
        home = _home(package, name, sources)
        if home is not None:
            node = home.definitions[name]
            role = "class" if isinstance(node, ast.ClassDef) else "func"
            rows.append([f"{{py:{role}}}`{name} <{home.name}.{name}>`", _summary(node)])
    return table([f"`from {package.name} import`", "what it is"], rows) if rows else ""


def _home(source: Source, name: str, sources: dict[str, Source]) -> Source | None:
    """Return the module that defines a class or function; None for what is neither."""
    seen = set()
    while name not in source.definitions:
        home = source.imported.get(name)
        if home not in sources or home in seen:
            return None
        seen.add(home)
        source = sources[home]
    return source


def _module(source: Source, names: list[str]) -> str:
    own = [name for name in names if name in source.definitions]
    if not own:
        return ""
    directive = f".. automodule:: {source.name}\n   :members: {', '.join(own)}"
    return f"## `{source.short_name}`\n\n```{{eval-rst}}\n{directive}\n```\n"


def _summary(node: ast.Module | Definition) -> str:
    return plain((ast.get_docstring(node) or "").partition("\n")[0])
