"""A function and everything it needs: what must be compiled with it, what its result depends on."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["compile_tree", "digest"]


def names_used(code: CodeType) -> Iterator[str]:
    """Yield the global names that a function's code, and code nested in it, mentions.

    Parameters
    ----------
    code : CodeType

    Yields
    ------
    str
    """
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_used(constant)


def as_function(value: Any) -> FunctionType | None:
    """Return a function, also that of one that its author has compiled; None for anything else.

    Parameters
    ----------
    value : object

    Returns
    -------
    function or None
    """
    function = getattr(value, "py_func", value)
    return function if isinstance(function, FunctionType) else None


def needed(function: FunctionType, replaced: Mapping[str, Any]) -> dict[str, Any]:
    """Return the globals and closure variables that a function uses.

    Parameters
    ----------
    function : function
    replaced : mapping
        Names that stand for something else than in the function's module.

    Returns
    -------
    dict
    """
    found = dict(
        zip(
            function.__code__.co_freevars,
            (c.cell_contents for c in function.__closure__ or ()),
            strict=True,
        )
    )
    for name in names_used(function.__code__):
        if name in replaced:
            found[name] = replaced[name]
        elif name in function.__globals__:
            found[name] = function.__globals__[name]
    return found


def _package(function: FunctionType) -> str:
    """Return the package of the module that a function is of; of a module in none, the module."""
    names = function.__globals__
    return str(names.get("__package__") or names.get("__name__"))


def digest(function: FunctionType, replaced: Mapping[str, Any]) -> str:
    """Return a hash of a function's code, of all functions it calls, and of the constants they use.

    The code as it is in memory, not its source: a file may have been edited since it was imported.

    Parameters
    ----------
    function : function
    replaced : mapping
        As for `compile_tree`.

    Returns
    -------
    str
        Changes whenever the compiled result could; the same in every process.
    """
    return _Digest(_package(function), replaced).of(function)


class _Digest:
    """A hash in the making."""

    def __init__(self, home: str, replaced: Mapping[str, Any]) -> None:
        self._home, self._replaced = home, replaced
        self._state = hashlib.sha256()
        self._seen: set[int] = set()

    def of(self, function: FunctionType) -> str:
        self._add_function(function)
        return self._state.hexdigest()

    def _add_text(self, text: str) -> None:
        self._state.update(f"{len(text)}:{text}".encode())

    def _add_function(self, function: FunctionType) -> None:
        if id(function) in self._seen:
            return
        self._seen.add(id(function))
        self._add_code(function.__code__)
        self._add(function.__defaults__)
        self._add(tuple(sorted((function.__kwdefaults__ or {}).items())))
        replaced = self._replaced if _package(function) == self._home else {}
        for name, value in sorted(needed(function, replaced).items()):
            self._add_text(name)
            if isinstance(value, ModuleType):
                self._add_constants_of(value, function.__code__)
            else:
                self._add(value)

    def _add_code(self, code: CodeType) -> None:
        self._state.update(code.co_code)
        self._add_text(repr((code.co_names, code.co_varnames, code.co_freevars)))
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._add_code(constant)
            else:
                self._add_text(repr(constant))

    def _add_constants_of(self, module: ModuleType, code: CodeType) -> None:
        """Add what the code may read as ``module.NAME``; numba compiles it in as a constant."""
        for name in sorted(set(names_used(code))):
            value = getattr(module, name, None)
            if isinstance(value, (bool, int, float, str, tuple, np.generic, np.ndarray)):
                self._add_text(name)
                self._add(value)

    def _add(self, value: Any) -> None:
        function = as_function(value)
        if function is not None:
            self._add_function(function)
        elif isinstance(value, np.ndarray):  # its repr leaves out the middle
            self._add_text(f"{value.dtype} {value.shape} {value.tobytes().hex()}")
        elif isinstance(value, tuple):
            self._add_text(f"tuple of {len(value)}")
            for entry in value:
                self._add(entry)
        elif isinstance(value, (bool, int, float, complex, str, bytes, np.generic, type(None))):
            self._add_text(repr(value))
        else:  # a repr may hold an address, which no other process has
            kind = value if isinstance(value, type) else type(value)
            name = getattr(value, "__qualname__", "")
            self._add_text(f"{kind.__module__}.{kind.__qualname__} {name}")
            if isinstance(value, enum.EnumMeta):
                members: tuple[enum.Enum, ...] = tuple(value)
                self._add(tuple((member.name, member.value) for member in members))


def compile_tree(
    function: FunctionType,
    jit: Callable[[FunctionType], Any],
    replaced: Mapping[str, Any],
    mark: str,
) -> dict[str, Any]:
    """Return globals for a function in which every plain function it calls is compiled.

    Parameters
    ----------
    function : function
    jit : callable
        Compiles one function, lazily.
    replaced : mapping of str to object
        Names of globals that are to stand for something else, in all modules of the function's
        package; others may use the same names for what they like.
    mark : str
        Added to the names of the compiled functions. Code loaded from a cache is linked by name, so
        the same name in two loops must mean the same function.

    Returns
    -------
    dict
    """
    home = _package(function)
    done: dict[int, Any] = {}

    def globals_for(caller: FunctionType) -> dict[str, Any]:
        result = dict(caller.__globals__)
        for name, value in needed(caller, replaced if _package(caller) == home else {}).items():
            result[name] = compiled(value)
        return result

    def compiled(value: Any) -> Any:
        function = as_function(value)
        if function is None:
            return value
        if id(function) not in done:
            # Same code object: errors and tracebacks name the file and line where it was written.
            inner: dict[str, Any] = {}
            cells = tuple(CellType() for _ in function.__closure__ or ())
            clone = FunctionType(
                function.__code__, inner, function.__name__, function.__defaults__, cells
            )
            clone.__kwdefaults__ = function.__kwdefaults__
            clone.__module__ = function.__module__
            clone.__qualname__ = f"{function.__qualname__}_{mark}"
            done[id(function)] = jit(clone)
            # Only now, for a function may need itself.
            inner.update(globals_for(function))
            for cell, name in zip(cells, function.__code__.co_freevars, strict=True):
                cell.cell_contents = inner[name]
        return done[id(function)]

    return globals_for(function)
