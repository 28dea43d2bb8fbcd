"""SVG made small: the same picture in half of the bytes or less, and the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

DECIMALS = 2
"""Of a place and of the shape of a letter, which is drawn at many sizes."""

DECIMALS_OF_LINES = 1
"""Of the points of a line: a tenth of a point is half a dot of a good printer."""

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
REFERENCE = re.compile(r"(?<=url\(#)[^)]+")
"""The name that an attribute refers to."""

_STYLE_OF_ALL = "*{stroke-linejoin: round; stroke-linecap: butt}"
"""matplotlib's style sheet; lines end in "butt" anyway."""

_NUMBER = re.compile(r"-?\d*\.?\d+(?:[eE][-+]?\d+)?")
_COORDINATES = {"x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "width", "height"}
_PLACE = {"d", "id", "transform", "points", LINK, *_COORDINATES}
"""Attributes that are an element's own, where others may be shared with its neighbours."""

_MOVED = re.compile(r"(?<=translate\()[^)]*")
_COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_COLOUR = re.compile(r"#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3")


def compact(svg: str | bytes) -> bytes:
    """An SVG document without what nobody sees.

    Lines have one decimal, all else two, and paths are written as steps; what neighbours have in
    common is said once; metadata, comments, blanks, groups without meaning and identifiers that
    nothing refers to are gone. It has no style sheet and no style attribute.

    Raises:
        xml.etree.ElementTree.ParseError: if it is no XML.
    """
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.text = element.text if element.tag == f"{SVG}style" else None
        element.tail = None
        _restyle(element)
    _unsheet(root)
    _prune(root, set(_references(root)))
    shapes = {path for defs in root.iter(f"{SVG}defs") for path in defs.iter(f"{SVG}path")}
    for element in root.iter():
        decimals = DECIMALS if element in shapes else DECIMALS_OF_LINES
        for name, value in element.attrib.items():
            element.set(name, _path(value, decimals) if name == "d" else _shortened(name, value))
    _name_plainly(root)
    return written(root).encode()


def written(element: Element) -> str:
    """An element as text, without a blank that nobody needs."""
    return ElementTree.tostring(element, encoding="unicode").replace(" />", "/>")


def _name_plainly(root: Element) -> None:
    """Names as they are written by hand.

    ElementTree chooses prefixes by a table that all libraries of a process share and change.
    """
    links = False
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        if LINK in element.attrib:
            element.set("xlink:href", element.attrib.pop(LINK))
            links = True
    spaces = {"xmlns": SVG[1:-1]}
    if links:
        spaces["xmlns:xlink"] = LINK[1:].partition("}")[0]
    root.attrib = spaces | root.attrib


def _unsheet(root: Element) -> None:
    """The style sheet of matplotlib as attributes of the root, where it does the same."""
    for parent in root.iter(f"{SVG}defs"):
        for sheet in parent.findall(f"{SVG}style"):
            if sheet.text == _STYLE_OF_ALL:
                parent.remove(sheet)
                root.set("stroke-linejoin", "round")


def _restyle(element: Element) -> None:
    """Declarations of a style become attributes, which inherit in the same way."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        if name.strip():
            element.set(name.strip(), _COLOUR.sub(r"#\1\2\3", value.strip()))


def _references(root: Element) -> Iterator[str]:
    for element in root.iter():
        yield element.get(LINK, "")[1:]
        for value in element.attrib.values():
            yield from REFERENCE.findall(value)


def _prune(parent: Element, used: set[str]) -> None:
    """Drop what is not drawn, and put the children of bare groups in the groups' place."""
    kept: list[Element] = []
    for child in parent:
        if child.tag == f"{SVG}metadata":
            continue
        if child.get("id") not in used:
            child.attrib.pop("id", None)
        _prune(child, used)
        bare = child.tag in (f"{SVG}g", f"{SVG}defs") and not child.attrib
        if bare and (child.tag == f"{SVG}g" or not len(child)):
            kept += list(child)
        else:
            kept.append(child)
    parent[:] = list(_gathered(kept))


def _gathered(children: Iterable[Element]) -> Iterator[Element]:
    """Neighbours that look the same, in a group that says so once."""

    def look(element: Element) -> tuple[tuple[str, str], ...]:
        if element.tag not in (f"{SVG}path", f"{SVG}use"):
            return ()
        return tuple((n, v) for n, v in sorted(element.attrib.items()) if n not in _PLACE)

    for shared, run in groupby(children, look):
        alike = list(run)
        if not shared or len(alike) < 2:
            yield from alike
            continue
        group = Element(f"{SVG}g", dict(shared))
        for element in alike:
            for name, _ in shared:
                del element.attrib[name]
        group.extend(alike)
        yield group


def _shortened(name: str, value: str) -> str:
    """A place with as many decimals as it needs."""

    def rounded(text: str) -> str:
        return _NUMBER.sub(lambda m: _written(_counted(m[0], DECIMALS), DECIMALS), text)

    if name in _COORDINATES:
        return rounded(value)
    return _MOVED.sub(lambda m: rounded(m[0]), value) if name == "transform" else value


def _path(value: str, decimals: int = DECIMALS) -> str:
    """A path by steps instead of places, which have fewer digits.

    Places are rounded, and steps lead from one rounded place to the next, so that no error adds
    up. A path with other commands than M, L, Q, C and Z stays as it is.
    """
    commands = _COMMAND.findall(value)
    if not {command for command, _ in commands} <= {"M", "L", "Q", "C", "Z", "z"}:
        return value
    steps: list[str] = []
    here = start = (0, 0)
    for command, numbers in commands:
        places = [_counted(number, decimals) for number in _NUMBER.findall(numbers)]
        if command in "Zz":
            steps.append("z")
            here = start
        elif command == "M":
            steps.append(f"M{_joined(places, decimals)}")
            here = start = (places[0], places[1])
        else:
            moved = [place - here[k % 2] for k, place in enumerate(places)]
            steps.append(_step(command, moved, decimals))
            here = (places[-2], places[-1])
    return "".join(steps)


def _step(command: str, steps: list[int], decimals: int) -> str:
    if command == "L" and steps[1] == 0:
        return f"h{_written(steps[0], decimals)}"
    if command == "L" and steps[0] == 0:
        return f"v{_written(steps[1], decimals)}"
    return command.lower() + _joined(steps, decimals)


def _joined(numbers: list[int], decimals: int) -> str:
    return " ".join(_written(number, decimals) for number in numbers).replace(" -", "-")


def _counted(number: str, decimals: int) -> int:
    """A number in units of its last decimal, so that sums of steps are exact."""
    counted: int = round(float(number) * 10**decimals)
    return counted


@lru_cache(maxsize=2**14)
def _written(counted: int, decimals: int) -> str:
    """So many units as a decimal, as short as SVG allows."""
    text = f"{counted / 10**decimals:.{decimals}f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text)
