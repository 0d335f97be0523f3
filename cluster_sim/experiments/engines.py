"""Which engine runs a system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cluster_sim.errors import ScenarioError
from cluster_sim.policies.base import PolicyKind
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System

__all__ = ["Engine", "Simulate", "choose_engine"]


class Simulate(Protocol):
    """Run a system under a key and measure it."""

    def __call__(
        self,
        system: System,
        key: Key,
        *,
        slots: int,
        warmup: int = 0,
        series_points: int = 1000,
        observers: Sequence[Observer] = (),
        progress: Callable[[int], None] | None = None,
    ) -> RunResult:
        """Run and measure; see `cluster_sim.emulator.emulator.simulate`."""
        ...


@dataclass(frozen=True)
class Engine:
    """An engine, chosen.

    Parameters
    ----------
    name : str
        ``"simpy"`` or ``"compiled"``.
    simulate : callable
    runs_in_threads : bool
        Whether replications side by side in threads gain anything.
    note : str or None
        Why it was not the compiled one, where ``"auto"`` was asked for.
    """

    name: str
    simulate: Simulate
    runs_in_threads: bool
    note: str | None = None


def choose_engine(name: str, system: System) -> Engine:
    """Return the engine for a system.

    Parameters
    ----------
    name : str
        ``"simpy"``, ``"compiled"``, or ``"auto"``: compiled where the policy allows it.
    system : System

    Returns
    -------
    Engine

    Raises
    ------
    ScenarioError
        If the compiled engine is asked for and cannot be had.
    CompilationError
        If the compiled engine is asked for and numba cannot compile the policy.
    """
    if name == "simpy":
        return _simpy()
    obstacle = _obstacle(system)
    if obstacle is None:
        from cluster_sim.compiled.assembly import CompilationError
        from cluster_sim.compiled.engine import check_compiles
        from cluster_sim.compiled.engine import simulate as simulate_compiled

        try:
            check_compiles(system)
            return Engine("compiled", simulate_compiled, runs_in_threads=True)
        except CompilationError as error:
            if name == "compiled":
                raise
            obstacle = str(error)
    if name == "compiled":
        raise ScenarioError(f'[run] engine = "compiled": {obstacle}')
    return _simpy(note=f"SimPy engine: {obstacle}")


def _simpy(note: str | None = None) -> Engine:
    from cluster_sim.emulator.emulator import simulate

    return Engine("simpy", simulate, runs_in_threads=False, note=note)


def _obstacle(system: System) -> str | None:
    """Return why a system cannot run compiled, whatever its policy's source, if it cannot."""
    if system.policy.kind is PolicyKind.TASK:
        return (
            f"policy {system.policy.name!r} is a task policy, which decides over jobs or whole "
            "assignments; only the SimPy engine runs it"
        )
    if system.is_dynamic:
        what = "servers break down" if system.failures is not None else "replicas move"
        return f"only the SimPy engine lets {what}"
    from cluster_sim.compiled.assembly import is_available

    if not is_available():
        return (
            "the compiled engine needs numba, which is not installed; "
            "pip install 'cluster_sim[fast]', or use engine = \"simpy\""
        )
    return None
