"""Nested tables and arrays as they are read from a file: looked up, and copied with a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labreport.lab.lab import Change
from labreport.lab.reading.faults import Location, holds


def table_or_empty(raw: Any) -> Change:
    """Return what is read if it is a table, else an empty one."""
    return raw if isinstance(raw, dict) else {}


def has(raw: Any, location: Location) -> bool:
    """Return whether nested tables and arrays have a value at a location."""
    for part in location:
        if not holds(raw, part):
            return False
        raw = raw[part]
    return True


def with_stand_in(container: Any, location: Location) -> Any:
    """Tables and arrays with a text at a place that has none; none of them is touched."""
    if not location:
        return "…"
    part, rest = location[0], location[1:]
    if isinstance(container, dict):
        return {**container, part: with_stand_in(container.get(part, {}), rest)}
    if isinstance(container, list) and isinstance(part, int) and part < len(container):
        return [*container[:part], with_stand_in(container[part], rest), *container[part + 1 :]]
    return container


def without(raw: Any, location: Location) -> Any:
    """A copy of nested tables with one value taken out, if it is still there.

    A value inside an array of numbers or names takes the whole array out, because a shortened
    array would be another one; a key of a table inside an array takes out that key. Where a key
    is missing, the table that lacks it is taken out.
    """
    head, *rest = location
    if isinstance(raw, list):
        copy = list(raw)
        copy[int(head)] = without(raw[int(head)], tuple(rest))
        return copy
    inner = raw.get(head)
    table, *inside = _table_within(inner, rest)
    if isinstance(table, dict) and inside:
        if inside[0] in table:
            return {**raw, head: without(inner, tuple(rest))}
        if len(inside) > 1:
            return raw
    return {key: value for key, value in raw.items() if key != head}


def _table_within(inner: Any, rest: Sequence[str | int]) -> tuple[Any, ...]:
    """The table that the rest of a location is about, and what is left of the location then."""
    if isinstance(inner, list) and rest and isinstance(rest[0], int) and rest[0] < len(inner):
        return inner[rest[0]], *rest[1:]
    return inner, *rest
