"""A font for the formulas of a page: brackets and sums only grow in a font made for mathematics.

Many systems have none. STIX Two Math, which ziamath carries, comes along with the few characters
that the formulas have. Its licence (OFL 1.1) allows that, and stands in it.
"""

from __future__ import annotations

import base64
import importlib.util
import re
from functools import cache
from html import unescape
from io import BytesIO
from pathlib import Path

_TAG = re.compile(r"<[^>]*>")
_NAMES = [0, 1, 2, 13, 14]
"""Copyright, family, style and licence."""


def math_font(formulas: frozenset[str]) -> str:
    """The font for these formulas (MathML), as a data: URI of WOFF2."""
    characters = {c for formula in formulas for c in unescape(_TAG.sub("", formula))}
    return _subset("".join(sorted(characters | set(map(_italic, characters)))))


@cache
def _font_path() -> Path:
    spec = importlib.util.find_spec("ziamath")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "fonts" / "STIXTwoMath-Regular.ttf"


def _italic(character: str) -> str:
    """The letter by which MathML shows a variable of one letter."""
    if character == "h":
        return "\N{PLANCK CONSTANT}"
    for first, last, italic in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("α", "ω", 0x1D6FC)):
        if first <= character <= last:
            return chr(italic + ord(character) - ord(first))
    return {"∂": "\N{MATHEMATICAL ITALIC PARTIAL DIFFERENTIAL}"}.get(character, character)


@cache
def _subset(characters: str) -> str:
    from fontTools import subset

    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = ["ssty"]
    options.name_IDs = _NAMES
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=characters)
    buffer = BytesIO()
    with subset.load_font(str(_font_path()), options) as font:
        # The time of writing would change the bytes.
        font.recalcTimestamp = False
        subsetter.subset(font)
        subset.save_font(font, buffer, options)
    return "data:font/woff2;base64," + base64.b64encode(buffer.getvalue()).decode()
