"""Pictures of the student's notes: files beside the note, looked at before they are taken in."""

from __future__ import annotations

import base64
import os
import warnings
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote
from xml.etree import ElementTree

from labreport.lab.reading.faults import nearest
from labreport.render.drawing_addresses import fetched
from labreport.render.drawing_check import oddities
from labreport.runs.files import NotRegularError, read_regular

KINDS = {
    ".png": ("PNG", "image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("JPEG", "image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("JPEG", "image/jpeg", b"\xff\xd8\xff"),
    ".svg": ("SVG", "image/svg+xml", b""),
}
"""By how a name ends: what is in the file, its type, and how it begins."""

LARGEST = 2_000_000
"""Bytes of one picture; a page has it once for each language."""

MOST_PIXELS = 16_000_000

MOST_DRAWN = 20_000
"""Elements of a drawing, where what is used twice counts twice."""

DRAWING = "data:image/svg+xml;base64,"
"""The prefix of the address of a drawing; formulas on paper are drawings that begin otherwise."""

_XLINK = "{http://www.w3.org/1999/xlink}href"


class PictureError(Exception):
    """A picture cannot be taken in.

    Attributes:
        code: names the sentence in the catalogues.
        values: what the sentence mentions.
        allowed: what could stand there instead.
        nearest: the name of a picture that may have been meant.
    """

    def __init__(
        self, code: str, allowed: tuple[str, ...] = (), nearest: str = "", **values: object
    ) -> None:
        super().__init__(code)
        self.code, self.values = code, values
        self.allowed, self.nearest = allowed, nearest


def picture(folder: Path, address: str) -> str:
    """A picture as a data: URI.

    Args:
        folder: of the notes; nothing outside of it is read.
        address: as the note has it, with ``%20`` for a blank.

    Raises:
        PictureError: if it is not there, or not what it should be.
    """
    name = unquote(address)
    path = PurePosixPath(name)
    if ":" in name or "\\" in name or path.is_absolute() or not name or "\0" in name:
        raise PictureError("note-picture-address", _there(folder), found=name[:80])
    if path.suffix.lower() not in KINDS:
        raise PictureError("note-picture-kind", tuple(KINDS), found=name[:80])
    content = _content(folder, name)
    title, kind, magic = KINDS[path.suffix.lower()]
    if not content.startswith(magic):
        raise PictureError("note-picture", found=name, kind=title)
    if title == "SVG":
        _check_drawing(name, content)
    else:
        _check_pixels(name, content, title)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _content(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve()):
            raise PictureError("note-picture-outside", found=name)
        size = path.stat().st_size
        if size > LARGEST:
            raise PictureError("note-picture-large", found=size, limit=LARGEST)
        return read_regular(path, LARGEST)
    except FileNotFoundError:
        there = _there(folder)
        raise PictureError(
            "note-picture-missing", there, nearest(name, there), found=name
        ) from None
    except NotRegularError:
        raise PictureError("note-picture-irregular", found=name) from None
    except (OSError, RuntimeError, ValueError) as error:
        # A link that leads to itself is one or the other, by the version of Python.
        detail = getattr(error, "strerror", None) or str(error)
        raise PictureError("note-picture-unreadable", found=name, detail=detail) from None


def _there(folder: Path) -> tuple[str, ...]:
    """Pictures in the folder of notes and below it, at most as many as anybody would read."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        paths = (Path(place, name).relative_to(folder) for name in sorted(names))
        found += [path.as_posix() for path in paths if path.suffix.lower() in KINDS]
    return tuple(found[:20])


def _check_pixels(name: str, content: bytes, title: str) -> None:
    """Decode the picture once, so that neither a browser nor the PDF stumbles over it."""
    from io import BytesIO

    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(content), formats=[title]) as image:
                pixels = image.width * image.height
                if pixels > MOST_PIXELS:
                    raise PictureError("note-picture-pixels", found=pixels, limit=MOST_PIXELS)
                image.load()
        except PictureError:
            raise
        except Exception:
            # A decoder raises whatever happens to it.
            raise PictureError("note-picture", found=name, kind=title) from None


def _check_drawing(name: str, content: bytes) -> None:
    """A drawing runs nothing, fetches nothing, and ends."""
    if b"<!" in content.replace(b"<!--", b"") or b"<svg" not in content:
        raise PictureError("note-picture", found=name, kind="SVG")
    for odd in oddities(content):
        raise PictureError("note-picture-svg", found=name, line=odd.line, detail=odd.detail)
    root = ElementTree.fromstring(content)
    for element in root.iter():
        sheets = [*element.attrib.values(), element.text or ""]
        for address in (a for sheet in sheets if _may_fetch(sheet) for _, a in fetched(sheet)):
            if not address.startswith(("#", "data:image/")):
                raise PictureError("note-picture-svg", found=name, line=0, detail=address[:80])
    named = {i: e for e in root.iter() if (i := e.get("id"))}
    if _drawn(root, named, {}, frozenset()) > MOST_DRAWN:
        raise PictureError("note-picture-drawing", found=name, limit=MOST_DRAWN)


def _may_fetch(text: str) -> bool:
    return "url" in text.lower() or "@" in text or "\\" in text


def _drawn(
    element: ElementTree.Element,
    named: Mapping[str, ElementTree.Element],
    known: dict[int, float],
    around: frozenset[int],
) -> float:
    """Elements that are drawn of an element; without end where it is a part of itself."""
    if id(element) in around or len(around) > 200:
        return float("inf")
    if id(element) not in known:
        inside = around | {id(element)}
        parts = list(element)
        link = element.get("href") or element.get(_XLINK) or ""
        if link.startswith("#") and link[1:] in named:
            parts.append(named[link[1:]])
        known[id(element)] = 1 + sum(_drawn(part, named, known, inside) for part in parts)
    return known[id(element)]
