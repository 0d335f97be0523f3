"""Rules for slow servers, distributions of service, wrong rates, and phases of the traffic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cluster_sim.errors import did_you_mean
from cluster_sim.scenario.conditions import DISTRIBUTION_KEYS
from cluster_sim.scenario.problems import Finding

if TYPE_CHECKING:
    from cluster_sim.scenario.rules import Values

__all__ = ["CONDITION_RULES"]

Broken = Iterator[Finding]


def _distribution(values: Values) -> Broken:
    """Check that the keys of a distribution are there, and those of others are not."""
    kind = values["service.distribution"]
    if kind is None:
        return
    for key, owner in DISTRIBUTION_KEYS.items():
        if values.is_given(f"service.{key}") and kind != owner:
            yield Finding(
                ("service", key),
                f'belongs to distribution = "{owner}", and distribution is "{kind}"; remove {key} '
                f'or set distribution = "{owner}"',
            )
        elif kind == owner and not values.is_given(f"service.{key}"):
            example = {"cv": "2.0", "shape": "2.1", "durations": '"durations.csv"'}[key]
            yield Finding(
                ("service", key),
                f'missing; distribution = "{owner}" needs it: add for example {key} = {example}',
            )
    shape, cv = values["service.shape"], values["service.cv"]
    if shape is not None and shape <= 1:
        yield Finding(
            ("service", "shape"),
            "must be above 1, or the mean is infinite; take 1.5 for an infinite variance",
        )
    if cv is not None and cv > 100:
        yield Finding(("service", "cv"), "must be at most 100 (standard deviation over mean)")


def _speeds(values: Values) -> Broken:
    """Check that the servers of the speeds exist, once each, and that no rate leaves its range."""
    n_servers, local = values["cluster.servers"], values["service.local"]
    n_left, taken = n_servers, set()
    for number, entry in enumerate(values["cluster.speeds"] or ()):
        at = ("cluster", "speeds", number)
        servers, factor = (entry or {}).get("servers"), (entry or {}).get("factor")
        if factor is not None and local is not None and factor * local > 1:
            yield Finding(
                (*at, "factor"),
                f"makes the rate {factor * local:g} of service.local ({local}), and no probability "
                f"exceeds 1; lower factor to {1 / local:g} or less, or lower the rates",
            )
        if n_servers is None or servers is None:
            continue
        if isinstance(servers, list | tuple):
            for server in servers:
                if server is not None and server >= n_servers:
                    yield Finding(
                        (*at, "servers"),
                        f"names server {server}: servers count from 0, and cluster.servers is "
                        f"{n_servers}",
                    )
                elif server in taken:
                    yield Finding(
                        (*at, "servers"), f"server {server} has a speed already; name it once"
                    )
                taken.add(server)
            n_left -= len(servers)
            continue
        n = servers if isinstance(servers, int) else round(servers * n_servers)
        if n < 1:
            yield Finding((*at, "servers"), f"is no whole server of cluster.servers ({n_servers})")
        elif n > n_left:
            yield Finding(
                (*at, "servers"),
                f"asks for {n} servers, and {max(n_left, 0)} of cluster.servers ({n_servers}) have "
                "no speed yet; lower it",
            )
        n_left -= n
        taken |= _unnamed(values, number)


def _unnamed(values: Values, number: int) -> set[int]:
    """Return the servers that the entries up to one have, where numbers of them are given."""
    from cluster_sim.scenario.conditions import ServerSpeed, speeds_of

    n_servers = values["cluster.servers"]
    entries = [
        ServerSpeed.model_construct(servers=entry["servers"], factor=0.5)
        for entry in values["cluster.speeds"][: number + 1]
        if entry and entry.get("servers") is not None
    ]
    if any(
        isinstance(entry.servers, list | tuple) and max(entry.servers) >= n_servers
        for entry in entries
    ):
        return set()
    return {server for server, speed in enumerate(speeds_of(entries, n_servers)) if speed != 1.0}


def _estimates(values: Values) -> Broken:
    """Check that estimates are of tiers that exist, and are probabilities."""
    levels = values.level_counts()
    service: dict[str, Any] = values.valid.get("service", {})
    for key, factor in values.valid.get("estimates", {}).items():
        rate = service.get(key)
        if rate is None:
            if levels is not None and not values.is_given(f"service.{key}"):
                tiers = [
                    name for name in service if name in ("local", "remote") or "_local" in name
                ]
                yield Finding(
                    ("estimates", key),
                    f"is of a tier that [service] gives no rate; {did_you_mean(key, tiers)}",
                )
        elif factor * rate > 1:
            yield Finding(
                ("estimates", key),
                f"makes the scheduler believe in a rate of {factor * rate:g} (service.{key} is "
                f"{rate}), and no probability exceeds 1; use at most {1 / rate:g}",
            )


def _phases(values: Values) -> Broken:
    """Check that the phases agree in number, and with the traffic."""
    if not isinstance(values.given.get("phases"), dict):
        return
    kind, stay = values["traffic.kind"], values["phases.stay"]
    if kind == "trace":
        yield Finding(
            ("phases",), 'a trace (traffic.kind = "trace") has times of its own; remove [phases]'
        )
        return
    for key in ("factor", "hot_probability"):
        given = values[f"phases.{key}"]
        if stay is not None and given is not None and len(given) != len(stay):
            yield Finding(
                ("phases", key),
                f"has {len(given)} entries and phases.stay has {len(stay)}; give one a phase",
            )
    for key in ("hot_probability", "move"):
        if values[f"phases.{key}"] and kind not in (None, "hotspot"):
            yield Finding(
                ("phases", key),
                f'belongs to traffic.kind = "hotspot", and kind is "{kind}"; remove {key} or '
                "change the kind",
            )
    factor, stays = values["phases.factor"], values["phases.stays"]
    if factor and not any(factor):
        yield Finding(("phases", "factor"), "is 0 in every phase, so no task arrives; raise one")
    if stays == "fixed" and any(one is not None and one != int(one) for one in stay or ()):
        yield Finding(
            ("phases", "stay"),
            'must be whole slots with stays = "fixed"; round it, or use stays = "geometric"',
        )


CONDITION_RULES = (_distribution, _speeds, _estimates, _phases)
