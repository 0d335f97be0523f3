"""Put a loop and a policy together, and compile them."""

from __future__ import annotations

import dis
import importlib.util
import sys
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

from cluster_sim.compiled.cache import cache_folder, write_once
from cluster_sim.compiled.closure import compile_tree, digest
from cluster_sim.errors import PolicyError
from cluster_sim.kernels import loop, traffic
from cluster_sim.policies.base import QueuePolicy

__all__ = ["CompilationError", "compiled_fill", "compiled_loop", "is_available"]

# Functions that are not copied into their callers: called once a slot or seldom, and long to
# compile.
NOT_INLINED = frozenset(
    {
        "complete_services",
        "route_arrivals",
        "dispatch_idle",
        "next_asks",
        "rekey",
        "move",
        "pick",
        "fill_row",
    }
)

_lock = threading.RLock()
_made: dict[tuple[object, ...], Any] = {}


class CompilationError(PolicyError):
    """Numba cannot compile a policy; the SimPy engine still runs it."""


def is_available() -> bool:
    """Return whether numba is installed.

    Returns
    -------
    bool
    """
    return importlib.util.find_spec("numba") is not None


def compiled_loop(policy: QueuePolicy) -> Callable[..., int]:
    """Return `cluster_sim.kernels.loop.run_slots` for a policy.

    Parameters
    ----------
    policy : QueuePolicy
        Only its class matters: parameters reach the loop as numbers.

    Returns
    -------
    callable
        Compiled at its first call, or loaded from the cache.
    """
    kind = type(policy)
    replaced = {
        "route": kind.route,
        "serve": kind.serve,
        "USES_LONGEST": kind.uses_longest,
        "TAKES_OWN_FIRST": kind.takes_own_first,
        "READS_TIE": _reads(kind.serve, "tie"),
    }
    return _assembled(loop.run_slots, replaced, kind.name)


def compiled_fill(name: str) -> Callable[..., None]:
    """Return a compiled function of `cluster_sim.kernels.traffic`.

    Parameters
    ----------
    name : str

    Returns
    -------
    callable
    """
    return _assembled(getattr(traffic, name), {}, name)


def _assembled(function: FunctionType, replaced: dict[str, Any], label: str) -> Any:
    key = (function, *replaced.values())
    with _lock:
        if key not in _made:
            _made[key] = _assemble(function, replaced, label)
        return _made[key]


def _assemble(function: FunctionType, replaced: dict[str, Any], label: str) -> Any:
    import numba

    names = compile_tree(function, _compile_inner, replaced, {})
    plain = FunctionType(function.__code__, names, function.__name__)
    if numba.config.DISABLE_JIT:
        return plain
    copy = _cached_copy(function, names, digest(function, replaced), label)
    return numba.njit(**_OPTIONS, cache=copy is not None)(copy or plain)


# Nobody frees an array while a kernel runs, and counting references (_nrt) takes more than half of
# the time.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
    "no_cfunc_wrapper": True,
}


def _compile_inner(function: FunctionType) -> Any:
    """Compile a function that only compiled code calls: no wrapper for Python, which is slow."""
    import numba

    inlined = function.__name__ not in NOT_INLINED
    return numba.njit(**_OPTIONS, no_cpython_wrapper=True, forceinline=inlined)(function)


def _cached_copy(
    function: FunctionType, names: dict[str, Any], mark: str, label: str
) -> FunctionType | None:
    """Return a copy of a function that seems to come from its cache folder, None without one.

    Numba keeps what it compiled beside the file that a function comes from.
    """
    folder = cache_folder(_with_versions(mark))
    if folder is None or not write_once(folder / "kernel.py", _NOTE.format(label)):
        return None
    code = function.__code__.replace(co_filename=str(folder / "kernel.py"))
    return FunctionType(code, names, function.__name__)


_NOTE = "# Numba keeps the compiled loop of {!r} beside this file, for cluster_sim.\n"


def _reads(function: FunctionType, name: str) -> bool:
    """Return whether a function reads one of its arguments."""
    return any(
        step.opname.startswith("LOAD_FAST") and step.argval == name
        for step in dis.get_instructions(function)
    )


def _with_versions(mark: str) -> str:
    import hashlib

    import llvmlite
    import numba
    import numpy

    versions = (sys.version, numba.__version__, llvmlite.__version__, numpy.__version__)
    return hashlib.sha256(repr((mark, versions)).encode()).hexdigest()
