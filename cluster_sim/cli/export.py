"""``cluster-sim export``: a recorded run for other tools."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Engine, File, Quiet, Set
from cluster_sim.cli.pages import check_folder, size_words
from cluster_sim.cli.progress import ProgressBar
from cluster_sim.cli.run import overrides_of
from cluster_sim.cli.stretch import check_stretch
from cluster_sim.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster_sim.recording.recording import Recording
    from cluster_sim.scenario.build import Prepared

__all__ = ["export"]


class Format(enum.StrEnum):
    """What other tools read."""

    CHROME_TRACE = "chrome-trace"
    VIDIGI = "vidigi"


_SUFFIXES = {Format.CHROME_TRACE: (".json", ".json.gz"), Format.VIDIGI: (".csv", ".csv.gz")}


def export(
    file: File,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File to write: .json for a Chrome trace, .csv for vidigi; .gz compresses.",
        ),
    ],
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format", help="By default chrome-trace for .json files and vidigi for .csv files."
        ),
    ] = None,
    first: Annotated[int, typer.Option("--from", metavar="SLOT", help="First slot.")] = 0,
    slots: Annotated[
        int | None, typer.Option("--slots", metavar="N", help="Slots; by default up to 500.")
    ] = None,
    set_: Set = None,
    engine: Engine = None,
    quiet: Quiet = False,
) -> Status:
    """Write slots of a run for another tool.

    A Chrome trace opens in Perfetto (ui.perfetto.dev): racks are processes, servers are threads,
    queues are counters, a slot is a millisecond. An event log for vidigi can be animated there.
    """
    from cluster_sim.experiments.record import record
    from cluster_sim.scenario.build import prepare
    from cluster_sim.views.line_files import save_lines

    with inputs.user_modules(file):
        scenario = inputs.read(file, overrides_of(set_, engine))
        inputs.check_outputs({"--output": output}, file, scenario)
        kind = _format(output, format_)
        check_folder(output)
        with inputs.named(file):
            prepared = prepare(scenario)
        n_slots = check_stretch(prepared, first, slots)
        with ProgressBar(first + n_slots, is_quiet=quiet) as bar:
            recording, note = record(prepared, first, n_slots, progress=bar.tell)
    if note is not None:
        streams.note(note, is_quiet=quiet)
    path = save_lines(_lines(kind, prepared, recording), output)
    print(
        f"{path}: {size_words(path.stat().st_size)}, {kind.value}, slots {first} to "
        f"{first + n_slots - 1}, {recording.n_tasks:,} tasks"
    )
    return Status.SUCCESS


def _format(output: str, asked: Format | None) -> Format:
    """Return the format that is asked for, or the one of the file's name."""
    fitting = [kind for kind, suffixes in _SUFFIXES.items() if output.lower().endswith(suffixes)]
    if not fitting:
        allowed = "; ".join(f"{k.value}: {' or '.join(s)}" for k, s in _SUFFIXES.items())
        raise ScenarioError(f"--output {output}: end the name as its format does ({allowed})")
    if asked is not None and asked not in fitting:
        raise ScenarioError(
            f"--output {output}: {asked.value} files end in {' or '.join(_SUFFIXES[asked])}; "
            "choose such a name, or leave out --format"
        )
    return fitting[0]


def _lines(kind: Format, prepared: Prepared, recording: Recording) -> Iterator[str]:
    if kind is Format.VIDIGI:
        from cluster_sim.views.vidigi import vidigi_log

        return vidigi_log(recording, tier_names=prepared.system.cluster.tier_names)
    from cluster_sim.views.chrome_trace import chrome_trace

    return chrome_trace(prepared, recording)
