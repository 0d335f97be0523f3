"""Replication schemes, one a file, and the registry that names them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from cluster_sim.errors import ClusterSimError, PolicyError, UnknownNameError, did_you_mean
from cluster_sim.policies.registry import import_name, made, parameter_problems
from cluster_sim.policies.replication.base import (
    Replicating,
    ReplicationScheme,
    SchemeSetting,
    Storage,
)
from cluster_sim.policies.replication.dare import Dare
from cluster_sim.policies.replication.scarlett import Scarlett
from cluster_sim.policies.replication.static import Static

__all__ = [
    "Dare",
    "Replicating",
    "ReplicationScheme",
    "Scarlett",
    "SchemeSetting",
    "Static",
    "Storage",
    "check_parameters",
    "find",
    "get",
    "names",
]

_REGISTRY: dict[str, type[ReplicationScheme]] = {
    scheme.name: scheme for scheme in (Static, Dare, Scarlett)
}


def names() -> tuple[str, ...]:
    """Return the names of the built-in schemes.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> names()
    ('static', 'dare', 'scarlett')
    """
    return tuple(_REGISTRY)


def find(name: str) -> type[ReplicationScheme]:
    """Return the class of a scheme.

    Parameters
    ----------
    name : str
        A built-in name, or ``module:Class`` for one of your own.

    Returns
    -------
    type of ReplicationScheme

    Raises
    ------
    UnknownNameError
        If there is no such name, module or class.
    PolicyError
        If the class is not a usable scheme.

    Examples
    --------
    >>> find("dare").__name__
    'Dare'
    """
    if ":" not in name:
        if name not in _REGISTRY:
            raise UnknownNameError(
                f"replication scheme {name!r}: {did_you_mean(name, _REGISTRY)} "
                "For a scheme of your own write module:Class."
            )
        return _REGISTRY[name]
    found = import_name(name, "replication scheme")
    if not (inspect.isclass(found) and issubclass(found, ReplicationScheme)):
        raise PolicyError(
            f"replication scheme {name!r}: must be a class derived from "
            "cluster_sim.policies.replication.ReplicationScheme"
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise PolicyError(f"replication scheme {name!r}: define {missing}")
    return found


def get(name: str, **parameters: object) -> ReplicationScheme:
    """Return a scheme with its parameters.

    Parameters
    ----------
    name : str
        See `find`.
    **parameters : object
        The scheme's parameters.

    Returns
    -------
    ReplicationScheme

    Raises
    ------
    UnknownNameError
        If the scheme or a parameter is not known.
    ScenarioError
        If a parameter's value is not allowed.

    Examples
    --------
    >>> get("dare", probability=1.0).budget
    0.2
    """
    return made(find(name), f"replication scheme {name!r}", parameters)


def check_parameters(name: str, parameters: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return what is wrong with a ``[replication]`` table.

    Parameters
    ----------
    name : str
        The scheme.
    parameters : mapping of str to object
        The other keys of the table.

    Returns
    -------
    list of (str, str)
        Key and message of each problem; empty if there is none.
    """
    label = f"replication scheme {name!r}"
    try:
        scheme = find(name)
    except ClusterSimError as error:
        return [("scheme", str(error).removeprefix(f"{label}: "))]
    return parameter_problems(scheme, label, parameters)
