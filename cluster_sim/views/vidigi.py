"""A recording as the event log that vidigi animates (https://pypi.org/project/vidigi, 2.0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cluster_sim.recording.recording import UNKNOWN, Recording

__all__ = ["VIDIGI_COLUMNS", "vidigi_log"]

VIDIGI_COLUMNS = ("entity_id", "pathway", "event_type", "event", "time", "resource_id")


def vidigi_log(recording: Recording, *, tier_names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of an event log for vidigi, in the order of time.

    Parameters
    ----------
    recording : Recording
        Tasks that arrived before it are left out: vidigi wants an arrival of every entity.
    tier_names : sequence of str
        Of the cluster. The pathway of a task is the tier at which it is served.

    Yields
    ------
    str
        CSV, beginning with the header. A task arrives, begins to wait (event ``queue_3``), is
        served (event ``service``, resource: the server, counted from 1), and departs.

    Examples
    --------
    >>> import numpy as np
    >>> none = np.zeros((1, 0), dtype=np.int64)
    >>> recording = Recording(0, 9, *(np.array([x]) for x in (7, 2, 4, 3, 4, 0, 5)), none)
    >>> for line in vidigi_log(recording, tier_names=["local", "remote"]):
    ...     print(line)
    entity_id,pathway,event_type,event,time,resource_id
    7,local,arrival_departure,arrival,2,
    7,local,queue,queue_4,2,
    7,local,resource_use,service,3,5
    7,local,resource_use_end,service_ends,5,5
    7,local,arrival_departure,depart,5,
    """
    yield ",".join(VIDIGI_COLUMNS)
    rows = np.flatnonzero(recording.arrival >= recording.first_slot)
    number, queue = recording.number, recording.queue
    # Where several things happen in a slot: first what ends, then what begins.
    events: list[tuple[int, int, int, str]] = []
    for row in rows.tolist():
        task, server = int(number[row]), int(recording.server[row])
        tier = int(recording.tier[row])
        head = f"{task},{'' if tier == UNKNOWN else tier_names[tier]}"
        arrival, start, end = (
            int(column[row]) for column in (recording.arrival, recording.start, recording.end)
        )
        events.append((arrival, 2, task, f"{head},arrival_departure,arrival,{arrival},"))
        events.append((arrival, 3, task, f"{head},queue,queue_{int(queue[row])},{arrival},"))
        if start != UNKNOWN:
            events.append((start, 4, task, f"{head},resource_use,service,{start},{server + 1}"))
        if end != UNKNOWN:
            used = f"{head},resource_use_end,service_ends,{end},{server + 1}"
            events.append((end, 0, task, used))
            events.append((end, 1, task, f"{head},arrival_departure,depart,{end},"))
    events.sort()
    yield from (line for *_, line in events)
