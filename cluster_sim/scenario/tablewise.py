"""What is wrong with each table of a scenario by itself, in words of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cluster_sim.errors import did_you_mean
from cluster_sim.scenario.conditions import Estimates, Phases, ServerSpeed
from cluster_sim.scenario.disruptions import FailureEvent, Failures, Replication
from cluster_sim.scenario.fields import Table, Text, is_custom
from cluster_sim.scenario.problems import Finding, KeyPath
from cluster_sim.scenario.tables import LEVEL_SUFFIX, Cluster, Reading, Run, Scheduler, Service
from cluster_sim.scenario.traffic import KINDS, TaskType
from cluster_sim.scenario.writing import to_toml_text

__all__ = [
    "OPEN",
    "TABLES",
    "check_table",
    "check_title",
    "is_missing",
    "keys_of",
    "kind_of",
    "model_of",
    "unknown_tables",
]

TABLES: dict[str, type[Table] | None] = {
    "cluster": Cluster,
    "service": Service,
    "traffic": None,  # its class depends on its kind
    "scheduler": Scheduler,
    "reading": Reading,
    "run": Run,
    "phases": Phases,
    "estimates": Estimates,
    "failures": Failures,
    "replication": Replication,
}
OPTIONAL = frozenset({"reading", "phases", "estimates", "failures", "replication"})
OPEN = frozenset({"scheduler", "replication"})  # tables with keys that somebody else checks
_INNER: dict[str, type[Table]] = {  # arrays of tables
    "types": TaskType,
    "speeds": ServerSpeed,
    "events": FailureEvent,
}
_RATED = ("service", "estimates")  # tables with a key for each tier
_TEXT: TypeAdapter[str] = TypeAdapter(Text)


def check_title(given: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the title.

    Parameters
    ----------
    given : mapping
        The scenario.

    Yields
    ------
    Finding
    """
    if "title" in given:
        try:
            _TEXT.validate_python(given["title"])
        except ValidationError:
            yield Finding(("title",), "must be text in quotes, and not empty", given["title"])


