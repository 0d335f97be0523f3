"""The replay as a widget: the view of the static page, in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from cluster_sim.demo.scenes import theory_of
from cluster_sim.views.pages import package_text
from cluster_sim.views.replay.page import Detail, Shown, describe, pack
from cluster_sim.views.style import look_of

__all__ = ["ReplayWidget", "encoded_runs"]

HEIGHT = 330  # pixels of the picture; a page of its own takes what the window has
_FOLDER = "cluster_sim.views.replay"

# In a notebook the ground is the notebook's, and so is the theme.
_STYLE = """
:host .csr { background: transparent; padding: 0; max-width: none; }
:host .csr .csr-theme { display: none; }
:host .csr h1 { display: none; }
"""


class ReplayWidget(anywidget.AnyWidget):
    """Plays recorded runs side by side; `show` replaces them.

    Attributes
    ----------
    runs : dict
        ``meta``, as by `cluster_sim.views.replay.page.describe`, and ``data``, the encoded runs, in
        base 64.
    """

    _esm = package_text(_FOLDER, "view.js")
    _css = package_text(_FOLDER, "view.css") + _STYLE
    runs: Any = traitlets.Dict({}).tag(sync=True)

    def __init__(self, runs: Sequence[Shown], subtitle: str = "") -> None:
        super().__init__(runs=encoded_runs(runs, subtitle))

    def show(self, runs: Sequence[Shown], subtitle: str = "") -> None:
        """Show other runs; the picture stays at its slot and goes on playing.

        Parameters
        ----------
        runs : sequence of Shown
            Of the same cluster and the same slots.
        subtitle : str
            What runs, in a line.
        """
        self.runs = encoded_runs(runs, subtitle)


def encoded_runs(runs: Sequence[Shown], subtitle: str) -> dict[str, Any]:
    """Return runs as the view takes them.

    Parameters
    ----------
    runs : sequence of Shown
    subtitle : str

    Returns
    -------
    dict
        Plain JSON types.
    """
    encoded, packed = pack(runs, Detail.AUTO)
    found = theory_of(runs[0].prepared).beneficiaries
    meta = describe(runs, encoded, packed, beneficiaries=found)
    for about, run in zip(meta["runs"], runs, strict=True):
        name = run.prepared.system.policy.name  # shorter than module:Class
        about |= {"policy": name, "colour": look_of(name).colour}
    meta |= {"subtitle": subtitle, "repeat": "", "height": HEIGHT}
    return {"meta": meta, "data": [base64.b64encode(each.data).decode() for each in packed]}
