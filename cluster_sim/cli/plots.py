"""Figures that a command saves when asked to: ``--plot FILE``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_sim.cli.sweep_table import Found
    from cluster_sim.experiments.comparison import Comparison
    from cluster_sim.experiments.replications import Outcome
    from cluster_sim.recording.queue_samples import QueueSamples
    from cluster_sim.scenario.build import Prepared

__all__ = ["check_plot", "plot_comparison", "plot_outcome", "plot_sweep", "queue_samples"]


def check_plot(path: str | None) -> None:
    """Check that a figure can be drawn and saved, before anything runs.

    Parameters
    ----------
    path : str or None
        None if no figure is asked for.

    Raises
    ------
    ScenarioError
        If matplotlib is missing, or the suffix is not one of a figure.
    """
    if path is not None:
        from cluster_sim.views.saving import check_figure

        check_figure(path)


def queue_samples(path: str | None, prepared: Prepared) -> list[QueueSamples]:
    """Return the observers that the figure of a run needs.

    Parameters
    ----------
    path : str or None
        None if no figure is asked for.
    prepared : Prepared

    Returns
    -------
    list of QueueSamples
        One, or none.
    """
    if path is None:
        return []
    from cluster_sim.experiments.queue_history import sampler

    return [sampler(prepared)]


def plot_outcome(path: str | None, outcome: Outcome, samples: list[QueueSamples]) -> None:
    """Save the figure of a run, if one is asked for.

    Parameters
    ----------
    path : str or None
    outcome : Outcome
    samples : list of QueueSamples
        From `queue_samples`, after the run.
    """
    if path is not None:
        from cluster_sim.experiments.queue_history import history_of
        from cluster_sim.views.overview import draw_outcome
        from cluster_sim.views.saving import save_figure

        save_figure(draw_outcome(outcome, history_of(outcome.prepared, samples[0])), path)


def plot_comparison(path: str | None, comparison: Comparison) -> None:
    """Save the figure of a comparison, if one is asked for.

    Parameters
    ----------
    path : str or None
    comparison : Comparison
    """
    if path is not None:
        from cluster_sim.views.overview import draw_comparison
        from cluster_sim.views.saving import save_figure

        save_figure(draw_comparison(comparison), path)


def plot_sweep(path: str | None, found: Found) -> None:
    """Save the figure of a sweep, if one is asked for; of points without results it has none.

    Parameters
    ----------
    path : str or None
    found : Found
    """
    pairs = [(p, o) for p in found.points if (o := found.outcomes[p.id]) is not None]
    if path is not None and pairs:
        from cluster_sim.views.saving import save_figure
        from cluster_sim.views.sweeps import draw_sweep

        points, outcomes = zip(*pairs, strict=True)
        save_figure(draw_sweep(points, outcomes, points[0].scenario.title or found.path), path)
