"""Rules between the fields of a scenario: what no field can check by itself.

A rule sees only values that are valid by themselves, so that one mistake is reported once. Each
rule yields pairs of a path and a message; `RULES` lists them all.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cluster_sim.errors import did_you_mean
from cluster_sim.scenario.conditions_rules import CONDITION_RULES
from cluster_sim.scenario.disruptions_rules import DISRUPTION_RULES
from cluster_sim.scenario.problems import Finding, KeyPath
from cluster_sim.scenario.tables import LEVEL_SUFFIX
from cluster_sim.scenario.traffic import ARRIVAL_KEYS

__all__ = ["RULES", "Values"]

Broken = Iterator[Finding]

_LEVEL_NAME = re.compile(r"[a-z][a-z0-9_]*")
_INNER_TO_OUTER = ": levels go from inner to outer, and each groups the one before it"
_RESERVED_LEVELS = ("server", "core", "local", "remote")


@dataclass(frozen=True)
class Values:
    """The values of a scenario that are valid by themselves, with defaults filled in.

    Parameters
    ----------
    valid : mapping
        Table name to the valid values of the table.
    given : mapping
        The scenario as given, invalid values included.
    """

    valid: Mapping[str, Any]
    given: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        """Return the value at ``table.key``; None if there is no valid one."""
        table, name = key.split(".")
        return self.valid.get(table, {}).get(name)

    def is_given(self, key: str) -> bool:
        """Return whether ``table.key`` is written in the scenario, valid or not."""
        table, name = key.split(".")
        inner = self.given.get(table)
        return isinstance(inner, Mapping) and inner.get(name) is not None

    def level_counts(self) -> dict[str, int] | None:
        """Return the declared levels, inner to outer; None if what declares them is not valid."""
        if self.is_given("cluster.levels"):
            levels = self["cluster.levels"]
            is_whole = isinstance(levels, Mapping) and levels == self.given["cluster"]["levels"]
            return dict(levels) if is_whole else None
        if self.is_given("cluster.racks"):
            racks = self["cluster.racks"]
            return None if racks is None else {"rack": racks}
        return {} if isinstance(self.given.get("cluster"), Mapping) else None


def _levels(values: Values) -> Broken:
    """Check that levels have usable names and that their counts fit inside each other."""
    if values.is_given("cluster.racks") and values.is_given("cluster.levels"):
        yield Finding(
            ("cluster", "racks"),
            "racks is short for levels = { rack = ... }, and levels is given as well; "
            "keep one of them",
        )
        return
    levels = values.level_counts() or {}

    def at(name: str) -> KeyPath:
        is_short = values.is_given("cluster.racks")
        return ("cluster", "racks") if is_short else ("cluster", "levels", name)

    if values.is_given("cluster.levels") and values.given["cluster"]["levels"] == {}:
        yield Finding(("cluster", "levels"), "must name a level, e.g. { rack = 20 }; or remove it")
    for name in levels:
        if not _LEVEL_NAME.fullmatch(name) or name in _RESERVED_LEVELS:
            yield Finding(
                at(name),
                "the name of a level is lower-case letters, digits and _, starting with a letter, "
                f"and none of {', '.join(_RESERVED_LEVELS)}; rename it, e.g. rack",
            )
    below, limit = "cluster.servers", values["cluster.servers"]
    for name, count in levels.items():
        if limit is not None and count > limit:
            reason = "" if below == "cluster.servers" else _INNER_TO_OUTER
            yield Finding(at(name), f"must be at most {below} ({limit}){reason}")
        below, limit = f"cluster.levels.{name}", count


def _rates(values: Values) -> Broken:
    """Check 0 < remote <= ... <= local, and that each rate's level is declared."""
    levels = values.level_counts()
    service: Mapping[str, Any] = values.valid.get("service", {})
    if levels is not None:
        for key in service:
            level = key.removesuffix(LEVEL_SUFFIX)
            if key.endswith(LEVEL_SUFFIX) and level not in levels:
                yield Finding(("service", key), _undeclared(level, levels))
    order = ["local", *(f"{level}{LEVEL_SUFFIX}" for level in levels or {}), "remote"]
    known = [(key, service[key]) for key in order if key in service]
    for (near, fast), (far, slow) in itertools.pairwise(known):
        if slow > fast:
            yield Finding(
                ("service", far),
                f"must be at most service.{near} ({fast}): farther data is never faster; lower "
                f"{far} or raise {near}",
            )


