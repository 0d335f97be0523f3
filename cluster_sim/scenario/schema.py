"""The scenario: everything that a run is made of, valid by construction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cluster_sim.scenario.checking import CheckScheduler, find_problems, plain
from cluster_sim.scenario.conditions import Estimates, Phases
from cluster_sim.scenario.disruptions import Failures, Replication
from cluster_sim.scenario.fields import Table, Text
from cluster_sim.scenario.overrides import Override, merge, split_key
from cluster_sim.scenario.reporting import report, usable
from cluster_sim.scenario.sweep import Sweep
from cluster_sim.scenario.tables import LEVEL_SUFFIX, Cluster, Reading, Run, Scheduler, Service
from cluster_sim.scenario.traffic import Traffic
from cluster_sim.scenario.writing import format_document

__all__ = ["Scenario", "to_toml"]


class Scenario(Table):
    """A validated scenario: the cluster, its traffic, the scheduler, and how to run them.

    Each table of a scenario file is a field. In Python each may be given as a plain dictionary.

    Parameters
    ----------
    title : str, optional
    cluster, service, traffic, scheduler, run : mapping or table
    reading : mapping or table, optional
        The defaults of the design where it is left out.
    phases, estimates : mapping or table, optional
        Traffic that changes over time; what the scheduler believes of the rates.
    failures, replication : mapping or table, optional
        What breaks down; the scheme that moves replicas.
    sweep : mapping or table, optional
        Fields to vary; see `cluster_sim.experiments.points.points`.

    Raises
    ------
    InvalidScenarioError
        With every problem of the scenario, not only the first.

    Examples
    --------
    >>> scenario = Scenario(
    ...     cluster={"servers": 4},
    ...     service={"local": 1.0, "remote": 0.5},
    ...     traffic={"kind": "even", "load": 0.9},
    ...     scheduler={"policy": "priority"},
    ...     run={"slots": 1000},
    ... )
    >>> scenario.traffic.replicas
    3
    """

    model_config = ConfigDict(title="cluster_sim scenario")

    title: Text | None = Field(
        default=None,
        description="What the scenario shows, in a line.",
        examples=["Locally overloaded traffic"],
    )
    cluster: Cluster = Field(description="The servers and the network between them.")
    service: Service = Field(description="Service rate of each locality tier, per slot.")
    traffic: Traffic = Field(description="Which tasks arrive, and where their chunks are.")
    scheduler: Scheduler = Field(description="The policy and its parameters.")
    reading: Reading = Field(
        default_factory=Reading,
        description="What the paper leaves open; every field has a documented default.",
    )
    run: Run = Field(description="How long to run, how often, on which engine.")
    phases: Phases | None = Field(
        default=None,
        description="Traffic that changes over time: bursts, and hot spots that move.",
        examples=[{"stay": [100, 900], "factor": [4.0, 0.5]}],
    )
    estimates: Estimates | None = Field(
        default=None,
        description="What the scheduler believes of the service rates, where it is wrong.",
        examples=[{"remote": 1.5}],
    )
    failures: Failures | None = Field(
        default=None,
        description="What breaks down, how often, and what is done about it.",
        examples=[{"server_mean_up": 10000, "server_mean_down": 200, "rereplication": 0.5}],
    )
    replication: Replication | None = Field(
        default=None,
        description="The replication scheme; without it replicas stay where they are.",
        examples=[{"scheme": "dare", "budget": 0.2}],
    )
    sweep: Sweep | None = Field(
        default=None,
        description="Fields to vary, for `cluster-sim sweep`; other commands leave it aside.",
        examples=[{"traffic.load": [0.5, 0.9], "scheduler.policy": ["priority", "fifo"]}],
    )

    def __init__(self, /, **tables: Any) -> None:
        given = usable(tables, "Scenario")
        found = find_problems(given)
        if found:
            raise report(found, "Scenario")
        super().__init__(**given)

    @classmethod
    def from_valid(cls, given: Mapping[str, Any]) -> Scenario:
        """Return the scenario of data that `find_problems` found nothing wrong with.

        Parameters
        ----------
        given : mapping
            Plain data.

        Returns
        -------
        Scenario
        """
        scenario = cls.__new__(cls)
        BaseModel.__init__(scenario, **given)
        return scenario

    @property
    def tiers(self) -> dict[str, float]:
        """Service rate per locality tier, from ``local`` to ``remote``.

        A level without a rate of its own counts to the next tier outward.
        """
        rates = self.service.level_rates
        inner = {
            f"{level}{LEVEL_SUFFIX}": rates[level]
            for level in self.cluster.level_counts
            if level in rates
        }
        return {"local": self.service.local, **inner, "remote": self.service.remote}

    def without_sweep(self) -> Scenario:
        """Return the scenario as a single point, without its [sweep] table.

        Returns
        -------
        Scenario
        """
        return self if self.sweep is None else self.model_copy(update={"sweep": None})

    def as_dict(self) -> dict[str, Any]:
        """Return the scenario, defaults filled in, as plain JSON types.

        Returns
        -------
        dict
            ``Scenario(**scenario.as_dict()) == scenario``. An infinite policy parameter becomes the
            text ``"inf"``, because JSON has no infinity.
        """
        tables: dict[str, Any] = _json_safe(plain(self))
        return tables

    def to_toml(self) -> str:
        """Return the scenario, defaults filled in, as the text of a scenario file.

        Returns
        -------
        str
            ``parse_scenario(scenario.to_toml()) == scenario``.
        """
        return to_toml(self)

    def with_values(
        self, values: Mapping[str, object], *, check_scheduler: CheckScheduler | None = None
    ) -> Scenario:
        """Return a copy with other values, valid again.

        Parameters
        ----------
        values : mapping of str to object
            From a dotted key, ``"traffic.load"``, to its value. Works as ``--set`` does: setting
            ``traffic.rate`` takes ``traffic.load`` out, another policy starts from its defaults,
            and so on.
        check_scheduler : callable, optional
            As for `load_mapping`.

        Returns
        -------
        Scenario

        Raises
        ------
        InvalidScenarioError
            If the new scenario is not valid.

        Examples
        --------
        >>> scenario = Scenario(
        ...     cluster={"servers": 4},
        ...     service={"local": 1.0, "remote": 0.5},
        ...     traffic={"kind": "even", "load": 0.9},
        ...     scheduler={"policy": "priority"},
        ...     run={"slots": 1000},
        ... )
        >>> scenario.with_values({"traffic.load": 0.5, "run.seed": 7}).traffic.load
        0.5
        """
        overrides = [
            Override("with_values", split_key(key), value) for key, value in values.items()
        ]
        given, overrides = merge(plain(self), overrides)
        given = usable(given, "with_values")
        found = find_problems(given, check_scheduler)
        if found:
            raise report(found, "Scenario", overrides=overrides)
        return Scenario.from_valid(given)

    def __repr__(self) -> str:
        """Return the call that makes this scenario."""
        inner = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"Scenario({inner})"


def to_toml(scenario: Scenario) -> str:
    """Return a scenario, defaults filled in, as the text of a scenario file.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    str
        ``parse_scenario(to_toml(scenario)) == scenario``.
    """
    return format_document(plain(scenario))


def _json_safe(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _json_safe(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json_safe(inner) for inner in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value
