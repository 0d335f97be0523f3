"""What the registries of policies and of replication schemes share: from names to objects."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cluster_sim.errors import ClusterSimError, PolicyError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["import_name", "made", "parameter_problems"]

Made = TypeVar("Made", bound="DataclassInstance")


def import_name(name: str, what: str) -> object:
    """Return the object named ``module:Name``.

    Parameters
    ----------
    name : str
    what : str
        What it is to be, for the message.

    Returns
    -------
    object

    Raises
    ------
    UnknownNameError
        If the module cannot be imported or has no such name.
    """
    module_name, _, attribute = name.partition(":")
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise UnknownNameError(
            f"{what} {name!r}: no module {error.name!r}; run from the folder that holds it, or "
            "install it"
        ) from error
    except Exception as error:
        raise UnknownNameError(
            f"{what} {name!r}: importing {module_name} failed: {type(error).__name__}: {error}"
        ) from error
    finally:
        if added:
            sys.path.remove(here)
    if not hasattr(module, attribute):
        known = [n for n, value in vars(module).items() if inspect.isclass(value)]
        raise UnknownNameError(
            f"{what} {name!r}: module {module_name} has no {attribute!r}. "
            f"{did_you_mean(attribute, known)}"
        )
    return getattr(module, attribute)


def made(kind: type[Made], label: str, parameters: Mapping[str, object]) -> Made:
    """Return an object of a class with its parameters.

    Parameters
    ----------
    kind : type
        A dataclass; its fields are its parameters.
    label : str
        What and which it is, for messages: ``"policy 'priority'"``.
    parameters : mapping of str to object

    Returns
    -------
    object

    Raises
    ------
    UnknownNameError
        If it has no such parameter.
    ScenarioError
        If a parameter's value is not allowed.
    PolicyError
        If its class takes no such value.
    """
    for parameter in parameters:
        if parameter not in _names(kind):
            raise UnknownNameError(f"{parameter!r} {_stranger(kind, label, parameter)}")
    try:
        return kind(**parameters)
    except ClusterSimError:
        raise
    except (TypeError, ValueError) as error:
        raise PolicyError(f"{label}: {error}") from error


def parameter_problems(
    kind: type[DataclassInstance], label: str, parameters: Mapping[str, object]
) -> list[tuple[str, str]]:
    """Return what is wrong with parameters, each by itself.

    Parameters
    ----------
    kind, label, parameters
        As for `made`.

    Returns
    -------
    list of (str, str)
        Key and message of each problem; empty if there is none.
    """
    known = _names(kind)
    problems = [(key, _stranger(kind, label, key)) for key in parameters if key not in known]
    for key in parameters.keys() & set(known):
        try:
            made(kind, label, {key: parameters[key]})
        except ClusterSimError as error:
            problems.append((key, str(error).split(": ", 1)[-1]))
    return problems


def _names(kind: type[DataclassInstance]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind) if field.init]


def _stranger(kind: type[DataclassInstance], label: str, parameter: str) -> str:
    known = _names(kind)
    hint = did_you_mean(parameter, known) if known else "It has none; leave it out."
    return f"is not a parameter of {label}. {hint}"
