"""Rules for breakdowns and for replication schemes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cluster_sim.scenario.problems import Finding

if TYPE_CHECKING:
    from cluster_sim.scenario.rules import Values

__all__ = ["DISRUPTION_RULES"]

Broken = Iterator[Finding]


def _means(values: Values) -> Broken:
    """Check that up and down times come in pairs, and that something breaks down at all."""
    if not isinstance(values.given.get("failures"), dict):
        return
    for what in ("server", "rack"):
        up, down = f"{what}_mean_up", f"{what}_mean_down"
        for key, other, example in ((down, up, 10_000), (up, down, 200)):
            if values.is_given(f"failures.{key}") and not values.is_given(f"failures.{other}"):
                yield Finding(
                    ("failures", other),
                    f"missing; {key} is given, and both are needed: add for example {other} = "
                    f"{example}",
                )
    causes = ("server_mean_up", "server_mean_down", "rack_mean_up", "rack_mean_down", "events")
    if not any(values.is_given(f"failures.{key}") for key in causes):
        yield Finding(
            ("failures",),
            "nothing breaks down: add server_mean_up and server_mean_down, or [[failures.events]]; "
            "or remove the table",
        )


def _racks(values: Values) -> Broken:
    """Check that racks are there to fail."""
    levels = values.level_counts()
    if levels is None or "rack" in levels:
        return
    for key in ("rack_mean_up", "rack_mean_down"):
        if values.is_given(f"failures.{key}"):
            yield Finding(
                ("failures", key),
                'needs the level "rack" declared; add racks = 20 to [cluster], or remove this',
            )


def _events(values: Values) -> Broken:
    """Check that each planned breakdown is of one thing, which exists."""
    servers, levels = values["cluster.servers"], values.level_counts()
    limits = {"server": servers, "rack": None if levels is None else levels.get("rack", 0)}
    for number, entry in enumerate(values["failures.events"] or ()):
        at = ("failures", "events", number)
        given = values.given["failures"]["events"][number]
        if not isinstance(entry, dict) or not isinstance(given, dict):
            continue
        named = [key for key in ("server", "rack") if entry.get(key) is not None]
        if not named and not ("server" in given or "rack" in given):
            yield Finding((*at, "server"), "missing; add server = 0, or rack = 0 for its switch")
        if len(named) == 2:
            yield Finding((*at, "rack"), "server is given as well; keep one of them")
        for key in named:
            limit = limits[key]
            if limit is not None and entry[key] >= limit:
                few = f"{key}s count from 0, and there are {limit}"
                none = "the cluster declares no racks; add racks = 20 to [cluster]"
                yield Finding((*at, key), few if limit else none)


def _shared_chunks(values: Values) -> Broken:
    """Check that tasks share chunks where a scheme is to replicate them."""
    scheme, kind = values["replication.scheme"], values["traffic.kind"]
    if scheme in (None, "static") or kind not in ("even", "hotspot"):
        return
    yield Finding(
        ("replication", "scheme"),
        f'has nothing to replicate: with kind = "{kind}" each task reads a chunk of its own; use '
        'kind = "zipf", "types" or "trace" in [traffic], where tasks share chunks',
    )


DISRUPTION_RULES = (_means, _racks, _events, _shared_chunks)
