"""``cluster-sim replay``: a page that plays a recorded run."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster_sim.cli import inputs, streams
from cluster_sim.cli.compare import policy_names
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Engine, File, Quiet, Set
from cluster_sim.cli.pages import check_page, command_words, size_words
from cluster_sim.cli.progress import ProgressBar
from cluster_sim.cli.run import overrides_of
from cluster_sim.cli.stretch import check_stretch
from cluster_sim.errors import ScenarioError

if TYPE_CHECKING:
    from cluster_sim.scenario.build import Prepared
    from cluster_sim.views.replay.page import Shown

__all__ = ["replay"]

_BY_DEFAULT = "replay.html"


class DetailName(enum.StrEnum):
    """How much of a recording goes into the page."""

    AUTO = "auto"
    FULL = "full"
    STATES = "states"


def replay(
    file: File,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")
    ] = _BY_DEFAULT,
    policies: Annotated[
        str | None,
        typer.Option(
            "--policies",
            metavar="A,B[,C...]",
            help="Policies side by side on the same tasks; by default the scenario's own.",
        ),
    ] = None,
    first: Annotated[
        int, typer.Option("--from", metavar="SLOT", help="First slot of the replay.")
    ] = 0,
    slots: Annotated[
        int | None,
        typer.Option("--slots", metavar="N", help="Slots of the replay; by default up to 500."),
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Replay this event log, of run --events, instead of running the scenario.",
        ),
    ] = None,
    detail: Annotated[
        DetailName,
        typer.Option(
            "--detail",
            help="full: with who took which task; states: without; auto: full below about 1 MB.",
        ),
    ] = DetailName.AUTO,
    set_: Set = None,
    engine: Engine = None,
    quiet: Quiet = False,
) -> Status:
    """Write a page that plays a run.

    One HTML file that needs no network and no other file. It shows the first replication: servers
    and their queues, which tasks run where they are local, and which are taken from another
    server's queue. Several policies play side by side, under the same arrivals and one clock.
    """
    from cluster_sim.cli.run_table import scenario_words
    from cluster_sim.experiments.record import prepare_policies
    from cluster_sim.views.replay.page import Detail, replay_page
    from cluster_sim.views.saving import save_text

    with inputs.user_modules(file):
        scenario = inputs.read(_scenario_file(file), overrides_of(set_, engine))
        inputs.check_outputs({"--events": events, "--output": output}, file, scenario)
        check_page(output)
        names = [] if policies is None else policy_names(policies)
        _check_policies(names, events)
        with inputs.named(file):
            prepared = prepare_policies(scenario, names)
        n_slots = check_stretch(prepared[0], first, slots)
        runs = (
            _record(prepared, first, n_slots, is_quiet=quiet)
            if events is None
            else _read(prepared[0], events, first, n_slots)
        )
    options = {"--policies": policies, "--from": first or None, "--slots": n_slots}
    again = command_words("replay", file, options | {"--events": events, "--set": set_})
    subtitle = _subtitle(prepared, first, n_slots, scenario_words(prepared[0]))
    repeat = f"Made by cluster_sim {_version()} with seed {scenario.run.seed}: {again}"
    page = replay_page(runs, detail=Detail(detail.value), subtitle=subtitle, repeat=repeat)
    path = save_text(page.text, output)
    _print_summary(path, runs)
    if not page.has_pairs and detail is DetailName.AUTO:
        streams.note(
            "the page does not hold which server took which task, to stay below about 1 MB; "
            "choose fewer --slots or --detail full to see tasks on the move",
            is_quiet=quiet,
        )
    return Status.SUCCESS


def _version() -> str:
    from cluster_sim import __version__

    return __version__


def _scenario_file(file: str) -> str:
    """Return the file, unless it is an event log: that alone cannot be replayed."""
    if file.endswith((".csv", ".csv.gz")):
        raise ScenarioError(
            f"{file}: is a log, which does not say where the servers stand nor who owns the "
            f"queues; name the scenario it is of: cluster-sim replay SCENARIO --events {file}"
        )
    return file


def _check_policies(names: list[str], events: str | None) -> None:
    if len(set(names)) != len(names):
        raise ScenarioError(f"--policies {','.join(names)}: names one twice; leave it out")
    if len(names) > 1 and events is not None:
        raise ScenarioError(
            f"--events {events}: is the log of one policy; name that one in --policies, or leave "
            "out --events to run them all"
        )


def _record(prepared: list[Prepared], first: int, n_slots: int, *, is_quiet: bool) -> list[Shown]:
    from cluster_sim.experiments.record import record
    from cluster_sim.views.replay.page import Shown

    end = first + n_slots
    runs: list[Shown] = []
    with ProgressBar(len(prepared) * end, is_quiet=is_quiet) as bar:
        for each in prepared:
            policy, n_before = str(each.scenario.scheduler.policy), len(runs) * end

            def tell(slot: int, n_before: int = n_before, policy: str = policy) -> None:
                bar.tell(n_before + slot, policy)

            recording, note = record(each, first, n_slots, progress=tell)
            runs.append(Shown(each, recording))
            if note is not None:
                streams.note(f"{policy}: {note}", is_quiet=is_quiet)
    return runs


def _read(prepared: Prepared, events: str, first: int, n_slots: int) -> list[Shown]:
    from cluster_sim.recording.log_reading import read_event_log
    from cluster_sim.views.replay.page import Shown, layout_of

    layout = layout_of(prepared)
    recording = read_event_log(
        events,
        first_slot=first,
        n_slots=n_slots,
        tier_names=prepared.system.cluster.tier_names,
        n_servers=layout.n_servers,
        n_queues=layout.n_queues,
    )
    return [Shown(prepared, recording)]


def _subtitle(prepared: list[Prepared], first: int, n_slots: int, words: str) -> str:
    names = " and ".join(str(each.scenario.scheduler.policy) for each in prepared)
    what = words if len(prepared) == 1 else f"{names} on {words.split(' on ', 1)[-1]}"
    return (
        f"{what}; load {prepared[0].load:.3g} of the capacity; slots {first} to "
        f"{first + n_slots - 1} of the first replication"
    )


def _print_summary(path: Path, runs: list[Shown]) -> None:
    recording = runs[0].recording
    last = recording.end_slot - 1
    policies = ", ".join(run.policy for run in runs)
    print(
        f"{path}: {size_words(path.stat().st_size)}, slots {recording.first_slot} to {last}, "
        f"{recording.n_tasks:,} tasks, under {policies}"
    )
