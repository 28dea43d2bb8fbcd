"""Arrays of a configuration in short: what shape they have, how they begin, and a digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from labreport.lab.configuration import canonical_json

MOST_NUMBERS = 48
"""Numbers that are printed one by one; of more nobody reads on, and the lab file has them."""

DIGEST = 8
"""Hexadecimal digits that tell two arrays of a lab apart."""

MOST_PLACES = 8
"""Places in a formula that are printed one by one."""


def is_long(value: Any) -> bool:
    """Return whether an array has more numbers than are printed."""
    return isinstance(value, list | tuple) and _size(value) > MOST_NUMBERS


def _size(value: Any) -> int:
    return sum(map(_size, value)) if isinstance(value, list | tuple) else 1


def shape(value: Sequence[Any]) -> str:
    """Its shape, 150×4; of several matrices of different shapes all of them: 8×2, 3×8."""
    shapes = [_shape(inner) for inner in value]
    if all(one == shapes[0] for one in shapes) and shapes[0] is not None:
        return "×".join(map(str, (len(value), *shapes[0])))
    return ", ".join(shape(inner) for inner in value)


def _shape(value: Any) -> tuple[int, ...] | None:
    """None where rows are of different lengths."""
    if not isinstance(value, list | tuple):
        return ()
    inner = [_shape(part) for part in value]
    if not inner or inner[0] is None or any(part != inner[0] for part in inner):
        return None
    return (len(value), *inner[0])


def first_row(value: Any) -> Any:
    """The first row of numbers."""
    return first_row(value[0]) if isinstance(value[0], list | tuple) else value


def digest(value: Any) -> str:
    """The beginning of the SHA-256 of its canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:DIGEST]


_PLACES = re.compile(rf"\((\d+(?:, \d+){{{MOST_PLACES},}}),?\)")


def formula_in_short(formula: str) -> str:
    """A formula with long lists of places cut: gradients[:, (0, 1, 2, …, 209)]."""
    return _PLACES.sub(_cut, formula)


def _cut(match: re.Match[str]) -> str:
    places = match[1].split(", ")
    return f"({', '.join(places[:3])}, …, {places[-1]}; {len(places)})"
