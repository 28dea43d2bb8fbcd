"""The lab file as JSON Schema, for editors: out of the models that check it.

A schema cannot say all that the checks do: that shapes fit each other, that a change fits what it
changes, that names are there. It says which keys and values there are, and what each one means.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from labreport.lab.lab import LabFile, Range
from labreport.lab.schema.written import WrittenConfig

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """The schema of a lab file."""
    whole = LabFile.model_json_schema()
    run = WrittenConfig.model_json_schema()
    definitions: Schema = {**whole.pop("$defs"), **run.pop("$defs")}
    ranges = Range.model_json_schema()
    ranges.pop("$defs", None)
    definitions |= {"RunConfig": run, "Range": ranges}
    _write_out(definitions)
    definitions["Change"] = _partial(definitions["RunConfig"], definitions, copy.deepcopy)
    definitions["Sweep"] = _partial(definitions["RunConfig"], definitions, _swept)
    properties = whole["properties"]
    properties["base"] = {
        "$ref": "#/$defs/RunConfig",
        "description": properties["base"]["description"],
    }
    for name in ("experiment", "appendix"):
        properties[name]["additionalProperties"] = False
    for name in ("Experiment", "Variant", "Appendix"):
        for key, kind in (("change", "Change"), ("sweep", "Sweep")):
            fields = definitions[name]["properties"]
            if key in fields:
                said = fields[key]["description"]
                fields[key] = {"$ref": f"#/$defs/{kind}", "description": said}
    about = "The lab file of labreport."
    found = {"$schema": DIALECT, "title": "labreport", **whole, "description": about}
    plain: Schema = _plain({**found, "$defs": dict(sorted(definitions.items()))})
    return plain


def document() -> str:
    """The schema as it is printed and kept in a file."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def _write_out(definitions: Schema) -> None:
    """Add what validators accept beside the types of the fields: short ways of writing."""
    text = definitions["Text"]
    definitions["Text"] = {
        "description": "One string for every language, or zh and en apart.",
        "anyOf": [text["properties"]["zh"]["anyOf"][0], text],
    }
    activations = definitions["WrittenNetwork"]["properties"]["activations"]
    name = activations["items"]
    said = activations.pop("description")
    definitions["WrittenNetwork"]["properties"]["activations"] = {
        "anyOf": [name, activations],
        "description": said,
    }


def _partial(table: Schema, definitions: Schema, leaf: Callable[[Schema], Schema]) -> Schema:
    """A table of which any part may be given, with what ``leaf`` makes of its values."""
    table = _resolved(table, definitions)
    if "discriminator" in table:
        return _tagged(table, definitions, leaf)
    if "properties" in table:
        inner = {
            key: _described(_partial(field, definitions, leaf), field)
            for key, field in table["properties"].items()
        }
        return {"type": "object", "additionalProperties": False, "properties": inner}
    return leaf(table)


def _tagged(table: Schema, definitions: Schema, leaf: Callable[[Schema], Schema]) -> Schema:
    """Tables told apart by one key, in a change: all of their keys, fewer if that key is given."""
    tag = table["discriminator"]["propertyName"]
    members = [_resolved(member, definitions) for member in table["oneOf"]]
    names = [member["properties"][tag]["const"] for member in members]
    fields: dict[str, list[Schema]] = {}
    for member in members:
        for key, field in member["properties"].items():
            value = {name: part for name, part in field.items() if name != "default"}
            if key != tag and value not in fields.setdefault(key, []):
                fields[key].append(value)
    inner = {tag: leaf({"enum": names})}
    for key, kinds in fields.items():
        inner[key] = leaf(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
    only = [
        {
            "if": {"properties": {tag: {"const": name}}, "required": [tag]},
            "then": {"propertyNames": {"enum": list(member["properties"])}},
        }
        for name, member in zip(names, members, strict=True)
    ]
    return {"type": "object", "additionalProperties": False, "properties": inner, "allOf": only}


def _swept(leaf: Schema) -> Schema:
    """A key of a sweep: a list of its values, or a range."""
    value = {key: part for key, part in leaf.items() if key not in ("default", "description")}
    listed = {"type": "array", "items": value, "minItems": 1}
    return {"anyOf": [listed, {"$ref": "#/$defs/Range"}]}


def _resolved(table: Schema, definitions: Schema) -> Schema:
    """Resolve a reference; return any other schema itself."""
    options = [option for option in table.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1 and "$ref" in options[0]:
        return _resolved(options[0], definitions)
    if "$ref" in table:
        return _resolved(definitions[table["$ref"].rpartition("/")[2]], definitions)
    return table


def _described(table: Schema, field: Schema) -> Schema:
    return {**table, "description": field["description"]} if "description" in field else table


def _plain(part: Any) -> Any:
    """Without what pydantic adds: titles, which no editor shows, and null, which is not TOML."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    cleaned: Schema = {}
    for key, value in part.items():
        if key == "properties":
            cleaned[key] = {name: _plain(field) for name, field in value.items()}
        elif key == "anyOf":
            cleaned[key] = [_plain(option) for option in value if option != {"type": "null"}]
        elif not ((key == "title" and value != "labreport") or (key, value) == ("default", None)):
            cleaned[key] = _plain(value)
    return cleaned
