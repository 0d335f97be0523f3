"""What decides a result and is not in the scenario: the user's own code, and the trace.

Each becomes a hash, so that results of an edited policy or of another trace are told apart.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.machinery
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cluster_sim.errors import PolicyError
from cluster_sim.policies import import_name
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.traffic import TraceTraffic

__all__ = ["importable", "source_hashes"]

_CHUNK = 2**20  # bytes


def source_hashes(scenario: Scenario, folder: str | None = None) -> dict[str, str]:
    """Return a hash of every file, outside the package, that decides what a scenario does.

    Parameters
    ----------
    scenario : Scenario
    folder : str, optional
        Where modules of the user's own are looked for, besides where Python looks.

    Returns
    -------
    dict of str to str
        From ``"scheduler.policy"``, ``"replication.scheme"``, ``"traffic.placement"``,
        ``"traffic.path"`` or ``"service.durations"`` to the hash; only those that are files of the
        user's own.

    Raises
    ------
    PolicyError
        If a class has no source file, as one that was typed into a notebook.
    UnknownNameError
        If a module cannot be imported.
    OSError
        If a file cannot be read.

    Notes
    -----
    The hash of a class is over the source of its module and of every module beside it that it
    imports, directly or not. Other packages are not looked at, nor files that the code may read.
    """
    named = {"scheduler.policy": scenario.scheduler.policy}
    if scenario.replication is not None:
        named["replication.scheme"] = scenario.replication.scheme
    traffic = scenario.traffic
    if hasattr(traffic, "placement"):
        named["traffic.placement"] = traffic.placement
    found = {
        key: _module_hash(name, key.partition(".")[2], folder)
        for key, name in named.items()
        if ":" in name
    }
    if isinstance(traffic, TraceTraffic) and traffic.path is not None:
        path = os.path.realpath(traffic.path)
        state = os.stat(path)  # noqa: PTH116 - a file edited meanwhile is read again
        found["traffic.path"] = _file_hash(path, state.st_mtime_ns, state.st_size)
    if isinstance(scenario.service.durations, str):
        path = os.path.realpath(scenario.service.durations)
        state = os.stat(path)  # noqa: PTH116 - as above
        found["service.durations"] = _file_hash(path, state.st_mtime_ns, state.st_size)
    return found


@contextlib.contextmanager
def importable(folder: str | None) -> Iterator[None]:
    """Let modules in a folder be imported, as by the commands that read a scenario from it.

    Parameters
    ----------
    folder : str or None

    Notes
    -----
    The folder goes last on the path, so that no file in it can stand in for a library. Afterwards
    what was imported from there is forgotten: two scenarios may have modules of the same name, and
    a worker that lives long must notice an edited file. Threads may overlap.
    """
    if folder is None:
        yield
        return
    folder = os.path.realpath(folder)
    with _LOCK:
        if folder not in _OPEN:
            is_new = folder not in sys.path
            _OPEN[folder] = _Opened(is_new, set(sys.modules))
            if is_new:
                sys.path.append(folder)
            importlib.invalidate_caches()
        _OPEN[folder].n_users += 1
    try:
        yield
    finally:
        with _LOCK:
            _OPEN[folder].n_users -= 1
            if not _OPEN[folder].n_users:
                _close(folder, _OPEN.pop(folder))


@dataclass
class _Opened:
    """A folder that modules may be imported from now."""

    is_new: bool  # on the path
    known: set[str]  # modules that were there before
    n_users: int = 0


_OPEN: dict[str, _Opened] = {}
_LOCK = threading.Lock()


def _close(folder: str, opened: _Opened) -> None:
    if not opened.is_new:  # somebody else put it on the path, and sees to it
        return
    with contextlib.suppress(ValueError):
        sys.path.remove(folder)
    for name in [n for n in set(sys.modules) - opened.known if _is_in(n, folder)]:
        del sys.modules[name]


def _is_in(name: str, folder: str) -> bool:
    """Return whether a module, or the package it is of, lies in a folder itself."""
    origin = getattr(sys.modules.get(name.partition(".")[0]), "__file__", None)
    if origin is None:
        return False
    path = Path(origin).resolve()
    return str(path.parents[1] if path.name == "__init__.py" else path.parent) == folder


@lru_cache(maxsize=64)
def _file_hash(path: str, _modified: int, _size: int) -> str:
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _module_hash(name: str, what: str, folder: str | None) -> str:
    module = name.partition(":")[0]
    top = _origin(module, folder)
    if top is None:
        import_name(name, what)  # says what is wrong if there is no such module
        raise PolicyError(
            f"{what} {name!r}: has no source file, so its results could not be told from those of "
            "an edited version; put the class into a file, such as my_policy.py"
        )
    # The folder that the module's own imports start from: that of its outermost package.
    root = top.parents[module.count(".") + (top.name == "__init__.py")]
    files: dict[str, bytes] = {}
    todo = [top]
    while todo:
        file = todo.pop()
        key = file.relative_to(root).as_posix()
        if key not in files:
            files[key] = file.read_bytes()
            todo += _imported(file, files[key], root)
    digest = hashlib.sha256()
    for key in sorted(files):
        digest.update(f"{key}\0{len(files[key])}\0".encode())
        digest.update(files[key])
    return digest.hexdigest()


def _origin(module: str, folder: str | None) -> Path | None:
    """Return the file of a module: of the one in use, or of the one that would be imported."""
    origin = getattr(sys.modules.get(module), "__file__", None)
    if origin is None:
        search: list[str] | None = [str(Path.cwd()), *sys.path, *([folder] if folder else [])]
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):
            name = ".".join(parts[:depth])
            spec = importlib.machinery.PathFinder.find_spec(name, search)
            if spec is None:
                return None
            origin, search = spec.origin, spec.submodule_search_locations
    return Path(origin).resolve() if origin and Path(origin).is_file() else None


def _imported(file: Path, source: bytes, root: Path) -> Iterator[Path]:
    """Yield the files under a folder that a file's import statements name."""
    if file.suffix != ".py":
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(root, alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = file.parents[node.level - 1] if node.level else root
            parts = node.module.split(".") if node.module else []
            names = [(start, parts)] if parts else []
            names += [(start, [*parts, alias.name]) for alias in node.names]
        else:
            continue
        for start, parts in names:
            for depth in range(1, len(parts) + 1):
                at = start.joinpath(*parts[:depth])
                for candidate in (at.with_suffix(".py"), at / "__init__.py"):
                    if candidate.is_file() and candidate.is_relative_to(root):
                        yield candidate.resolve()
