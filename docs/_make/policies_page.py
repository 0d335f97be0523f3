"""The policies, from the registry."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from marking import NOTE, anchor, code, plain, table

from cluster_sim.scenario.writing import to_toml_text

_INTRODUCTION = """\
Each policy is one file in `cluster_sim/policies` with its paper, its rule, its guarantee and the
conditions of the guarantee. `cluster-sim policies` prints the same, with `--json` for programs.
{doc}`../how-to/write-a-policy` and {doc}`../how-to/write-a-task-policy` say how to add one.

A *queue* policy decides where a task joins and which queue a server serves; both engines run it. A
*task* policy assigns waiting tasks to servers; the SimPy engine runs it. *Throughput-optimal*:
stable wherever any policy is. *Heavy-traffic optimal*: the mean delay is asymptotically least at
the boundary of the capacity region.
"""

_SCHEMES = """\
What moves replicas during a run, under any policy: `scheme = ...` in `[replication]`. See
{doc}`../how-to/replication`.
"""


def page() -> str:
    """Return the page on the policies."""
    from cluster_sim.policies import find, names, replication

    known = [find(name) for name in names(None)]
    rows = [
        [
            f"[`{policy.name}`](#policy-{policy.name})",
            plain(policy.title),
            policy.kind.value,
            policy.guarantee.throughput.value,
            policy.guarantee.heavy_traffic.value,
        ]
        for policy in known
    ]
    head = ["policy", "rule", "kind", "throughput-optimal", "heavy-traffic optimal"]
    schemes = [replication.find(name) for name in replication.names()]
    return "\n".join(
        [
            f"{NOTE}# Policies\n",
            _INTRODUCTION,
            table(head, rows),
            *map(_policy, known),
            "## Replication schemes\n",
            _SCHEMES,
            *map(_scheme, schemes),
        ]
    )


def _policy(policy: Any) -> str:
    parts = [f"{anchor(f'policy-{policy.name}')}## `{policy.name}`\n", f"{plain(policy.title)}.\n"]
    guarantee = policy.guarantee
    proved = (
        f"Throughput-optimal: {guarantee.throughput.value}. Heavy-traffic optimal: "
        f"{guarantee.heavy_traffic.value}."
    )
    if guarantee.conditions:
        proved += f" Conditions: {plain(guarantee.conditions)}."
    parts.append(f"{proved}\n")
    return "\n".join([*parts, *_rest(policy)])


def _scheme(scheme: Any) -> str:
    name = f"{anchor(f'scheme-{scheme.name}')}### `{scheme.name}`\n"
    return "\n".join([name, f"{plain(scheme.title)}.\n", *_rest(scheme)])


def _rest(kind: Any) -> list[str]:
    """Return what policies and schemes both have: parameters, paper, class."""
    parts = []
    fields = [field for field in dataclasses.fields(kind) if field.init]
    if fields:
        described = _parameters(kind)
        rows = [[code(f.name), _default(f), described.get(f.name, "")] for f in fields]
        parts.append(table(["parameter", "default", "meaning"], rows))
    if kind.paper:
        parts.append(f"{plain(kind.paper)}\n")
    parts.append(f"Class: {{py:class}}`~{kind.__module__}.{kind.__qualname__}`.\n")
    return parts


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    return "must be given" if value is dataclasses.MISSING else code(to_toml_text(value))


def _parameters(policy: Any) -> dict[str, str]:
    """Return what the docstring's section Parameters says of each."""
    lines = (inspect.getdoc(policy) or "").splitlines()
    if "Parameters" not in lines:
        return {}
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines[lines.index("Parameters") + 2 :]:
        if line.startswith("---"):
            found.pop(name, None)  # it was the title of the next section
            break
        if line and not line.startswith(" "):
            name = line.partition(":")[0].strip()
            found[name] = []
        elif name:
            found[name].append(line.strip())
    return {key: plain(" ".join(words)) for key, words in found.items()}
