"""The [traffic] table: one class a kind of traffic, and the arrivals that all but a trace share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from cluster_sim.scenario.fields import (
    ArrivalRate,
    Choice,
    Count,
    Load,
    NonNegative,
    Placement,
    Positive,
    Probability,
    ServerCount,
    ServerIndex,
    Table,
    TableSize,
    Text,
    Weight,
)

__all__ = [
    "ARRIVAL_KEYS",
    "KINDS",
    "EvenTraffic",
    "HotspotTraffic",
    "TaskType",
    "TraceTraffic",
    "Traffic",
    "TypesTraffic",
    "ZipfTraffic",
]

ARRIVAL_KEYS = {"max_arrivals": "poisson", "trials": "binomial", "batch_size": "batch"}
"""Each key that belongs to one value of `arrivals` only."""


class _OfKind(Table):
    """What tells the kinds of traffic apart; declared here, it is written first."""

    kind: str


class _Loaded(_OfKind):
    """What every kind of traffic has: the load."""

    load: Load | None = Field(
        default=None,
        description="Arrival rate as a fraction of the largest that the capacity region admits "
        "in this direction; may exceed 1.",
        examples=[0.9],
    )


class _Arriving(_Loaded):
    """Traffic whose tasks arrive by a random process."""

    rate: ArrivalRate | None = Field(
        default=None,
        description="Arrival rate, Lambda, in tasks per slot; instead of load.",
        examples=[750.0],
    )
    arrivals: Annotated[Literal["poisson", "bernoulli", "binomial", "batch"], Choice()] = Field(
        default="poisson",
        description="Number of tasks per slot: poisson (truncated), bernoulli (at most one), "
        "binomial, or batch.",
        examples=["poisson"],
    )
    max_arrivals: ServerCount | None = Field(
        default=None,
        description="arrivals = poisson: largest number of tasks in a slot, C_A in the paper.",
        examples=[2000],
    )
    trials: ServerCount | None = Field(
        default=None,
        description="arrivals = binomial: number of trials per slot.",
        examples=[2000],
    )
    batch_size: ServerCount | None = Field(
        default=None,
        description="arrivals = batch: number of tasks that arrive together.",
        examples=[10],
    )


class _Placed(_OfKind):
    """Traffic whose chunks are placed by a rule."""

    replicas: Count = Field(
        default=3, description="Number of servers that hold a chunk.", examples=[3]
    )
    placement: Placement = Field(
        default="uniform",
        description="How a chunk's replicas are placed: uniform, hdfs (rack-aware: one on a random "
        "server, the others on one other rack), or a class of your own as module:Class.",
        examples=["uniform", "hdfs", "my_module:MyPlacement"],
    )


class EvenTraffic(_Arriving, _Placed):
    """Each task's replicas are drawn among all servers (paper, section 6, case 1)."""

    model_config = ConfigDict(title="Even traffic")

    kind: Literal["even"] = Field(description="Kind of traffic.", examples=["even"])


class HotspotTraffic(_Arriving, _Placed):
    """Replicas are drawn among the hot servers or among the others (paper, section 6, case 2)."""

    model_config = ConfigDict(title="Hotspot traffic")

    kind: Literal["hotspot"] = Field(description="Kind of traffic.", examples=["hotspot"])
    hot_servers: Count = Field(description="Number of hot servers, N in the paper.", examples=[500])
    hot_probability: Probability = Field(
        description="Probability that a task's replicas are on hot servers, sigma in the paper.",
        examples=[0.8],
    )


class ZipfTraffic(_Arriving, _Placed):
    """A population of placed chunks with Zipf popularity."""

    model_config = ConfigDict(title="Zipf traffic")

    kind: Literal["zipf"] = Field(description="Kind of traffic.", examples=["zipf"])
    chunks: TableSize = Field(description="Number of chunks.", examples=[10000])
    exponent: NonNegative = Field(
        description="The k-th most popular chunk is read in proportion to k ** -exponent.",
        examples=[1.1],
    )


class TaskType(Table):
    """One task type: the servers that hold its chunk, and its share of the arrivals."""

    model_config = ConfigDict(title="Task type")

    replicas_on: tuple[ServerIndex, ...] = Field(
        description="Servers that hold the chunk, counted from 0.",
        examples=[[0, 1]],
        min_length=1,
        strict=False,
    )
    weight: Weight = Field(
        description="Share of this type in the arrivals, relative to the other weights.",
        examples=[0.6],
    )


class TypesTraffic(_Arriving):
    """Explicit task types with weights."""

    model_config = ConfigDict(title="Traffic by explicit types")

    kind: Literal["types"] = Field(description="Kind of traffic.", examples=["types"])
    types: tuple[TaskType, ...] = Field(
        description="The task types, one [[traffic.types]] each.",
        examples=[[{"replicas_on": [0, 1], "weight": 0.6}]],
        min_length=1,
        strict=False,
    )


class TraceTraffic(_Loaded, _Placed):
    """A published workload, read from a file."""

    model_config = ConfigDict(title="Traffic from a trace")

    kind: Literal["trace"] = Field(description="Kind of traffic.", examples=["trace"])
    path: Text | None = Field(
        default=None,
        description="The trace, relative to the scenario file; without it, the small trace that "
        "comes with the package.",
        examples=["facebook.tsv"],
    )
    format: Annotated[Literal["swim"], Choice()] = Field(
        default="swim", description="Format of the trace.", examples=["swim"]
    )
    chunk_mib: Positive = Field(
        default=64.0,
        description="Size of a chunk in MiB: a job has one map task for each chunk of its input.",
        examples=[64],
    )
    max_tasks_per_job: Count | None = Field(
        default=None, description="Cut a job to this many tasks.", examples=[1000]
    )
    slot_seconds: Positive | None = Field(
        default=None,
        description="Length of a slot in seconds of the trace; instead of load.",
        examples=[1.0],
    )


Traffic = Annotated[
    EvenTraffic | HotspotTraffic | ZipfTraffic | TypesTraffic | TraceTraffic,
    Field(discriminator="kind"),
]

KINDS: dict[str, type[Table]] = {
    "even": EvenTraffic,
    "hotspot": HotspotTraffic,
    "zipf": ZipfTraffic,
    "types": TypesTraffic,
    "trace": TraceTraffic,
}
"""The class of each kind of traffic."""
