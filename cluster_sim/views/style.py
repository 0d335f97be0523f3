"""How figures look: one colour, marker and line for every policy, everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

__all__ = ["PREDICTION", "Look", "look_of", "settings"]

# Okabe and Ito's palette: told apart with any kind of colour blindness. Its yellow is too faint for
# lines on white and left out.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p", "h")
_LINES: tuple[str | tuple[int, tuple[int, ...]], ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (6, 1, 1, 1, 1, 1)),
    (0, (8, 2)),
    (0, (3, 1)),
)

_SETTINGS: dict[str, object] = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "font.size": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "errorbar.capsize": 2.5,
    # Text stays text in SVG, and the same figure is the same file.
    "svg.fonttype": "none",
    "svg.hashsalt": "cluster_sim",
}


def settings() -> Any:
    """Return the matplotlib settings of every figure.

    Returns
    -------
    dict
        For ``matplotlib.rc_context``.
    """
    return dict(_SETTINGS)


@dataclass(frozen=True)
class Look:
    """How a curve is drawn.

    Parameters
    ----------
    colour : str
        ``"#RRGGBB"``.
    marker : str
    line : str or (int, tuple of int)
        A matplotlib line style.
    """

    colour: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]

    def as_arguments(self) -> dict[str, Any]:
        """Return keyword arguments for matplotlib's ``plot`` and ``errorbar``.

        Returns
        -------
        dict
        """
        return {"color": self.colour, "marker": self.marker, "linestyle": self.line}


PREDICTION = Look("#555555", "", (0, (4, 2)))
"""Predictions and bounds: grey, dashed, without markers."""

# Fixed places, so that a new policy never changes the look of an old one.
# In the order of their looks, which a name keeps for ever: new ones go to the end.
_FIXED = (
    "priority",
    "jsq-maxweight",
    "maxweight",
    "jsq-local",
    "random-local",
    "fifo",
    "balanced-pandas",
    "balanced-pandas-pod",
    "jsq-maxweight-pod",
    "jfsq",
    "jfiq",
    "jiq",
    "jsq-d",
    "delay",
    "fair",
    "hadoop-fifo",
    "quincy",
    "sparrow",
    "maxweight-types",
    "generalised-c-mu",
    "discrete-review",
    "bell-williams",
    "squillante",
    "blind-gb-pandas",
)


def look_of(policy: str) -> Look:
    """Return the look of a policy.

    Parameters
    ----------
    policy : str
        A registered name, or any other: ``module:Class``.

    Returns
    -------
    Look
        Always the same for a name. Markers and lines tell curves apart in black and white.

    Notes
    -----
    A name without a fixed place gets its look from a hash (SHA-256) of the name, so that it does
    not depend on what else is drawn, nor on the process.

    Examples
    --------
    >>> look_of("priority")
    Look(colour='#0072B2', marker='o', line='-')
    >>> look_of("my_module:MyPolicy") == look_of("my_module:MyPolicy")
    True
    """
    i = (
        _FIXED.index(policy)
        if policy in _FIXED
        else int.from_bytes(hashlib.sha256(policy.encode()).digest()[:8], "big")
    )
    # 7 and 12 have no common divisor: 84 looks before one comes again.
    n = len(_COLOURS)
    return Look(_COLOURS[i % n], _MARKERS[i % len(_MARKERS)], _LINES[i % n])
