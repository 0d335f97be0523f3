"""Phases of traffic that changes over time: how long each lasts, and how busy it is."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cluster_sim.errors import ScenarioError
from cluster_sim.model.service_times import Geometric
from cluster_sim.randomness import Key, Stream, blocks, uniforms

__all__ = ["Phase", "Phases", "Stays"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

N_VISITS = 256  # drawn at once
LONGEST_STAY = 1e12  # slots


class Stays(enum.StrEnum):
    """How long a visit to a phase takes."""

    GEOMETRIC = "geometric"  # it ends in each slot with the same probability: Markov-modulated
    FIXED = "fixed"  # always as long as said: periodic


@dataclass(frozen=True)
class Phase:
    """One phase of the traffic.

    Parameters
    ----------
    stay : float
        Slots that a visit takes, at least 1: the mean, or exactly.
    factor : float
        Arrival rate in proportion to the other phases.
    hot_probability : float, optional
        Probability that a task is of the hot kind; that of the traffic where it is left out.
    """

    stay: float
    factor: float = 1.0
    hot_probability: float | None = None

    def __post_init__(self) -> None:
        if not 1.0 <= self.stay <= LONGEST_STAY:
            raise ScenarioError(
                f"stay = {self.stay}: must be from 1 to {LONGEST_STAY:g} slots; a phase that is "
                "never visited can be left out"
            )
        if not 0.0 <= self.factor < math.inf:
            raise ScenarioError(f"factor = {self.factor}: must be a number of at least 0")


@dataclass(frozen=True)
class Phases:
    """Phases that follow each other in a circle.

    Parameters
    ----------
    phases : tuple of Phase
        In their order; after the last comes the first.
    stays : Stays
    move : int
        By how many servers the hot spot moves on at each change of phase.

    Examples
    --------
    >>> bursts = Phases((Phase(10.0, factor=4.0), Phase(90.0, factor=0.5)))
    >>> bursts.shares.tolist(), bursts.relative_rates.round(3).tolist()
    ([0.1, 0.9], [4.706, 0.588])
    """

    phases: tuple[Phase, ...]
    stays: Stays = Stays.GEOMETRIC
    move: int = 0

    def __post_init__(self) -> None:
        if not self.phases:
            raise ScenarioError("phases: must be at least one")
        if not any(phase.factor > 0 for phase in self.phases):
            raise ScenarioError("factor: is 0 in every phase, so no task arrives; raise one")
        if self.move < 0:
            raise ScenarioError(f"move = {self.move}: must be 0 or more servers")
        uneven = [phase.stay for phase in self.phases if phase.stay != int(phase.stay)]
        if self.stays is Stays.FIXED and uneven:
            raise ScenarioError(
                f"stay = {uneven[0]}: must be whole slots where stays are fixed; round it, or use "
                'stays = "geometric"'
            )

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return len(self.phases)

    @cached_property
    def shares(self) -> Floats:
        """Share of the slots that each phase has in the long run, float64, shape (n_phases,)."""
        stays = np.array([phase.stay for phase in self.phases])
        return np.asarray(stays / stays.sum())

    @cached_property
    def relative_rates(self) -> Floats:
        """Arrival rate in each phase over that in the long run, float64, shape (n_phases,)."""
        factors = np.array([phase.factor for phase in self.phases])
        return np.asarray(factors / (self.shares @ factors))

    def visits(self, key: Key, n_slots: int, step: int) -> Iterator[tuple[int, Ints]]:
        """Yield the visit that each slot falls in, for `step` slots at a time.

        Visit v is to phase v modulo `n_phases`, with the hot spot moved v times. Where stays are
        geometric, the first visit is to a phase drawn by their shares, so that the traffic is
        stationary from slot 0; else it begins with phase 0.

        Parameters
        ----------
        key : Key
        n_slots, step : int

        Yields
        ------
        (int, int64 array, shape (at most step,))
            The first slot, and the visit of it and of those that follow.
        """
        start = self._first_phase(key)
        n_drawn, gone = 0, 0
        ends: Ints = np.empty(0, dtype=np.int64)
        for first in range(0, n_slots, step):
            slots = np.arange(first, min(first + step, n_slots))
            while not len(ends) or ends[-1] <= slots[-1]:
                stays = self._stays(key, start, n_drawn)
                last = ends[-1] if len(ends) else 0
                ends = np.concatenate((ends, last + np.cumsum(stays)))
                n_drawn += N_VISITS
            yield first, start + gone + np.searchsorted(ends, slots, side="right")
            n_past = int(np.searchsorted(ends, slots[-1], side="right"))
            # The one before is kept, for the sum of stays starts from it.
            gone, ends = gone + max(n_past - 1, 0), ends[max(n_past - 1, 0) :]

    def _first_phase(self, key: Key) -> int:
        if self.stays is Stays.FIXED:
            return 0
        draw = blocks(key, Stream.PHASES, [0])
        uniform = uniforms(draw[:, 2], draw[:, 3])
        bounds = np.cumsum(self.shares)[:-1]
        return int(np.searchsorted(bounds, uniform, side="right")[0])

    def _stays(self, key: Key, start: int, first: int) -> Ints:
        """Return the lengths of visits `first` and after, counted from the first of the run."""
        visits = np.arange(first, first + N_VISITS)
        phase = (start + visits) % self.n_phases
        if self.stays is Stays.FIXED:
            return np.array([p.stay for p in self.phases], dtype=np.int64)[phase]
        draw = blocks(key, Stream.PHASES, visits)
        uniform = uniforms(draw[:, 0], draw[:, 1])
        lengths = np.empty(N_VISITS, dtype=np.int64)
        for number, one in enumerate(self.phases):
            here = phase == number
            lengths[here] = Geometric().times(uniform[here], 1.0 / one.stay)
        return lengths
