"""Policies over jobs do what their papers write, and in limit cases what simpler policies do."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_sim.emulator.emulator import Emulator, simulate
from cluster_sim.errors import ScenarioError
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.task import Task
from cluster_sim.model.topology import Topology
from cluster_sim.policies import Delay, Fair, Fifo, HadoopFifo, Policy, RandomLocal, Sparrow
from cluster_sim.policies import jobs as jobs_module
from cluster_sim.randomness import Key
from cluster_sim.recording.observer import Observer
from cluster_sim.system import System
from tests.policies.literal import (
    CLUSTERS,
    RACKS,
    InJobs,
    Literal,
    at_most_one,
    keys,
    literal_delay,
    literal_fair,
    literal_fifo,
    single_tasks,
    trajectory,
    workloads,
)

SEEDS = range(4)
ONE_JOB = InJobs(single_tasks(RACKS, 3.0), lambda _: 0)


@pytest.mark.parametrize("few", [0, 3, 12])
@pytest.mark.parametrize("name", CLUSTERS)
@settings(max_examples=6)
@given(data=st.data(), key=keys)
def test_the_rules_over_jobs_are_the_literal_ones(
    name: str, few: int, data: st.DataObject, key: Key
) -> None:
    """Indexed or not, each rule gives the events of its literal form, event by event."""
    cluster = CLUSTERS[name]
    workload = data.draw(workloads(cluster))
    order = data.draw(st.sampled_from(["random", "index", "locals-first"]))
    thresholds = sorted(data.draw(st.tuples(*[st.sampled_from([0, 1, 3, 8, 30, math.inf])] * 2)))
    delay = Delay(rack_skips=thresholds[0], skips=thresholds[1])
    levels: list[float] = [*delay.thresholds(cluster.n_servers, cluster.n_tiers)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs_module, "FEW", few)
        for policy, literal in (
            (HadoopFifo(), literal_fifo),
            (Fair(), literal_fair),
            (delay, literal_delay(levels)),
        ):
            fast, slow = (
                trajectory(cluster, workload, each, key, slots=40, dispatch_order=order)
                for each in (policy, Literal(literal))
            )
            assert fast == slow, policy


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("policy", [HadoopFifo(), Fair(), Delay(rack_skips=0, skips=0)], ids=repr)
def test_jobs_of_one_task_without_delay_are_fifo(policy: Policy, seed: int) -> None:
    """With one task a job there is no choice within the first job: the queue policy `fifo`."""
    for cluster in CLUSTERS.values():
        run = (cluster, single_tasks(cluster, 0.9 * cluster.rates[-1] * cluster.n_servers))
        fifo = trajectory(*run, Fifo(), Key.of(seed), slots=150)
        assert trajectory(*run, policy, Key.of(seed), slots=150) == fifo


@pytest.mark.parametrize("seed", SEEDS)
def test_with_one_job_fair_sharing_is_hadoop_fifo(seed: int) -> None:
    """One job has nobody to share with; without delay, delay scheduling is the same again."""
    fifo, *others = (
        trajectory(RACKS, ONE_JOB, policy, Key.of(seed), slots=200)
        for policy in (HadoopFifo(), Fair(), Delay(rack_skips=0, skips=0))
    )
    assert others == [fifo, fifo]


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_with_infinite_delay_every_start_is_local(cluster: Cluster) -> None:
    """Jobs of any size wait for their own servers for ever; with a rack delay, for their rack."""
    tasks = single_tasks(cluster, 2.0)
    for workload in (tasks, InJobs(tasks, lambda i: i // 9)):
        system = System(cluster, workload, Delay(skips=math.inf))
        starts = simulate(system, Key.of(1), slots=300).starts
        assert starts[0] > 500
        assert not starts[1:].any()
        system = System(cluster, workload, Delay(rack_skips=2, skips=math.inf))
        starts = simulate(system, Key.of(1), slots=300).starts
        assert starts[-1] == 0
        assert cluster is not RACKS or starts[1] > 0


@pytest.mark.parametrize("skips", [0, 1, 4, 9, 16])
def test_non_locality_falls_exponentially_in_the_skips(skips: int) -> None:
    """One task at a time is offered servers in random order, and runs remotely if D + 1 are.

    Zaharia et al., section 3.4: the probability is (1 - R/M)^D there, for independent offers; the
    offers of a slot are without replacement, so here it is hypergeometric. D + 1 counts the offer
    at which the patience has ended.
    """
    n, replicas, slots = 30, 3, 6_000
    cluster = Cluster.of(Topology.tree(n), {"local": 1.0, "remote": 1.0})
    system = System(cluster, at_most_one(cluster, 0.7), Delay(rack_skips=0, skips=skips))
    starts = simulate(system, Key.of(3), slots=slots).starts
    expected = math.comb(n - replicas, skips + 1) / math.comb(n, skips + 1)
    error = math.sqrt(expected * (1 - expected) / starts.sum())
    assert abs(starts[1] / starts.sum() - expected) < 4 * error
    assert expected < (1 - replicas / n) ** skips


class _Patience(Observer):
    """The longest run of slots that a waiting job was passed over by all idle servers."""

    def __init__(self) -> None:
        self.longest = 0

    def start(self, task: Task) -> None:
        self.longest = max(self.longest, task.start - task.arrival)


def test_a_job_of_a_dead_hot_spot_leaves_after_its_skips() -> None:
    """A task whose server never frees itself waits for D offers, then runs on any server."""
    cluster = Cluster.of(Topology.tree(5), {"local": 1e-12, "remote": 1e-12})
    seen = _Patience()
    system = System(cluster, _two_on_server_0(), Delay(skips=7))
    emulator = Emulator(system, Key.of(1), [seen])
    emulator.run(10)
    # Slot 0: task 0 takes server 0; the other four are offered to task 1 in each slot: D = 7 of
    # them pass in slots 0 (at most 4) and 1, so it starts in slot 1.
    assert seen.longest == 1
    assert emulator.scheduler.n_waiting == 0


def _two_on_server_0():  # type: ignore[no-untyped-def]
    from tests.emulator.cast import ScriptedWorkload

    return ScriptedWorkload({0: [[0], [0]]})


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_sparrow_with_one_probe_is_random_local(cluster: Cluster, seed: int) -> None:
    """One reservation is a place in a queue: the same tasks start at the same time and place."""

    def starts(policy: Policy) -> list[tuple[object, ...]]:
        events = trajectory(cluster, single_tasks(cluster, 2.0), policy, Key.of(seed), slots=200)
        return [(e.slot, e.kind, e.task, e.server, e.tier) for e in events]

    assert starts(Sparrow(probes=1)) == starts(RandomLocal())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_sparrow_with_all_probes_is_infinite_delay(cluster: Cluster, seed: int) -> None:
    """A reservation at every replica: each server takes its oldest local task."""
    run = (cluster, single_tasks(cluster, 2.0))
    patient = trajectory(*run, Delay(skips=math.inf), Key.of(seed), slots=200)
    assert trajectory(*run, Sparrow(probes=2), Key.of(seed), slots=200) == patient
    assert trajectory(*run, Sparrow(probes=5), Key.of(seed), slots=200) == patient


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"skips": -1}, r'^skips = -1: must be "auto", or a number of offers from 0 to inf$'),
        ({"rack_skips": "some"}, "^rack_skips = 'some': must be \"auto\""),
        ({"skips": True}, "^skips = True: must be"),
        ({"rack_skips": math.nan}, "^rack_skips = nan: must be"),
        (
            {"rack_skips": 9, "skips": 5},
            r"^rack_skips = 9: must be at most skips \(5\): .*; raise skips$",
        ),
    ],
)
def test_delays_are_checked(parameters: dict[str, float], message: str) -> None:
    """A delay is a number of offers, and that for the rack is the shorter."""
    with pytest.raises(ScenarioError, match=message):
        Delay(**parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("probes", [0, 1.5, True, "2", math.inf, math.nan])
def test_probes_are_checked(probes: object) -> None:
    """A number of probes is whole and at least 1."""
    message = rf"^probes = {probes!r}: must be a whole number, at least 1$"
    with pytest.raises(ScenarioError, match=message):
        Sparrow(probes=probes)  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", [HadoopFifo(), Fair(), Delay(), Sparrow()], ids=repr)
def test_memory_stays_with_the_waiting_tasks(policy: Policy) -> None:
    """Servers that are never asked keep no list of what has long run elsewhere."""
    cluster = Cluster.of(Topology.tree(40), {"local": 1.0, "remote": 1.0})
    for workload in (
        at_most_one(cluster, 1.0),
        InJobs(at_most_one(cluster, 1.0), lambda _: 0),
    ):
        system = System(cluster, workload, policy, Reading(dispatch_order="index"))
        emulator = Emulator(system, Key.of(1))
        emulator.run(15_000)
        assert _n_tasks(emulator.scheduler.scheduling) < 6_000  # type: ignore[union-attr]


def _n_tasks(scheduling: object) -> int:
    """Tasks that a state still refers to, counted through its lists."""
    seen: set[int] = set()
    todo: list[object] = [vars(scheduling)]
    n_tasks = 0
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Task):
            n_tasks += 1
        elif isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set) or type(item).__name__ == "deque":
            todo += list(item)  # type: ignore[call-overload]
        elif isinstance(item, jobs_module.Job):
            todo += [item._tasks, item._near]
    return n_tasks
