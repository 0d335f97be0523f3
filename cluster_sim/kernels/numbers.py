"""Numbers by name, as compiled code reads them: whole numbers of numpy, not members of an enum.

Numba compiles a function once for each *literal* that it is called with; numpy's numbers are not
literals.
"""

from __future__ import annotations

import numpy as np

from cluster_sim.kernels.codes import Counter, Event, Stop

__all__: list[str] = []  # plain numbers; import what you need by name

EMPTY = 2**32 - 1  # no row; rows are unsigned, since numba tests the sign of others at each use
NOBODY = np.int64(-1)  # in an event: no server, no queue, no tier
NOTHING = np.int64(0)

# Columns of a task of the pool.
NEXT, ARRIVED, NUMBER, LUCK, SIZE, REPLICAS = range(6)
LUCK_UNIT = 2.0**53  # a uniform has 53 bits, so it is kept as a whole number

# Streams of draws.
TYPE, TASK = np.uint64(2), np.uint64(3)
DISPATCH_ORDER, DISPATCH_TIE = np.uint64(4), np.uint64(5)

RANDOM_ORDER, INDEX_ORDER, LOCALS_FIRST_ORDER = 0, 1, 2
N_ASKS = 32  # asks drawn at once
ASKS_MASK = N_ASKS - 1

SLOT, NEXT_TASK = int(Counter.SLOT), int(Counter.TASK)
N_WAITING, N_IN_SERVICE = int(Counter.N_WAITING), int(Counter.N_IN_SERVICE)
N_FREE, N_OUTLIERS, N_EVENTS = int(Counter.N_FREE), int(Counter.N_OUTLIERS), int(Counter.N_EVENTS)
ERROR_SERVER, ERROR_QUEUE = int(Counter.ERROR_SERVER), int(Counter.ERROR_QUEUE)
IN_SYSTEM_SUM, WAITING_SUM = int(Counter.IN_SYSTEM_SUM), int(Counter.WAITING_SUM)
N_BOUND_HITS, N_LOOKS, TOUCHED = map(int, (Counter.N_BOUND_HITS, Counter.N_LOOKS, Counter.TOUCHED))

DONE, NEEDS_TASKS, NEEDS_OUTLIERS = int(Stop.DONE), int(Stop.NEEDS_TASKS), int(Stop.NEEDS_OUTLIERS)
NEEDS_EVENTS, BAD_ROUTE = int(Stop.NEEDS_EVENTS), int(Stop.BAD_ROUTE)
BAD_SERVE, NOTHING_WAITS = int(Stop.BAD_SERVE), int(Stop.NOTHING_WAITS)

ARRIVAL, START = np.int64(Event.ARRIVAL), np.int64(Event.START)
COMPLETION, LOOK = np.int64(Event.COMPLETION), np.int64(Event.LOOK)
