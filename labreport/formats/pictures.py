"""Pictures as parts of a page: what several of them draw, such as letters, is there once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

from labreport.render.svg import LINK, REFERENCE, SVG, written

_OF_A_FILE = ("width", "height", "version")
"""Attributes that a picture needs as a file, and as a part of a page does without."""


_LONG = 150
"""Characters from which on the points of a line are worth a place of their own."""


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
        names = self._define(_taken_out(root))
        for element in root.iter():
            _refer(element, names)
        for element, thing in _set_apart(root):
            (name,) = self._define([thing]).values()
            element.set("href", f"#{name}")
        for attribute in _OF_A_FILE:
            root.attrib.pop(attribute, None)
        root.attrib |= {"role": "img", "aria-label": words}
        if root.find(f".//{SVG}image") is not None:
            # Where colours have a key, lightness means something: a dark page leaves them alone.
            root.set("class", "keyed")
        return Markup(_as_html(root))

    def _define(self, things: Iterable[Element]) -> dict[str, str]:
        """Share what looks the same; gives what each thing is called on the page."""
        names: dict[str, str] = {}
        new: list[Element] = []
        for thing in things:
            known = thing.attrib.pop("id", "")
            looks = written(thing)
            if looks not in self._names:
                self._names[looks] = f"s{len(self._names)}"
                new.append(thing)
            names[known] = self._names[looks]
            thing.set("id", names[known])
        for thing in new:
            for inner in thing.iter():
                _refer(inner, names)
        self._shared += map(_as_html, new)
        return names

    @property
    def shared(self) -> Markup:
        """Definitions that the pictures so far use; an element that shows nothing by itself."""
        shared = "".join(self._shared)
        return Markup(f'<svg class="shared" aria-hidden="true"><defs>{shared}</defs></svg>')


def _taken_out(root: Element) -> list[Element]:
    """Remove the definitions from a picture, and return them."""
    defined = [thing for defs in root.iter(f"{SVG}defs") for thing in defs]
    for parent in root.iter():
        parent[:] = [child for child in parent if child.tag != f"{SVG}defs"]
    return defined


def _set_apart(root: Element) -> Iterator[tuple[Element, Element]]:
    """Long lines and whole words, each as a thing to define, and what is left in its place.

    The same picture in another language has most of them, too.
    """
    for element in list(root.iter()):
        if element.tag == f"{SVG}path" and len(element.get("d", "")) > _LONG:
            thing = Element(f"{SVG}path", {"d": element.attrib.pop("d")})
        elif element.tag == f"{SVG}g" and len(element) > 1 and _is_word(element):
            thing = Element(f"{SVG}g")
            thing.extend(list(element))
            element[:] = []
        else:
            continue
        element.tag = f"{SVG}use"
        yield element, thing


def _is_word(group: Element) -> bool:
    """Return whether a group is letters side by side, as matplotlib writes a text."""
    return "scale(" in group.get("transform", "") and all(e.tag == f"{SVG}use" for e in group)


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
