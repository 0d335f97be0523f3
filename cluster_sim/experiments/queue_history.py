"""The lengths of the queues over a run, by kind of server."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.recording.queue_samples import QueueSamples
from cluster_sim.scenario.build import Prepared
from cluster_sim.scenario.task_types import decomposition_of

__all__ = ["QueueHistory", "history_of", "queue_kinds", "sampler"]

_MOST_SAMPLES = 800
_MOST_CELLS = 20_000_000  # lengths kept at most: 160 MB
_MOST_SERVERS = 20_000  # a decomposition of more takes minutes


@dataclass(frozen=True, eq=False)
class QueueHistory:
    """Queue lengths at equally spaced observation points.

    Parameters
    ----------
    slots : int64 array, shape (n_samples,)
    lengths : int64 array, shape (n_samples, n_queues)
        Under the reading `queue_length`.
    kinds : dict of str to int64 array
        From ``"helpers"``, ``"beneficiaries"`` and so on to the queues of that kind.
    """

    slots: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    kinds: dict[str, npt.NDArray[np.int64]]


def sampler(prepared: Prepared) -> QueueSamples:
    """Return an observer that samples the queues of a run often enough for a figure.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    QueueSamples
        To be given to `cluster_sim.experiments.replications.run`.
    """
    cluster = prepared.system.cluster
    n_queues = len(prepared.system.policy.owners(cluster.n_servers, cluster.n_tiers))
    n_samples = max(2, min(_MOST_SAMPLES, _MOST_CELLS // max(n_queues, 1)))
    return QueueSamples(look_every=max(1, prepared.slots // n_samples))


def history_of(prepared: Prepared, samples: QueueSamples) -> QueueHistory:
    """Return what an observer has sampled, by kind of queue.

    Parameters
    ----------
    prepared : Prepared
    samples : QueueSamples
        From the first slot on.

    Returns
    -------
    QueueHistory
    """
    lengths = samples.lengths
    slots = np.arange(len(lengths), dtype=np.int64) * samples.look_every
    return QueueHistory(slots, lengths, queue_kinds(prepared))


def queue_kinds(prepared: Prepared) -> dict[str, npt.NDArray[np.int64]]:
    """Return the queues of helpers, of beneficiaries, and those that belong to no server.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    dict of str to int64 array
        All servers are one kind where the ideal load decomposition is not defined: at or above
        capacity, or with more than two tiers.

    References
    ----------
    Section 3.2 of the paper.
    """
    cluster = prepared.system.cluster
    owners = np.array(
        prepared.system.policy.owners(cluster.n_servers, cluster.n_tiers), dtype=np.int64
    )
    try:
        is_known = cluster.n_servers <= _MOST_SERVERS and cluster.n_tiers == 2
        found = decomposition_of(prepared) if is_known else None
    except ScenarioError:
        found = None
    queues = np.arange(len(owners))
    is_owned = owners >= 0
    kinds = {"servers": queues[is_owned]}
    if found is not None:
        is_beneficiary = np.isin(owners, np.array(found.beneficiaries, dtype=np.int64))
        kinds = {
            "beneficiaries": queues[is_owned & is_beneficiary],
            "helpers": queues[is_owned & ~is_beneficiary],
        }
    kinds["common queue"] = queues[~is_owned]
    return {name: members for name, members in kinds.items() if len(members)}
