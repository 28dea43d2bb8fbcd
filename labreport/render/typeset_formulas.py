"""LaTeX typeset: SVG for paper, MathML for a page."""

from __future__ import annotations

import re

from labreport.render.drawing_cache import DrawingCache
from labreport.render.mathml import mathml_for_pages, without_bare_rows
from labreport.render.printed import PrintedFormula
from labreport.render.svg import compact

SIZE = 16
"""Font size of a formula in its own pixels."""

PIXELS_PER_EM = 16.0

WIDEST = 43.0
"""em of text beside which a formula's number fits on an A4 page; a wider one is set smaller."""

ROW_SPACING = "0.4em"
"""Between the lines of a formula: fractions above one another need more than numbers do."""


def formula(latex: str, place: tuple[str, str], kept: DrawingCache) -> PrintedFormula:
    """A numbered formula; its place is its anchor and its number."""
    svg, mathml, width, height = kept.make(typeset, latex)
    anchor, label = place
    scale = min(1.0, WIDEST / width)
    return PrintedFormula(
        anchor, label, svg.encode(), mathml, latex, height=height * scale, width=width * scale
    )


def typeset(latex: str) -> tuple[str, str, float, float]:
    """SVG and MathML of a formula, and its width and height in em."""
    from ziamath.tex import tex2mml

    mathml = tex2mml(latex)
    svg, width, height, _ = drawn(mathml)
    return svg, mathml_for_pages(mathml), width, height


def drawn(mathml: str) -> tuple[str, float, float, float]:
    """SVG of a formula, and in em its width, its height and how much of it is below the line."""
    from ziamath.config import config
    from ziamath.zmath import Math

    config.svg2 = False
    spaced = re.sub(r' rowspacing="[^"]*"', "", mathml)
    spaced = spaced.replace("<mtable", f'<mtable rowspacing="{ROW_SPACING}"')
    svg = Math(without_bare_rows(spaced), size=SIZE).svg()
    width, height = (float(re.search(rf'{side}="([\d.]+)', svg)[1]) for side in ("width", "height"))  # type: ignore[index]
    _, top, _, _ = (float(n) for n in re.search(r'viewBox="([^"]+)"', svg)[1].split())  # type: ignore[index]
    return (
        compact(svg).decode(),
        width / PIXELS_PER_EM,
        height / PIXELS_PER_EM,
        (height + top) / PIXELS_PER_EM,
    )
