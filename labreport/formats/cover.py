"""The cover of a report: its template, which a theme may replace, rendered and checked.

A theme may be anybody's. Its template reaches nothing but the plain values that it is given, and
makes nothing but elements and attributes that a cover needs. This is checked wherever a cover is
rendered, because a template can show one thing in a trial and another one in a report.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from labreport.errors import Fault, InputError
from labreport.formats.cover_values import cover_values, refuse_objects
from labreport.formats.sandbox import RefusedError, Sandbox, Unknown, render
from labreport.lab.reading.faults import nearest
from labreport.report.language import Language
from labreport.report.style_sheets import DEEPEST
from labreport.report.theme import COVER
from labreport.report.tree import Report
from labreport.shipped import shipped

EVERYWHERE = ("aria-hidden", "aria-label", "class", "dir", "id", "lang", "title")
"""Attributes that any element of a cover may have. No style, which the page's policy ignores."""

_PLAIN = (
    *("b", "br", "caption", "dd", "div", "dl", "dt", "em", "footer", "h1", "h2", "h3", "h4"),
    *("header", "hr", "i", "li", "p", "section", "small", "span", "strong", "sub", "sup"),
    *("table", "tbody", "tfoot", "thead", "tr", "u", "ul"),
)

ELEMENTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_PLAIN, ()),
    **dict.fromkeys(("col", "colgroup"), ("span",)),
    **dict.fromkeys(("td", "th"), ("colspan", "rowspan", "scope")),
    "a": ("href",),
    "img": ("alt", "height", "src", "width"),
    "ol": ("start",),
}
"""Elements that a cover may have, each with its own attributes."""

VOID = {"br", "col", "hr", "img"}
"""Those that have no end."""

INSIDE = {"href": "#", "src": "data:image/"}
"""How attributes begin that could lead elsewhere."""

LARGEST: Mapping[str, int] = {
    **dict.fromkeys(("colspan", "rowspan", "span"), 20),
    **dict.fromkeys(("height", "width"), 2000),
    "start": 1000,
}
"""Attributes that are whole numbers, and how large these are: a renderer makes as many cells."""

MOST_ELEMENTS = 1000
LONGEST_TEXT = 5_000
"""Elements of a cover, and characters of its text and of each attribute but pictures: a page."""

_MARK = re.compile("\ufdd0([0-9]+)\ufdd1")
"""The number of a line of the template, between characters that stand for nothing."""


def cover(report: Report, language: Language, printed: bool) -> Markup:
    """The cover as it stands on the page, or on paper.

    Raises:
        InputError: with the faults of the template, or of what it makes.
    """
    theme = report.theme
    file = theme.cover_file if theme.cover else shipped("templates") / COVER
    source = theme.cover or file.read_text(encoding="utf-8")
    values = cover_values(report, language, printed)
    refuse_objects(values)
    html = _rendered(source, file, values)
    if faults := _faults(html, source, file):
        # Once more with the lines of the template in it. What is at fault is the same, unless the
        # template looks at its own text.
        marked = _rendered(source, file, values, marked=True)
        raise InputError(_faults(marked, source, file) or faults)
    return Markup(html)


def _rendered(
    source: str, file: Path, values: Mapping[str, object], *, marked: bool = False
) -> str:
    try:
        template = _environment(source, str(file), marked).get_template(COVER)
        return render(template, str(file), values)
    except Exception as error:
        # Whatever is raised in a template of somebody's is a fault of the template.
        raise InputError(_fault(source, file, error, tuple(values))) from None


@cache
def _environment(source: str, file: str, marked: bool) -> Environment:
    own = {COVER: (source, file, lambda: True)}
    return Sandbox(
        loader=FunctionLoader(own.get),
        autoescape=True,
        undefined=Unknown,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_Marks] if marked else [],
    )


