"""Which engine runs a system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from cluster_sim.emulator.emulator import simulate as simulate_with_simpy
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System

__all__ = ["Simulate", "choose_engine"]


class Simulate(Protocol):
    """An engine: it runs a system under a key and measures it."""

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


def choose_engine(name: str) -> tuple[str, Simulate]:
    """Return the engine that a scenario asks for.

    Parameters
    ----------
    name : str
        ``"simpy"``, ``"compiled"`` or ``"auto"``.

    Returns
    -------
    name : str
        The engine chosen.
    simulate : callable
    """
    return "simpy", simulate_with_simpy
