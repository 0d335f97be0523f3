"""Functions that compiled code alone calls: linked into their callers, never made to run alone.

Numba optimises every function by itself and makes machine code of it, then does so again in every
caller. Of our own forty functions only the loop is called from Python; leaving the others to it
saves a fifth of the time to compile. This reaches into numba's code generator, so a version that is
built otherwise does without.
"""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["kernel_options", "linking_options"]

# Passes of numba for what none of our kernels has: with statements, closures, inlined overloads,
# loops over mixed tuples, expressions over whole arrays. They take a tenth of the time.
SKIPPED = frozenset(
    {
        "WithLifting",
        "InlineClosureLikes",
        "MakeFunctionToJitFunction",
        "InlineInlinables",
        "LiteralUnroll",
        "InlineOverloads",
        "NopythonRewrites",
        "DumpParforDiagnostics",
    }
)


@cache
def linking_options() -> dict[str, Any]:
    """Return the options of ``numba.njit`` for such a function.

    Returns
    -------
    dict
        Empty if this version of numba is built otherwise.
    """
    try:
        return {"pipeline_class": _compiler(_use_linked_library())}
    except (ImportError, AttributeError):
        return {}


@cache
def kernel_options() -> dict[str, Any]:
    """Return the options of ``numba.njit`` for a kernel that Python calls.

    Returns
    -------
    dict
        Empty if this version of numba is built otherwise.
    """
    try:
        return {"pipeline_class": _compiler(None)}
    except (ImportError, AttributeError):
        return {}


def _compiler(before_lowering: type[Any] | None) -> type[Any]:
    """Return numba's own pipeline without what our kernels do not need, and perhaps with a pass."""
    from numba.core import compiler
    from numba.core.typed_passes import AnnotateTypes

    base: Any = compiler.CompilerBase
    builder: Any = compiler.DefaultPassBuilder

    class KernelCompiler(base):  # type: ignore[misc]
        def define_pipelines(self) -> list[Any]:
            manager = builder.define_nopython_pipeline(self.state)
            manager.passes = [
                (kind, why) for kind, why in manager.passes if kind.__name__ not in SKIPPED
            ]
            if before_lowering is not None:
                manager.add_pass_after(before_lowering, AnnotateTypes)
            manager.finalize()
            return [manager]

    return KernelCompiler


def _use_linked_library() -> type[Any]:
    from numba.core import compiler_machinery

    library = _linked_library()
    register: Any = compiler_machinery.register_pass
    lowering: Any = compiler_machinery.LoweringPass

    @register(mutates_CFG=False, analysis_only=True)
    class UseLinkedLibrary(lowering):  # type: ignore[misc]
        """Let the lowering that follows put its code into such a library."""

        _name = "cluster_sim_use_linked_library"

        def __init__(self) -> None:
            lowering.__init__(self)

        def run_pass(self, state: Any) -> bool:
            state.library = library(state.targetctx.codegen(), state.func_id.func_qualname)
            return False

    return UseLinkedLibrary


def _linked_library() -> type[Any]:
    """Return a class of libraries that are neither optimised nor translated by themselves."""
    from numba.core.codegen import JITCodeLibrary

    base: Any = JITCodeLibrary
    for name in ("_optimize_final_module", "_finalize_final_module", "_finalized", "codegen"):
        getattr(base, name)  # or it is built otherwise

    class Nowhere:
        """In the place of the code generator, where numba would set up a function to be run."""

        @staticmethod
        def set_env(name: str, environment: object) -> None:
            """Do nothing."""

    class LinkedLibrary(base):  # type: ignore[misc]
        """Code that is there for linking."""

        codegen = Nowhere

        def _optimize_final_module(self) -> None:
            pass

        def _finalize_final_module(self) -> None:
            self._finalized = True

        def get_pointer_to_function(self, _: str) -> int:
            """Return 0: there is no machine code."""
            self._ensure_finalized()
            return 0

    return LinkedLibrary
