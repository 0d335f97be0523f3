"""``cluster-sim policies``: the scheduling algorithms that there are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from cluster_sim.cli import streams
from cluster_sim.cli.endings import Status
from cluster_sim.cli.options import Json

if TYPE_CHECKING:
    from cluster_sim.policies.base import Policy

__all__ = ["policies"]

_KINDS = {
    "queue": "queue policy: runs on both engines",
    "task": "task policy, over jobs or whole assignments: runs on the SimPy engine",
}


def policies(json: Json = False) -> Status:
    """List the policies and what is proved of them."""
    from cluster_sim.policies import find, names

    known = [find(name) for name in names(None)]
    if json:
        streams.print_json({"policies": [_as_json(policy) for policy in known]})
        return Status.SUCCESS
    for policy in known:
        print("\n".join(_describe(_as_json(policy))), end="\n\n")
    print('A policy of your own: policy = "module:Class" in [scheduler].')
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
        "parameters": {
            field.name: _default(field) for field in dataclasses.fields(policy) if field.init
        },
    }


def _default(field: dataclasses.Field[Any]) -> Any:
    """Return the default of a parameter as plain JSON; None where it must be given."""
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return None
    return "inf" if value == float("inf") else value
