"""From a file to its tables: encoding, size, syntax, and what no later step could take."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from string import ascii_letters, digits
from typing import Any, NoReturn

from labreport.errors import Fault, InputError
from labreport.lab.configuration import MOST_ROUNDS, WIDEST
from labreport.lab.reading.bare_text import key_at, too_deep_at
from labreport.lab.reading.faults import MAXIMUM_FAULTS, Location, SourceText

MAXIMUM_BYTES = 4_000_000
"""A lab file is written by hand; anything larger is a mistake and would take long to parse."""

MAXIMUM_DEPTH = 32
"""Tables and arrays inside one another; a lab needs a third of that, and each level is a call."""

INTEGERS = range(-(2**63), 2**63)
"""Integers that TOML promises to keep; Python would read longer ones, but refuses to print them."""

LARGEST: dict[object, int] = {
    "layers": WIDEST,
    **dict.fromkeys(("rounds", "budgets"), MOST_ROUNDS),
}
"""Largest values of keys with a closer limit, and of the elements of such a key."""

READABLE_BITS = 200
"""Bits of an integer that is told in full, in some 60 digits."""

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

MAXIMUM_VALUES = 400_000
"""Elements of all arrays: the digits of scikit-learn, 1797 rows of 64, are a third of it."""

MAXIMUM_PARTS = 100_000
"""Names in all keys and headers together, of which tomllib takes some 10 µs and 1 kB for each."""

_STRINGS = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{0,5}|'
    r"'''(?:[^']++|'(?!''))*+'{0,5}|"
    r'"(?:[^"\\\n]++|\\.)*+"?|'
    r"'[^'\n]*+'?|#[^\n]*+",
    re.DOTALL,
)
"""Texts and comments, read in linear time: each character is looked at once."""

_KEPT = b".=,[]{}\n"
_DROPPED = bytes(set(range(256)) - set(_KEPT))

_HEADER = re.compile(rb"^\[+(\.*+)\]+$", re.MULTILINE)
_DOTTED = re.compile(rb"\.*+=")

_ENDLESS_NUMBER = re.compile(r"[0-9_]{4300,}", re.ASCII)
"""More digits than Python reads as a number."""

_LONG_NUMBER = re.compile(r"[-+]?[0-9][0-9a-zA-Z_]{40,}", re.ASCII)
"""A number that has more bits than are told in full, in any of TOML's notations."""

UNKNOWN_MARKS = dict(
    zip(
        "，：；＝．［］【】｛｝（）“”‘’＃＋　" + "－−–—" + "０１２３４５６７８９",
        (*",:;=.[][]{}()", *'""', *"''", "#", "+", "␣", *"----", *"0123456789"),
        strict=True,
    )
)
"""Marks that a Chinese keyboard or a word processor gives, each with what TOML has instead."""

_BARE = frozenset(f"{ascii_letters}{digits}_.+-")
"""Characters of numbers, names and keys."""

