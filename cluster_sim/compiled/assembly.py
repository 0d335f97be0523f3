"""Put a loop and a policy together, and compile them."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, cast

import numpy as np

from cluster_sim.compiled.cache import MARKER, cache_folder, make_forgiving, write_once
from cluster_sim.compiled.closure import compile_tree, digest
from cluster_sim.compiled.linking import kernel_options, linking_options
from cluster_sim.errors import PolicyError
from cluster_sim.kernels import loop, traffic
from cluster_sim.policies.base import QueuePolicy
from cluster_sim.policies.inspection import reads_argument

__all__ = ["CompilationError", "compiled_fill", "compiled_loop", "index_type", "is_available"]

# Functions that are not copied into their callers: called once a slot or seldom, and long to
# compile.
NOT_INLINED = frozenset(
    {
        "complete_services",
        "route_arrivals",
        "dispatch_idle",
        "next_asks",
        "observe",
        "find_least",
        "rekey",
        "move",
        "pick",
        "fill_row",
        "reweigh_owner",
        "least_within",
    }
)

_lock = threading.RLock()
_made: dict[tuple[object, ...], Callable[..., Any]] = {}


class CompilationError(PolicyError):
    """Numba cannot compile a policy, or not at all; the SimPy engine still runs it."""


def is_available() -> bool:
    """Return whether numba is installed.

    Returns
    -------
    bool
    """
    return importlib.util.find_spec("numba") is not None


def compiled_loop(policy: QueuePolicy, *, given_times: bool = False) -> Callable[..., int]:
    """Return `cluster_sim.kernels.loop.run_slots` for a policy.

    Parameters
    ----------
    policy : QueuePolicy
        Only its class matters: parameters reach the loop as numbers.
    given_times : bool
        Whether service times come with the tasks, rather than from their luck and the rate.

    Returns
    -------
    callable
        Compiled at its first call, or loaded from the cache.
    """
    kind = type(policy)
    replaced = {
        "route": kind.route,
        "serve": kind.serve,
        "weigh": kind.weigh,
        "USES_LONGEST": kind.uses_longest,
        "USES_LEAST": kind.uses_least,
        "TAKES_OWN_FIRST": kind.takes_own_first,
        "READS_TIE": reads_argument(kind.serve, "tie"),
        "GIVEN_TIMES": given_times,
    }
    return _assembled(cast("FunctionType", loop.run_slots), replaced, kind.name)


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


def index_type() -> type[np.integer]:
    """Return the type of the numbers of rows: unsigned where the kernels are compiled.

    Numba lets a negative index count from the end, and tests each signed index for it. In plain
    Python, numpy's unsigned numbers would overflow where the kernels compute with them.

    Returns
    -------
    type
    """
    import numba

    config: Any = numba.config
    return np.int64 if config.DISABLE_JIT else np.uint32


def _assembled(function: FunctionType, replaced: dict[str, Any], label: str) -> Callable[..., Any]:
    # A helper or a constant of the policy may have changed since, in a notebook for one.
    mark = digest(function, replaced) if replaced else ""
    with _lock:
        key = (function, mark)
        if key not in _made:
            _made[key] = _assemble(function, replaced, mark or digest(function, {}), label)
        return _made[key]


def _assemble(
    function: FunctionType, replaced: dict[str, Any], mark: str, label: str
) -> Callable[..., Any]:
    try:
        import numba
    except ImportError as error:  # its versions are particular about numpy's
        raise CompilationError(
            f"the compiled engine needs numba, which cannot be imported: {error}; mend the "
            'installation, or use engine = "simpy"'
        ) from error
    config: Any = numba.config  # its settings are made as it is imported
    names = compile_tree(function, _compile_inner, replaced, mark[:16])
    plain = FunctionType(function.__code__, names, function.__name__)
    if config.DISABLE_JIT:
        return plain
    copy = _cached_copy(function, names, mark, label)
    kernel = copy or plain
    kernel.__qualname__ = f"{function.__qualname__}_{mark[:16]}"  # see `compile_tree`
    result = _njit(kernel, cache=copy is not None, **kernel_options())
    if copy is not None:
        make_forgiving(result)
    return result


# Nobody frees an array while a kernel runs, and counting references (_nrt) takes more than half of
# the time.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
    "no_cfunc_wrapper": True,
}


def _njit(function: FunctionType, **options: Any) -> Callable[..., Any]:
    """Compile a function, lazily, with options that numba has but its types do not mention."""
    import numba

    njit: Any = numba.njit
    return cast("Callable[..., Any]", njit(**_OPTIONS, **options)(function))


def _compile_inner(function: FunctionType) -> Callable[..., Any]:
    """Compile a function that only compiled code calls: no wrapper for Python, which is slow."""
    inlined = function.__name__ not in NOT_INLINED
    is_ours = function.__module__.startswith("cluster_sim.")
    options = linking_options() if is_ours else {}
    return _njit(function, no_cpython_wrapper=True, forceinline=inlined, **options)


def _cached_copy(
    function: FunctionType, names: dict[str, Any], mark: str, label: str
) -> FunctionType | None:
    """Return a copy of a function that seems to come from its cache folder, None without one.

    Numba keeps what it compiled beside the file that a function comes from.
    """
    folder = cache_folder(_with_versions(mark))
    if folder is None or not write_once(folder / MARKER, _NOTE.format(label)):
        return None
    code = function.__code__.replace(co_filename=str(folder / MARKER))
    return FunctionType(code, names, function.__name__)


_NOTE = "# Numba keeps the compiled loop of {!r} beside this file, for cluster_sim.\n"


def _with_versions(mark: str) -> str:
    import hashlib

    import llvmlite
    import numba

    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    return hashlib.sha256(repr((mark, versions)).encode()).hexdigest()
