"""``cluster-sim reproduce``: a claim of the paper, measured."""

from __future__ import annotations

import importlib
import json as jsonlib
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster_sim.cli import streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Json, Quiet
from cluster_sim.cli.progress import ProgressBar

if TYPE_CHECKING:
    from cluster_sim.experiments.reproductions import Report, Reproduction

__all__ = ["reproduce"]


def reproduce(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="What to reproduce; without it, the list."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Within a minute or two: wider intervals.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write the table, the numbers and the figure to this folder.",
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> Status:
    """Measure a claim of the paper and say whether it is seen.

    Each line has what was measured, its interval, what was predicted, and a verdict: seen, not
    seen, or undecided. A claim that is not seen is a result, and no failure of the command.
    """
    from cluster_sim import __version__
    from cluster_sim.experiments import reproductions

    if name is None:
        return _print_names(json=json)
    wanted = reproductions.find(name)
    folder = None if output is None else _folder(output)
    began = time.perf_counter()
    with streams.only_json(json), ProgressBar(1, is_quiet=quiet, unit="steps") as bar:
        report = wanted.run(
            quick=quick,
            directory=folder,
            progress=lambda what, done, total: bar.tell(done, what, n_total=total),
        )
    seconds = time.perf_counter() - began
    found = {"version": __version__, "quick": quick, **report.as_dict(), "wall_seconds": seconds}
    written = [] if folder is None else _write(wanted, report, found, folder)
    if json:
        streams.print_json(found | {"files": [str(path) for path in (*report.files, *written)]})
    else:
        _print_report(report, seconds)
        for path in (*report.files, *written):
            print(f"written: {path}")
    if folder is None:
        streams.note("-o DIR writes the table and the figure to a folder", is_quiet=quiet)
    return Status.SUCCESS


def _print_names(*, json: bool) -> Status:
    from cluster_sim.experiments import reproductions

    known = [reproductions.find(name) for name in reproductions.names()]
    if json:
        streams.print_json(
            {"reproductions": [{"name": each.name, "title": each.title} for each in known]}
        )
        return Status.SUCCESS
    width = max(len(each.name) for each in known)
    for each in known:
        print(f"{each.name:<{width}}  {each.title}")
    return Status.SUCCESS


def _folder(output: str) -> Path:
    """Return the folder, made if it is not there; refuse early what would fail at the end."""
    from cluster_sim.errors import ScenarioError
    from cluster_sim.views.saving import check_figure

    check_figure()
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScenarioError(
            f"--output {output}: cannot be made a folder ({reason}); choose another name"
        ) from error
    return folder


def _write(
    wanted: Reproduction, report: Report, found: dict[str, object], folder: Path
) -> list[Path]:
    from cluster_sim.views.saving import save_figure, save_text

    module, _, function = wanted.figure.partition(":")
    figure = getattr(importlib.import_module(module), function)(report)
    return [
        save_text("\n".join(_table(report)) + "\n", folder / f"{report.name}.txt"),
        save_text(
            jsonlib.dumps(streams.finite(found), indent=2) + "\n", folder / f"{report.name}.json"
        ),
        *(save_figure(figure, folder / f"{report.name}{suffix}") for suffix in (".svg", ".png")),
    ]


def _table(report: Report) -> list[str]:
    """Return the table as lines of plain text."""
    head = ("case", "quantity", "measured", "interval", "predicted", "verdict")
    rows = [
        (
            line.case,
            line.quantity,
            line.measured_words,
            line.interval_words,
            line.predicted,
            "" if line.verdict is None else line.verdict.value,
        )
        for line in report.lines
    ]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    rule = "─" * (sum(widths) + 3 * (len(widths) - 1))

    def join(row: tuple[str, ...]) -> str:
        return "   ".join(f"{cell:<{n}}" for cell, n in zip(row, widths, strict=True)).rstrip()

    return [
        f"{report.name}: {report.title}",
        "",
        *(
            line
            for sentence in (report.claim, *report.setting)
            for line in textwrap.wrap(sentence, 96, initial_indent="- ", subsequent_indent="  ")
        ),
        "",
        join(head),
        rule,
        *map(join, rows),
        "",
        f"verdict: {report.verdict.value}",
    ]


def _print_report(report: Report, seconds: float) -> None:
    print("\n".join(_table(report)))
    print(f"measured in {seconds:.0f} s")
