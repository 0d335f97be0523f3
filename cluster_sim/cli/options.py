"""Options that several commands share."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

__all__ = ["Debug", "Engine", "EngineName", "File", "Json", "Plot", "Quiet", "Set"]


class EngineName(enum.StrEnum):
    """The engines that a user may ask for."""

    AUTO = "auto"
    SIMPY = "simpy"
    COMPILED = "compiled"


File = Annotated[
    str, typer.Argument(metavar="FILE", help="Scenario file (TOML); - reads standard input.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Override a field of the scenario, e.g. traffic.load=0.95. May be repeated.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress bar and no notes on standard error.")
]
Plot = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE", help="Save a figure to this file (.svg or .png)."),
]
Engine = Annotated[
    EngineName | None, typer.Option("--engine", help="Short for --set run.engine=ENGINE.")
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback if something unforeseen fails.")
]
