"""Theorems 2, 4 and 7: which parts of the queue vector grow near the boundary, and which do not."""

from __future__ import annotations

from cluster_sim.experiments.reproductions.approach import growth_exponents
from cluster_sim.experiments.reproductions.heavy_traffic import (
    Found,
    Theorem,
    case,
    curve,
    exponent_line,
    values,
)
from cluster_sim.experiments.reproductions.report import Line, Panel
from cluster_sim.experiments.reproductions.verdicts import stays_bounded, with_queues

__all__ = ["THEOREMS", "collapse_lines", "helper_lines"]

_BOUNDED = "0: bounded"


def helper_lines(found: Found) -> tuple[Line, ...]:
    """Return the lines of Theorem 2: the helper queues stay bounded.

    Parameters
    ----------
    found : dict of str to list of Distance
        Other policies than ``"priority"`` are there for contrast.

    Returns
    -------
    tuple of Line
    """
    lines = [
        Line(
            case(each),
            "E[sum of helper queues]",
            each.estimate("helpers"),
            "bounded",
            None,
            values(each),
        )
        for each in found["priority"]
    ]
    for policy, distances in found.items():
        exponent = growth_exponents(distances, "helpers")
        is_ours = policy == "priority"
        lines.append(
            exponent_line(
                policy,
                "helper queues",
                exponent,
                _BOUNDED if is_ours else "1: with the others (section 1.3)",
                stays_bounded(exponent) if is_ours else with_queues(exponent),
            )
        )
    return tuple(lines)


def collapse_lines(found: Found) -> tuple[Line, ...]:
    """Return the lines of Theorem 4 or 7: only the part along c grows.

    Parameters
    ----------
    found : dict of str to list of Distance
        Other policies than ``"priority"`` are there for contrast.

    Returns
    -------
    tuple of Line
    """
    lines = [
        Line(case(each), quantity, each.estimate(key), words, None, values(each))
        for each in found["priority"]
        for quantity, key, words in (
            ("E||Q_par||", "parallel", "grows"),
            ("E||Q_perp||", "perpendicular", "bounded"),
        )
    ]
    for policy, distances in found.items():
        if policy != "priority":
            exponent = growth_exponents(distances, "perpendicular")
            lines.append(
                exponent_line(
                    policy, "E||Q_perp||", exponent, "1: no collapse", with_queues(exponent)
                )
            )
            continue
        along = growth_exponents(distances, "parallel")
        lines.append(
            exponent_line(policy, "E||Q_par||", along, "1: with the queues", with_queues(along))
        )
        for quantity, key in (
            ("E||Q_perp||", "perpendicular"),
            ("E||Q_perp||^2", "perpendicular_squared"),
        ):
            across = growth_exponents(distances, key)
            lines.append(exponent_line(policy, quantity, across, _BOUNDED, stays_bounded(across)))
    return tuple(lines)


def _panel(found: Found, title: str, y_label: str, key: str) -> Panel:
    return Panel(
        title,
        "epsilon, tasks per slot",
        y_label,
        tuple(curve(policy, distances, key) for policy, distances in found.items()),
        is_x_log=True,
        is_y_log=True,
    )


def _helper_panels(found: Found) -> tuple[Panel, ...]:
    return (
        _panel(found, "Helpers", "mean sum of the queues", "helpers"),
        _panel(found, "Beneficiaries", "mean sum of the queues", "bounded"),
    )


def _collapse_panels(found: Found) -> tuple[Panel, ...]:
    return (
        _panel(found, "Along c", "mean norm of the part", "parallel"),
        _panel(found, "Across c", "mean norm of the part", "perpendicular"),
    )


_COLLAPSE = (
    "The part of the queue vector across the direction c stays bounded as epsilon falls; only the "
    "part along c grows."
)

THEOREMS = (
    Theorem(
        2,
        "Helper queues stay bounded (locally overloaded)",
        "The helper queues stay bounded as epsilon falls.",
        "locally-overloaded",
        helper_lines,
        _helper_panels,
        ("jsq-maxweight",),
    ),
    Theorem(
        4,
        "State-space collapse (locally overloaded)",
        _COLLAPSE,
        "locally-overloaded",
        collapse_lines,
        _collapse_panels,
        ("jsq-maxweight",),
    ),
    Theorem(
        7,
        "State-space collapse (evenly loaded)",
        _COLLAPSE,
        "evenly-loaded",
        collapse_lines,
        _collapse_panels,
        ("random-local",),
    ),
)
"""Theorems 2, 4 and 7."""
