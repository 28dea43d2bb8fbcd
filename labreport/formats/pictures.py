"""Pictures as parts of a page: what several of them draw, such as letters, is there once."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

from labreport.report.svg import LINK, REFERENCE, SVG, written

_OF_A_FILE = ("width", "height", "version")
"""Attributes that a picture needs as a file, and as a part of a page does without."""


class Pictures:
    """The pictures of one page, and what they share."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._shared: list[str] = []

    def inline(self, svg: bytes, words: str) -> Markup:
        """An SVG document (made by `report.svg.compact`) as an element of the page.

        Args:
            svg: the document.
            words: what it shows.
        """
        root = ElementTree.fromstring(svg)
        defined = [thing for defs in root.iter(f"{SVG}defs") for thing in defs]
        names: dict[str, str] = {}
        new: list[Element] = []
        for thing in defined:
            known = thing.attrib.pop("id")
            looks = written(thing)
            if looks not in self._names:
                self._names[looks] = f"s{len(self._names)}"
                new.append(thing)
            names[known] = self._names[looks]
            thing.set("id", names[known])
        for element in root.iter():
            _refer(element, names)
        self._shared += map(_as_html, new)
        for parent in root.iter():
            parent[:] = [child for child in parent if child.tag != f"{SVG}defs"]
        for attribute in _OF_A_FILE:
            root.attrib.pop(attribute, None)
        root.attrib |= {"role": "img", "aria-label": words}
        if root.find(f".//{SVG}image") is not None:
            # Where colours have a key, lightness means something: a dark page leaves them alone.
            root.set("class", "keyed")
        return Markup(_as_html(root))

    @property
    def shared(self) -> Markup:
        """What the pictures so far refer to; an element that shows nothing by itself."""
        shared = "".join(self._shared)
        return Markup(f'<svg class="shared" aria-hidden="true"><defs>{shared}</defs></svg>')


def _refer(element: Element, names: dict[str, str]) -> None:
    """Call by their names on the page what an element refers to."""
    for attribute, value in list(element.attrib.items()):
        if attribute == LINK:
            del element.attrib[LINK]
            # What is no name is a picture that comes along as data: the bar of colours of a map.
            element.set("href", f"#{names[value[1:]]}" if value.startswith("#") else value)
        elif "url(" in value:
            element.set(attribute, REFERENCE.sub(lambda m: names[m[0]], value))


def _as_html(element: Element) -> str:
    """An element without the name spaces that HTML knows by itself."""
    for inner in element.iter():
        inner.tag = inner.tag.removeprefix(SVG)
    return written(element)
