"""Scheduling algorithms, one a file, and the registry that names them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from cluster_sim.errors import ClusterSimError, PolicyError, UnknownNameError, did_you_mean
from cluster_sim.policies.balanced_pandas import BalancedPandas
from cluster_sim.policies.balanced_pandas_pod import BalancedPandasPod
from cluster_sim.policies.base import (
    SHARED,
    Guarantee,
    Optimality,
    Policy,
    PolicyKind,
    QueuePolicy,
)
from cluster_sim.policies.bell_williams import BellWilliams
from cluster_sim.policies.blind_gb_pandas import BlindGBPandas
from cluster_sim.policies.choices import NO_QUEUE
from cluster_sim.policies.delay import Delay
from cluster_sim.policies.discrete_review import DiscreteReview
from cluster_sim.policies.fair import Fair
from cluster_sim.policies.fifo import Fifo
from cluster_sim.policies.generalised_c_mu import GeneralisedCMu
from cluster_sim.policies.hadoop_fifo import HadoopFifo
from cluster_sim.policies.jfiq import JFIQ
from cluster_sim.policies.jfsq import JFSQ
from cluster_sim.policies.jiq import JIQ
from cluster_sim.policies.jsq_d import JSQd
from cluster_sim.policies.jsq_local import JSQLocal
from cluster_sim.policies.jsq_maxweight import JSQMaxWeight
from cluster_sim.policies.jsq_maxweight_pod import JSQMaxWeightPod
from cluster_sim.policies.maxweight import MaxWeight
from cluster_sim.policies.maxweight_types import MaxWeightTypes
from cluster_sim.policies.priority import Priority
from cluster_sim.policies.quincy import Quincy
from cluster_sim.policies.random_local import RandomLocal
from cluster_sim.policies.registry import import_name, made, parameter_problems
from cluster_sim.policies.sparrow import Sparrow
from cluster_sim.policies.squillante import Squillante
from cluster_sim.policies.task_base import Setting, TaskPolicy, TaskScheduling

__all__ = [
    "JFIQ",
    "JFSQ",
    "JIQ",
    "NO_QUEUE",
    "SHARED",
    "BalancedPandas",
    "BalancedPandasPod",
    "BellWilliams",
    "BlindGBPandas",
    "Delay",
    "DiscreteReview",
    "Fair",
    "Fifo",
    "GeneralisedCMu",
    "Guarantee",
    "HadoopFifo",
    "JSQLocal",
    "JSQMaxWeight",
    "JSQMaxWeightPod",
    "JSQd",
    "MaxWeight",
    "MaxWeightTypes",
    "Optimality",
    "Policy",
    "PolicyKind",
    "Priority",
    "QueuePolicy",
    "Quincy",
    "RandomLocal",
    "Setting",
    "Sparrow",
    "Squillante",
    "TaskPolicy",
    "TaskScheduling",
    "check_parameters",
    "find",
    "get",
    "import_name",
    "names",
]

_REGISTRY: dict[str, type[Policy]] = {
    policy.name: policy
    for policy in (
        Priority,
        JSQMaxWeight,
        MaxWeight,
        BalancedPandas,
        BalancedPandasPod,
        JSQMaxWeightPod,
        JFSQ,
        JFIQ,
        JIQ,
        JSQLocal,
        JSQd,
        RandomLocal,
        Fifo,
        Delay,
        Fair,
        HadoopFifo,
        Quincy,
        Sparrow,
        MaxWeightTypes,
        GeneralisedCMu,
        DiscreteReview,
        BellWilliams,
        Squillante,
        BlindGBPandas,
    )
}


def names(kind: PolicyKind | None = PolicyKind.QUEUE) -> tuple[str, ...]:
    """Return the names of the built-in policies of a kind, in the order of the documentation.

    Parameters
    ----------
    kind : PolicyKind or None
        By default the queue policies, which every engine runs; None for all.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> names(PolicyKind.TASK)
    ('delay', 'fair', 'hadoop-fifo', 'quincy', 'sparrow', 'maxweight-types', 'generalised-c-mu',
     'discrete-review', 'bell-williams', 'squillante', 'blind-gb-pandas')
    """
    return tuple(name for name, policy in _REGISTRY.items() if kind in (None, policy.kind))


def find(name: str) -> type[Policy]:
    """Return the policy class of a name.

    Parameters
    ----------
    name : str
        A built-in name, or ``module:Class`` for one of your own; the module is looked for as Python
        does, and in the current directory.

    Returns
    -------
    type of QueuePolicy or of TaskPolicy

    Raises
    ------
    UnknownNameError
        If there is no such name, module or class.
    PolicyError
        If the class is not a usable policy.

    Examples
    --------
    >>> find("priority").__name__
    'Priority'
    """
    if ":" not in name:
        if name not in _REGISTRY:
            raise UnknownNameError(
                f"policy {name!r}: {did_you_mean(name, _REGISTRY)} "
                "For a policy of your own write module:Class."
            )
        return _REGISTRY[name]
    return checked(import_name(name, "policy"))


def checked(candidate: object) -> type[Policy]:
    """Return the class if it meets the contract of a policy.

    Parameters
    ----------
    candidate : object

    Returns
    -------
    type of QueuePolicy or of TaskPolicy

    Raises
    ------
    PolicyError
        If it does not; the message says what is missing.
    """
    if not (inspect.isclass(candidate) and issubclass(candidate, QueuePolicy | TaskPolicy)):
        raise PolicyError(
            f"policy {candidate!r}: must be a class derived from cluster_sim.policies.QueuePolicy, "
            "or TaskPolicy"
        )
    is_queue = issubclass(candidate, QueuePolicy)
    label = f"policy {candidate.__module__}:{candidate.__qualname__}"
    if inspect.isabstract(candidate):
        missing = ", ".join(sorted(candidate.__abstractmethods__))
        raise PolicyError(f"{label}: define {missing}" + " as static methods" * is_queue)
    for attribute in ("name", "title"):
        if not isinstance(getattr(candidate, attribute, None), str):
            raise PolicyError(f"{label}: give it a class attribute {attribute}, a str")
    for method in ("route", "serve", "weigh") if is_queue else ():
        if not isinstance(inspect.getattr_static(candidate, method), staticmethod):
            raise PolicyError(f"{label}: {method} must be a @staticmethod (it may not use self)")
        expected = list(inspect.signature(getattr(QueuePolicy, method)).parameters)
        found = list(inspect.signature(getattr(candidate, method)).parameters)
        if found != expected:
            raise PolicyError(
                f"{label}: {method}({', '.join(found)}) must take ({', '.join(expected)})"
            )
    return candidate


def get(name: str, **parameters: object) -> Policy:
    """Return a policy with its parameters.

    Parameters
    ----------
    name : str
        See `find`.
    **parameters : object
        The policy's parameters.

    Returns
    -------
    QueuePolicy or TaskPolicy

    Raises
    ------
    UnknownNameError
        If the policy or a parameter is not known.
    ScenarioError
        If a parameter's value is not allowed.

    Examples
    --------
    >>> get("priority", threshold=3)
    Priority(threshold=3)
    """
    return made(find(name), f"policy {name!r}", parameters)


def check_parameters(name: str, parameters: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return what is wrong with a ``[scheduler]`` table.

    Parameters
    ----------
    name : str
        The policy.
    parameters : mapping of str to object
        The other keys of the table.

    Returns
    -------
    list of (str, str)
        Key and message of each problem; empty if there is none.
    """
    try:
        policy = find(name)
    except ClusterSimError as error:
        return [("policy", str(error).removeprefix(f"policy {name!r}: "))]
    return parameter_problems(policy, f"policy {name!r}", parameters)
