"""What ``cluster-sim run`` says of breakdowns, and of replicas that moved."""

from __future__ import annotations

from typing import Any

from cluster_sim.cli.run_table import percent, plural

__all__ = ["disruption_rows", "failed_words"]


def disruption_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rows on breakdowns and on replicas.

    Parameters
    ----------
    found : dict
        As `Outcome.as_dict` gives it.

    Returns
    -------
    list of (str, str)
        Empty where nothing breaks down and no replica moves.
    """
    rows = []
    if "failures" in found:
        rows += _of_failures(found["failures"])
    if "replication" in found:
        rows += _of_replication(found["replication"])
    return rows


def failed_words(found: dict[str, Any]) -> str:
    """Return what is to be added to the row on tasks, where chunks may be lost.

    Parameters
    ----------
    found : dict
        As `Outcome.as_dict` gives it.

    Returns
    -------
    str
    """
    failures = found.get("failures")
    if failures is None:
        return ""
    aside = failures["waiting_for_chunk_at_end"]
    return f" ({aside:,} of them for a chunk), {failures['failed']:,} failed"


def _of_failures(found: dict[str, Any]) -> list[tuple[str, str]]:
    racks = found["rack_breakdowns"]
    what = plural(found["breakdowns"], "breakdown") + " of servers"
    if racks:
        what += f", {plural(racks, 'failure')} of rack switches"
    broken_off = f"{plural(found['retried'], 'run')} broken off"
    redone = f"after {plural(found['redone_slots'], 'slot')} of service"
    lost = f"{found['replicas_lost']:,} lost, {found['rereplicated']:,} copied"
    chunks = f"{plural(found['chunks_lost'], 'chunk')} lost for good"
    waits = f"{plural(found['waited_for_chunk'], 'wait')} for a chunk out of reach"
    anew = f"{plural(found['rerouted'], 'waiting task')} routed anew"
    return [
        ("failures", f"{what}; availability {percent(found['availability'])}"),
        ("redone", f"{broken_off} {redone}; {anew}"),
        ("replicas", f"{lost}; {chunks}; {waits}"),
    ]


def _of_replication(found: dict[str, Any]) -> list[tuple[str, str]]:
    made = f"{plural(found['created'], 'replica')} made, {found['evicted']:,} evicted"
    if found["lost"]:
        made += f", {found['lost']:,} lost with disks"
    extra = f"{found['extra_mean'] or 0:.6g} mean, {found['extra_peak']:.6g} peak"
    return [
        ("replication", f"{made}; {plural(found['transfers'], 'transfer')} over the network"),
        ("extra storage", f"{extra}, in chunks; {found['initial_replicas']:,} replicas before"),
    ]
