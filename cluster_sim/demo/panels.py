"""The controls of the demo and its panel of numbers."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cluster_sim.demo.scenes import Measured, Scene

__all__ = [
    "N_MEASURED",
    "N_WARMUP",
    "N_WATCHED",
    "POLICIES",
    "choices",
    "policies_of",
    "scene_of",
    "sliders",
    "subtitle",
    "theory_html",
]

N_WATCHED = 600  # slots in the replay
N_MEASURED, N_WARMUP = 20_000, 4_000  # slots behind the numbers

POLICIES = (
    "priority",
    "jsq-maxweight",
    "maxweight",
    "balanced-pandas",
    "jsq-local",
    "random-local",
    "fifo",
)

NOBODY = "none"
_AUTO = "α / γ, the paper's"


def sliders(mo: Any) -> dict[str, Any]:
    """Return the sliders of the demo.

    Parameters
    ----------
    mo : module
        marimo.

    Returns
    -------
    dict of str to marimo.ui.slider
    """

    def slider(start: float, stop: float, step: float, value: float, label: str) -> Any:
        return mo.ui.slider(
            start, stop, step, value=value, label=label, show_value=True, debounce=True
        )

    return {
        "load": slider(0.1, 1.1, 0.01, 0.9, "load"),
        "hot_probability": slider(0.0, 1.0, 0.05, 0.6, "hot tasks"),
        "hot_share": slider(0.1, 0.9, 0.05, 0.25, "hot servers"),
        "local": slider(0.05, 1.0, 0.05, 0.3, "α, local"),
        "rack_local": slider(0.05, 1.0, 0.05, 0.25, "β, rack-local"),
        "remote": slider(0.05, 1.0, 0.05, 0.15, "γ, remote"),
    }


def choices(mo: Any) -> dict[str, Any]:
    """Return the dropdowns of the demo.

    Parameters
    ----------
    mo : module
        marimo.

    Returns
    -------
    dict of str to marimo.ui.dropdown
    """

    def dropdown(options: Any, value: str, label: str) -> Any:
        return mo.ui.dropdown(options, value=value, label=label)

    thresholds: dict[str, Any] = {_AUTO: "auto"}
    thresholds |= {str(each): float(each) for each in (0, 1, 2, 3, 5, 8, 12)}
    thresholds["never help"] = float("inf")
    return {
        "first": dropdown(list(POLICIES), "priority", "policy, left"),
        "second": dropdown([NOBODY, *POLICIES], "jsq-local", "policy, right"),
        "threshold": dropdown(thresholds, _AUTO, "threshold"),
        "n_servers": dropdown({"20": 20, "60": 60, "100": 100}, "60", "servers"),
        "n_racks": dropdown({"1 (two tiers)": 1, "5 (three tiers)": 5}, "1 (two tiers)", "racks"),
        "seed": dropdown({str(seed): seed for seed in range(1, 10)}, "1", "seed"),
    }


def scene_of(slid: Mapping[str, float], chosen: Mapping[str, Any]) -> Scene:
    """Return the scene that the controls describe.

    Parameters
    ----------
    slid, chosen : mapping
        The values of `sliders` and `choices`.

    Returns
    -------
    Scene
    """
    n_servers = int(chosen["n_servers"])
    n_hot = min(max(round(slid["hot_share"] * n_servers), 3), n_servers - 3)
    threshold: float | Literal["auto"] = chosen["threshold"]
    return Scene(
        n_servers=n_servers,
        n_racks=int(chosen["n_racks"]),
        n_hot=n_hot,
        hot_probability=float(slid["hot_probability"]),
        load=float(slid["load"]),
        local=float(slid["local"]),
        rack_local=float(slid["rack_local"]),
        remote=float(slid["remote"]),
        threshold=threshold,
        seed=int(chosen["seed"]),
    )


def policies_of(chosen: Mapping[str, Any]) -> list[str]:
    """Return the policies to compare: one, or two that differ.

    Parameters
    ----------
    chosen : mapping
        The values of `choices`.

    Returns
    -------
    list of str
    """
    first, second = str(chosen["first"]), str(chosen["second"])
    return [first] if second in (NOBODY, first) else [first, second]


def subtitle(scene: Scene) -> str:
    """Return what is played, in a line.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    str
    """
    return (
        f"{scene.n_servers} servers, {scene.n_hot} of them hot, from an empty start; load "
        f"{scene.load:.2f} of the capacity"
    )


def theory_html(rows: Sequence[tuple[str, str]], measured: Sequence[Measured]) -> str:
    """Return the numbers of the theory and of the runs as a table.

    Parameters
    ----------
    rows : sequence of (str, str)
        As by `cluster_sim.demo.predictions.rows`.
    measured : sequence of Measured

    Returns
    -------
    str
        HTML.
    """
    cell = "padding:.1em 1em .1em 0;vertical-align:top"
    lines = "".join(
        f'<tr><th scope="row" style="{cell};text-align:left;white-space:nowrap;font-weight:600">'
        f'{html.escape(name)}</th><td style="{cell}">{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    result, notes = measured[0].result, {each.engine.note for each in measured} - {None}
    foot = f"Seen: slots {result.warmup:,} to {result.slots:,}, one replication."
    foot = " ".join([foot, *sorted(str(note) for note in notes)])
    return (
        f'<table class="theory" style="font-size:.92em">{lines}</table>'
        f'<p style="font-size:.85em;opacity:.75;margin:.3em 0 0">{html.escape(foot)}</p>'
    )
