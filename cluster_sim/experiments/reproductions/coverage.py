"""How often the 95 % intervals hold the true value, on systems whose true value is known."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cluster_sim.experiments.batch_means import batch_means
from cluster_sim.experiments.engines import choose_engine
from cluster_sim.experiments.precision import cap, first_round, next_round
from cluster_sim.experiments.quantiles import quantile_estimate
from cluster_sim.experiments.reproductions.report import Line, Report, Reproduction, Verdict
from cluster_sim.experiments.statistics import Estimate, estimate, ratio_estimate
from cluster_sim.experiments.warmup import find_warmup, with_warmup
from cluster_sim.recording.result import RunResult
from cluster_sim.scenario.build import Prepared, prepare
from cluster_sim.scenario.schema import Scenario
from cluster_sim.theory.chain import solve_chain

__all__ = ["REPRODUCTION", "Score"]

NAME = "coverage"
TITLE = "How often the 95 % intervals hold the true value"
CLAIM = "The intervals that this program prints hold the true value 95 times in 100."
TARGET = 0.95
TOLERANCE = 0.03  # what is not lower by more than this is called as good as promised

_LOAD, _RATE, _MU = 0.5, 0.25, 0.5  # of the queue with the known answer
# Each task is local to one server, so that a queue holds one type and the chain stays small.
_TYPES, _WEIGHTS, _SPEEDS, _PAIR_RATE = ((0,), (1,)), (0.8, 0.2), (0.8, 0.4), 0.7
_PAIR = ("priority", "jsq-local")


@dataclass(frozen=True)
class Score:
    """How often intervals held the true value.

    Parameters
    ----------
    n_held, n : int
        Intervals that did, and all.
    """

    n_held: int
    n: int

    @property
    def coverage(self) -> Estimate:
        """The share that did, with a binomial interval.

        Notes
        -----
        The half-width is that of Agresti and Coull: the share after two more successes and two
        more failures.
        """
        share = (self.n_held + 2) / (self.n + 4)
        half = 1.96 * math.sqrt(share * (1 - share) / (self.n + 4))
        return Estimate(self.n_held / self.n if self.n else math.nan, half, self.n)

    @property
    def verdict(self) -> Verdict:
        """Whether the coverage is as promised, as far as these intervals tell."""
        share, half = self.coverage.mean, self.coverage.half_width or 0.0
        if share + half < TARGET - TOLERANCE:
            return Verdict.NOT_SEEN
        return Verdict.SEEN if share - half > TARGET - 2 * TOLERANCE else Verdict.UNDECIDED


def run(
    *,
    quick: bool = False,
    directory: Path | None = None,  # noqa: ARG001 - nothing of its own to write
    progress: Callable[[str, int, int], None] | None = None,
    workers: int | None = None,
) -> Report:
    """Measure the coverage of every kind of interval.

    Parameters
    ----------
    quick, directory, progress, workers
        See `cluster_sim.experiments.reproductions.report.Run`.

    Returns
    -------
    Report
    """
    n = 4_000 if quick else 15_000
    n_long = 100 if quick else 300
    parts: tuple[tuple[str, Callable[[_Pool], Sequence[Line]]], ...] = (
        ("replications of one queue", lambda pool: _of_replications(pool, n)),
        ("single long runs", lambda pool: _of_batches(pool, n_long)),
        ("pairs of policies", lambda pool: _of_pairs(pool, n // 4)),
    )
    lines: list[Line] = []
    for number, (name, part) in enumerate(parts):
        if progress is not None:
            progress(name, number, len(parts))
        lines += part(_Pool(workers))
    setting = (
        f"One queue: Geo/Geo/1 at load {_LOAD:g}, geometric with mean {_true_mean():g} slots.",
        "Pairs: two servers, two task types; the true means are those of the exact Markov chain.",
        "The warm-up is found by MSER-5 in each case.",
    )
    return Report(NAME, TITLE, CLAIM, setting, tuple(lines))


class _Pool:
    """Runs replications side by side."""

    def __init__(self, workers: int | None) -> None:
        self._workers = workers or os.cpu_count() or 1

    def results(self, prepared: Prepared, n: int) -> list[RunResult]:
        """Return `n` replications, after the warm-up that MSER-5 finds."""
        ready = with_warmup(prepared, find_warmup(prepared))
        simulate = choose_engine("auto", ready.system).simulate

        def one(replication: int) -> RunResult:
            return simulate(
                ready.system, ready.key(replication), slots=ready.slots, warmup=ready.warmup
            )

        with ThreadPoolExecutor(self._workers) as threads:
            return list(threads.map(one, range(n)))


def _queue(slots: int, **run: object) -> Prepared:
    return prepare(
        Scenario(
            cluster={"servers": 1},
            service={"local": _MU, "remote": _MU},
            traffic={"kind": "even", "replicas": 1, "rate": _RATE, "arrivals": "bernoulli"},
            scheduler={"policy": "priority"},
            run={"slots": slots, **run},
        )
    )


def _true_mean() -> float:
    """Return the mean completion time of Geo/Geo/1, ``(1 - p) / (mu - p)``."""
    return (1 - _RATE) / (_MU - _RATE)


def _true_quantile(p: float) -> int:
    """Return a quantile of its completion time, which is geometric."""
    return math.ceil(math.log(1 - p) / math.log(1 - 1 / _true_mean()))


def _of_replications(pool: _Pool, n: int) -> list[Line]:
    prepared = _queue(1_000, precision=0.05, max_replications=60)
    results = pool.results(prepared, n)
    means = [result.mean_completion_time for result in results]
    lines = _of_means(means, 1_000, (4, 10, 30))
    longer = pool.results(_queue(4_000), n // 2)
    lines += _of_means([result.mean_completion_time for result in longer], 4_000, (10,))
    lines.append(_of_precision(prepared, means))
    times = [result.completion_times for result in results]
    for name, p, size in (("p50", 0.5, 10), ("p90", 0.9, 10), ("p99", 0.99, 30)):
        found = [quantile_estimate(times[i : i + size], p) for i in range(0, n - size + 1, size)]
        given = [(q.low, q.high) for q in found if q.low is not None and q.high is not None]
        true = _true_quantile(p)
        held = sum(low <= true <= high for low, high in given)
        score = Score(held, len(given))
        lines.append(
            _line("one queue, 1000 slots", f"{name}, {size} replications", score, len(found))
        )
    return lines


def _of_means(means: Sequence[float], slots: int, sizes: Sequence[int]) -> list[Line]:
    """Score the intervals of the means of groups of replications."""
    lines = []
    for size in sizes:
        groups = [means[i : i + size] for i in range(0, len(means) - size + 1, size)]
        score = _score((estimate(group) for group in groups), _true_mean())
        lines.append(_line(f"one queue, {slots} slots", f"mean, {size} replications", score))
    bias = float(np.mean(means)) / _true_mean() - 1
    return [replace(line, values={**line.values, "relative_bias": bias}) for line in lines]


def _of_precision(prepared: Prepared, means: Sequence[float]) -> Line:
    """Score the stopping rule: each experiment takes replications until it is precise."""
    asked, found = prepared.scenario.run, []
    most = cap(asked)
    for first in range(0, len(means) - most + 1, most):
        n, more = 0, first_round(asked)
        while more > n:
            n = more
            so_far = estimate(means[first : first + n])
            more = next_round(so_far, n, asked)
        found.append(so_far)
    taken = np.mean([each.n for each in found])
    line = _line("one queue, 1000 slots", "mean, precision 5 %", _score(found, _true_mean()))
    return replace(
        line,
        case=f"{line.case}, {taken:.0f} replications on average",
        values={**line.values, "replications": float(taken)},
    )


def _of_batches(pool: _Pool, n: int) -> list[Line]:
    lines = []
    for slots in (4_000, 16_000, 64_000):
        found = [batch_means(each).estimate() for each in pool.results(_queue(slots), n)]
        given = [each for each in found if each.half_width is not None]
        score = _score(given, _true_mean())
        line = _line(f"one queue, {slots} slots", "mean, batch means", score, n)
        wrong = (score.n - score.n_held) / n
        lines.append(replace(line, values={**line.values, "given_and_wrong": wrong}))
    return lines


def _of_pairs(pool: _Pool, n: int) -> list[Line]:
    """Score differences and ratios of two policies that meet the same tasks."""
    means, true = [], []
    for policy in _PAIR:
        prepared = prepare(
            Scenario(
                cluster={"servers": 2},
                service={"local": _SPEEDS[0], "remote": _SPEEDS[1]},
                traffic={
                    "kind": "types",
                    "types": [
                        {"replicas_on": list(on), "weight": weight}
                        for on, weight in zip(_TYPES, _WEIGHTS, strict=True)
                    ],
                    "rate": _PAIR_RATE,
                    "arrivals": "bernoulli",
                },
                scheduler={"policy": policy},
                run={"slots": 4_000},
            )
        )
        exact = solve_chain(
            prepared.system.queue_policy,
            _TYPES,
            _WEIGHTS,
            arrivals=(1 - _PAIR_RATE, _PAIR_RATE),
            n_servers=2,
            rates=_SPEEDS,
            tolerance=1e-6,
        )
        true.append(exact.mean_completion_time)
        means.append([each.mean_completion_time for each in pool.results(prepared, n)])
    mine, theirs = np.array(means[1]), np.array(means[0])
    groups = [slice(i, i + 10) for i in range(0, n - 9, 10)]
    differences = (estimate((mine[g] - theirs[g]).tolist()) for g in groups)
    ratios = (ratio_estimate(mine[g].tolist(), theirs[g].tolist()) for g in groups)
    case = f"two servers, {_PAIR[1]} and {_PAIR[0]}"
    independent = float(np.var(mine) + np.var(theirs))
    reduction = {"variance_reduction": independent / float(np.var(mine - theirs))}
    difference = _line(case, "difference, 10 pairs", _score(differences, true[1] - true[0]))
    return [
        replace(difference, values={**difference.values, **reduction}),
        _line(case, "ratio, 10 pairs", _score(ratios, true[1] / true[0])),
    ]


def _score(found: Iterable[Estimate], true: float) -> Score:
    held = [abs(each.mean - true) <= (each.half_width or 0.0) for each in found]
    return Score(sum(held), len(held))


def _line(case: str, quantity: str, score: Score, n_tried: int | None = None) -> Line:
    """Return a line; of `n_tried` experiments some may have given no interval."""
    share = 1.0 if n_tried is None else score.n / n_tried
    given = "" if share == 1.0 else f"; given in {share:.0%}"
    coverage = score.coverage
    return Line(
        f"{case}{given}",
        quantity,
        f"{coverage.mean:.1%}",
        f"{TARGET:.0%}",
        score.verdict,
        {
            "coverage": coverage.mean,
            "interval": f"± {coverage.half_width:.1%}",
            "half_width": coverage.half_width,
            "intervals": score.n,
            "given": share,
        },
    )


REPRODUCTION = Reproduction(NAME, TITLE, run, "cluster_sim.views.coverage:draw_coverage")
