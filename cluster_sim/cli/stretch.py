"""Which slots of a run a command records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_sim.errors import ScenarioError

if TYPE_CHECKING:
    from cluster_sim.scenario.build import Prepared

__all__ = ["check_stretch"]

_BY_DEFAULT = 500  # slots
_MOST_CELLS = 20_000_000  # servers times slots; reading so many takes a browser seconds


def check_stretch(prepared: Prepared, first_slot: int, n_slots: int | None) -> int:
    """Return how many slots are to be recorded.

    Parameters
    ----------
    prepared : Prepared
    first_slot : int
    n_slots : int or None
        None: 500, or what is left of the run.

    Returns
    -------
    int

    Raises
    ------
    ScenarioError
        If the run has no such slots, or they hold more than a recording can.
    """
    from cluster_sim.recording.recording import MOST_TASKS

    if not 0 <= first_slot < prepared.slots:
        raise ScenarioError(
            f"--from {first_slot}: the run has slots 0 to {prepared.slots - 1}; choose one of "
            "these, or raise run.slots"
        )
    left = prepared.slots - first_slot
    n = min(_BY_DEFAULT, left) if n_slots is None else n_slots
    if not 1 <= n <= left:
        raise ScenarioError(
            f"--slots {n}: from slot {first_slot} the run has {left}; choose 1 to {left}, or "
            f"--set run.slots={first_slot + max(n, 1)}"
        )
    n_servers = prepared.system.cluster.n_servers
    per_slot = max(prepared.system.workload.rate, n_servers * MOST_TASKS / _MOST_CELLS)
    if n * per_slot > MOST_TASKS:
        most = max(1, int(MOST_TASKS / per_slot))
        raise ScenarioError(
            f"--slots {n}: {n_servers:,} servers with {prepared.system.workload.rate:,.6g} tasks "
            f"per slot are more than a recording can hold; choose --slots {most} or fewer"
        )
    return n