def unknown_tables(given: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield every key of a scenario that is neither a table nor the title.

    Parameters
    ----------
    given : mapping
        The scenario.

    Yields
    ------
    Finding
    """
    for key, value in given.items():
        if key in ("title", "sweep", *TABLES):
            continue
        homes = _homes(key)
        if homes and not isinstance(value, dict):
            hint = f"belongs in {_tables(homes)}; move it below that header"
        else:
            what = "table" if isinstance(value, dict) else "key"
            hint = f"unknown {what}. {did_you_mean(key, ['title', 'sweep', *TABLES])}"
        yield Finding((key,), hint, value)


def check_table(name: str, given: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with one table by itself.

    Parameters
    ----------
    name : str
        One of `TABLES`.
    given : mapping
        The scenario.

    Returns
    -------
    list of Finding
    """
    if name not in given:
        return [] if name in OPTIONAL else [Finding((name,), f"missing; add {_example(name)}")]
    table = given[name]
    if not isinstance(table, dict):
        brackets = ", with single brackets" if isinstance(table, list) else ""
        return [Finding((name,), f"must be a table: write [{name}]{brackets}", table)]
    model = model_of(name, table)
    found = [
        Finding((name, key), _unknown_key(name, key, table), value)
        for key, value in table.items()
        if not _is_known(name, key, table)
    ]
    unknown = {finding.path[1] for finding in found}
    known = {key: value for key, value in table.items() if key not in unknown}
    if name == "traffic" and kind_of(table) is None:
        found.append(_no_kind(table, model))
        # The rest is checked as the likeliest kind, for what is wrong whatever the kind.
        known["kind"] = next(kind for kind, owner in KINDS.items() if owner is model)
        known = {key: value for key, value in known.items() if key in model.model_fields}
        return found + [f for f in _errors(name, model, known) if not is_missing(f)]
    return found + _errors(name, model, known)


def _errors(name: str, model: type[Table], table: dict[str, Any]) -> list[Finding]:
    """Translate what pydantic finds; none of its own words go out."""
    try:
        model.model_validate(table)
    except ValidationError as error:
        entries = error.errors(include_url=False)
    else:
        return []
    found = []
    for entry in entries:
        path: KeyPath = (name, *entry["loc"])
        if is_custom(entry["type"]):
            found.append(Finding(path, entry["ctx"]["words"], entry["input"]))
        elif entry["type"] == "missing":
            found.append(Finding(path, _missing(model, entry["loc"])))
        elif entry["type"] != "too_short" or not entry["input"]:
            # pydantic counts valid items only; an array of invalid ones is not empty
            message = _shape(model, entry["type"], entry["loc"])
            found.append(Finding(path, message, entry["input"]))
    return found


def _shape(model: type[Table], kind: str, place: tuple[str | int, ...]) -> str:
    """Return the message for a value of the wrong shape: no array, no table, nothing in it."""
    fields = _fields_at(model, place)
    key = str(place[-1])
    if kind == "extra_forbidden":
        return f"unknown key. {did_you_mean(key, fields)}"
    if kind.startswith("model"):
        inner = _INNER[str(place[0])].model_fields
        shown = {name: (field.examples or [1])[0] for name, field in inner.items()}
        return f"must be a table, for example {to_toml_text(shown)}"
    wanted = {"tuple_type": "must be an array", "dict_type": "must be a table"}
    example = fields[key].examples if key in fields else None
    also = f", for example {to_toml_text(example[0])}" if example else ""
    return wanted.get(kind, "must not be empty" if kind == "too_short" else "is not usable") + also


def _missing(model: type[Table], place: tuple[str | int, ...]) -> str:
    key = str(place[-1])
    examples = _fields_at(model, place)[key].examples or [1]
    return f"missing; add for example {key} = {to_toml_text(examples[0])}"


def _fields_at(model: type[Table], place: tuple[str | int, ...]) -> dict[str, Any]:
    """Return the fields of the table that a place is in: the model's, or of a table inside it."""
    return dict((_INNER[str(place[0])] if len(place) > 2 else model).model_fields)


def _no_kind(table: dict[str, Any], model: type[Table]) -> Finding:
    likely = next(kind for kind, owner in KINDS.items() if owner is model)
    if "kind" not in table:
        return Finding(
            ("traffic", "kind"),
            f'missing; add for example kind = "{likely}". Known: {", ".join(KINDS)}.',
        )
    kind = table["kind"]
    if isinstance(kind, str):
        return Finding(("traffic", "kind"), f"is not known. {did_you_mean(kind, KINDS)}", kind)
    listed = ", ".join(f'"{name}"' for name in KINDS)
    return Finding(("traffic", "kind"), f"must be one of {listed}", kind)


def kind_of(table: Mapping[str, Any]) -> str | None:
    """Return the kind of a [traffic] table, or None if it has no known one.

    Parameters
    ----------
    table : mapping

    Returns
    -------
    str or None
    """
    kind = table.get("kind")
    return kind if isinstance(kind, str) and kind in KINDS else None


def model_of(name: str, table: Mapping[str, Any]) -> type[Table]:
    """Return the class of a table; for traffic of no known kind, of the kind most like it.

    Parameters
    ----------
    name : str
        One of `TABLES`.
    table : mapping
        Its keys and values.

    Returns
    -------
    type
    """
    model = TABLES[name]
    if model is not None:
        return model
    kind = kind_of(table)
    if kind is not None:
        return KINDS[kind]
    return max(KINDS.values(), key=lambda owner: sum(key in owner.model_fields for key in table))


def keys_of(name: str) -> set[str]:
    """Return every key that a table may have by the schema, whatever its kind.

    Parameters
    ----------
    name : str
        One of `TABLES`.

    Returns
    -------
    set of str
    """
    model = TABLES[name]
    models = KINDS.values() if model is None else [model]
    return {key for owner in models for key in owner.model_fields}


def _is_known(name: str, key: str, table: Mapping[str, Any]) -> bool:
    if name in OPEN or (name in _RATED and key.endswith(LEVEL_SUFFIX)):
        return True
    if name == "traffic" and kind_of(table) is None:
        return key in keys_of(name)
    return key in model_of(name, table).model_fields


def _unknown_key(name: str, key: str, table: Mapping[str, Any]) -> str:
    """Return what to do about a key that does not belong where it stands."""
    if name == "traffic" and key in keys_of(name):
        owners = [kind for kind, owner in KINDS.items() if key in owner.model_fields]
        listed = " or ".join(f'"{kind}"' for kind in owners)
        return (
            f'belongs to kind = {listed}, and kind is "{table["kind"]}"; remove {key} or '
            "change the kind"
        )
    homes = _homes(key)
    if homes:
        return f"belongs in {_tables(homes)}; move it there"
    return f"unknown key. {did_you_mean(key, model_of(name, table).model_fields)}"


def _homes(key: str) -> list[str]:
    """Return the tables that a key may be in; that of the rates rather than that of estimates."""
    homes = [name for name in TABLES if key in keys_of(name)]
    return [name for name in homes if name != "estimates" or "service" not in homes]


def _tables(names: list[str]) -> str:
    return " or ".join(f"[{name}]" for name in names)


def _example(name: str) -> str:
    """Return the smallest table of a name, as one would type it."""
    model = model_of(name, {"kind": "even"})
    required = [(key, field) for key, field in model.model_fields.items() if field.is_required()]
    pairs = [f"{key} = {to_toml_text((field.examples or [1])[0])}" for key, field in required]
    if name == "traffic":
        pairs.append("load = 0.9")
    if name == "run":  # only a trace may leave it out
        pairs.append("slots = 20000")
    return f"[{name}] with {', '.join(pairs)}"


def is_missing(finding: Finding) -> bool:
    """Return whether a finding is about a key that is not there.

    Parameters
    ----------
    finding : Finding

    Returns
    -------
    bool
    """
    return finding.value is None and finding.message.startswith("missing")
