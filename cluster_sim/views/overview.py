"""The figures of ``run --plot`` and ``compare --plot``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster_sim.views.distributions import plot_distribution
from cluster_sim.views.queues import mark_warmup, plot_in_system, plot_queues
from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cluster_sim.experiments.comparison import Comparison
    from cluster_sim.experiments.queue_history import QueueHistory
    from cluster_sim.experiments.replications import Outcome

__all__ = ["draw_comparison", "draw_outcome"]


def draw_outcome(outcome: Outcome, history: QueueHistory | None = None) -> Figure:
    """Draw what a run showed: tasks over time with the warm-up, queues, completion times.

    Parameters
    ----------
    outcome : Outcome
        The figure over time shows its first replication.
    history : QueueHistory, optional
        Of the first replication.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    n = 2 if history is None else 3
    look = look_of(outcome.policy)
    with new_figure(4.3 * n, 3.5) as figure:
        axes = figure.add_subplot(1, n, 1)
        plot_in_system(axes, outcome.results[0].series, look, f"{outcome.policy}, replication 1")
        mark_warmup(axes, outcome.warmup)
        axes.set_ylim(bottom=0)
        axes.set_title("Tasks in the system")
        axes.legend(loc="lower right")
        if history is not None:
            axes = figure.add_subplot(1, n, 2)
            plot_queues(axes, history, outcome.policy)
            axes.set_title("Queues: mean, 10th to 90th percentile")
            axes.legend()
        axes = figure.add_subplot(1, n, n)
        plot_distribution(axes, outcome.completion_times, look, outcome.policy, has_quantiles=True)
        axes.set_title(f"Completion times, mean {outcome.mean_completion_time}")
        figure.suptitle(_title(outcome), fontsize=10)
    return figure


def draw_comparison(comparison: Comparison) -> Figure:
    """Draw several policies side by side: means with intervals, tasks over time, distributions.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.
    """
    with new_figure(12.5, 3.7) as figure:
        means, over_time, distribution = (figure.add_subplot(1, 3, i) for i in (1, 2, 3))
        _plot_means(means, comparison)
        for outcome in comparison.outcomes:
            look = look_of(outcome.policy)
            plot_in_system(over_time, outcome.results[0].series, look, outcome.policy)
            plot_distribution(distribution, outcome.completion_times, look, outcome.policy)
        mark_warmup(over_time, comparison.outcomes[0].warmup)
        in_system = [outcome.results[0].series.in_system.max() for outcome in comparison.outcomes]
        if max(in_system) > 20 * max(min(in_system), 1):
            over_time.set_yscale("log")
        else:
            over_time.set_ylim(bottom=0)
        over_time.set_title("Tasks in the system, replication 1")
        distribution.set_title("Completion times")
        over_time.legend()
        distribution.legend()
        figure.suptitle(_title(comparison.outcomes[0]), fontsize=10)
    return figure


def _plot_means(axes: Axes, comparison: Comparison) -> None:
    names = [outcome.policy for outcome in comparison.outcomes]
    for place, outcome in enumerate(comparison.outcomes):
        found, look = outcome.mean_completion_time, look_of(outcome.policy)
        axes.errorbar(
            found.mean,
            place,
            xerr=found.half_width,
            color=look.colour,
            marker=look.marker,
            linestyle="",
        )
        axes.annotate(
            str(found), (found.mean, place), textcoords="offset points", xytext=(8, 6), fontsize=8
        )
    means = [outcome.mean_completion_time.mean for outcome in comparison.outcomes]
    if max(means) > 20 * min(means):
        axes.set_xscale("log")
        axes.set_xlim(min(means) / 1.5, 10 * max(means))
    else:
        axes.set_xlim(0, 1.4 * max(means))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.set(title="Mean completion time", xlabel="slots, 95 % interval")


def _title(outcome: Outcome) -> str:
    prepared = outcome.prepared
    name = prepared.scenario.title or f"{prepared.scenario.cluster.servers:,} servers"
    return f"{name}: load {prepared.load:.3g}"
