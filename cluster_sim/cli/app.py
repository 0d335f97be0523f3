"""The commands, gathered."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from cluster_sim.cli import streams
from cluster_sim.cli.check import check
from cluster_sim.cli.cite import cite
from cluster_sim.cli.compare import compare
from cluster_sim.cli.demo import demo
from cluster_sim.cli.endings import Endings, Status
from cluster_sim.cli.export import export
from cluster_sim.cli.options import Debug
from cluster_sim.cli.policies import policies
from cluster_sim.cli.replay import replay
from cluster_sim.cli.report import report
from cluster_sim.cli.reproduce import reproduce
from cluster_sim.cli.run import run
from cluster_sim.cli.sweep import sweep
from cluster_sim.cli.theory import theory
from cluster_sim.cli.trace import trace

__all__ = ["make_app", "run_app"]

_COMMANDS = (
    run,
    compare,
    sweep,
    check,
    policies,
    trace,
    theory,
    replay,
    report,
    export,
    demo,
    reproduce,
    cite,
)
_DEBUG = "--debug"


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        version = importlib.import_module("cluster_sim").__version__
        typer.echo(f"cluster-sim {version}")
        raise typer.Exit


def _describe(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    """Emulate near-data scheduling.

    A cluster whose tasks run faster where their data is.
    Exit status: 0 success, 1 the run failed, 2 the request was wrong, 130 interrupted.
    """


def make_app(endings: Endings) -> typer.Typer:
    """Return the application with all its commands.

    Parameters
    ----------
    endings : Endings

    Returns
    -------
    typer.Typer
    """
    # Without markup, help is plain text and does not load rich.
    app = typer.Typer(
        rich_markup_mode=None,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_describe)
    for command in _COMMANDS:
        app.command(command.__name__)(endings.of(command))
    return app


def run_app(arguments: list[str]) -> int:
    """Run a command and return its exit status.

    Parameters
    ----------
    arguments : list of str
        As after ``cluster-sim``.

    Returns
    -------
    int
    """
    streams.make_robust()
    given = [argument for argument in arguments if argument != _DEBUG]
    with Endings(is_debugging=len(given) < len(arguments)) as endings:
        app = make_app(endings)

        def parse_and_run() -> Status:
            try:
                return Status(app(given, prog_name="cluster-sim", standalone_mode=False) or 0)
            except Exception as error:
                # Usage errors show themselves; their class moves between versions of typer.
                if not hasattr(error, "format_message"):
                    raise
                error.show()  # type: ignore[attr-defined]
                return Status.WRONG

        return int(endings.of(parse_and_run)())
