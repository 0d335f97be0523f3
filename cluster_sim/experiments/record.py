"""Record a stretch of a run, under one policy or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cluster_sim.errors import ScenarioError
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.recording.recording import Recorder, Recording
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario

__all__ = ["prepare_policies", "record"]


def prepare_policies(scenario: Scenario, policies: Sequence[str]) -> list[Prepared]:
    """Prepare a scenario under each of several policies, for the same tasks with the same luck.

    Parameters
    ----------
    scenario : Scenario
    policies : sequence of str
        None of them means the scenario's own. That one keeps its parameters, the others have their
        defaults.

    Returns
    -------
    list of Prepared
    """
    own = scenario.scheduler.policy
    return [
        prepare(scenario if name == own else scenario.with_values({"scheduler.policy": name}))
        for name in (policies or [own])
    ]


def record(
    prepared: Prepared,
    first_slot: int,
    n_slots: int,
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[Recording, str | None]:
    """Run the first replication of a scenario and record a stretch of it.

    Parameters
    ----------
    prepared : Prepared
    first_slot, n_slots : int
        The stretch. The run ends with it.
    progress : callable, optional
        Told the slots done, now and then.

    Returns
    -------
    Recording
    str or None
        A note on the engine, where the compiled one could not be used.

    Raises
    ------
    ScenarioError
        If servers break down.

    Notes
    -----
    Draws are keyed, so this is the start of the very run that ``cluster-sim run`` makes.
    """
    if prepared.system.failures is not None:
        raise ScenarioError(
            "[failures]: a recording holds one run of each task, and a breakdown breaks runs off; "
            "take the table out for this, or look at `cluster-sim run --events FILE`"
        )
    engine = choose_engine(prepared.scenario.run.engine, prepared.system)
    recorder = Recorder(first_slot, n_slots)
    simulate = partial(engine.simulate, prepared.system, prepared.key(0))
    simulate(slots=first_slot + n_slots, observers=[recorder], progress=progress)
    return recorder.recording(), engine.note
