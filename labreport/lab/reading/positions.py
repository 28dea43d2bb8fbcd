"""Positions of the keys and values of a TOML text, down to the elements of its arrays."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter
import tree_sitter_toml

Location = tuple[str | int, ...]

_TOML = tree_sitter.Language(tree_sitter_toml.language())
_KEYS = ("bare_key", "quoted_key", "dotted_key")
_BARE = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class _Spot:
    """The beginning of a key, a table or an element, and its value if it has one of its own."""

    mark: tree_sitter.Node
    value: tree_sitter.Node | None = None


class Positions:
    """The places of a text that tomllib has read without complaint."""

    def __init__(self, text: str) -> None:
        source = text.encode()
        self._lines = source.split(b"\n")
        self._spots: dict[Location, _Spot] = {}
        self._elements: dict[int, list[tree_sitter.Node]] = {}
        self._tables: dict[Location, int] = {}
        self._ascii: dict[int, bool] = {}
        self._tree = tree_sitter.Parser(_TOML).parse(source)
        self._read()

    def of(self, location: Location) -> tuple[int, int]:
        """Line and column, from 1, of a location or of the nearest thing around it."""
        for length in range(len(location), 0, -1):
            spot = self._spots.get(location[:length])
            if spot is not None:
                return self._place(self._within(spot, location[length:]))
        return 1, 1

    def _place(self, node: tree_sitter.Node) -> tuple[int, int]:
        row, column = node.start_point
        # Tree-sitter counts bytes, people count characters.
        if not self._is_ascii(row):
            column = len(self._lines[row][:column].decode(errors="replace"))
        return row + 1, column + 1

    def _is_ascii(self, row: int) -> bool:
        """Return whether a line is ASCII, which is looked up once: a line can have megabytes."""
        if row not in self._ascii:
            self._ascii[row] = self._lines[row].isascii()
        return self._ascii[row]

    def _read(self) -> None:
        """Note every table and every key outside of values; those within are found when asked."""
        for node in self._tree.root_node.children:
            if node.type == "pair":
                self._note_pair((), node)
            elif node.type in ("table", "table_array_element"):
                above = self._header(node)
                for pair in node.children:
                    if pair.type == "pair":
                        self._note_pair(above, pair)

    def _header(self, node: tree_sitter.Node) -> Location:
        """Note a table's header; gives the location that its keys stand under."""
        *outer, last = _key(node)
        location = (*self._continued(outer), last)
        if node.type == "table_array_element":
            self._note(location, _Spot(node))
            index = self._tables[location] = self._tables.get(location, -1) + 1
            location = (*location, index)
        elif location in self._tables:
            location = (*location, self._tables[location])
        self._note(location, _Spot(node))
        return location

    def _continued(self, names: Sequence[str]) -> Location:
        """A header's path with the index of the table that each array of tables has come to."""
        location: Location = ()
        for name in names:
            location = (*location, name)
            if location in self._tables:
                location = (*location, self._tables[location])
        return location

    def _note_pair(self, above: Location, pair: tree_sitter.Node) -> None:
        mark = _key_node(pair)
        if mark is not None:
            self._note((*above, *_key(pair)), _Spot(mark, _value(pair)))

    def _note(self, location: Location, spot: _Spot) -> None:
        self._spots.setdefault(location, spot)
        # A table that has no line of its own stands where its first key does.
        for length in range(len(location) - 1, 0, -1):
            self._spots.setdefault(location[:length], _Spot(spot.mark))

    def _within(self, spot: _Spot, rest: Location) -> tree_sitter.Node:
        """Find the deepest node inside a value along the rest of a location."""
        while rest and spot.value is not None:
            value, part = spot.value, rest[0]
            if value.type == "array" and isinstance(part, int):
                elements = self._in_array(value)
                if not 0 <= part < len(elements):
                    break
                spot, rest = _Spot(elements[part], elements[part]), rest[1:]
            elif value.type == "inline_table":
                for pair, keys in _pairs(value):
                    common = rest[: len(keys)]
                    mark = _key_node(pair)
                    if mark is not None and keys[: len(common)] == common:
                        spot = _Spot(mark, _value(pair) if len(common) == len(keys) else None)
                        rest = rest[len(keys) :]
                        break
                else:
                    break
            else:
                break
        return spot.mark

    def _in_array(self, array: tree_sitter.Node) -> list[tree_sitter.Node]:
        if array.id not in self._elements:
            found = [node for node in array.named_children if node.type != "comment"]
            self._elements[array.id] = found
        return self._elements[array.id]


def _pairs(table: tree_sitter.Node) -> Iterator[tuple[tree_sitter.Node, Location]]:
    for pair in table.named_children:
        if pair.type == "pair":
            yield pair, tuple(_key(pair))


def _key_node(node: tree_sitter.Node) -> tree_sitter.Node | None:
    return next((child for child in node.named_children if child.type in _KEYS), None)


def _value(pair: tree_sitter.Node) -> tree_sitter.Node | None:
    values = (c for c in pair.named_children if c.type not in (*_KEYS, "comment"))
    return next(values, None)


def _key(node: tree_sitter.Node) -> list[str]:
    """The parts of a pair's or a header's key, as TOML reads them."""
    key = _key_node(node)
    text = "" if key is None or key.text is None else key.text.decode()
    if _BARE.fullmatch(text):
        return text.split(".")
    parts: list[str] = []
    table = tomllib.loads(f"{text} = 0")
    while isinstance(table, dict):
        ((part, table),) = table.items()
        parts.append(part)
    return parts
