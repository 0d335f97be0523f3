"""Numbers that the kernels and their driver agree on."""

from __future__ import annotations

import enum

__all__ = ["Counter", "Event", "Stop"]


class Stop(enum.IntEnum):
    """Why the slot loop returned."""

    DONE = 0
    NEEDS_TASKS = 1  # the task pool has no room for the arrivals of the next slot
    NEEDS_OUTLIERS = 2  # the list of times beyond the histograms is nearly full
    NEEDS_EVENTS = 3  # the buffer of events, or that of looks, is nearly full
    BAD_ROUTE = 4
    BAD_SERVE = 5
    NOTHING_WAITS = 6


class Counter(enum.IntEnum):
    """Entries of the counters array, kept from call to call."""

    SLOT = 0  # next slot of the batch
    TASK = 1  # next task of the batch
    N_WAITING = 2
    N_IN_SERVICE = 3
    N_FREE = 4
    N_OUTLIERS = 5
    N_EVENTS = 6
    ERROR_SERVER = 7
    ERROR_QUEUE = 8
    IN_SYSTEM_SUM = 9  # over the observation points after the warm-up
    WAITING_SUM = 10
    N_BOUND_HITS = 11
    N_LOOKS = 12  # rows of the buffer of looks that are filled
    TOUCHED = 13  # means nothing; see `cluster_sim.kernels.asking.touch`


class Event(enum.IntEnum):
    """Kinds of events in the event buffer."""

    ARRIVAL = 0
    START = 1
    COMPLETION = 2
    LOOK = 3  # at the state, at the observation point; in the place of the task, its row
