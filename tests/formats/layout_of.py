"""The rules of layout, checked on the pages of a document that WeasyPrint has laid out.

A figure or table stands on the page that first speaks of it or on the next one, within its own
section and in no box; a box, a list and a table of few rows stand on one page; a page is filled
unless a chapter ends on it; a caption has few lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from labreport.formats.paper.placed import LEAST_FILL, NUMBERED, Page, kind, pages_of

FEW_ROWS = 15
"""Rows from which on a table may go on on another page."""

MOST_LINES = 2
"""Lines of a caption."""


@dataclass(frozen=True)
class Layout:
    """What tests ask of the pages of a document, as a value that outlives it.

    Attributes:
        faults: what is wrong with them.
        chapters: of each page.
    """

    faults: tuple[str, ...]
    chapters: tuple[frozenset[str], ...]


def layout_of(document: Any) -> Layout:
    """Measure the pages of a document."""
    chapters = (frozenset(line.chapter for line in page.lines) for page in pages_of(document))
    return Layout(tuple(faults(document)), tuple(chapters))


def faults(document: Any) -> list[str]:
    """What is wrong with the pages of a document, each with its page."""
    pages = pages_of(document)
    return [*_unfilled(pages), *_split(pages), *_misplaced(pages), *_long_captions(pages)]


def fills(document: Any) -> list[float]:
    """How far each page is filled."""
    return [page.fill for page in pages_of(document)]


def _unfilled(pages: Sequence[Page]) -> Iterator[str]:
    """Pages with a gap although their chapter goes on; the cover is none."""
    for number, (page, after) in enumerate(pairwise(pages[1:]), start=2):
        ends = page.lines[-1].chapter != after.lines[0].chapter
        if page.fill < LEAST_FILL and not ends:
            yield f"page {number} is filled to {page.fill:.0%}"


def _split(pages: Sequence[Page]) -> Iterator[str]:
    """Boxes, figures, lists and tables of few rows that stand on two pages."""
    for element, found in _pages_by_element(pages, _is_whole).items():
        if len(found) > 1:
            yield f"page {found[0]}: {_name(element)} goes on on the next page"


def _is_whole(element: Any) -> bool:
    if element.tag in ("ul", "ol"):
        return True
    rows = sum(1 for row in element.iter("tr"))
    return kind(element) in ("box", "figure") or (kind(element) == "table" and rows <= FEW_ROWS)


def _pages_by_element(pages: Sequence[Page], chosen: Any) -> dict[Any, list[int]]:
    """The pages that each chosen element of a section stands on, from 1."""
    found: dict[Any, list[int]] = {}
    for number, page in enumerate(pages, start=1):
        for line in page.lines:
            inside = line.path[line.path.index(line.block) :] if line.block is not None else ()
            for element in inside:
                if chosen(element) and number not in found.setdefault(element, []):
                    found[element].append(number)
    return found


def _misplaced(pages: Sequence[Page]) -> Iterator[str]:
    """Figures and tables before or long after their first mention, or inside of a box."""
    blocks = {line.block for page in pages for line in page.lines}
    placed = _pages_by_element(pages, lambda e: e in blocks or kind(e) in NUMBERED)
    told = {b: " ".join("".join(b.itertext()).split()) for b in placed if kind(b) not in NUMBERED}
    for element, (page, *_) in placed.items():
        if kind(element) not in NUMBERED:
            continue
        if element not in blocks:
            yield f"page {page}: {_name(element)} is a part of another block"
        mention = re.compile(re.escape(_name(element)) + r"(?!\d)")
        spoken = [found for block, found in placed.items() if mention.search(told.get(block, ""))]
        if spoken and not spoken[0][0] <= page <= spoken[0][-1] + 1:
            yield f"page {page}: {_name(element)} is spoken of on page {spoken[0][0]} first"


def _long_captions(pages: Sequence[Page]) -> Iterator[str]:
    """Captions of too many lines."""
    for number, page in enumerate(pages, start=1):
        lines: dict[Any, set[float]] = {}
        for line in page.lines:
            for element in line.path:
                if element.tag in ("figcaption", "caption") and line.block is not None:
                    lines.setdefault(element, set()).add(line.top)
        for element, tops in lines.items():
            if len(tops) > MOST_LINES:
                yield f"page {number}: a caption of {len(tops)} lines: {_name(element)}"


def _name(element: Any) -> str:
    """The number of a figure or table, or else the first words of an element."""
    labels = [e for e in element.iter("span") if e.get("class") == "label"]
    words = "".join((labels[0] if labels else element).itertext())
    return " ".join(words.split())[:60]
