"""Arrivals and chunks in traffic with phases: the workload that engines are fed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.arrivals import ArrivalProcess
from cluster_sim.model.phases import Phases
from cluster_sim.model.placement import UniformPlacement
from cluster_sim.model.traffic import Hotspot, Traffic, Types, hot_word, place_sets
from cluster_sim.model.workload import ArrivalBatch, window
from cluster_sim.randomness import Key, Stream, blocks, uniforms, words

__all__ = ["PhasedTraffic", "PhasedWorkload"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PhasedTraffic:
    """Where the chunks are, with a hot spot that changes from phase to phase.

    Parameters
    ----------
    phases : Phases
    traffic : Traffic
        What it is without phases. Only a hot spot changes; other traffic stays as it is.
    """

    phases: Phases
    traffic: Traffic

    def __post_init__(self) -> None:
        """Check the hot spot of every phase, and its place after every move."""
        if not isinstance(self.traffic, Hotspot):
            changing = any(phase.hot_probability is not None for phase in self.phases.phases)
            if changing or self.phases.move:
                raise ScenarioError(
                    "phases: hot_probability and move are for traffic with a hot spot; leave them "
                    'out, or use kind = "hotspot"'
                )
            return
        for probability in self.hot_probabilities:
            replace(self.traffic, hot_probability=float(probability))
        offsets = np.unique(self._mixture[0] * self.phases.move % self._n_servers)
        if isinstance(self.traffic.placement, UniformPlacement):
            offsets = offsets[:1]  # one hot spot has as much room as another
        nothing = np.zeros((1, self.traffic.n_replicas), dtype=np.uint64)
        for offset in offsets.tolist():  # is there room?
            if (self.hot_probabilities > 0).any():
                self._place(offset, nothing, is_hot=True)
            if (self.hot_probabilities < 1).any():
                self._place(offset, nothing, is_hot=False)

    @property
    def _n_servers(self) -> int:
        assert isinstance(self.traffic, Hotspot)
        return self.traffic.topology.n_servers

    @cached_property
    def hot_probabilities(self) -> Floats:
        """Probability of a hot task in each phase, float64, shape (n_phases,)."""
        assert isinstance(self.traffic, Hotspot)
        usual = self.traffic.hot_probability
        given = [phase.hot_probability for phase in self.phases.phases]
        return np.array([usual if one is None else one for one in given])

    @cached_property
    def mean(self) -> Traffic | None:
        """The traffic of the long run as one without phases; None if the hot spot moves."""
        if not isinstance(self.traffic, Hotspot):
            return self.traffic
        if self.phases.move % self._n_servers:
            return None
        weights = self.phases.shares * self.phases.relative_rates
        share = min(float(weights @ self.hot_probabilities), 1.0)
        return replace(self.traffic, hot_probability=share)

    @cached_property
    def _mixture(self) -> tuple[Ints, Floats]:
        """The visits of a whole round of phases and moves, and their cumulated share of tasks."""
        n_places = 1
        if isinstance(self.traffic, Hotspot):
            n_places = self._n_servers // math.gcd(self._n_servers, self.phases.move)
        visits = np.arange(math.lcm(self.phases.n_phases, n_places))
        weights = (self.phases.shares * self.phases.relative_rates)[visits % self.phases.n_phases]
        cdf = np.cumsum(weights) / weights.sum()
        cdf[-1] = 1.0
        return visits, cdf

    @cached_property
    def is_even(self) -> bool:
        """Whether each server is as likely as any other to hold a chunk, in the long run.

        Then all tasks can be local. Only of a hot spot with uniform placement.
        """
        traffic = self.traffic
        if not (isinstance(traffic, Hotspot) and isinstance(traffic.placement, UniformPlacement)):
            return False
        visits, cdf = self._mixture
        share = np.diff(cdf, prepend=0.0)
        hot = self.hot_probabilities[visits % self.phases.n_phases]
        n, n_hot = self._n_servers, traffic.n_hot
        offsets = visits % n * self.phases.move % n

        def covering(weights: Floats) -> Floats:
            """Return for each server the weight of the offsets at which it is hot."""
            at = np.bincount(offsets, weights, minlength=n)
            sums = np.concatenate(([0.0], np.cumsum(np.concatenate((at, at)))))
            ends = np.arange(n, 2 * n) + 1
            return np.asarray(sums[ends] - sums[ends - n_hot])

        cold = 1.0 - hot
        shares = covering(share * hot) / n_hot
        if n_hot < n:
            shares += ((share @ cold) - covering(share * cold)) / (n - n_hot)
        return bool(np.ptp(shares) < 1e-9 / n)

    def replicas(self, key: Key, first_task: int, n_tasks: int) -> Ints:
        """Return replica sets as the long run mixes them; see `Traffic.replicas`."""
        tasks = np.arange(first_task, first_task + n_tasks, dtype=np.uint64)
        draw = blocks(key, Stream.PHASES, tasks, 1)
        visits, cdf = self._mixture
        drawn = np.searchsorted(cdf, uniforms(draw[:, 0], draw[:, 1]), side="right")
        return self.replicas_in(key, first_task, visits[drawn])

    def replicas_in(self, key: Key, first_task: int, visits: Ints) -> Ints:
        """Return the replica sets of consecutive tasks, each arriving in a visit of its own.

        Parameters
        ----------
        key : Key
        first_task : int
        visits : int64 array, shape (n_tasks,)
            As numbered by `Phases.visits`.

        Returns
        -------
        int64 array, shape (n_tasks, width)
        """
        traffic, phases = self.traffic, self.phases
        if not isinstance(traffic, Hotspot):
            return traffic.replicas(key, first_task, len(visits))
        tasks = np.arange(first_task, first_task + len(visits), dtype=np.uint64)
        draw = words(key, Stream.TYPE, tasks, 1 + traffic.n_replicas)
        limits = np.array([hot_word(p) for p in self.hot_probabilities], dtype=np.uint64)
        is_hot = draw[:, 0] < limits[visits % phases.n_phases]
        offsets = visits % self._n_servers * phases.move % self._n_servers
        result = np.empty((len(visits), traffic.n_replicas), dtype=np.int64)
        for offset in np.unique(offsets):
            for kind in (True, False):
                chosen = (offsets == offset) & (is_hot == kind)
                if chosen.any():
                    result[chosen] = self._place(int(offset), draw[chosen, 1:], is_hot=kind)
        return result

    def _place(self, offset: int, draw: npt.NDArray[np.uint64], *, is_hot: bool) -> Ints:
        """Return replica sets among the hot servers, moved on by an offset, or among the others."""
        traffic = self.traffic
        assert isinstance(traffic, Hotspot)
        is_moved = np.zeros(self._n_servers, dtype=np.bool_)
        is_moved[(np.arange(traffic.n_hot) + offset) % self._n_servers] = True
        servers = np.flatnonzero(is_moved == is_hot)
        return place_sets(traffic.placement, draw, servers, traffic.topology, traffic.n_replicas)


@dataclass(frozen=True)
class PhasedWorkload:
    """Arrivals whose rate, and whose hot spot, change from phase to phase.

    Parameters
    ----------
    traffic : PhasedTraffic
    arrivals : tuple of ArrivalProcess, length n_phases
        Those of each phase, of one kind. A phase of factor 0 has none: None.
    """

    traffic: PhasedTraffic
    arrivals: tuple[ArrivalProcess | None, ...]

    def __post_init__(self) -> None:
        n_phases = self.traffic.phases.n_phases
        if len(self.arrivals) != n_phases:
            raise ScenarioError(
                f"arrivals: {len(self.arrivals)} of them for {n_phases} phases; give one for each"
            )

    @property
    def rate(self) -> float:
        """Mean arrival rate of the long run, tasks per slot."""
        means = [0.0 if one is None else one.mean for one in self.arrivals]
        return float(self.traffic.phases.shares @ means)

    @property
    def bound(self) -> int | None:
        """The largest of the bounds that cut the arrivals of a slot off; None if none does."""
        bounds = [one.bound for one in self.arrivals if one is not None and one.is_truncated]
        return max(bounds, default=None)

    def batches(self, key: Key, n_slots: int) -> Iterator[ArrivalBatch]:
        """Yield the arrivals of slots 0 to `n_slots` - 1; see `Workload.batches`."""
        phases, first_task = self.traffic.phases, 0
        size = next(one.tasks_per_event for one in self.arrivals if one is not None)
        for first_slot, visits in phases.visits(key, n_slots, window(self.rate)):
            counts = np.zeros(len(visits), dtype=np.int64)
            for number, process in enumerate(self.arrivals):
                here = visits % phases.n_phases == number
                if process is not None and here.any():
                    counts[here] = process.counts(key, first_slot, len(visits))[here]
            n_tasks, chunks, jobs = int(counts.sum()), None, None
            if isinstance(self.traffic.traffic, Types):
                chunks = self.traffic.traffic.types(key, first_task, n_tasks)
                replicas = np.asarray(self.traffic.traffic.replica_sets[chunks])
            else:
                replicas = self.traffic.replicas_in(key, first_task, np.repeat(visits, counts))
            if size > 1:  # a batch is a job
                jobs = np.arange(first_task, first_task + n_tasks, dtype=np.int64) // size
            yield ArrivalBatch(first_slot, first_task, counts, replicas, jobs, chunks)
            first_task += n_tasks

    def placed_chunks(self) -> Ints | None:
        """Return where every chunk is; see `cluster_sim.model.workload.placed_chunks`."""
        traffic = self.traffic.traffic
        return traffic.replica_sets if isinstance(traffic, Types) else None
