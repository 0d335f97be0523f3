"""Traffic with phases: shares, rates and bursts in closed form; hot spots that move."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import Batch, Bernoulli, Poisson
from cluster_sim.model.phased_workload import PhasedTraffic, PhasedWorkload
from cluster_sim.model.phases import Phase, Phases, Stays
from cluster_sim.model.placement import HdfsPlacement
from cluster_sim.model.topology import Topology
from cluster_sim.model.traffic import Even, Hotspot, Traffic, Types
from cluster_sim.randomness import Key

BURSTS = Phases((Phase(10.0, factor=4.0), Phase(40.0, factor=0.25)))
FLAT = Topology.tree(12)


def workload(
    phases: Phases = BURSTS, rate: float = 3.0, traffic: Traffic | None = None
) -> PhasedWorkload:
    changing = PhasedTraffic(phases, traffic or Even(FLAT, 2))
    return PhasedWorkload(changing, tuple(Poisson(rate * r) for r in phases.relative_rates))


def counts_of(load: PhasedWorkload, key: Key, n_slots: int) -> np.ndarray:
    return np.concatenate([batch.counts for batch in load.batches(key, n_slots)])


@pytest.mark.parametrize("step", [1, 7, 300, 5_000])
@pytest.mark.parametrize("stays", list(Stays))
def test_the_visits_do_not_depend_on_the_batches(stays: Stays, step: int) -> None:
    """Slot by slot, the visits are the same however many slots are asked for at a time."""
    phases = Phases((Phase(3.0), Phase(1.0), Phase(9.0)), stays)
    once = np.concatenate([v for _, v in phases.visits(Key.of(3), 5_000, 5_000)])
    again = np.concatenate([v for _, v in phases.visits(Key.of(3), 5_000, step)])
    assert once.tolist() == again.tolist()
    assert set(np.diff(once).tolist()) == {0, 1}


def test_fixed_stays_are_periodic() -> None:
    """Phase 0 for its slots, then phase 1, and so on round the circle."""
    phases = Phases((Phase(2.0), Phase(3.0)), Stays.FIXED)
    visits = np.concatenate([v for _, v in phases.visits(Key.of(1), 12, 5)])
    assert (visits % 2).tolist() == [0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0]


def test_geometric_stays_have_their_law() -> None:
    """Lengths of visits follow the geometric law (chi-square), for each phase."""
    visits = np.concatenate([v for _, v in BURSTS.visits(Key.of(9), 400_000, 10_000)])
    lengths = np.bincount(visits)[1:-1]  # the first and the last are cut
    first = int(np.flatnonzero(np.bincount(visits))[0])
    if first:  # numbering starts at the phase drawn
        lengths = lengths[first:]
    numbers = np.arange(first + 1, first + 1 + len(lengths))
    for number, phase in enumerate(BURSTS.phases):
        found = lengths[numbers % 2 == number]
        edges = np.arange(1, int(phase.stay))
        seen = np.array([*(np.sum(found == k) for k in edges), np.sum(found > edges[-1])])
        p = 1.0 / phase.stay
        expected = np.array([*(p * (1 - p) ** (edges - 1)), (1 - p) ** edges[-1]]) * len(found)
        assert stats.chisquare(seen, expected).pvalue > 1e-4


def test_the_first_slot_is_as_any_other() -> None:
    """Over many keys, the phase of slot 0 and of slot 25 occur by the shares (binomial, 5 sd)."""
    at = {0: 0, 25: 0}
    n = 800
    for seed in range(n):
        _, visits = next(BURSTS.visits(Key.of(seed), 26, 26))
        for slot in at:
            at[slot] += int(visits[slot] % 2 == 0)
    share = BURSTS.shares[0]
    for found in at.values():
        assert abs(found - n * share) < 5 * math.sqrt(n * share * (1 - share))


def test_the_rate_is_that_of_the_long_run() -> None:
    """Factors are relative: whatever they are, the long-run rate is the one asked for."""
    for factors in ((4.0, 0.25), (40.0, 2.5), (1.0, 0.0)):
        phases = Phases((Phase(10.0, factors[0]), Phase(40.0, factors[1])))
        assert float(phases.shares @ phases.relative_rates) == pytest.approx(1.0)
    assert workload(rate=3.0).rate == pytest.approx(3.0, rel=1e-9)


def test_bursts_have_the_dispersion_of_a_markov_modulated_poisson_process() -> None:
    """Mean and variance of counts over windows are those of the closed form (5 standard errors).

    Two phases with chances a and b of leaving: the covariance of the rates at distance k is
    pi_1 pi_2 (r_1 - r_2)**2 (1 - a - b)**k.
    """
    n_windows, width = 4_000, 50
    load = workload(rate=2.0)
    # Windows far apart are nearly independent.
    counts = counts_of(load, Key.of(4), n_windows * width * 2).reshape(n_windows, 2, width)
    sums = counts[:, 0].sum(axis=1)
    (s_1, s_2), (f_1, f_2) = BURSTS.shares, 2.0 * BURSTS.relative_rates
    decay = 1.0 - 1.0 / 10.0 - 1.0 / 40.0
    lags = width - np.arange(1, width)
    rates = s_1 * s_2 * (f_1 - f_2) ** 2
    of_rates = rates * (width + 2 * float(lags @ decay ** np.arange(1, width)))
    variance = 2.0 * width + of_rates
    assert abs(sums.mean() - 2.0 * width) < 5 * math.sqrt(variance / n_windows)
    fourth = float(((sums - sums.mean()) ** 4).mean())
    error = math.sqrt((fourth - variance**2) / n_windows)
    assert abs(sums.var() - variance) < 5 * error
    assert variance > 10 * 2.0 * width, "or there is no burst to see"


def test_one_phase_without_moves_is_the_plain_workload() -> None:
    """A single phase changes nothing: the arrivals are those of the traffic without phases."""
    from cluster_sim.model.workload import SyntheticWorkload

    for traffic in (Even(FLAT, 3), Hotspot(FLAT, 4, 0.7, 3)):
        plain = SyntheticWorkload(traffic, Poisson(3.0))
        phased = workload(Phases((Phase(5.0),)), 3.0, traffic)
        for one, other in zip(
            plain.batches(Key.of(2), 400), phased.batches(Key.of(2), 400), strict=True
        ):
            assert one.counts.tolist() == other.counts.tolist()
            assert one.replicas.tolist() == other.replicas.tolist()


def test_chunks_have_their_names_in_phases_too() -> None:
    """Tasks of listed types name their chunks, whose places are those of the types."""
    sets = np.array([[0, 1], [2, 5], [3, 4]], dtype=np.int64)
    load = workload(BURSTS, 3.0, Types(sets, np.array([1.0, 2.0, 1.0])))
    batch = next(load.batches(Key.of(1), 50))
    placed = load.placed_chunks()
    assert placed is not None
    assert batch.chunks is not None
    assert placed[batch.chunks].tolist() == batch.replicas.tolist()
    assert workload().placed_chunks() is None


def test_a_batch_is_a_job_in_phases_too() -> None:
    """Tasks that arrive together are one job, as without phases."""
    changing = PhasedTraffic(BURSTS, Even(FLAT, 2))
    load = PhasedWorkload(changing, tuple(Batch(3.0 * r, 3) for r in BURSTS.relative_rates))
    batch = next(load.batches(Key.of(1), 50))
    assert batch.jobs is not None
    assert set(np.bincount(batch.jobs).tolist()) == {3}


def test_a_phase_without_arrivals_has_none() -> None:
    """Factor 0 is an idle phase."""
    phases = Phases((Phase(5.0, factor=0.0), Phase(5.0)), Stays.FIXED)
    load = PhasedWorkload(PhasedTraffic(phases, Even(FLAT, 2)), (None, Bernoulli(1.0)))
    assert counts_of(load, Key.of(1), 20).tolist() == [0] * 5 + [1] * 5 + [0] * 5 + [1] * 5
    assert (load.rate, load.bound) == (0.5, None)


def test_the_hot_spot_moves_on() -> None:
    """With every task hot, the chunks of visit v are on the hot servers moved on v times."""
    phases = Phases((Phase(4.0), Phase(2.0)), Stays.FIXED, move=5)
    traffic = PhasedTraffic(phases, Hotspot(FLAT, 3, 1.0, 2))
    visits = np.repeat(np.arange(30), 40)
    for visit in range(30):
        rows = traffic.replicas_in(Key.of(1), 0, visits)[visits == visit]
        assert set(rows.ravel().tolist()) == {(i + 5 * visit) % 12 for i in range(3)}
        assert (np.diff(rows, axis=1) > 0).all()


def test_hot_probability_of_each_phase() -> None:
    """In each phase, the share of hot tasks is its own (binomial, 5 standard deviations)."""
    phases = Phases((Phase(2.0, hot_probability=0.9), Phase(2.0)))
    traffic = PhasedTraffic(phases, Hotspot(FLAT, 4, 0.2, 2))
    visits = np.tile([0, 1], 4_000)
    is_hot = traffic.replicas_in(Key.of(5), 0, visits)[:, 0] < 4
    for phase, share in ((0, 0.9), (1, 0.2)):
        found = int(is_hot[visits % 2 == phase].sum())
        assert abs(found - 4_000 * share) < 5 * math.sqrt(4_000 * share * (1 - share))


def test_moved_hot_spots_keep_the_rack_rule() -> None:
    """Under hdfs placement a chunk is in two racks, one replica in the one, wherever it moves."""
    racks = Topology.tree(24, {"rack": 4})
    phases = Phases((Phase(3.0),), move=2)
    traffic = PhasedTraffic(phases, Hotspot(racks, 12, 0.8, 3, HdfsPlacement()))
    rows = traffic.replicas_in(Key.of(1), 0, np.repeat(np.arange(12), 100))
    for row in racks.level("rack")[rows]:
        assert sorted(np.unique(row, return_counts=True)[1].tolist()) == [1, 2]


def test_the_long_run_mixes_the_phases() -> None:
    """Without moves the long run is one hot spot, of the tasks' mean probability."""
    phases = Phases((Phase(10.0, 4.0, 0.9), Phase(40.0, 0.25, 0.1)))
    mean = PhasedTraffic(phases, Hotspot(FLAT, 4, 0.5, 2)).mean
    assert isinstance(mean, Hotspot)
    # 40 of 50 tasks come in phase 0.
    assert mean.hot_probability == pytest.approx(0.8 * 0.9 + 0.2 * 0.1)
    assert PhasedTraffic(BURSTS, Even(FLAT, 2)).mean == Even(FLAT, 2)
    assert PhasedTraffic(Phases((Phase(2.0),), move=1), Hotspot(FLAT, 4, 0.5, 2)).mean is None


