"""The places in the kernels for a policy's own functions and facts, and one for the system's.

The kernels import these names. When the driver compiles them for a policy, it puts the policy's own
in their place, and what is not used is not compiled.
"""

from __future__ import annotations

from cluster_sim.policies.priority import Priority

__all__ = [
    "GIVEN_TIMES",
    "READS_TIE",
    "TAKES_OWN_FIRST",
    "USES_LEAST",
    "USES_LONGEST",
    "route",
    "serve",
    "weigh",
]

route, serve, weigh = Priority.route, Priority.serve, Priority.weigh
USES_LONGEST = Priority.uses_longest
USES_LEAST = Priority.uses_least
TAKES_OWN_FIRST = Priority.takes_own_first
READS_TIE = False  # whether `serve` reads its tie
GIVEN_TIMES = False  # whether service times come with the tasks; see `cluster_sim.model.needs`
