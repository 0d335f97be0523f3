"""The tables of a scenario file other than [traffic]: cluster, service, scheduler, reading, run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from cluster_sim.model.readings import (
    DispatchOrder,
    QueueLength,
    RoutingView,
    ServiceTier,
    TieBreak,
)
from cluster_sim.scenario.conditions import ServerSpeed
from cluster_sim.scenario.fields import (
    Choice,
    Count,
    Durations,
    Positive,
    Precision,
    Rate,
    Seed,
    ServerCount,
    Table,
    Text,
    Warmup,
)

__all__ = ["LEVEL_SUFFIX", "Cluster", "Reading", "Run", "Scheduler", "Service"]

LEVEL_SUFFIX = "_local"  # of the service rate of a level: rack_local


class Cluster(Table):
    """The servers and the levels of the network between them.

    Examples
    --------
    >>> Cluster(servers=1000, racks=20).level_counts
    {'rack': 20}
    """

    model_config = ConfigDict(title="Cluster")

    servers: ServerCount = Field(description="Number of servers, M in the paper.", examples=[1000])
    racks: Count | None = Field(
        default=None,
        description="Number of racks, short for levels = { rack = ... }. Servers are split over "
        "the racks contiguously and as evenly as possible.",
        examples=[20],
    )
    levels: dict[str, Count] | None = Field(
        default=None,
        description="Number of groups at each level of the network, from the inner level to the "
        "outer. Use it instead of racks for more than one level.",
        examples=[{"rack": 20, "pod": 4}],
        json_schema_extra={
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
            "minProperties": 1,
        },
    )

    speeds: tuple[ServerSpeed, ...] | None = Field(
        default=None,
        description="Servers that are slower or faster than the others, one [[cluster.speeds]] "
        "each.",
        examples=[[{"servers": 10, "factor": 0.5}]],
        min_length=1,
        strict=False,
    )

    @property
    def level_counts(self) -> dict[str, int]:
        """Number of groups per declared level, inner to outer; empty where there are no racks."""
        if self.levels is not None:
            return dict(self.levels)
        return {} if self.racks is None else {"rack": self.racks}


class Service(Table):
    """The service rate of each locality tier: one over the mean service time, in slots.

    Examples
    --------
    >>> Service(local=1.0, pod_local=0.8, remote=0.5).level_rates
    {'pod': 0.8}
    """

    model_config = ConfigDict(title="Service", extra="allow")
    __pydantic_extra__: dict[str, Rate]

    local: Rate = Field(
        description="Rate on a server that holds the task's chunk, alpha in the paper.",
        examples=[1.0],
    )
    rack_local: Rate | None = Field(
        default=None,
        description="Rate in the same rack as a replica, beta. With it the third tier exists. "
        "Any other level of the cluster may have such a rate: pod_local for the level pod.",
        examples=[0.9],
    )
    remote: Rate = Field(
        description="Rate on every other server, gamma in the paper.", examples=[0.5]
    )
    distribution: Annotated[
        Literal["geometric", "deterministic", "log-normal", "pareto", "empirical"], Choice()
    ] = Field(
        default="geometric",
        description="How service times spread about their mean, which stays 1 / rate: geometric "
        "(a task ends in each slot with the same probability), deterministic, log-normal (with "
        "cv), pareto (with shape) or empirical (with durations).",
        examples=["geometric"],
    )
    cv: Positive | None = Field(
        default=None,
        description="distribution = log-normal: standard deviation over mean.",
        examples=[2.0],
    )
    shape: Positive | None = Field(
        default=None,
        description="distribution = pareto: the tail falls as x ** -shape; above 1. At most 2 "
        "gives an infinite variance.",
        examples=[2.1],
    )
    durations: Durations | None = Field(
        default=None,
        description="distribution = empirical: measured durations in any unit, or a file of them, "
        "one a line, relative to the scenario file. They are scaled to each rate.",
        examples=[[3.0, 4.5, 60.0], "durations.csv"],
    )

    @property
    def level_rates(self) -> dict[str, float]:
        """Rate per level that has one of its own, without `local` and `remote`."""
        rates = {} if self.rack_local is None else {"rack": self.rack_local}
        extra = self.__pydantic_extra__ or {}
        return rates | {key.removesuffix(LEVEL_SUFFIX): rate for key, rate in extra.items()}


class Scheduler(Table):
    """The policy and its parameters.

    Every key but `policy` is a parameter of the policy, which checks it.

    Examples
    --------
    >>> Scheduler(policy="priority", threshold="auto").parameters
    {'threshold': 'auto'}
    """

    model_config = ConfigDict(title="Scheduler", extra="allow")
    __pydantic_extra__: dict[str, Any]

    policy: Text = Field(
        description="Name of a policy (`cluster-sim policies` lists them), or a class of your own "
        "as module:Class. The other keys of this table are its parameters.",
        examples=["priority", "my_module:MyPolicy"],
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the policy as the scenario gives them, without defaults."""
        return dict(self.__pydantic_extra__ or {})


