"""A sweep read back from its results file alone, without the scenario that it was started with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cluster_sim.errors import ResultsError
from cluster_sim.experiments.outcome import Outcome
from cluster_sim.experiments.points import Point, fields_of, point_of
from cluster_sim.experiments.store import Kept, Store
from cluster_sim.experiments.sweep import outcome
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.writing import format_document

__all__ = ["StoredSweep", "is_results_file", "stored_sweep", "sweep_document"]

_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True)
class StoredSweep:
    """The last sweep of a results file.

    Parameters
    ----------
    points : tuple of Point
        Those that have results, by the values of the swept fields.
    outcomes : tuple of Outcome
        What each showed.
    versions : tuple of str
        Of cluster_sim, that the results are of.
    n_changed : int
        Points whose id is not what this version, the trace and the user's own code would give.
    n_missing : int
        Points of the sweep without results.
    n_others : int
        Points of the file that have results and are not of the sweep.
    """

    points: tuple[Point, ...]
    outcomes: tuple[Outcome, ...]
    versions: tuple[str, ...]
    n_changed: int
    n_missing: int
    n_others: int

    @property
    def fields(self) -> list[str]:
        """The swept fields, by their dotted names."""
        return fields_of(self.points)


def is_results_file(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is one of SQLite, as results files are.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool
        False too if it cannot be read; whoever opens it says why.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(len(_SQLITE)) == _SQLITE
    except (OSError, ValueError):
        return False


def stored_sweep(store: Store, *, folder: str | None = None) -> StoredSweep:
    """Return the sweep that was started last with a results file, as far as there are results.

    Parameters
    ----------
    store : Store
    folder : str, optional
        Where modules of the user's own are looked for.

    Returns
    -------
    StoredSweep

    Raises
    ------
    ResultsError
        If the file holds no results.
    ScenarioError, UnknownNameError, OSError
        If a scenario cannot be prepared any more: its policy or its trace is gone.
    """
    wanted, there = store.last_sweep(), store.kept()
    kept = [each for each in there if each.id in wanted] if wanted else there
    if not kept:
        raise ResultsError(
            f"{store.path}: holds no results of the last sweep; run it: cluster-sim sweep SCENARIO "
            f"-o {store.path}"
        )
    pairs = [_point(each, folder) for each in kept]
    points = _in_order([point for point, _ in pairs])
    outcomes = [outcome(point, store) for point in points]
    return StoredSweep(
        tuple(points),
        tuple(found for found in outcomes if found is not None),
        tuple(dict.fromkeys(each.version for each in kept)),
        n_changed=sum(is_changed for _, is_changed in pairs),
        n_missing=max(0, len(wanted) - len(kept)),
        n_others=len(there) - len(kept),
    )


def _point(kept: Kept, folder: str | None) -> tuple[Point, bool]:
    """Return a point, and whether it would have another id today."""
    run = {**kept.tables["run"], "replications": kept.n_replications}
    scenario = Scenario(**{**kept.tables, "run": run})
    today = point_of(scenario, kept.values, folder=folder)
    return Point(kept.id, scenario, kept.values, today.identity, folder), today.id != kept.id


def _in_order(points: Sequence[Point]) -> list[Point]:
    """Return points by their values: numbers ascend, others are in order of first appearance."""
    fields = fields_of(points)
    ranks = {field: _ranks([point.values.get(field) for point in points]) for field in fields}
    return sorted(points, key=lambda p: [ranks[f][repr(p.values.get(f))] for f in fields])


def _ranks(values: Sequence[Any]) -> dict[str, int]:
    distinct = list({repr(value): value for value in values}.values())
    if all(isinstance(value, int | float) for value in distinct):
        distinct.sort()
    return {repr(value): rank for rank, value in enumerate(distinct)}


def sweep_document(points: Sequence[Point]) -> str:
    """Return a scenario file that gives these points again.

    Parameters
    ----------
    points : sequence of Point
        At least one.

    Returns
    -------
    str
        TOML, with defaults filled in. A list for each field where the points are all combinations
        of the values; else a table for each point.
    """
    tables: dict[str, Any] = points[0].scenario.as_dict()
    tables.pop("sweep", None)
    tables["run"]["replications"] = max(p.scenario.run.replications for p in points)
    fields = fields_of(points)
    if fields:
        lists = {field: _distinct(points, field) for field in fields}
        n = 1
        for values in lists.values():
            n *= len(values)
        is_product = n == len(points) and all(p.values.keys() == set(fields) for p in points)
        sweep = lists if is_product else {"points": [dict(p.values) for p in points]}
        tables["sweep"] = sweep
    return format_document(tables)


def _distinct(points: Sequence[Point], field: str) -> list[Any]:
    return list({repr(p.values.get(field)): p.values.get(field) for p in points}.values())
