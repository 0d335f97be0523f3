"""The paper's claims, each as an experiment with a verdict, and the registry that names them."""

from __future__ import annotations

from cluster_sim.errors import UnknownNameError, did_you_mean
from cluster_sim.experiments.reproductions import (
    collapse,
    coverage,
    figure_3,
    queue_sums,
    theorem_1,
)
from cluster_sim.experiments.reproductions.report import (
    Curve,
    Line,
    Panel,
    Report,
    Reproduction,
    Verdict,
)

__all__ = ["Curve", "Line", "Panel", "Report", "Reproduction", "Verdict", "find", "names"]


_THEOREMS = sorted((*collapse.THEOREMS, *queue_sums.THEOREMS), key=lambda each: each.number)

# The order is that of the list that the command prints.
_REGISTRY: dict[str, Reproduction] = {
    each.name: each
    for each in (
        theorem_1.REPRODUCTION,
        *(theorem.reproduction for theorem in _THEOREMS),
        figure_3.REPRODUCTION,
        coverage.REPRODUCTION,
    )
}


def names() -> tuple[str, ...]:
    """Return the names of the reproductions, in the order of the documentation.

    Returns
    -------
    tuple of str
    """
    return tuple(_REGISTRY)


def find(name: str) -> Reproduction:
    """Return the reproduction of a name.

    Parameters
    ----------
    name : str

    Returns
    -------
    Reproduction

    Raises
    ------
    UnknownNameError
        If there is no such name.
    """
    if name not in _REGISTRY:
        raise UnknownNameError(f"reproduction {name!r}: {did_you_mean(name, _REGISTRY)}")
    return _REGISTRY[name]
