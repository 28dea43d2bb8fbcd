"""What stands where on the pages of a document, read from the layout of WeasyPrint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_FILL = 0.8
"""Share of a page that is filled, unless a chapter ends on it."""

NUMBERED = ("figure", "table")
"""Kinds of blocks that the text refers to by number."""


@dataclass(frozen=True)
class Placed:
    """A part of an element on one page.

    Attributes:
        path: the element and those around it, the outermost first.
        top: of it, in pixels of CSS.
        bottom: of it.
    """

    path: tuple[Any, ...]
    top: float
    bottom: float

    @property
    def element(self) -> Any:
        """The element itself."""
        return self.path[-1]

    @property
    def block(self) -> Any | None:
        """The block of a section that it is, or is a part of; None outside of sections."""
        places = [k for k, around in enumerate(self.path) if around.tag == "section"]
        below = self.path[places[-1] + 1 :] if places else ()
        return below[0] if below else None

    @property
    def chapter(self) -> str:
        """The anchor of the chapter that it is in; "" outside of chapters."""
        inside = (around.get("id", "") for around in self.path if around.tag == "section")
        return next(inside, "")


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        lines: of text, and pictures, from top to bottom.
        top: of the place that they have, in pixels of CSS.
        bottom: of it.
    """

    lines: tuple[Placed, ...]
    top: float
    bottom: float

    @property
    def end(self) -> float:
        """The place below which nothing stands."""
        return max((line.bottom for line in self.lines), default=self.top)

    @property
    def room(self) -> float:
        """Pixels that are left below."""
        return self.bottom - self.end

    @property
    def fill(self) -> float:
        """Share of the page above that."""
        return (self.end - self.top) / (self.bottom - self.top)


def pages_of(document: Any) -> tuple[Page, ...]:
    """The pages of a document that WeasyPrint has laid out, without running heads."""
    return tuple(_page(page._page_box) for page in document.pages)


def kind(element: Any) -> str:
    """The kind of a block: "figure", "table", "box", "formula", "heading" or "text"."""
    classes = (element.get("class") or "").split()
    if element.tag == "figure":
        return "figure"
    if element.tag in ("h2", "h3", "h4"):
        return "heading"
    if "table" in classes:
        return "table"
    if {"answers", "limits", "question"} & set(classes):
        return "box"
    return "formula" if "formula" in classes else "text"


def heights(pages: Sequence[Page]) -> dict[Any, float]:
    """The height of every block, all of its parts together."""
    found: dict[Any, float] = {}
    for page in pages:
        ends: dict[Any, tuple[float, float]] = {}
        for line in page.lines:
            if line.block is not None:
                top, bottom = ends.get(line.block, (line.top, line.bottom))
                ends[line.block] = (min(top, line.top), max(bottom, line.bottom))
        for block, (top, bottom) in ends.items():
            found[block] = found.get(block, 0.0) + bottom - top
    return found


def _page(box: Any) -> Page:
    top = box.content_box_y()
    root = box.children[0]
    return Page(tuple(_leaves(root, ())), top, top + box.height)


def _leaves(box: Any, around: tuple[Any, ...]) -> Iterator[Placed]:
    element = getattr(box, "element", None)
    path = around
    if element is not None and not (path and path[-1] is element):
        path = (*path, element)
    children = getattr(box, "children", ())
    is_line = type(box).__name__ == "LineBox"
    height = _height(box)
    if path and height > 0 and (is_line or not children):
        yield Placed(path, box.position_y, box.position_y + height)
    for child in () if is_line else children:
        yield from _leaves(child, path)


def _height(box: Any) -> float:
    height = getattr(box, "height", 0.0)
    return float(height) if isinstance(height, int | float) else 0.0
