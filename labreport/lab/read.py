"""From a file to its tables: encoding, size, syntax, and what no later step could take."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, NoReturn

from labreport.errors import Fault, InputError
from labreport.lab.faults import Location, Source

MAXIMUM_BYTES = 4_000_000
"""A lab file is written by hand; anything larger is a mistake and would take long to parse."""

MAXIMUM_DEPTH = 32
"""Tables and arrays inside one another; a lab needs a third of that, and each level is a call."""

INTEGERS = range(-(2**63), 2**63)
"""What TOML promises to keep; Python would read longer ones, but refuses to print them."""

SYNTAX = {
    "Expected '=' after a key": "equals",
    "Invalid value": "value",
    "Unclosed array": "array",
    "Unclosed inline table": "inline-table",
    "Duplicate inline table key": "twice",
    "Cannot overwrite a value": "twice",
    "Cannot declare": "twice",
    "Cannot redefine namespace": "twice",
    "Cannot mutate immutable namespace": "twice",
    "Cannot define namespace": "twice",
    "Illegal character '\\n'": "string",
    "Illegal character": "character",
    "Found invalid character": "character",
    "Unterminated string": "string",
    "Expected \"'": "string",
    "Unescaped '\\' in a string": "escape",
    "Invalid hex value": "escape",
    "Escaped character is not": "escape",
    "Invalid initial character for a key part": "key",
    "Invalid statement": "statement",
    "Expected newline or end of document": "line-end",
    "Expected ']": "header",
    "Invalid date or datetime": "date",
}
"""Beginnings of what tomllib says, with the word by which the catalogues know it."""

_ENDLESS_KEY = re.compile(r"""(?:\.[ \t]{0,4}["']?[\w-]{1,64}["']?[ \t]{0,4}){2000}""", re.ASCII)
"""A dotted key of more parts than any text of a lab can have, over which tomllib takes hours."""

_ENDLESS_NUMBER = re.compile(r"[0-9_]{4300,}", re.ASCII)
"""More digits than Python reads as a number."""

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def read(path: Path) -> Source:
    """The text of a lab file. Raises InputError if it cannot be one."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # Not all of it: a device or a pipe has no size, and may never end.
            raw = file.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise InputError(Fault("file-missing", file=path)) from None
    except (OSError, ValueError) as error:
        raise InputError(Fault("file-unreadable", {"detail": str(error)}, file=path)) from None
    if len(raw) > MAXIMUM_BYTES:
        values = {"bytes": max(size, len(raw)), "limit": MAXIMUM_BYTES}
        raise InputError(Fault("file-too-large", values, file=path))
    try:
        return Source(path, raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(Fault("not-utf-8", {}, file=path, line=line)) from None


def parse(source: Source) -> dict[str, Any]:
    """The tables of a lab file. Raises InputError with the place of a syntax error."""
    if _ENDLESS_KEY.search(source.text):
        _refuse_depth(source)
    try:
        raw = tomllib.loads(source.text)
    except RecursionError:
        _refuse_depth(source)
    except ValueError as error:
        endless = _ENDLESS_NUMBER.search(source.text)
        if endless and "integer string conversion" in str(error):
            raise InputError(_endless_number(source, endless.start())) from None
        raise InputError(_syntax_fault(source, str(error))) from None
    _check_limits(source, raw)
    return raw


def _syntax_fault(source: Source, message: str) -> Fault:
    """What tomllib says, and where: at the end of the text if it does not say where."""
    detail, _, _ = message.partition(" (at ")
    place = _PLACE.search(message)
    lines = source.text.split("\n")
    line, column = map(int, place.groups()) if place else (len(lines), len(lines[-1]) + 1)
    known = next((code for begin, code in SYNTAX.items() if detail.startswith(begin)), detail)
    return Fault(
        "toml-syntax",
        {"detail": known},
        file=source.path,
        line=line,
        column=column,
        excerpt=source.line(line),
    )


def _endless_number(source: Source, place: int) -> Fault:
    before = source.text[:place]
    line = before.count("\n") + 1
    return Fault(
        "out-of-range",
        {"found": source.text[place : place + 12] + "…", "bound": f"≤ {INTEGERS.stop - 1}"},
        file=source.path,
        line=line,
        column=place - before.rfind("\n"),
        excerpt=source.line(line),
    )


def _check_limits(source: Source, raw: dict[str, Any]) -> None:
    """Refuse what no later step could take: tables too deep, and integers beyond TOML's."""
    beyond: list[tuple[Location, int]] = []
    level: list[tuple[Location, Any]] = [((), raw)]
    for _ in range(MAXIMUM_DEPTH):
        inner: list[tuple[Location, Any]] = []
        for location, value in level:
            if isinstance(value, int) and value not in INTEGERS:
                beyond.append((location, value))
            elif isinstance(value, dict | list):
                items = value.items() if isinstance(value, dict) else enumerate(value)
                inner += [((*location, key), item) for key, item in items]
        level = inner
    if level:
        _refuse_depth(source)
    if beyond:
        raise InputError([_beyond(source, location, value) for location, value in beyond])


def _beyond(source: Source, location: Location, value: int) -> Fault:
    bound = f"≥ {INTEGERS.start}" if value < 0 else f"≤ {INTEGERS.stop - 1}"
    return source.fault(
        location, "out-of-range", values={"found": f"{value:#x}"[:20] + "…", "bound": bound}
    )


def _refuse_depth(source: Source) -> NoReturn:
    raise InputError(Fault("toml-syntax", {"detail": "depth"}, file=source.path, line=1)) from None
