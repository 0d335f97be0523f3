"""What is run for figure 3 of the paper: cases, as points of a sweep."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from cluster_sim.experiments.points import Point, point_of
from cluster_sim.model.readings import Reading
from cluster_sim.scenario.schema import Scenario

__all__ = ["BASELINE", "EVEN", "HOT", "RIVAL", "Case", "Part", "Size", "full", "quick"]

EVEN, HOT = "evenly loaded", "locally overloaded"
TRAFFICS = (EVEN, HOT)
BASELINE, RIVAL, OTHER_RIVAL = "priority", "jsq-maxweight", "maxweight"
AUTO = "auto"
_HOT_BEGINS = 0.75  # load from which the hot servers cannot serve all their tasks themselves

DEFAULT: tuple[tuple[str, str], ...] = ()
OPTIONS = {
    name: tuple(value.value for value in type(default)) for name, default in vars(Reading()).items()
}
"""The values of each reading, its default first."""


class Part(enum.StrEnum):
    """What a case is for."""

    FIGURE = "figure"
    READINGS = "readings"
    SERVERS = "servers"
    THRESHOLD = "threshold"


@dataclass(frozen=True)
class Case:
    """One system, to be run under one policy.

    Parameters
    ----------
    part : Part
    traffic : str
        `EVEN` or `HOT`.
    load : float
    policy : str
    reading : tuple of (str, str)
        What differs from the default reading.
    servers : int
    threshold : str
        Of the priority policy; ``"auto"`` is the paper's, alpha over gamma.
    """

    part: Part
    traffic: str
    load: float
    policy: str
    reading: tuple[tuple[str, str], ...] = DEFAULT
    servers: int = 1000
    threshold: str = AUTO

    @property
    def reading_words(self) -> str:
        """The reading, as in the tables."""
        return ", ".join(f"{name} = {value}" for name, value in self.reading) or "default"


@dataclass(frozen=True)
class Size:
    """How much is run.

    Parameters
    ----------
    loads : tuple of float
        Of the figure.
    slots, slots_slow : int
        Of a run, and of one that settles slowly: the hot spot beyond its own capacity, and loads
        near the boundary. Half of it is warm-up.
    replications : int
        Of a point of the figure.
    precision : float or None
        Requested for a point of the figure.
    readings : tuple
        The readings of the grid.
    reading_loads : tuple of float
    reading_slots : int
    servers : tuple of int
    thresholds : tuple of str
    threshold_loads : tuple of float
    """

    loads: tuple[float, ...]
    slots: int
    slots_slow: int
    replications: int
    precision: float | None
    readings: tuple[tuple[tuple[str, str], ...], ...]
    reading_loads: tuple[float, ...]
    reading_slots: int
    servers: tuple[int, ...]
    thresholds: tuple[str, ...]
    threshold_loads: tuple[float, ...]

    def cases(self) -> Iterator[Case]:
        """Yield everything that is to be run.

        Yields
        ------
        Case
        """
        for traffic, load, policy in itertools.product(TRAFFICS, self.loads, (BASELINE, RIVAL)):
            yield Case(Part.FIGURE, traffic, load, policy)
        for reading, traffic, load in itertools.product(
            self.readings, TRAFFICS, self.reading_loads
        ):
            for policy in (BASELINE, RIVAL, OTHER_RIVAL):
                yield Case(Part.READINGS, traffic, load, policy, reading)
        for traffic, servers in itertools.product(TRAFFICS, self.servers):
            for policy in (BASELINE, RIVAL, OTHER_RIVAL):
                yield Case(Part.SERVERS, traffic, 0.9, policy, servers=servers)
        for traffic, load, threshold in itertools.product(
            TRAFFICS, self.threshold_loads, (AUTO, *self.thresholds)
        ):
            yield Case(Part.THRESHOLD, traffic, load, BASELINE, threshold=threshold)

    def point(self, case: Case) -> Point:
        """Return a case as a point of a sweep.

        Parameters
        ----------
        case : Case

        Returns
        -------
        Point
        """
        slots, replications = self._slots(case), 1
        if case.part in (Part.FIGURE, Part.THRESHOLD):
            replications = self.replications
        run: dict[str, object] = {
            "slots": slots,
            "warmup": slots // 2,
            "replications": replications,
            "series_points": 100,
        }
        if case.part is Part.FIGURE and self.precision is not None:
            run["precision"] = self.precision
        scheduler: dict[str, object] = {"policy": case.policy}
        if case.threshold != AUTO:
            scheduler["threshold"] = float(case.threshold)
        scenario = Scenario(
            cluster={"servers": case.servers},
            service={"local": 1.0, "remote": 0.5},
            traffic=_traffic(case),
            scheduler=scheduler,
            reading=dict(case.reading),
            run=run,
        )
        return point_of(scenario, {"part": case.part.value, "traffic": case.traffic})

    def _slots(self, case: Case) -> int:
        if case.part is Part.READINGS:
            return self.reading_slots
        is_slow = case.load >= 0.97 or (case.traffic == HOT and case.load > _HOT_BEGINS)
        slots = self.slots_slow if is_slow else self.slots
        # A small cluster runs longer, for as many tasks; it settles sooner.
        return slots * min(1000 // case.servers, 20)


def _traffic(case: Case) -> dict[str, object]:
    if case.traffic == EVEN:
        return {"kind": "even", "load": case.load}
    return {
        "kind": "hotspot",
        "hot_servers": case.servers // 2,
        "hot_probability": 0.8,
        "load": case.load,
    }


def _single_changes() -> Iterator[tuple[tuple[str, str], ...]]:
    yield DEFAULT
    for name, (_, *others) in OPTIONS.items():
        for other in others:
            yield ((name, other),)


def _all_readings() -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield every combination, each as what differs from the default."""
    for values in itertools.product(*OPTIONS.values()):
        yield tuple(
            (name, value)
            for (name, (default, *_)), value in zip(OPTIONS.items(), values, strict=True)
            if value != default
        )


def full() -> Size:
    """Return the whole reproduction.

    Returns
    -------
    Size
        Twelve loads, all readings.
    """
    return Size(
        loads=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99),
        slots=4_000,
        slots_slow=12_000,
        replications=4,
        precision=0.01,
        readings=tuple(_all_readings()),
        reading_loads=(0.3, 0.5, 0.7, 0.9, 0.95),
        reading_slots=2_000,
        servers=(10, 20, 50, 100, 200, 500, 1000),
        thresholds=("0", "1", "3", "4", "6", "10", "inf"),
        threshold_loads=(0.5, 0.9, 0.95),
    )


def quick() -> Size:
    """Return a reproduction that takes a minute or so: fewer points, shorter runs.

    Returns
    -------
    Size
        Single changes of the readings, and one pair of them.
    """
    pair = (("queue_length", "waiting"), ("routing_view", "slot-start"))
    return Size(
        loads=(0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95),
        slots=1_500,
        slots_slow=4_000,
        replications=3,
        precision=None,
        readings=(*_single_changes(), pair),
        reading_loads=(0.3, 0.7, 0.9),
        reading_slots=2_000,
        servers=(10, 50, 200, 1000),
        thresholds=("0", "1", "4", "inf"),
        threshold_loads=(0.9,),
    )
