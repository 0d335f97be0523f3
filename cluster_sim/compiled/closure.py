"""A function and all it needs: what is compiled with it, and what its result depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

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
        Changes whenever the compiled result could.
    """
    state = hashlib.sha256()
    seen: set[int] = set()

    def add_code(code: CodeType) -> None:
        state.update(code.co_code)
        state.update(repr((code.co_names, code.co_varnames, code.co_freevars)).encode())
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                add_code(constant)
            else:
                state.update(repr(constant).encode())

    def add(value: Any, name: str) -> None:
        state.update(f"\0{name}=".encode())
        if not isinstance(value, FunctionType):
            state.update(repr(value).encode())
        elif id(value) not in seen:
            seen.add(id(value))
            add_code(value.__code__)
            for inner, content in sorted(needed(value, replaced).items()):
                if not isinstance(content, ModuleType):
                    add(content, inner)

    add(function, function.__qualname__)
    return state.hexdigest()


def compile_tree(
    function: FunctionType,
    jit: Callable[[FunctionType], Any],
    replaced: Mapping[str, Any],
    done: dict[int, Any],
) -> dict[str, Any]:
    """Return globals for a function in which every plain function it calls is compiled.

    Parameters
    ----------
    function : function
    jit : callable
        Compiles one function, lazily.
    replaced : mapping of str to object
        Names of the function's globals, and of those it calls, that are to stand for something
        else.
    done : dict
        Functions compiled so far, by identity; added to.

    Returns
    -------
    dict
    """
    result = dict(function.__globals__)
    for name, value in needed(function, replaced).items():
        if isinstance(value, FunctionType):
            if id(value) not in done:
                # Same code object: errors and tracebacks name the file and line where it was
                # written.
                inner = compile_tree(value, jit, replaced, done)
                clone = FunctionType(value.__code__, inner, value.__name__)
                done[id(value)] = jit(clone) if not value.__code__.co_freevars else jit(value)
            result[name] = done[id(value)]
        else:
            result[name] = value
    return result
