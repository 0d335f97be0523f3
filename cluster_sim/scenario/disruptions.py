"""The tables [failures] and [replication]: what breaks down, and what moves replicas."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from cluster_sim.scenario.fields import (
    Choice,
    Count,
    Must,
    NonNegative,
    ServerIndex,
    Table,
    Text,
)

__all__ = ["FailureEvent", "Failures", "Replication"]

MeanSlots = Annotated[
    float,
    Field(ge=1, le=1e12, allow_inf_nan=False),
    Must("be a number of slots, from 1 to 1e12"),
]
Slot = Annotated[int, Field(ge=0, le=10**15), Must("be a slot: an integer of at least 0")]
RackIndex = Annotated[
    int, Field(ge=0, le=10**9), Must("be the index of a rack: an integer of at least 0")
]


class FailureEvent(Table):
    """One planned breakdown, of a server or of the switch of a rack."""

    model_config = ConfigDict(title="Planned breakdown")

    slot: Slot = Field(description="First slot in which it is down.", examples=[100])
    down: Count = Field(description="For how many slots.", examples=[50])
    server: ServerIndex | None = Field(
        default=None, description="The server that breaks down, counted from 0.", examples=[3]
    )
    rack: RackIndex | None = Field(
        default=None,
        description="Instead of a server: the rack whose switch fails, counted from 0.",
        examples=[1],
    )


class Failures(Table):
    """Breakdowns of servers and of rack switches, and what is done about them.

    Examples
    --------
    >>> Failures(server_mean_up=1000, server_mean_down=50).disks
    'lost'
    """

    model_config = ConfigDict(title="Failures")

    server_mean_up: MeanSlots | None = Field(
        default=None,
        description="Mean slots that a server is up before it breaks down (geometric); without it, "
        "servers break down only as events say.",
        examples=[10000],
    )
    server_mean_down: MeanSlots | None = Field(
        default=None,
        description="Mean slots until it is repaired (geometric).",
        examples=[200],
    )
    rack_mean_up: MeanSlots | None = Field(
        default=None,
        description="Mean slots that the switch of a rack works before it fails (geometric).",
        examples=[50000],
    )
    rack_mean_down: MeanSlots | None = Field(
        default=None,
        description="Mean slots that the servers of its rack cannot be reached then.",
        examples=[100],
    )
    disks: Annotated[Literal["lost", "kept"], Choice()] = Field(
        default="lost",
        description="Whether a server that broke down comes back empty, or with its replicas. "
        "Behind a failed switch disks are always kept.",
        examples=["lost"],
    )
    rereplication: NonNegative = Field(
        default=0.0,
        description="Copies a slot, cluster-wide, that are made of chunks which lost a replica.",
        examples=[0.5],
    )
    lost_chunks: Annotated[Literal["fail", "wait"], Choice()] = Field(
        default="fail",
        description="What tasks do whose chunk has no replica left on any disk: fail, or wait.",
        examples=["fail"],
    )
    events: tuple[FailureEvent, ...] | None = Field(
        default=None,
        description="Planned breakdowns, one [[failures.events]] each.",
        examples=[[{"slot": 100, "down": 50, "server": 3}]],
        min_length=1,
        strict=False,
    )


class Replication(Table):
    """The replication scheme and its parameters.

    Every key but `scheme` is a parameter of the scheme, which checks it.

    Examples
    --------
    >>> Replication(scheme="dare", budget=0.1).parameters
    {'budget': 0.1}
    """

    model_config = ConfigDict(title="Replication", extra="allow")
    __pydantic_extra__: dict[str, Any]

    scheme: Text = Field(
        description="Name of a scheme (`cluster-sim policies` lists them): static, dare, scarlett; "
        "or a class of your own as module:Class. The other keys of this table are its parameters.",
        examples=["dare", "my_module:MyScheme"],
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the scheme as the scenario gives them, without defaults."""
        return dict(self.__pydantic_extra__ or {})
