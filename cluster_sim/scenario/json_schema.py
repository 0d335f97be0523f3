"""The JSON Schema of scenario files, for editors that complete and check TOML."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from cluster_sim.scenario.ranges import SCALES
from cluster_sim.scenario.schema import Scenario
from cluster_sim.scenario.tablewise import TABLES

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file.

    Returns
    -------
    dict
        Draft 2020-12; every field has a description and examples. Rules between tables are not in
        it: the reader checks them.

    Examples
    --------
    >>> json_schema()["title"]
    'cluster_sim scenario'
    """
    schema = _without_null(Scenario.model_json_schema(schema_generator=_InOrder))
    definitions = schema["$defs"]
    for table in (schema, *definitions.values()):
        # An editor shows the summary of the docstring; its sections are for the reference.
        table["description"] = table["description"].split("\n\n")[0]
    service = definitions["Service"]
    rate = {k: v for k, v in service["properties"]["remote"].items() if k != "title"}
    rate["description"] = "Rate within the same group of that level as a replica."
    service["patternProperties"] = {"^[a-z][a-z0-9_]*_local$": rate}
    service["additionalProperties"] = False
    estimates = definitions["Estimates"]
    factor = {k: v for k, v in estimates["properties"]["remote"].items() if k != "title"}
    factor["description"] = "Factor on the rate of that level."
    estimates["patternProperties"] = {"^[a-z][a-z0-9_]*_local$": factor}
    estimates["additionalProperties"] = False
    for name in ("Scheduler", "Replication"):
        definitions[name]["additionalProperties"] = True
    for name, table in definitions.items():
        if "load" in table.get("properties", {}):
            other = "slot_seconds" if name == "TraceTraffic" else "rate"
            table["oneOf"] = [{"required": ["load"]}, {"required": [other]}]
    definitions["Cluster"]["not"] = {"required": ["racks", "levels"]}
    definitions["Sweep"].update(
        patternProperties={f"^({'|'.join(TABLES)})(\\..+)?$": _VALUES}, additionalProperties=False
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_RANGE = {
    "type": "object",
    "description": "A range, both ends included.",
    "properties": {
        "from": {"type": "number"},
        "to": {"type": "number"},
        "n": {"type": "integer", "minimum": 2, "description": "Number of values."},
        "scale": {"enum": list(SCALES), "default": "linear"},
    },
    "required": ["from", "to", "n"],
    "additionalProperties": False,
}
_VALUES = {
    "description": "The values that the field takes: a list, or a range.",
    # The last is a field written without quotes: a table in a table.
    "anyOf": [{"type": "array", "minItems": 1}, _RANGE, {"type": "object"}],
    "examples": [[0.5, 0.9], {"from": 0.1, "to": 0.9, "n": 9}],
}


class _InOrder(GenerateJsonSchema):
    """Leaves keys in the order written: in an example of levels, the order has a meaning."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        """Return the schema as it is."""
        del parent_key
        return value


def _without_null(value: Any) -> Any:
    """Take out what TOML does not have: null, as a type and as a default."""
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {k: _without_null(v) for k, v in value.items() if not (k == "default" and v is None)}
    options = kept.pop("anyOf", None)
    if options is None:
        return kept
    options = [option for option in options if option != {"type": "null"}]
    return {**kept, "anyOf": options} if len(options) > 1 else {**options[0], **kept}
