"""Both engines against the exact chains: every policy, every reading, named tiny systems.

The chains of `exact` were written from the slot protocol alone and share no line with the engines.
The compiled engine runs every case, the SimPy engine some; that the two are equal event by event is
shown in ``tests/compiled``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from cluster_sim import policies
from cluster_sim.emulator.emulator import simulate as simulate_simpy
from cluster_sim.experiments.engines import Simulate
from cluster_sim.model.arrivals import ArrivalProcess, Bernoulli, Binomial, Poisson
from cluster_sim.model.cluster import Cluster
from cluster_sim.model.readings import Reading
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import NO_SERVER, Types
from cluster_sim.model.workload import SyntheticWorkload
from cluster_sim.randomness import Key
from cluster_sim.recording.result import RunResult
from cluster_sim.system import System
from exact.cases import CASES, case, solve
from exact.chain import ExactMeans
from exact.system import TinySystem

SEED = 20150426
# Standard errors that a mean may be off; by chance 1 in 2700 with this many replications.
N_ERRORS = 4
WARMUP = 1_000

# Each policy, each value of each reading, two and three tiers, and every kind of arrivals.
DEFAULT = (
    "priority-T2.5",
    "priority-waiting",
    "priority-index-order",
    "priority-racks-local-tie",
    "jsqmw-poisson",
    "jsqmw-index-tie",
    "jsqmw-locals-first",
    "maxweight-tie",
    "maxweight-slot-start",
    "jsq-local-slot-start",
    "random-local-three",
    "fifo-racks",
    "pandas-queue-tier",
    "pandas-pod",
    "maxweight-pod",
    "jfsq-racks",
    "jfiq-slot-start",
    "jiq",
    "jsq-d",
)
ON_SIMPY = (
    "priority-T1",
    "jsqmw-queue-tier",
    "maxweight-locals-first",
    "fifo",
    "pandas-slot-start",
    "jfsq-racks",
    "pandas-pod-index-tie",
)


@dataclass(frozen=True)
class OneBatch(ArrivalProcess):
    """A batch of fixed size with some probability, else nothing: at most one batch a slot."""

    rate: float
    size: int

    @property
    def tasks_per_event(self) -> int:
        return self.size

    def distribution(self) -> npt.NDArray[np.float64]:
        return np.array([1 - self.rate / self.size, 1.0])


def arrivals_of(tiny: TinySystem) -> ArrivalProcess:
    """Return the arrivals of a tiny system as the engines take them."""
    rate, size = tiny.arrivals.nominal_rate, tiny.arrivals.size
    makers: dict[str, Callable[[], ArrivalProcess]] = {
        "bernoulli": lambda: Bernoulli(rate),
        "binomial": lambda: Binomial(rate, size),
        "poisson": lambda: Poisson(rate, size),
        "batch": lambda: OneBatch(rate, size),
    }
    return makers[tiny.arrivals.kind]()


def system_of(tiny: TinySystem) -> System:
    """Return a tiny system as the engines take it."""
    levels = {} if tiny.racks is None else {"rack": max(tiny.racks) + 1}
    topology = Topology.tree(tiny.n_servers, levels)
    if tiny.racks is not None:
        assert topology.level("rack").tolist() == list(tiny.racks)
    names = ("local", "remote") if tiny.racks is None else ("local", "rack_local", "remote")
    width = max(len(replicas) for replicas, _ in tiny.types)
    sets = [[*replicas, *[NO_SERVER] * (width - len(replicas))] for replicas, _ in tiny.types]
    traffic = Types(np.array(sets, dtype=np.int64), np.array([weight for _, weight in tiny.types]))
    parameters = {"threshold": tiny.threshold} if tiny.policy == "priority" else {}
    return System(
        Cluster.of(topology, dict(zip(names, tiny.rates, strict=True))),
        SyntheticWorkload(traffic, arrivals_of(tiny)),
        policies.get(tiny.policy, **parameters),
        Reading(
            tiny.queue_length,
            tiny.routing_view,
            tiny.dispatch_order,
            tiny.service_tier,
            tiny.tie_break,
        ),
    )


def measured(result: RunResult) -> dict[str, float]:
    """Return what a run showed, by name."""
    return {
        "completion time": result.mean_completion_time,
        "waiting time": result.mean_waiting_time,
        "in system": result.mean_in_system,
        "waiting": result.mean_waiting,
        "queue length": result.mean_queue_length,
        **{f"locality of tier {t}": float(f) for t, f in enumerate(result.locality)},
        **{
            f"utilisation of server {m}": float(n) / result.n_slots_measured
            for m, n in enumerate(result.busy)
        },
    }


def expected(means: ExactMeans) -> dict[str, float]:
    """Return the same by theory."""
    return {
        "completion time": means.mean_completion_time,
        "waiting time": means.mean_waiting_time,
        "in system": means.mean_in_system,
        "waiting": means.mean_waiting,
        "queue length": means.mean_queue_length,
        **{f"locality of tier {t}": f for t, f in enumerate(means.locality)},
        **{f"utilisation of server {m}": u for m, u in enumerate(means.utilisation)},
    }


@functools.cache
def runs(name: str, simulate: Simulate, slots: int, replications: int) -> tuple[RunResult, ...]:
    system = system_of(case(name))
    return tuple(
        simulate(system, Key.of(SEED, r), slots=slots + WARMUP, warmup=WARMUP)
        for r in range(replications)
    )


def check(tiny: TinySystem, results: tuple[RunResult, ...], *, power: float) -> None:
    """Compare the means over replications with the chain's, all at once.

    ``power`` is the largest relative half-width of the 95 per cent interval of the completion time.
    """
    theory, samples = expected(solve(tiny)), [measured(result) for result in results]
    disagreements = []
    for name, exact in theory.items():
        values = np.array([sample[name] for sample in samples])
        error = float(values.std(ddof=1)) / len(values) ** 0.5
        # The chain is cut off: up to a millionth of the tasks are dropped.
        off = abs(float(values.mean()) - exact) - 1e-4 * max(exact, 1e-6)
        if off > N_ERRORS * error:
            disagreements.append(f"{name}: {values.mean():.5f} ± {error:.5f}, exact {exact:.5f}")
        if name == "completion time":
            assert 2 * error < power * exact, f"{tiny.name}: too few slots to tell"
    assert not disagreements, "\n".join([f"{tiny.name}:", *disagreements])


@pytest.fixture(scope="module")
def compiled() -> Simulate:
    pytest.importorskip("numba")
    from cluster_sim.compiled.engine import simulate

    return simulate


def test_the_cases_run_by_default_hold_every_value() -> None:
    """A default run meets every policy, reading, number of tiers and kind of arrivals."""
    kept = [case(name) for name in DEFAULT]
    for field in (
        "policy",
        "queue_length",
        "routing_view",
        "dispatch_order",
        "service_tier",
        "tie_break",
        "n_tiers",
    ):
        values = {getattr(tiny, field) for tiny in kept}
        assert values == {getattr(tiny, field) for tiny in CASES}, field
    assert {t.arrivals.kind for t in kept} == {t.arrivals.kind for t in CASES}


@pytest.mark.parametrize("tiny", CASES, ids=lambda tiny: tiny.name)
def test_the_arrivals_are_those_of_the_chain(tiny: TinySystem) -> None:
    """The engines draw the number of arrivals from the chain's distribution."""
    arrivals = arrivals_of(tiny)
    pmf = np.zeros(arrivals.bound + 1)
    pmf[:: arrivals.tasks_per_event] = arrivals.pmf
    assert pmf == pytest.approx(np.array(tiny.arrivals.pmf), abs=1e-12)


@pytest.mark.parametrize("name", DEFAULT)
def test_the_compiled_engine_meets_the_chain(name: str, compiled: Simulate) -> None:
    """Means of the compiled engine are within four standard errors of the exact chain's."""
    check(case(name), runs(name, compiled, 30_000, 30), power=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("tiny", CASES, ids=lambda tiny: tiny.name)
def test_every_case_on_the_compiled_engine(tiny: TinySystem, compiled: Simulate) -> None:
    """With six times the slots, every case agrees with its chain."""
    check(tiny, runs(tiny.name, compiled, 120_000, 60), power=0.01)


@pytest.mark.parametrize("name", ON_SIMPY[:1])
def test_the_simpy_engine_meets_the_chain(name: str) -> None:
    """Means of the SimPy engine are within four standard errors of the exact chain's."""
    check(case(name), runs(name, simulate_simpy, 2_500, 24), power=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_SIMPY)
def test_more_cases_on_the_simpy_engine(name: str) -> None:
    """Longer runs of the SimPy engine, one a family of policies, agree too."""
    check(case(name), runs(name, simulate_simpy, 20_000, 30), power=0.03)