def _undeclared(level: str, levels: Mapping[str, int]) -> str:
    if levels:
        remedy = f"{did_you_mean(level, levels)} Add {level} to cluster.levels"
    else:
        remedy = "add racks = 20" if level == "rack" else f"add levels = {{ {level} = 4 }}"
        remedy += " to [cluster]"
    return f'needs the level "{level}" declared; {remedy}, or remove this rate'


def _load(values: Values) -> Broken:
    """Check that the intensity of the traffic is given exactly once."""
    kind = values["traffic.kind"]
    if kind is None:
        return
    other, unit = ("slot_seconds", "seconds") if kind == "trace" else ("rate", "tasks per slot")
    has_load, has_other = values.is_given("traffic.load"), values.is_given(f"traffic.{other}")
    if has_load and has_other:
        yield Finding(
            ("traffic", other),
            f"load ({values.given['traffic']['load']}) is given as well; keep one of them",
        )
    if not has_load and not has_other:
        yield Finding(
            ("traffic", "load"),
            f"missing; add load = 0.9 (fraction of capacity) or {other} = 1.0 ({unit})",
        )


def _arrivals(values: Values) -> Broken:
    """Check the parameters of the arrival process against its kind and the rate."""
    arrivals, rate = values["traffic.arrivals"], values["traffic.rate"]
    if arrivals is None:
        return
    for key, owner in ARRIVAL_KEYS.items():
        if values.is_given(f"traffic.{key}") and arrivals != owner:
            yield Finding(
                ("traffic", key),
                f'belongs to arrivals = "{owner}", and arrivals is "{arrivals}"; remove {key} or '
                f'set arrivals = "{owner}"',
            )
    if arrivals != "poisson":
        needed = next((key for key, owner in ARRIVAL_KEYS.items() if owner == arrivals), None)
        if needed is not None and not values.is_given(f"traffic.{needed}"):
            yield Finding(
                ("traffic", needed),
                f'missing; arrivals = "{arrivals}" needs it: add for example {needed} = 1000',
            )
    if rate is None:
        return
    if arrivals == "bernoulli" and rate > 1:
        yield Finding(
            ("traffic", "rate"),
            'must be at most 1 with arrivals = "bernoulli" (at most one task per slot); lower it '
            'or set arrivals = "poisson"',
        )
    bounds = {"poisson": "max_arrivals", "binomial": "trials"}
    bound = values[f"traffic.{bounds[arrivals]}"] if arrivals in bounds else None
    if bound is not None and bound < rate:
        yield Finding(
            ("traffic", bounds[arrivals]),
            f"must be at least traffic.rate ({rate}), or the rate cannot be reached; raise "
            f"{bounds[arrivals]} or lower rate",
        )


def _replicas(values: Values) -> Broken:
    """Check that there are enough servers to hold the replicas of a chunk."""
    replicas, servers = values["traffic.replicas"], values["cluster.servers"]
    if replicas is None or servers is None:
        return
    if replicas > servers:
        yield Finding(
            ("traffic", "replicas"),
            f"must be at most cluster.servers ({servers}): replicas are on distinct servers",
        )
        return
    hot, probability = values["traffic.hot_servers"], values["traffic.hot_probability"]
    if hot is None or hot > servers:
        return
    if replicas > hot and probability != 0:
        yield Finding(
            ("traffic", "replicas"),
            f"must be at most traffic.hot_servers ({hot}): the replicas of a hot chunk are all on "
            "hot servers; lower replicas or raise hot_servers",
        )
    if probability is not None and probability < 1 and replicas > servers - hot:
        yield Finding(
            ("traffic", "hot_servers"),
            f"leaves {servers - hot} other servers of cluster.servers ({servers}), fewer than "
            f"traffic.replicas ({replicas}); set it to at most {max(servers - replicas, 0)}, or "
            "hot_probability = 1",
        )


def _hot_servers(values: Values) -> Broken:
    """Check that the hot servers are some of the servers."""
    hot, servers = values["traffic.hot_servers"], values["cluster.servers"]
    if hot is not None and servers is not None and hot > servers:
        yield Finding(("traffic", "hot_servers"), f"must be at most cluster.servers ({servers})")