class _Marks(Extension):
    """Writes its line in front of each tag of a template."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for token in stream:
            if token.type == "data":
                lines = enumerate(token.value.split("\n"), start=token.lineno)
                text = "\n".join(t.replace("<", f"\ufdd0{n}\ufdd1<") for n, t in lines)
                yield Token(token.lineno, token.type, text)
            else:
                yield token


def _fault(source: str, file: Path, error: Exception, given: tuple[str, ...]) -> Fault:
    """A fault of the template, at its line.

    Args:
        source: the text of the template.
        file: its place.
        error: what was raised.
        given: names of the values that it has.
    """
    line = 0
    if isinstance(error, TemplateSyntaxError):
        line = error.lineno
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == str(file):
                line = frame.lineno or 0
    place: dict[str, Any] = {"file": file, "line": line, "excerpt": _excerpt(source, line)}
    if isinstance(error, RefusedError):
        found = str(error.values.get("found", ""))
        if error.code == "theme-undefined" and not error.allowed:
            place |= {"allowed": given, "nearest": nearest(found, given)}
        else:
            place |= {"allowed": error.allowed, "nearest": error.nearest}
        return Fault(error.code, error.values, **place)
    detail = str(error) or type(error).__name__
    return Fault("theme-template", {"detail": detail[:300]}, **place)


def _excerpt(source: str, line: int) -> str:
    lines = source.split("\n")
    return lines[line - 1][:200] if 0 < line <= len(lines) else ""


def _faults(html: str, source: str, file: Path) -> list[Fault]:
    """What a cover may not have, or lacks; each once."""
    check = _Check()
    check.feed(html)
    check.end()
    return [
        Fault(
            code,
            values,
            file=file,
            line=line,
            excerpt=_excerpt(source, line),
            allowed=allowed,
        )
        for line, code, values, allowed in check.found.values()
    ]


class _Check(HTMLParser):
    """Reads a cover as a browser would, and keeps what is not allowed there."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[object, tuple[int, str, Mapping[str, object], tuple[str, ...]]] = {}
        self._open: list[tuple[str, int]] = []
        self._line = self._headings = self._heading = self._elements = self._text = 0

    def end(self) -> None:
        """What shows when all has been read."""
        if "<" in self.rawdata:
            self._say("theme-unclosed", tag=_MARK.sub("", self.rawdata)[:40])
        elif self._open:
            tag, self._line = self._open[-1]
            self._say("theme-unclosed", tag=tag)
        if self._headings != 1:
            self._line = self._heading
            self._say("theme-heading", found=self._headings)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self._say("theme-element", tuple(sorted(ELEMENTS)), found=tag)
        else:
            self._attributes(tag, attrs)
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            self._say("theme-many", limit=MOST_ELEMENTS)
        if tag == "h1":
            self._headings, self._heading = self._headings + 1, self._line
        if tag not in VOID:
            self._open.append((tag, self._line))
        if len(self._open) > DEEPEST:
            self._say("theme-nested", limit=DEEPEST)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # In HTML the stroke of <p/> says nothing: it is a beginning without an end.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self._say("theme-unclosed", tag=tag)
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if marks := _MARK.findall(data):
            self._line = int(marks[-1])
        self._text += len(_MARK.sub("", data))
        if self._text > LONGEST_TEXT:
            self._say("theme-long", limit=LONGEST_TEXT)

    def handle_comment(self, data: str) -> None:
        # Where a comment ends is not the same to all that read one with a bracket in it.
        if "<" in data or ">" in data:
            self._say("theme-element", tuple(sorted(ELEMENTS)), found="!--")

    def handle_decl(self, decl: str) -> None:
        self._say("theme-element", tuple(sorted(ELEMENTS)), found=f"!{decl[:20]}")

    def unknown_decl(self, data: str) -> None:
        self.handle_decl(data)

    def handle_pi(self, data: str) -> None:
        self._say("theme-element", tuple(sorted(ELEMENTS)), found=f"?{data[:20]}")

    def _attributes(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        allowed = tuple(sorted((*EVERYWHERE, *ELEMENTS[tag])))
        for name, value in attributes:
            begins = INSIDE.get(name, "")
            if name not in allowed:
                self._say("theme-attribute", allowed, found=name[:40], tag=tag)
            elif name != "src" and len(value or "") > LONGEST_TEXT:
                self._say("theme-long", limit=LONGEST_TEXT)
            elif name in LARGEST and not _is_small(value or "", LARGEST[name]):
                found = _MARK.sub("", value or "")[:80]
                self._say("theme-number", found=found, name=name, limit=LARGEST[name])
            elif not (value or "").startswith(begins):
                self._say("theme-link", found=_MARK.sub("", value or "")[:80], name=name)

    def _say(self, code: str, allowed: tuple[str, ...] = (), **values: object) -> None:
        self.found.setdefault((code, *values.values()), (self._line, code, values, allowed))


def _is_small(text: str, limit: int) -> bool:
    """Whether a text is a whole number from 1 to a limit, in digits alone."""
    return re.fullmatch("[0-9]{1,4}", text) is not None and 1 <= int(text) <= limit
