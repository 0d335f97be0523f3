"""The errors a user can meet. Each is also a builtin, so that plain ``except ValueError`` works."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ClusterSimError",
    "DecisionError",
    "PolicyError",
    "ResultsError",
    "ScenarioError",
    "StorageError",
    "TraceError",
    "UnknownNameError",
    "did_you_mean",
]


class ClusterSimError(Exception):
    """Base of every error that cluster_sim raises on purpose."""


class ScenarioError(ClusterSimError, ValueError):
    """A scenario, or a value that would go into one, is not usable."""


class TraceError(ClusterSimError, ValueError):
    """A workload trace cannot be read; the message names file and line."""


class PolicyError(ClusterSimError, TypeError):
    """A class offered as a policy does not meet the policy contract."""


class ResultsError(ClusterSimError, ValueError):
    """A results file cannot be used: it is damaged, foreign, of another version, or in use."""


class StorageError(ClusterSimError, OSError):
    """Results cannot be written any more: the disk is full, or gone."""


class DecisionError(ClusterSimError, RuntimeError):
    """A policy decided something that cannot be done; the message tells the story."""


class UnknownNameError(ClusterSimError, LookupError):
    """A name is not in the registry that was asked."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the sentence that helps after an unknown name.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        What there is.

    Returns
    -------
    str
        The nearest known name, if one is near, and the list of all of them.

    Examples
    --------
    >>> did_you_mean("prioritty", ["priority", "fifo"])
    "Did you mean 'priority'? Known: fifo, priority."
    """
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"Did you mean {nearest[0]!r}? " if nearest else ""
    return f"{hint}Known: {', '.join(names) if names else 'none'}."