def _hdfs(values: Values) -> Broken:
    """Check that rack-aware placement finds another rack with room, in every set it draws from."""
    replicas, servers = values["traffic.replicas"], values["cluster.servers"]
    levels = values.level_counts()
    if values["traffic.placement"] != "hdfs" or levels is None or None in (replicas, servers):
        return
    is_consistent = not list(itertools.chain(_levels(values), _replicas(values)))
    if not is_consistent or replicas < 2:
        return
    import numpy as np

    from cluster_sim.model.topology import Topology

    rack = np.zeros(servers, dtype=np.int64)
    if "rack" in levels:
        rack = Topology.tree(servers, levels).level("rack")
    for name, racks in _groups(values, rack):
        sizes = np.bincount(racks)
        n_roomy = int((sizes >= replicas - 1).sum())
        if n_roomy < 2:
            yield Finding(
                ("traffic", "placement"),
                f"needs at least 2 racks with room for {replicas - 1} replicas{name}, and there "
                f"{'is' if n_roomy == 1 else 'are'} {n_roomy}; change cluster.racks, lower "
                'replicas, or set placement = "uniform"',
            )
            return


def _groups(values: Values, rack: Any) -> Iterator[tuple[str, Any]]:
    """Yield the racks of each set of servers that a chunk's replicas may be drawn from."""
    hot, probability = values["traffic.hot_servers"], values["traffic.hot_probability"]
    if values["traffic.kind"] != "hotspot":
        yield "", rack
    elif None not in (hot, probability) and hot <= len(rack):
        if probability > 0:
            yield f" among the hot servers (0 to {hot - 1})", rack[:hot]
        if probability < 1:
            yield f" among the servers that are not hot (from {hot})", rack[hot:]


def _types(values: Values) -> Broken:
    """Check that the replicas of each task type are distinct servers of the cluster."""
    servers = values["cluster.servers"]
    for number, entry in enumerate(values["traffic.types"] or ()):
        replicas = (entry or {}).get("replicas_on") or []
        for place, server in enumerate(replicas):
            at = ("traffic", "types", number, "replicas_on", place)
            if server is None:
                continue
            if servers is not None and server >= servers:
                yield Finding(
                    at,
                    f"must be at most {servers - 1}: servers count from 0, and cluster.servers is "
                    f"{servers}",
                )
            if server in replicas[:place]:
                yield Finding(
                    at, "is listed twice; each replica needs a server of its own: remove one"
                )


def _slots(values: Values) -> Broken:
    """Check that the length of a run is given, or follows from a trace."""
    has_run = isinstance(values.given.get("run"), Mapping)
    if has_run and not values.is_given("run.slots") and values["traffic.kind"] != "trace":
        yield Finding(("run", "slots"), "missing; add for example slots = 20000")


def _warmup(values: Values) -> Broken:
    """Check that something is left to measure after the warm-up."""
    warmup, slots = values["run.warmup"], values["run.slots"]
    if isinstance(warmup, int) and slots is not None and warmup >= slots:
        yield Finding(
            ("run", "warmup"),
            f"must be less than run.slots ({slots}), or nothing is left to measure; lower warmup "
            "or raise slots",
        )


def _precision(values: Values) -> Broken:
    """Check that a cap on the replications has a precision to serve, and leaves room for them."""
    most, least = values["run.max_replications"], values["run.replications"]
    if most is None:
        return
    if not values.is_given("run.precision"):
        yield Finding(
            ("run", "max_replications"),
            "is the cap for precision, which is not given; add for example precision = 0.01, or "
            "set replications instead",
        )
    elif least is not None and most < max(least, 2):
        yield Finding(
            ("run", "max_replications"),
            f"must be at least run.replications ({least}) and at least 2; raise it",
        )


def _parameters(values: Values) -> Broken:
    """Check that parameters are plain values; what they mean policies and schemes check."""
    tables = {name: values.valid.get(name, {}) for name in ("scheduler", "replication")}
    todo: list[tuple[KeyPath, Any]] = [
        ((name, key), value) for name, table in tables.items() for key, value in table.items()
    ]
    while todo:
        path, value = todo.pop()
        if isinstance(value, Mapping):
            todo += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [((*path, i), inner) for i, inner in enumerate(value)]
        elif isinstance(value, float) and math.isnan(value):
            yield Finding(path, "must be a number; nan is none. Leave the key out for the default")
        elif not isinstance(value, bool | int | float | str):
            yield Finding(
                path,
                "must be a number, text, true or false, an array or a table; put it in quotes",
            )


RULES: tuple[Callable[[Values], Broken], ...] = (
    _levels,
    _rates,
    _load,
    _arrivals,
    _replicas,
    _hot_servers,
    _hdfs,
    _types,
    _slots,
    _warmup,
    _precision,
    _parameters,
    *CONDITION_RULES,
    *DISRUPTION_RULES,
)
