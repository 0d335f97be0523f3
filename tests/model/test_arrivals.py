"""Arrival processes have the distributions that they state, with the bound C_A."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from cluster_sim.errors import ScenarioError
from cluster_sim.model import arrivals as arrivals_module
from cluster_sim.model.arrivals import (
    ArrivalProcess,
    Batch,
    Bernoulli,
    Binomial,
    Poisson,
    default_bound,
)
from cluster_sim.randomness import Key

KEY = Key.of(7)

# Each process with its law by scipy: of the number of events, and of the tasks an event brings.
LAWS = {
    "poisson": (Poisson(2.5), stats.poisson(2.5), 1),
    "poisson, rare": (Poisson(0.01), stats.poisson(0.01), 1),
    "poisson, many": (Poisson(900.0), stats.poisson(900.0), 1),
    "bernoulli": (Bernoulli(0.3), stats.bernoulli(0.3), 1),
    "bernoulli, sure": (Bernoulli(1.0), stats.bernoulli(1.0), 1),
    "binomial": (Binomial(2.4, trials=6), stats.binom(6, 0.4), 1),
    "binomial, sure": (Binomial(3.0, trials=3), stats.binom(3, 1.0), 1),
    "batch": (Batch(6.0, batch_size=4), stats.poisson(1.5), 4),
}
NAMES = list(LAWS)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_those_of_the_law(name: str) -> None:
    """The probabilities agree with scipy's below the bound, are never negative, and sum to one."""
    process, law, _ = LAWS[name]
    pmf = process.pmf
    assert pmf.sum() == pytest.approx(1.0, abs=1e-15)
    assert pmf.min() >= 0.0
    assert pmf == pytest.approx(law.pmf(np.arange(len(pmf))), abs=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_mean_and_variance_are_those_of_the_law(name: str) -> None:
    """The default bound cuts nothing that shows: mean and variance are the law's."""
    process, law, tasks_per_event = LAWS[name]
    assert process.mean == pytest.approx(law.mean() * tasks_per_event, rel=1e-12)
    assert process.mean == pytest.approx(process.rate, rel=1e-12)
    assert process.variance == pytest.approx(law.var() * tasks_per_event**2, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_counts_occur_as_often_as_their_probability(name: str) -> None:
    """The counts of 50,000 slots fit the probabilities, by a chi-squared test."""
    process, _, tasks_per_event = LAWS[name]
    n_slots = 50_000
    events, rest = np.divmod(process.counts(KEY, 0, n_slots), tasks_per_event)
    assert not rest.any()
    expected = process.pmf * n_slots
    found = np.bincount(events, minlength=len(expected))
    assert found[expected == 0].sum() == 0
    # Values expected fewer than five times are taken together.
    often = expected >= 5
    found = np.append(found[often], found[~often].sum())
    expected = np.append(expected[often], expected[~often].sum())
    keep = expected > 1e-6
    assert found[~keep].sum() == 0
    if keep.sum() > 1:
        expected = expected[keep] * found.sum() / expected[keep].sum()
        assert stats.chisquare(found[keep], expected).pvalue > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_counts_do_not_depend_on_the_window(name: str) -> None:
    """A slot brings the same tasks in whatever window it is asked for."""
    process, _, _ = LAWS[name]
    together = process.counts(KEY, 0, 60)
    apart = [process.counts(KEY, a, b - a) for a, b in ((0, 1), (1, 32), (32, 60))]
    assert np.array_equal(together, np.concatenate(apart))
    assert together.dtype == np.int64
    assert process.counts(KEY, 5, 0).shape == (0,)


@pytest.mark.parametrize("name", NAMES)
def test_no_slot_exceeds_the_bound(name: str) -> None:
    """The bound C_A holds in every slot."""
    process, _, _ = LAWS[name]
    assert process.counts(KEY, 0, 20_000).max() <= process.bound


def test_a_sure_task_comes_at_the_smallest_uniform_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A uniform of 0 is not below the probability 0 of no task: with rate 1 a task comes."""
    zeros = np.zeros((3, 4), dtype=np.uint64)
    monkeypatch.setattr(arrivals_module, "blocks", lambda *arguments: zeros)
    assert Bernoulli(1.0).counts(KEY, 0, 3).tolist() == [1, 1, 1]
    assert Bernoulli(0.5).counts(KEY, 0, 3).tolist() == [0, 0, 0]


def test_a_low_bound_takes_the_mass_above_it() -> None:
    """Counts above the bound are put on it: mean E[min(A, C)], and slots that hit it occur."""
    process = Poisson(2.0, max_arrivals=3)
    law = stats.poisson(2.0)
    assert process.bound == 3
    assert process.pmf == pytest.approx([*law.pmf([0, 1, 2]), law.sf(2)])
    assert process.mean == pytest.approx(sum(min(k, 3) * law.pmf(k) for k in range(60)))
    assert process.mean < process.rate == 2.0
    counts = process.counts(KEY, 0, 20_000)
    assert counts.max() == 3
    # A binomial number of slots reaches the bound: four standard deviations.
    p = law.sf(2)
    assert abs((counts == 3).mean() - p) < 4 * np.sqrt(p * (1 - p) / 20_000)


def test_the_low_bound_changes_no_slot_below_it() -> None:
    """Two bounds under one key give the same counts, cut at the lower."""
    free, cut = Poisson(2.0).counts(KEY, 0, 5_000), Poisson(2.0, 3).counts(KEY, 0, 5_000)
    assert np.array_equal(np.minimum(free, 3), cut)


@pytest.mark.parametrize("rate", [0.01, 0.5, 1.0, 30.0, 900.0, 1e5])
def test_the_default_bound_is_practically_never_exceeded(rate: float) -> None:
    """A Poisson count exceeds the default bound with probability below 1e-15."""
    assert stats.poisson(rate).sf(default_bound(rate)) < 1e-15
    assert Poisson(rate).bound == default_bound(rate)


@pytest.mark.parametrize(
    ("process", "bound"),
    [(Bernoulli(0.2), 1), (Binomial(1.0, 5), 5), (Batch(6.0, 3), 3 * default_bound(2.0))],
)
def test_the_bound_counts_tasks(process: ArrivalProcess, bound: int) -> None:
    """The bound is in tasks, also where they come in batches."""
    assert process.bound == bound


@pytest.mark.parametrize("name", NAMES)
def test_a_process_is_what_its_repr_says(name: str) -> None:
    """A process can be written down and read back."""
    process, _, _ = LAWS[name]
    assert eval(repr(process)) == process


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Poisson(0.0), r"rate = 0\.0: must be a finite number above 0 \(tasks per slot\)"),
        (lambda: Poisson(-1.0), r"rate = -1\.0: must be a finite number above 0"),
        (lambda: Poisson(float("inf")), "rate = inf: must be a finite number above 0"),
        (lambda: Poisson(float("nan")), "rate = nan: must be a finite number above 0"),
        (
            lambda: Poisson(5.0, max_arrivals=4),
            r"max_arrivals = 4: must be at least the rate \(5\.0\); leave it out for 38",
        ),
        (lambda: Bernoulli(0.0), r"rate = 0\.0: must be a finite number above 0"),
        (
            lambda: Bernoulli(1.5),
            (
                r"rate = 1\.5: bernoulli arrivals bring at most one task a slot, so at most 1; "
                "use arrivals = 'poisson' or a lower rate"
            ),
        ),
        (lambda: Binomial(-1.0, 2), r"rate = -1\.0: must be a finite number above 0"),
        (lambda: Binomial(2.5, 2), r"trials = 2: must be at least the rate \(2\.5\); raise trials"),
        (lambda: Batch(0.0, 2), r"rate = 0\.0: must be a finite number above 0"),
        (lambda: Batch(1.0, 0), "batch_size = 0: must be at least 1"),
    ],
)
def test_impossible_arrivals_are_refused(make: Callable[[], ArrivalProcess], message: str) -> None:
    """Every parameter out of range is refused with its value and what is allowed."""
    with pytest.raises(ScenarioError, match=message):
        make()