_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def read(path: Path) -> SourceText:
    """The text of a lab file. Raises InputError if it cannot be one."""
    try:
        if _would_wait(path):
            raise InputError(Fault("not-regular", file=path))
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
        return SourceText(path, raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(Fault("not-utf-8", {}, file=path, line=line)) from None


def _would_wait(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which may never give anything, or never end.

    What the shell has opened itself (``labreport check <(…)``) is read like a file.
    """
    mode = path.stat().st_mode
    return not (S_ISREG(mode) or S_ISDIR(mode) or path.parent == Path("/dev/fd"))


def parse(source: SourceText) -> dict[str, Any]:
    """The tables of a lab file. Raises InputError with the place of a syntax error."""
    _check_counts(source)
    try:
        raw = tomllib.loads(source.text)
    except RecursionError:
        bare = _STRINGS.sub(_line_ends, source.text)
        _refuse_depth(source, too_deep_at(bare, MAXIMUM_DEPTH))
    except ValueError as error:
        endless = _ENDLESS_NUMBER.search(source.text)
        if endless and "integer string conversion" in str(error):
            raise InputError(_endless_number(source, endless.start())) from None
        raise InputError(_syntax_fault(source, str(error))) from None
    _check_limits(source, raw)
    return raw


def _check_counts(source: SourceText) -> None:
    """Refuse, before anything is expanded, keys of too many parts and too many keys or values.

    What is left of a text without its strings, comments and words has the dots of each key next
    to one another, and can be counted at the speed of a search.
    """
    bare = _STRINGS.sub(_line_ends, source.text)
    marks = bare.encode(errors="replace").translate(None, _DROPPED)
    for deeper in (b".", b"{="):
        deep = marks.find(deeper * MAXIMUM_DEPTH)
        if deep >= 0:
            _refuse_depth(source, marks.count(b"\n", 0, deep) + 1)
    values = marks.count(b",")
    if values > MAXIMUM_VALUES:
        _refuse_count(source, "too-many-values", values, MAXIMUM_VALUES)
    parts = sum(map(len, _DOTTED.findall(marks)))
    parts += sum(len(dots) + 1 for dots in _HEADER.findall(marks))
    if parts > MAXIMUM_PARTS:
        _refuse_count(source, "too-many-keys", parts, MAXIMUM_PARTS)


def _line_ends(matched: re.Match[str]) -> str:
    """The line ends of a text of several lines, in its place."""
    text = matched[0]
    return "\n" * text.count("\n") if text.startswith(('"""', "'''")) else ""


def _refuse_count(source: SourceText, code: str, found: int, limit: int) -> NoReturn:
    raise InputError(Fault(code, {"found": found, "limit": limit}, file=source.path, line=1))


def _syntax_fault(source: SourceText, message: str) -> Fault:
    """Report what tomllib found, and where: at the end of the text if it does not say where."""
    detail, _, _ = message.partition(" (at ")
    place = _PLACE.search(message)
    lines = source.text.split("\n")
    line, column = map(int, place.groups()) if place else (len(lines), len(lines[-1]) + 1)
    text = source.line(line)
    for number, mark in enumerate(text[column - 1 :], column):
        # At the place itself, or behind blanks and the end of a key or a number.
        if mark in UNKNOWN_MARKS:
            return Fault(
                "unknown-mark",
                {"found": mark, "instead": "=" if mark == "：" else UNKNOWN_MARKS[mark]},
                file=source.path,
                line=line,
                column=number,
                excerpt=text,
            )
        if not (mark.isspace() or mark in _BARE):
            break
    known = next((code for begin, code in SYNTAX.items() if detail.startswith(begin)), detail)
    return Fault(
        "toml-syntax",
        {"detail": known},
        file=source.path,
        line=line,
        column=column,
        excerpt=source.line(line),
    )


def _endless_number(source: SourceText, place: int) -> Fault:
    before = source.text[:place]
    line = before.count("\n") + 1
    return Fault(
        "out-of-range",
        {"found": source.text[place : place + 12] + "…", "bound": f"≤ {INTEGERS.stop - 1}"},
        file=source.path,
        line=line,
        column=place - before.rfind("\n"),
        key=key_at(source.lines, line),
        excerpt=source.line(line),
    )


def _check_limits(source: SourceText, raw: dict[str, Any]) -> None:
    """Refuse what no later step could take: tables too deep, and integers beyond TOML's."""
    beyond: list[tuple[Location, int]] = []
    level: list[tuple[Location, Any]] = [((), raw)]
    for _ in range(MAXIMUM_DEPTH):
        inner: list[tuple[Location, Any]] = []
        for location, value in level:
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                if isinstance(item, dict | list):
                    inner.append(((*location, key), item))
                elif isinstance(item, int) and item not in INTEGERS:
                    beyond.append(((*location, key), item))
        level = inner
    if level:
        deepest = source.fault(level[0][0], "toml-syntax")
        _refuse_depth(source, deepest.line)
    if beyond:
        told = beyond[:MAXIMUM_FAULTS]
        raise InputError([_beyond(source, location, value) for location, value in told])


def _beyond(source: SourceText, location: Location, value: int) -> Fault:
    largest = next((LARGEST[part] for part in location if part in LARGEST), INTEGERS.stop - 1)
    bound = f"≥ {INTEGERS.start}" if value < 0 else f"≤ {largest}"
    fault = source.fault(location, "out-of-range")
    found = str(value) if value.bit_length() <= READABLE_BITS else _beginning(fault)
    return replace(fault, values={"found": found, "bound": bound})


def _beginning(fault: Fault) -> str:
    """How a number of very many digits begins, as it is written at the place of a fault."""
    written = _LONG_NUMBER.search(fault.excerpt, max(fault.column - 1, 0))
    return f"{written[0][:20] if written else ''}…"


def _refuse_depth(source: SourceText, line: int) -> NoReturn:
    fault = Fault(
        "toml-syntax",
        {"detail": "depth"},
        file=source.path,
        line=line,
        key=key_at(source.lines, line),
    )
    raise InputError(fault) from None
