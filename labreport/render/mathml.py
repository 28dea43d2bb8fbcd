"""MathML for pages: what latex2mathml writes, in the part of it that every browser draws alike."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_REFERENCE = re.compile(r"&#x([0-9A-Fa-f]+);")
_KEPT = {"<", ">", "&"}


def mathml_for_pages(mathml: str) -> str:
    """MathML Core of a displayed formula.

    Characters stand for themselves. What a style sheet says (alignment and spacing of tables,
    see screen.css) and what goes without saying is left out.
    """
    text = _REFERENCE.sub(lambda m: m[0] if unescape(m[0]) in _KEPT else unescape(m[0]), mathml)
    text = re.sub(r' (?:xmlns|rowspacing|columnspacing|displaystyle)="[^"]*"', "", text)
    text = re.sub(r'<mtd columnalign="(left|right)">', r'<mtd class="\1">', text)
    text = re.sub(r"<mi ?/>", "", text)
    return re.sub(r"<mrow>(<m([ion])>[^<]*</m\2>)</mrow>", r"\1", text)


def without_bare_rows(mathml: str) -> Element:
    """A formula without rows that hold nothing but another row or a table.

    What typesets it makes all that is in a row twice, and so four times in a row within a row.
    """
    root = ElementTree.fromstring(mathml)
    for parent in root.iter():
        for place, child in enumerate(parent):
            while _is_bare(child):
                parent[place] = child = child[0]
    return root


def _is_bare(element: Element) -> bool:
    row, *inside = (e.tag.rpartition("}")[2] for e in (element, *element))
    return row == "mrow" and not element.attrib and inside in (["mrow"], ["mtable"])
