"""Characters that the PDF's fonts lack, found before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape

from labreport.formats.pdf import FONT_URL, glyphless
from labreport.render.figures.style import font_path


def lacking(characters: Iterable[str]) -> frozenset[str]:
    """Those of the characters for which neither the shipped font nor the system's has a glyph.

    Raises:
        BuildError: if Pango is missing.
    """
    unknown = sorted({c for c in characters if ord(c) not in _shipped()})
    if not unknown:
        return frozenset()
    # Whether another font of the system has a character, only the one who will set it can say.
    face = f'@font-face {{ font-family: "Report"; src: url("{FONT_URL}"); }}'
    body = "".join(f"<p>{escape(character)}</p>" for character in unknown)
    style = f'{face} body {{ font-family: "Report", sans-serif; }}'
    return frozenset(glyphless(f"<html><style>{style}</style><body>{body}</body></html>"))


@cache
def _shipped() -> frozenset[int]:
    """Code points of the font that ships with the tool."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(font_path())).get_charmap())
