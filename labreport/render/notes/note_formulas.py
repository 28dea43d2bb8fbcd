"""Formulas of the student's notes: LaTeX that somebody else wrote, typeset or told to be at fault.

The typesetter passes over commands that it does not know, writes any attribute of MathML that it is
asked for, and lays a formula out again for each level of nesting. So what it makes of the LaTeX is
looked at before it is drawn.
"""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from labreport.render.mathml import mathml_for_pages
from labreport.render.printed import PrintedFormula
from labreport.render.typeset_formulas import drawn

LONGEST = 1000
"""Characters of one formula."""

HEAVIEST = 2000
"""The weight of one formula; the heaviest of the report itself has 400, and 2000 take a second."""

PER_LEVEL = 1.4
"""The factor by which an element weighs more than the one that it is in; measured, see `weight`."""

FENCE = 1.5
"""The factor by which brackets that grow multiply the weight of what is in them."""

WIDEST = 40.0
"""em of text beside which a displayed formula is set smaller."""

ELEMENTS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom"),
    *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover"),
    *("mtable", "mtr", "mtd"),
}
ATTRIBUTES = {
    *("display", "displaystyle", "scriptlevel", "mathvariant", "linethickness", "linebreak"),
    *("stretchy", "fence", "separator", "accent", "accentunder", "form", "lspace", "rspace"),
    *("minsize", "maxsize", "movablelimits", "largeop", "symmetric", "width", "height", "depth"),
    *("columnalign", "rowalign", "rowspacing", "columnspacing"),
}
"""Attributes for MathML of a formula: nothing that runs, leads elsewhere or has a colour."""

_COMMAND = re.compile(r"\\[A-Za-z]*")


class NoteFormulaError(Exception):
    """A formula cannot be typeset.

    Attributes:
        code: names the sentence in the catalogues.
        values: what the sentence mentions.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def typeset(latex: str, display: bool) -> PrintedFormula:
    """A formula without a number.

    Args:
        latex: what stands between the delimiters.
        display: whether it stands alone.

    Raises:
        FormulaError: if it cannot be typeset whole.
    """
    if len(latex) > LONGEST:
        raise NoteFormulaError("note-formula-long", found=len(latex), limit=LONGEST)
    mathml = _mathml(latex, display)
    root = ElementTree.fromstring(mathml)
    _refuse_others(root)
    if (found := round(weight(root))) > HEAVIEST:
        raise NoteFormulaError("note-formula-heavy", found=found, limit=HEAVIEST)
    try:
        svg, width, height, below = drawn(mathml)
    except Exception as error:
        raise NoteFormulaError("note-formula", detail=_said(error)) from None
    scale = min(1.0, WIDEST / width) if display else 1.0
    page = mathml_for_pages(mathml)
    return PrintedFormula(
        "", "", svg.encode(), page, latex, height * scale, width * scale, below=below * scale
    )


def weight_of(formula: PrintedFormula) -> float:
    """The weight of a formula that is typeset."""
    return weight(ElementTree.fromstring(formula.mathml))


def weight(element: Element) -> float:
    """Estimate the time to lay out an element, in units of a single letter that is not nested.

    The typesetter measures what is inside of an element several times, at each level anew.
    """
    fences = sum(1 for inner in element if _name(inner) == "mo" and inner.get("fence") == "true")
    factor = PER_LEVEL * (FENCE if fences else 1.0)
    return 1.0 + factor * sum(map(weight, element))


def _mathml(latex: str, display: bool) -> str:
    from ziamath.tex import tex2mml

    try:
        mathml = str(tex2mml(latex, inline=not display))
        ElementTree.fromstring(mathml)
    except RecursionError:
        raise NoteFormulaError("note-formula-heavy", found="…", limit=HEAVIEST) from None
    except Exception as error:
        # The reader of LaTeX raises whatever happens to it.
        raise NoteFormulaError("note-formula", detail=_said(error)) from None
    return mathml


def _refuse_others(root: Element) -> None:
    """Raise FormulaError for what is no formula, or would not be seen as one."""
    for element in root.iter():
        if _name(element) not in ELEMENTS:
            raise NoteFormulaError("note-formula-command", found=f"<{_name(element)}>")
        for attribute in element.attrib:
            if attribute not in ATTRIBUTES:
                raise NoteFormulaError("note-formula-command", found=attribute)
        text = element.text or ""
        if unknown := _COMMAND.search(text):
            raise NoteFormulaError("note-formula-command", found=unknown[0])
        if _name(element) == "mi" and text in ("{", "}", "&"):
            raise NoteFormulaError("note-formula", detail=text)
    lost = sorted({c for text in root.itertext() for c in unescape(text)} - _characters() - {"\n"})
    if lost:
        named = " ".join(f"{c} (U+{ord(c):04X})" for c in lost)
        raise NoteFormulaError("note-formula-characters", characters=named)


@cache
def _characters() -> frozenset[str]:
    """Characters of the font of formulas."""
    import importlib.util
    from pathlib import Path

    from fontTools.ttLib import TTFont

    spec = importlib.util.find_spec("ziamath")
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "fonts" / "STIXTwoMath-Regular.ttf"
    with TTFont(path, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _said(error: Exception) -> str:
    """Return the typesetter's message: few errors have words, but the names of its own tell."""
    if str(error):
        return str(error)[:120]
    name = type(error).__name__.removesuffix("Error")
    own = type(error).__module__.startswith("latex2mathml")
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", name).lower() if own else "…"
