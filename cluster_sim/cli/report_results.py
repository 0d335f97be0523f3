"""``cluster-sim report`` of a results file: what a sweep found, without running anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cluster_sim.cli.endings import Status
from cluster_sim.cli.pages import check_page, command_words, size_words
from cluster_sim.cli.run_table import plural
from cluster_sim.errors import ScenarioError

if TYPE_CHECKING:
    from cluster_sim.experiments.stored import StoredSweep

__all__ = ["report_results"]


def report_results(file: str, output: str, options: dict[str, object]) -> Status:
    """Write a page on the last sweep of a results file.

    Parameters
    ----------
    file : str
        The results file.
    output : str
        The page.
    options : dict of str to object
        Those that ask for a run, by name: none may be given.

    Returns
    -------
    Status

    Raises
    ------
    ScenarioError
        If one is given, or the page cannot go there.
    ResultsError
        If the file holds no results.
    """
    from cluster_sim.experiments.store import Store
    from cluster_sim.experiments.stored import stored_sweep
    from cluster_sim.views.inline_svg import inline_svg
    from cluster_sim.views.report import Drawing
    from cluster_sim.views.saving import check_figure, save_text
    from cluster_sim.views.sweep_report import sweep_report_page
    from cluster_sim.views.sweeps import draw_sweep

    for option, value in options.items():
        if value:
            raise ScenarioError(
                f"{option}: {file} holds results, and nothing is run; give the scenario instead, "
                "or sweep again with this option"
            )
    check_page(output)
    check_figure()
    if os.path.realpath(file) == os.path.realpath(output):
        raise ScenarioError(f"--output {output}: would overwrite the results; choose another name")
    with Store(file, read_only=True) as store:
        sweep = stored_sweep(store, folder=os.path.realpath(Path(file).parent))
    title = sweep.points[0].scenario.title or Path(file).name
    caption = "Mean completion times with 95 % intervals."
    if any(outcome.prepared.load >= 1 for outcome in sweep.outcomes):
        caption += " At and beyond capacity they only say how long the runs were."
    figure = draw_sweep(sweep.points, sweep.outcomes, title)
    page = sweep_report_page(
        sweep,
        [Drawing(inline_svg(figure, "sweep", caption), caption)],
        name=Path(file).name,
        command=(
            f"{command_words('sweep', 'scenario.toml', {'-o': file})}\n"
            f"{command_words('report', file, {'-o': output})}"
        ),
        notes=_notes(file, sweep),
    )
    path = save_text(page, output)
    print(f"{path}: {size_words(path.stat().st_size)}")
    return Status.SUCCESS


def _notes(file: str, sweep: StoredSweep) -> list[str]:
    notes = [outcome.warmup.note for outcome in sweep.outcomes]
    n = len(sweep.points)
    if sweep.n_missing:
        notes.append(
            f"{sweep.n_missing:,} of {n + sweep.n_missing:,} points have no results yet: start the "
            "sweep again for them."
        )
    if sweep.n_changed:
        notes.append(
            f"{sweep.n_changed:,} of {n:,} points have another id today: the version of "
            "cluster_sim, what a scenario holds, the trace, or the source of a policy or placement "
            "has changed since. The numbers are those that were found then."
        )
    if sweep.n_others:
        others = plural(sweep.n_others, "other point")
        notes.append(f"{file} also holds {others}, of earlier sweeps; not shown here.")
    return list(dict.fromkeys(note for note in notes if note is not None))
