"""The scenario file, from its JSON Schema: every table, every field."""

from __future__ import annotations

from typing import Any

from marking import NOTE, anchor, code, plain, table

from cluster_sim.scenario.writing import to_toml_text

_INTRODUCTION = """\
A scenario is a TOML file with these tables. Every field is listed, with its type, what it means,
its default and an example; a field without a default must be given, unless the text says when it
is left out. `cluster-sim check` reads a file and says what is wrong with it, with the line.
`cluster-sim check --schema` prints the JSON Schema that this page is made from, for editors that
complete and check TOML.
"""


def page() -> str:
    """Return the page on scenario files."""
    from cluster_sim.scenario import json_schema

    schema = json_schema()
    definitions = schema["$defs"]
    parts = [f"{NOTE}# The scenario file\n", _INTRODUCTION]
    top = {"title": schema["properties"]["title"]}
    parts.append(_fields(top, schema.get("required", [])))
    parts.append(
        table(
            ["table", "what it describes"],
            [
                [f"[`[{name}]`](#scenario-{name})", plain(field["description"])]
                for name, field in schema["properties"].items()
                if name != "title"
            ],
        )
    )
    for name, field in schema["properties"].items():
        if name != "title":
            needed = "" if name in schema["required"] else " It may be left out."
            head = f"{anchor(f'scenario-{name}')}## `[{name}]`\n"
            parts += [head, f"{plain(field['description'])}{needed}\n"]
            parts += _table_of(field, definitions)
    return "\n".join(parts)


def _table_of(field: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    mapping = field.get("discriminator", {}).get("mapping")
    if mapping is None:
        return _one(definitions[_last(field["$ref"])], definitions)
    key = field["discriminator"]["propertyName"]
    parts = [f"`{key}` says which of these it is.\n"]
    for kind, ref in mapping.items():
        definition = definitions[_last(ref)]
        parts.append(f'### `{key} = "{kind}"`\n\n{plain(definition["description"])}\n')
        parts += _one(definition, definitions, but=(key,))
    return parts


def _one(
    definition: dict[str, Any], definitions: dict[str, Any], but: tuple[str, ...] = ()
) -> list[str]:
    fields = {k: v for k, v in definition.get("properties", {}).items() if k not in but}
    parts = [_fields(fields, definition.get("required", []))] if fields else []
    if len(definition.get("oneOf", ())) > 1:
        names = [option["required"][0] for option in definition["oneOf"]]
        parts.append(f"Exactly one of {' and '.join(map(code, names))} is given.\n")
    for pattern, inner in definition.get("patternProperties", {}).items():
        words = f"Keys that match `{pattern}`: {plain(inner['description'])}"
        parts.append(f"{words}{_examples(inner, ' For example ')}\n")
    if definition.get("additionalProperties") is True:
        parts.append("Any other key is a parameter of the policy: {doc}`policies`.\n")
    for name, field in fields.items():
        for ref in _refs(field):
            inner = definitions[ref]
            parts.append(f"Each of `{name}`:\n")
            parts.append(_fields(inner["properties"], inner.get("required", [])))
    return parts


def _fields(fields: dict[str, Any], required: list[str]) -> str:
    rows = [
        [
            code(name),
            _type(field),
            code(_toml(field["default"]))
            if "default" in field
            else "must be given" * (name in required),
            plain(field["description"]),
            _examples(field),
        ]
        for name, field in fields.items()
    ]
    return table(["field", "type", "default", "meaning", "example"], rows)


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return code(_toml(field["const"]))
    if "enum" in field:
        return " or ".join(code(_toml(value)) for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "$ref" in field:
        return "table"
    kind = field.get("type", "any")
    if kind == "array":
        return f"list of {_type(field.get('items', {}))}"
    words = {
        "integer": "whole number",
        "string": "text",
        "object": "table",
        "boolean": "true or false",
    }
    return words.get(kind, kind) + _bounds(field)


def _bounds(field: dict[str, Any]) -> str:
    """Return the range of a number in words; limits that only guard memory are left out."""
    parts = []
    for key, words in (("minimum", "at least"), ("exclusiveMinimum", "above")):
        if key in field:
            parts.append(f"{words} {field[key]:,}")
    for key, words in (("maximum", "at most"), ("exclusiveMaximum", "below")):
        if key in field and field[key] < 2**53:
            parts.append(f"{words} {field[key]:,}")
    return f", {' and '.join(parts)}" if parts else ""


def _examples(field: dict[str, Any], before: str = "") -> str:
    shown = [code(_toml(value)) for value in field.get("examples", [])]
    return f"{before}{' or '.join(shown)}" if shown else ""


def _toml(value: Any) -> str:
    return to_toml_text(value)


def _refs(field: dict[str, Any]) -> list[str]:
    found = [_last(field["$ref"])] if "$ref" in field else []
    for inner in (field.get("items"), *field.get("anyOf", [])):
        found += _refs(inner) if isinstance(inner, dict) else []
    return found


def _last(ref: str) -> str:
    return ref.rpartition("/")[2]
