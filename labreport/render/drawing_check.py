"""Drawings of a theme: well-formed, with nothing in them that runs or leads elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

FORBIDDEN = ("script", "foreignobject", "handler", "iframe", "set")
"""Elements that a drawing on paper has no use for."""

INSIDE = ("#", "data:image/")
"""Prefixes of addresses that do not lead elsewhere."""


@dataclass(frozen=True)
class Odd:
    """A fault in a drawing.

    Attributes:
        line: where.
        detail: what was found there.
    """

    line: int
    detail: str


def oddities(content: bytes) -> tuple[Odd, ...]:
    """List the faults of an SVG document, in its order, up to where it is not well-formed."""
    found: list[Odd] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(tag: str, attributes: dict[str, str]) -> None:
        found.extend(Odd(parser.CurrentLineNumber, each) for each in _odd(tag, attributes))

    parser.StartElementHandler = start
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        found.append(Odd(error.lineno, expat.ErrorString(error.code)))
    return tuple(found)


def _odd(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    name = _local(tag)
    if name in FORBIDDEN or name.startswith("animate"):
        yield f"<{name}>"
    for key, value in attributes.items():
        local = _local(key)
        if local.startswith("on"):
            yield local
        elif local in ("href", "src") and not value.strip().startswith(INSIDE):
            yield f'{local}="{value[:80]}"'


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition(" ")[2].lower()
