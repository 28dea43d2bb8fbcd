"""Places in a text that is no TOML, or too deep to be read as such: by its lines alone."""

from __future__ import annotations

import re

_KEY = re.compile(r"\s*([\w.-]+)\s*=")
_HEADER = re.compile(r"\s*\[{1,2}\s*([\w.-]+)\s*\]{1,2}\s*(?:#.*)?")


def key_at(lines: list[str], number: int) -> str:
    """The dotted key that the value on a line belongs to, "" where none stands before it.

    Args:
        lines: of the text, without the words of its strings where these may look like keys.
        number: of the line, from 1.
    """
    key = ""
    for line in reversed(lines[:number]):
        if not key and (found := _KEY.match(line)):
            key = found[1]
        if found := _HEADER.fullmatch(line):
            return f"{found[1]}.{key}" if key else found[1]
    return key


def too_deep_at(bare: str, most: int) -> int:
    """The line, from 1, on which brackets are first open inside more than ``most`` others."""
    depth, line = 0, 1
    for mark in bare:
        line += mark == "\n"
        depth += (mark in "[{") - (mark in "]}")
        if depth > most:
            break
    return line
