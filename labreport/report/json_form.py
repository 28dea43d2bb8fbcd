"""The report as JSON, which is read back to an equal value, and the schema of that.

An object says in ``type`` which class of the report it is of, with the fields of that class; what
is ordered is a list, and a number that JSON has no word for is a ``Float``. A mapping is a list of
pairs, since its keys may be any words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from types import NoneType, UnionType
from typing import Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from labreport.analysis import observation
from labreport.report import phrases, tree
from labreport.report.illustration import drawings
from labreport.report.phrases import Phrase
from labreport.report.tree import Block, Report

VERSION = 1
"""Of the form: another one has other classes or fields."""

SCHEMA = "https://json-schema.org/draft/2020-12/schema"

_FLOAT, _MAPPING = "Float", "Mapping"


def _is_record(kind: object) -> bool:
    """Return whether a class is one whose values are objects with a type."""
    return isinstance(kind, type) and (is_dataclass(kind) or hasattr(kind, "_fields"))


CLASSES: dict[str, type] = {
    name: kind
    for module in (observation, phrases, drawings, tree)
    for name, kind in vars(module).items()
    if _is_record(kind) and kind.__module__ == module.__name__
}


def to_json(report: Report) -> str:
    """The report as JSON; equal reports give equal texts."""
    whole = {"version": VERSION, "report": _encoded(report)}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def from_json(text: str) -> Report:
    """The report that a text is of.

    Raises:
        ValueError: if it is not the JSON of a report, or of another version of it.
    """
    try:
        whole = json.loads(text)
        if not isinstance(whole, dict) or whole.get("version") != VERSION:
            raise ValueError(f"no report in version {VERSION} of its form")
        found = _decoded(whole["report"])
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not the JSON of a report: {error}") from None
    if not isinstance(found, Report):
        raise ValueError("not the JSON of a report")
    return found


def _encoded(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else {"type": _FLOAT, "value": repr(value)}
    if _is_record(type(value)):
        return {"type": type(value).__name__} | {
            name: _encoded(getattr(value, name)) for name in _names(type(value))
        }
    if isinstance(value, tuple):
        return [_encoded(inner) for inner in value]
    if isinstance(value, Mapping):
        items = [[_encoded(key), _encoded(inner)] for key, inner in value.items()]
        return {"type": _MAPPING, "items": items}
    raise TypeError(f"a {type(value).__name__} has no place in a report")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_decoded, value))
    if not isinstance(value, dict):
        return value
    if value["type"] == _FLOAT:
        return float(value["value"])
    if value["type"] == _MAPPING:
        return {_decoded(key): _decoded(inner) for key, inner in value["items"]}
    given = {name: _decoded(inner) for name, inner in value.items() if name != "type"}
    return CLASSES[value["type"]](**given)


def _names(kind: type) -> tuple[str, ...]:
    """Names of the fields of a class."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return tuple(getattr(kind, "_fields"))  # noqa: B009, of a named tuple


def schema() -> dict[str, Any]:
    """JSON Schema of the form."""
    objects = {name: _object(name, kind) for name, kind in CLASSES.items()}
    number = {
        "type": "object",
        "properties": {"type": {"const": _FLOAT}, "value": {"enum": ["nan", "inf", "-inf"]}},
        "required": ["type", "value"],
    }
    mapping = {
        "type": "object",
        "properties": {"type": {"const": _MAPPING}, "items": {"type": "array"}},
        "required": ["type", "items"],
    }
    return {
        "$schema": SCHEMA,
        "title": "A report of labreport, in no language",
        "type": "object",
        "properties": {"version": {"const": VERSION}, "report": _reference("Report")},
        "required": ["version", "report"],
        "additionalProperties": False,
        "$defs": {
            **objects,
            **{name: _of_hint(kind) for name, kind in _UNIONS.items()},
            _FLOAT: number,
            _MAPPING: mapping,
        },
    }


_UNIONS: dict[str, Any] = {
    "Fact": observation.Fact,
    "Phrase": Phrase,
    "Block": Block,
    "Drawing": drawings.Drawing,
}

_STAND_INS = {name: type(name, (), {}) for name in _UNIONS}
"""In hints, for unions that are referred to by their names."""


def document() -> str:
    """The schema as a file."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def _object(name: str, kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, localns=_STAND_INS)
    properties = {field: _of_hint(hints[field]) for field in _names(kind)}
    return {
        "type": "object",
        "properties": {"type": {"const": name}, **properties},
        "required": ["type", *properties],
        "additionalProperties": False,
    }


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


_PLAIN: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"anyOf": [{"type": "number"}, _reference(_FLOAT)]},
    NoneType: {"type": "null"},
    Any: {},
}

_PARAMETERS = {"Name": "Phrase", "Numbers": "Array"}
"""Types that stand in a report for the parameters of classes that drawings share."""


def _of_hint(hint: Any) -> dict[str, Any]:
    """The schema of what a field may hold."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, TypeVar):
        return _reference(_PARAMETERS[hint.__name__])
    if isinstance(hint, str | ForwardRef):
        return _reference(hint if isinstance(hint, str) else hint.__forward_arg__)
    if origin in (Union, UnionType):
        return {"anyOf": [_of_hint(inner) for inner in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _of_hint(arguments[0])}
    if origin is tuple:
        inner = [_of_hint(argument) for argument in arguments]
        return {"type": "array", "prefixItems": inner, "items": False}
    if origin is not None and issubclass(origin, Mapping):
        return _reference(_MAPPING)
    return _reference((origin or hint).__name__)
