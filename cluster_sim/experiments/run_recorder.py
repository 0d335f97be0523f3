"""From a run to the `RunRecord` that the theory is coupled to: `record_run`."""

from __future__ import annotations

import numpy as np

from cluster_sim.emulator.emulator import simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.model.readings import QueueLength, ServiceTier
from cluster_sim.model.task import Task
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer, StateView
from cluster_sim.system import System
from cluster_sim.theory.decomposition import Decomposition
from cluster_sim.theory.run_record import RunRecord, check_record

__all__ = ["RunRecorder", "record_run"]


class RunRecorder(Observer):
    """Note down every queue, decision, completion and arrival of a run.

    Memory grows with the slots times the servers: for runs to look at, not for long ones.

    Parameters
    ----------
    decomposition : Decomposition
        Of the system that runs; its task types number the arrivals.
    """

    def __init__(self, decomposition: Decomposition) -> None:
        types = decomposition.types
        self._n_servers = types.n_servers
        self._number = {types.replicas(i): i for i in range(types.n_types)}
        self._queues: list[list[int]] = []
        self._arrivals: list[tuple[int, int, int]] = []
        self._starts: list[tuple[int, int, int, int]] = []

    def observe(self, slot: int, state: StateView) -> None:  # noqa: ARG002 - told in order
        """Note the queues."""
        self._queues.append(list(state.lengths))

    def arrival(self, task: Task) -> None:
        """Note slot, type and queue."""
        replicas = tuple(sorted(int(server) for server in task.replicas))
        if replicas not in self._number:
            raise ScenarioError(
                f"task {task.number}: its chunk is on servers {list(replicas)}, a type that the "
                "decomposition does not have; decompose the traffic that runs"
            )
        self._arrivals.append((task.arrival, self._number[replicas], int(task.queue)))

    def start(self, task: Task) -> None:
        """Note who serves which queue, and for how long."""
        self._starts.append((int(task.server), int(task.queue), int(task.start), int(task.service)))

    def record(self) -> RunRecord:
        """Return the record of all slots but the last, whose end was not seen.

        Returns
        -------
        RunRecord
        """
        n_slots = len(self._queues) - 1
        serving = np.full((n_slots, self._n_servers), -1, dtype=np.int64)
        completed = np.zeros((n_slots, self._n_servers), dtype=np.bool_)
        for server, queue, first, service in self._starts:
            serving[first : first + service, server] = queue
            if first + service <= n_slots:
                completed[first + service - 1, server] = True
        kept = [arrival for arrival in self._arrivals if arrival[0] < n_slots]
        columns = np.array(kept, dtype=np.int64).reshape(-1, 3).T
        return RunRecord(
            queues=np.array(self._queues, dtype=np.int64),
            serving=serving,
            completed=completed,
            arrival_slot=columns[0],
            arrival_type=columns[1],
            arrival_queue=columns[2],
        )


def record_run(system: System, decomposition: Decomposition, key: Key, *, slots: int) -> RunRecord:
    """Run a system on the SimPy engine and record it.

    Parameters
    ----------
    system : System
        With a queue for each server, two tiers, and the readings ``queue_length = "in-system"`` and
        ``service_tier = "queue"``, under which the model is that of section 2.2.
    decomposition : Decomposition
        Of the system's traffic.
    key : Key
    slots : int
        Slots to record, at least 1.

    Returns
    -------
    RunRecord
        It satisfies ``Q(t+1) = Q(t) + A(t) - S(t)``, which is checked.

    Raises
    ------
    ScenarioError
        If the system is not of this kind, or the decomposition not of its traffic.

    References
    ----------
    Section 2.2 of the paper.
    """
    n_servers, reading = system.cluster.n_servers, system.reading
    if slots < 1:
        raise ScenarioError(f"slots = {slots}: must be at least 1")
    owners = system.policy.owners(n_servers, system.cluster.n_tiers)
    if list(owners) != list(range(n_servers)):
        raise ScenarioError(
            f"policy {system.policy.name!r}: its queues are not one for each server, as the theory "
            "has them; take another policy, such as priority"
        )
    if reading.queue_length is not QueueLength.IN_SYSTEM:
        raise ScenarioError(
            f'queue_length = "{reading.queue_length.value}": the theory counts tasks in service; '
            'set it to "in-system"'
        )
    if reading.service_tier is not ServiceTier.QUEUE:
        raise ScenarioError(
            f'service_tier = "{reading.service_tier.value}": in the theory a task from another '
            'server\'s queue is remote; set it to "queue"'
        )
    recorder = RunRecorder(decomposition)
    simulate(system, key, slots=slots + 1, observers=[recorder])
    record = recorder.record()
    check_record(record, decomposition)
    return record