def test_drawn_long_run_agrees_with_a_run() -> None:
    """What is drawn for the capacity has the servers of a long run in the same shares."""
    phases = Phases((Phase(5.0, 3.0, 0.9), Phase(5.0, 1.0, 0.4)), Stays.FIXED, move=6)
    traffic = PhasedTraffic(phases, Hotspot(FLAT, 4, 0.5, 2))
    load = PhasedWorkload(traffic, tuple(Poisson(4.0 * r) for r in phases.relative_rates))
    run = np.concatenate([b.replicas for b in load.batches(Key.of(2), 10_000)]).ravel()
    drawn = traffic.replicas(Key.of(0), 0, 40_000).ravel()
    shares = [np.bincount(rows, minlength=12) / len(rows) for rows in (run, drawn)]
    assert np.abs(shares[0] - shares[1]).max() < 5 * math.sqrt(2 * 0.25 / 80_000)


HOT = Hotspot(FLAT, 3, 0.5, 2)
RACKED = Hotspot(Topology.tree(12, {"rack": 4}), 5, 0.5, 3, HdfsPlacement())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Phase(0.5), "stay = 0.5: must be from 1"),
        (lambda: Phase(2.0, factor=-1.0), "factor = -1.0: must be a number of at least 0"),
        (lambda: Phases(()), "phases: must be at least one"),
        (lambda: Phases((Phase(2.0, 0.0),)), "factor: is 0 in every phase"),
        (lambda: Phases((Phase(2.0),), move=-1), "move = -1: must be 0 or more"),
        (lambda: Phases((Phase(2.5),), Stays.FIXED), "stay = 2.5: must be whole slots"),
        (
            lambda: PhasedTraffic(Phases((Phase(2.0),), move=1), Even(FLAT, 2)),
            "hot_probability and move are for traffic with a hot spot",
        ),
        (
            lambda: PhasedTraffic(Phases((Phase(2.0, hot_probability=1.5),)), HOT),
            "hot_probability = 1.5: must be from 0 to 1",
        ),
        (
            lambda: PhasedTraffic(Phases((Phase(2.0),)), Hotspot(FLAT, 1, 0.5, 2)),
            "replicas = 2: must be at most 1",
        ),
        # Servers 3 to 7: the whole of a rack and one more at each side.
        (lambda: PhasedTraffic(Phases((Phase(2.0),), move=1), RACKED), "needs at least 2 racks"),
        (
            lambda: PhasedWorkload(PhasedTraffic(BURSTS, HOT), (Bernoulli(0.5),)),
            "arrivals: 1 of them for 2 phases",
        ),
    ],
)
def test_impossible_phases_are_refused(make: Callable[[], object], words: str) -> None:
    """What cannot be is refused when it is made, not in the middle of a run."""
    with pytest.raises(ScenarioError, match=words):
        make()
