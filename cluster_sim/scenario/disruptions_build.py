"""From the tables [failures] and [replication] to model objects."""

from __future__ import annotations

from cluster_sim.model import failures as model
from cluster_sim.model.placement import Placement
from cluster_sim.policies import replication
from cluster_sim.policies.replication import ReplicationScheme
from cluster_sim.scenario.schema import Scenario

__all__ = ["failures_of", "scheme_of"]


def failures_of(scenario: Scenario, placement: Placement) -> model.Failures | None:
    """Return what breaks down; None if nothing does.

    Parameters
    ----------
    scenario : Scenario
    placement : Placement
        The rule by which chunks are placed, and so copied.

    Returns
    -------
    Failures or None
    """
    table = scenario.failures
    if table is None:
        return None
    return model.Failures(
        server_mean_up=table.server_mean_up,
        server_mean_down=table.server_mean_down,
        rack_mean_up=table.rack_mean_up,
        rack_mean_down=table.rack_mean_down,
        events=tuple(
            model.Outage(event.slot, event.down, event.server, event.rack)
            for event in table.events or ()
        ),
        disks=model.Disks(table.disks),
        rereplication=table.rereplication,
        lost_chunks=model.LostChunks(table.lost_chunks),
        placement=placement,
    )


def scheme_of(scenario: Scenario) -> ReplicationScheme:
    """Return the replication scheme; where there is no table, the one that does nothing.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    ReplicationScheme

    Raises
    ------
    UnknownNameError
        If there is no such scheme or parameter.
    """
    table = scenario.replication
    if table is None:
        return replication.Static()
    return replication.get(table.scheme, **table.parameters)
