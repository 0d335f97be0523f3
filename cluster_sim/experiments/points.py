"""The points of a sweep, each with an id: the hash of everything that decides its result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster_sim.experiments.sources import importable, source_hashes
from cluster_sim.scenario.checking import plain
from cluster_sim.scenario.problems import describe
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.sweep import applied, combinations

__all__ = ["NOT_IN_ID", "Point", "fields_of", "point_of", "points"]

NOT_IN_ID = ("replications", "precision", "max_replications", "engine")
"""Fields of [run] that do not decide a replication: how many there are, and which engine."""

_DIGITS = 32  # of the hash, hexadecimal


@dataclass(frozen=True)
class Point:
    """One scenario of a sweep. Two points are equal if their ids are.

    Parameters
    ----------
    id : str
        Hash of all that decides the result of a replication.
    scenario : Scenario
        Without a [sweep] table.
    values : dict of str to object
        The swept fields and their values here, by dotted name.
    identity : dict of str to object
        What the id is a hash of.
    folder : str or None
        Where modules of the user's own are looked for.
    """

    id: str
    scenario: Scenario = field(compare=False)
    values: dict[str, Any] = field(compare=False)
    identity: dict[str, Any] = field(compare=False, repr=False)
    folder: str | None = field(compare=False, default=None, repr=False)


def points(scenario: Scenario, *, folder: str | None = None) -> list[Point]:
    """Return the points of a scenario's [sweep] table; the scenario itself if it has none.

    Parameters
    ----------
    scenario : Scenario
    folder : str, optional
        Where modules of the user's own are looked for, besides where Python looks: the folder of
        the scenario file.

    Returns
    -------
    list of Point
        The first swept field varies slowest. All have the same seed, unless the seed is swept:
        comparisons between them are paired.

    Raises
    ------
    PolicyError
        If a policy or placement of the user's own has no source file.
    OSError
        If a trace cannot be read.

    Examples
    --------
    >>> scenario = Scenario(
    ...     cluster={"servers": 4},
    ...     service={"local": 1.0, "remote": 0.5},
    ...     traffic={"kind": "even", "load": 0.9},
    ...     scheduler={"policy": "priority"},
    ...     run={"slots": 1000},
    ...     sweep={"traffic.load": [0.5, 0.9], "scheduler.policy": ["priority", "fifo"]},
    ... )
    >>> [point.values["traffic.load"] for point in points(scenario)]
    [0.5, 0.5, 0.9, 0.9]
    """
    if scenario.sweep is None:
        return [point_of(scenario, {}, folder=folder)]
    given = plain(scenario)
    with importable(folder):
        listed = (
            point_of(
                Scenario.from_valid(plain(applied(combination, given))),
                {describe(path): value for path, value in combination.values.items()},
                folder=folder,
            )
            for combination in combinations(given["sweep"], given)
        )
        # Two combinations may say the same in different words.
        return list({point.id: point for point in listed}.values())


def point_of(scenario: Scenario, values: Mapping[str, Any], *, folder: str | None = None) -> Point:
    """Return a scenario as a point.

    Parameters
    ----------
    scenario : Scenario
    values : mapping of str to object
        What to call it by: fields that tell it from other points, with their values.
    folder : str, optional
        As for `points`.

    Returns
    -------
    Point
    """
    scenario = scenario.without_sweep()
    identity = _identity(scenario, folder)
    text = json.dumps(identity, sort_keys=True, allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    return Point(digest, scenario, dict(values), identity, folder)


def _identity(scenario: Scenario, folder: str | None) -> dict[str, Any]:
    from cluster_sim import __version__

    tables = scenario.as_dict()
    tables.pop("title", None)
    tables["run"] = {key: value for key, value in tables["run"].items() if key not in NOT_IN_ID}
    sources = source_hashes(scenario, folder)
    if "traffic.path" in sources:
        del tables["traffic"]["path"]  # what counts is what the file holds
    if "service.durations" in sources:
        del tables["service"]["durations"]
    levels = tables["cluster"].get("levels")
    if levels is not None:  # their order counts, and keys are sorted
        tables["cluster"]["levels"] = [[name, count] for name, count in levels.items()]
    return {"version": __version__, "scenario": tables, "sources": sources}


def fields_of(listed: Iterable[Point]) -> list[str]:
    """Return the swept fields of points, in the order of their first appearance.

    Parameters
    ----------
    listed : iterable of Point

    Returns
    -------
    list of str
    """
    return list(dict.fromkeys(name for point in listed for name in point.values))
