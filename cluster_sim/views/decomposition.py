"""The ideal load decomposition of a scenario, after figure 2 of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cluster_sim.theory.task_types import FloatArray, IntArray
from cluster_sim.views.saving import new_figure
from cluster_sim.views.style import PREDICTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cluster_sim.theory.decomposition import Decomposition

__all__ = ["draw_decomposition", "shares_of"]

_LOCAL: dict[str, Any] = {"facecolor": "#0072B2", "edgecolor": "#0072B2"}
_REMOTE: dict[str, Any] = {"facecolor": "#FFFFFF", "edgecolor": "#D55E00", "hatch": "////"}
_MOST_CELLS = 60  # servers; a table of more cells shows nothing
_MOST_NAMES = 30


def shares_of(decomposition: Decomposition) -> dict[str, FloatArray]:
    """Return the parts of each queue's arrivals and of each server's time.

    Parameters
    ----------
    decomposition : Decomposition

    Returns
    -------
    dict of str to float64 array, shape (n_servers,)
        ``kept``, ``given``: tasks per slot of queue n that server n serves itself, and that others
        serve. ``own``, ``others``: share of the slots that server m spends on its own queue, and on
        others'.

    References
    ----------
    Section 3.2 of the paper, nu_{n,m}.
    """
    n_servers = decomposition.types.n_servers
    nu = decomposition.nu
    kept = np.asarray(nu.diagonal(), dtype=np.float64)
    queues = np.asarray(nu.sum(axis=1), dtype=np.float64).reshape(n_servers)
    own = kept / decomposition.local_rate
    return {
        "kept": kept,
        "given": queues - kept,
        "own": own,
        "others": np.maximum(decomposition.server_loads - own, 0.0),
    }


def draw_decomposition(decomposition: Decomposition, title: str = "") -> Figure:
    """Draw who serves what under an ideal load decomposition.

    Left, the arrivals at each queue: what its own server serves, and what helpers serve. Middle,
    the time of each server: on its own queue, on others', idle. Right, in clusters of up to 60
    servers, the rates nu_{n,m} of queue n served by server m.

    Parameters
    ----------
    decomposition : Decomposition
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If matplotlib is missing.

    References
    ----------
    Figure 2 of the paper.
    """
    order = np.concatenate([decomposition.helpers, decomposition.beneficiaries])
    shares = {name: values[order] for name, values in shares_of(decomposition).items()}
    has_table = len(order) <= _MOST_CELLS
    with new_figure(13.0 if has_table else 9.0, 4.2) as figure:
        first, second, *rest = figure.subplots(1, 3 if has_table else 2)
        _draw_bars(
            first,
            (shares["kept"], shares["given"]),
            ("by its own server", "by helpers"),
            ("Arrivals at each queue", "tasks per slot"),
            (decomposition.local_rate, "alpha"),
        )
        _draw_bars(
            second,
            (shares["own"], shares["others"]),
            ("on its own queue", "on other queues"),
            ("Time of each server", "share of the slots"),
            (1.0, "all slots"),
        )
        for axes in (first, second):
            _label_servers(axes, order, decomposition.n_helpers)
        for axes in rest:
            _draw_table(axes, decomposition, order)
        figure.suptitle(
            f"{title}: {decomposition.n_helpers} helpers, "
            f"{decomposition.n_beneficiaries} beneficiaries, "
            f"epsilon = {decomposition.epsilon:.4g} tasks per slot",
            fontsize=10,
        )
    return figure


def _draw_bars(
    axes: Axes,
    parts: tuple[FloatArray, FloatArray],
    labels: tuple[str, str],
    texts: tuple[str, str],
    level: tuple[float, str],
) -> None:
    x = np.arange(len(parts[0]))
    width = 0.8 if len(x) <= _MOST_CELLS else 1.0
    axes.bar(x, parts[0], width, label=labels[0], linewidth=0.4, **_LOCAL)
    axes.bar(x, parts[1], width, bottom=parts[0], label=labels[1], linewidth=0.4, **_REMOTE)
    axes.axhline(level[0], color=PREDICTION.colour, linestyle="--", linewidth=1.0, label=level[1])
    top = max(float((parts[0] + parts[1]).max()), level[0])
    axes.set(title=texts[0], ylabel=texts[1], ylim=(0.0, 1.35 * top))
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper left", ncols=3, fontsize=7, columnspacing=1.0, handlelength=1.4)


def _label_servers(axes: Axes, order: IntArray, n_helpers: int) -> None:
    """Name the servers where there is room, and the two kinds of them."""
    n = len(order)
    names = [str(server) for server in order] if n <= _MOST_NAMES else []
    axes.set_xticks(np.arange(len(names)), names)
    axes.set(xlim=(-0.6, n - 0.4), xlabel="server: helpers first, then beneficiaries")
    if 0 < n_helpers < n:
        # Not up to the legend.
        axes.axvline(n_helpers - 0.5, ymax=0.86, color=PREDICTION.colour, linewidth=0.8)


def _draw_table(axes: Axes, decomposition: Decomposition, order: IntArray) -> None:
    """Shade the rates nu_{n,m}; in small clusters also write them."""
    from matplotlib.colors import PowerNorm

    table = decomposition.nu.toarray()[np.ix_(order, order)]
    # A square root, for remote rates are small beside local ones.
    shade = PowerNorm(0.5, vmin=0.0, vmax=1.25 * max(float(table.max()), 1e-12))
    axes.imshow(table, cmap="Greys", norm=shade)
    if len(order) <= 12:
        for (row, column), rate in np.ndenumerate(table):
            if rate > 0.0:
                dark = rate > 0.4 * table.max()
                axes.text(
                    column,
                    row,
                    f"{rate:.2g}",
                    ha="center",
                    va="center",
                    fontsize=6,
                    color="white" if dark else "black",
                )
    names = [str(server) for server in order] if len(order) <= _MOST_NAMES else []
    axes.set_xticks(np.arange(len(names)), names)
    axes.set_yticks(np.arange(len(names)), names)
    axes.grid(visible=False)
    axes.set(title="nu: queue n served by server m", xlabel="server m", ylabel="queue n")