class Reading(Table):
    """What the paper leaves open; see `cluster_sim.model.readings.Reading`.

    Examples
    --------
    >>> Reading().queue_length.value
    'in-system'
    """

    model_config = ConfigDict(title="Reading")

    queue_length: Annotated[QueueLength, Choice()] = Field(
        default=QueueLength.IN_SYSTEM,
        description="What the length of a queue counts: its tasks waiting and in service, or "
        "waiting only.",
        examples=["in-system"],
    )
    routing_view: Annotated[RoutingView, Choice()] = Field(
        default=RoutingView.LIVE,
        description="Which queue lengths an arrival sees: with the arrivals of the same slot "
        "before it, or as the slot started.",
        examples=["live"],
    )
    dispatch_order: Annotated[DispatchOrder, Choice()] = Field(
        default=DispatchOrder.RANDOM,
        description="In which order the idle servers of a slot ask for work.",
        examples=["random"],
    )
    service_tier: Annotated[ServiceTier, Choice()] = Field(
        default=ServiceTier.REPLICA,
        description="What decides the tier of a service: where the chunk is, or whose queue the "
        "task waited in.",
        examples=["replica"],
    )
    tie_break: Annotated[TieBreak, Choice()] = Field(
        default=TieBreak.RANDOM,
        description="How equal candidates are told apart.",
        examples=["random"],
    )


class Run(Table):
    """How long to run, how often, and on which engine.

    Examples
    --------
    >>> Run(slots=20_000).warmup
    'auto'
    """

    model_config = ConfigDict(title="Run")

    slots: Count | None = Field(
        default=None,
        description="Length of a run in slots, warm-up included. Only a trace may leave it out: "
        "then the run is as long as the trace.",
        examples=[20000],
    )
    warmup: Warmup = Field(
        default="auto",
        description="Slots at the start that the statistics leave out; auto finds them in a pilot "
        "run (MSER-5).",
        examples=[5000, "auto"],
    )
    replications: Count = Field(
        default=1,
        description="Independent runs. The interval of a single one is that of batch means, if it "
        "is long enough. With precision, the least number.",
        examples=[8],
    )
    precision: Precision | None = Field(
        default=None,
        description="Requested half-width of the 95 % interval of the mean completion time, as a "
        "fraction of it. Replications are added until it is reached.",
        examples=[0.01],
    )
    max_replications: Count | None = Field(
        default=None,
        description="Most replications that precision may take; 100 where it is left out.",
        examples=[200],
    )
    seed: Seed = Field(
        default=1, description="Seed of every random draw, from 0 to 2**64 - 1.", examples=[1]
    )
    engine: Annotated[Literal["auto", "simpy", "compiled"], Choice()] = Field(
        default="auto",
        description="Which engine runs it: simpy (readable), compiled (fast), or auto.",
        examples=["auto"],
    )
    series_points: ServerCount = Field(
        default=1000,
        description="Largest number of points of a recorded time series.",
        examples=[1000],
    )
