"""``cluster-sim policies``: the scheduling algorithms that there are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from cluster_sim.cli import streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Json

if TYPE_CHECKING:
    from cluster_sim.policies.base import Policy
    from cluster_sim.policies.replication import ReplicationScheme

__all__ = ["policies"]

_KINDS = {
    "queue": "queue policy: runs on both engines",
    "task": "task policy, over jobs or whole assignments: runs on the SimPy engine",
}


def policies(json: Json = False) -> Status:
    """List the policies, what is proved of them, and the replication schemes."""
    from cluster_sim.policies import find, names, replication

    known = [find(name) for name in names(None)]
    schemes = [replication.find(name) for name in replication.names()]
    if json:
        streams.print_json(
            {
                "policies": [_as_json(policy) for policy in known],
                "replication": [_scheme_as_json(scheme) for scheme in schemes],
            }
        )
        return Status.SUCCESS
    for policy in known:
        print("\n".join(_describe(_as_json(policy))), end="\n\n")
    print('A policy of your own: policy = "module:Class" in [scheduler].\n')
    print("Replication schemes, for scheme = ... in [replication]:\n")
    for scheme in schemes:
        print("\n".join(_describe_scheme(_scheme_as_json(scheme))), end="\n\n")
    print('A scheme of your own: scheme = "module:Class" in [replication].')
    return Status.SUCCESS


def _describe(policy: dict[str, Any]) -> list[str]:
    guarantee = policy["guarantee"]
    conditions = f" ({guarantee['conditions']})" if guarantee["conditions"] else ""
    parameters = [f"{name} = {default}" for name, default in policy["parameters"].items()]
    proved = (
        f"  throughput-optimal: {guarantee['throughput']}; heavy-traffic optimal: "
        f"{guarantee['heavy_traffic']}{conditions}"
    )
    return [
        policy["name"],
        f"  {policy['title']}",
        f"  {_KINDS[policy['kind']]}",
        proved,
        *([f"  parameters: {', '.join(parameters)}"] if parameters else []),
        *([f"  {policy['paper']}"] if policy["paper"] else []),
    ]


def _as_json(policy: type[Policy]) -> dict[str, Any]:
    guarantee = policy.guarantee
    return {
        "name": policy.name,
        "title": policy.title,
        "kind": policy.kind.value,
        "guarantee": {
            "throughput": guarantee.throughput.value,
            "heavy_traffic": guarantee.heavy_traffic.value,
            "conditions": guarantee.conditions,
        },
        "paper": policy.paper,
        "parameters": _parameters(policy),
    }


def _scheme_as_json(scheme: type[ReplicationScheme]) -> dict[str, Any]:
    return {
        "name": scheme.name,
        "title": scheme.title,
        "paper": scheme.paper,
        "parameters": _parameters(scheme),
    }


def _describe_scheme(scheme: dict[str, Any]) -> list[str]:
    parameters = [f"{name} = {default}" for name, default in scheme["parameters"].items()]
    return [
        scheme["name"],
        f"  {scheme['title']}",
        *([f"  parameters: {', '.join(parameters)}"] if parameters else []),
        *([f"  {scheme['paper']}"] if scheme["paper"] else []),
    ]


def _parameters(kind: type[Policy | ReplicationScheme]) -> dict[str, Any]:
    return {field.name: _default(field) for field in dataclasses.fields(kind) if field.init}


def _default(field: dataclasses.Field[Any]) -> Any:
    """Return the default of a parameter as plain JSON; None where it must be given."""
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return None
    return "inf" if value == float("inf") else value
