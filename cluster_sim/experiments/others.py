"""Why points of a results file are not those of a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_sim.experiments.points import Point
from cluster_sim.experiments.store import Store

__all__ = ["Others", "others"]

_SOURCES = {
    "scheduler.policy": "the source of the policy",
    "traffic.placement": "the source of the placement",
    "traffic.path": "what the trace holds",
}
_MOST_SHOWN = 5  # reasons


@dataclass(frozen=True)
class Others:
    """The points of a file that a sweep does not have.

    Parameters
    ----------
    n : int
    reasons : tuple of str
        In what the last of them differs from the point of the sweep that is most like it.
    """

    n: int
    reasons: tuple[str, ...]


def others(listed: Sequence[Point], store: Store) -> Others | None:
    """Return what else a file holds, and why it is not used.

    Parameters
    ----------
    listed : sequence of Point
        The sweep.
    store : Store

    Returns
    -------
    Others or None
        None if all points of the file are of the sweep.
    """
    ids = {point.id for point in listed}
    foreign = [identity for key, identity in store.identities().items() if key not in ids]
    if not foreign:
        return None
    other = dict(_leaves(foreign[-1]))
    nearest = min((_differences(other, dict(_leaves(point.identity))) for point in listed), key=len)
    if len(nearest) > _MOST_SHOWN:
        nearest[_MOST_SHOWN:] = [f"and {len(nearest) - _MOST_SHOWN} more"]
    return Others(len(foreign), tuple(nearest))


def _differences(other: dict[str, Any], mine: dict[str, Any]) -> list[str]:
    found = []
    for key in sorted(other.keys() | mine.keys()):
        there, here = other.get(key), mine.get(key)
        if there == here:
            continue
        kind, _, name = key.partition(".")
        if kind == "sources":
            found.append(_SOURCES[name])
        else:
            name = name or kind
            found.append(f"{name} ({_shown(there)} there, {_shown(here)} here)")
    return found


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
