"""The conformance kit: hold a policy, a run or an engine to the laws of the model.

A test of a policy of one's own is one line::

    def test_my_policy_keeps_the_laws():
        check_policy(MyPolicy)

`simulate_checked` runs one system with every event checked. `check_same_events` compares the
trajectories of two runs, or of two engines.
"""

from cluster_sim.testing.conformance import (
    Engine,
    check_exchanges,
    check_policy,
    check_run,
    simulate_checked,
)
from cluster_sim.testing.invariants import EventInvariants, InvariantObserver
from cluster_sim.testing.laws import Law, LawViolation
from cluster_sim.testing.littles_law import LittlesLaw
from cluster_sim.testing.results import check_result
from cluster_sim.testing.systems import all_readings, covering_readings, small_systems
from cluster_sim.testing.trajectories import TaskRecorder, check_same_events, check_same_tasks
from cluster_sim.testing.witness import Witness

__all__ = [
    "Engine",
    "EventInvariants",
    "InvariantObserver",
    "Law",
    "LawViolation",
    "LittlesLaw",
    "TaskRecorder",
    "Witness",
    "all_readings",
    "check_exchanges",
    "check_policy",
    "check_result",
    "check_run",
    "check_same_events",
    "check_same_tasks",
    "covering_readings",
    "simulate_checked",
    "small_systems",
]
