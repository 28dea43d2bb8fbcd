"""The Markdown of a note: what is at fault in it, and HTML of it.

Links lead to the web or to a mailbox and nowhere else; pictures come along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from labreport.errors import Fault
from labreport.render.notes.markdown_dialect import FORMULAS, MARKDOWN, words_of
from labreport.render.notes.note_formulas import NoteFormulaError, typeset, weight_of
from labreport.render.notes.note_pictures import PictureError, picture
from labreport.render.printed import PrintedFormula

LONGEST_WORD = 1000
"""Characters without a blank (Chinese ones apart, which stand for words): longer ones take long to
break into lines."""

LONGEST_PARAGRAPH = 10_000
"""Characters of one paragraph, cell or heading."""

MOST_ROWS = 500
"""Rows of all tables of a note."""

MOST_LINES = 1000
"""Lines of all programs of a note."""

MOST_PARTS = 5_000
"""Elements of a note, from paragraphs to words that are emphasised."""

MOST_FORMULAS = 200
HEAVIEST_FORMULAS = 10_000
"""The weight of all formulas of a note; that of the heaviest one is 2000."""

MOST_PICTURES = 20
LARGEST_PICTURES = 6_000_000
"""Characters of all pictures of a note, as they stand in the page."""

LONGEST_LINK = 2000
SCHEMES = ("https://", "http://", "mailto:")

_UNBROKEN = re.compile(rf"[^ \t\n\u2e80-\ud7ff\uf900-\uffef]{{{LONGEST_WORD + 1},}}")
_DONE, _OPEN = "■", "□"
"""Boxes of a task list; the font has no box with a tick."""


@dataclass
class Rendered:
    """HTML of a note in both media, with what is in it."""

    html: str
    paper: str
    formulas: tuple[PrintedFormula, ...]


def render(
    text: str, file: Path, name: str, under: int, first: int = 1
) -> tuple[Rendered, list[Fault]]:
    """HTML of Markdown, and everything that is at fault in it.

    Args:
        text: the Markdown.
        file: where it stands, beside its pictures.
        name: begins the anchors of its footnotes.
        under: level of the heading that it stands under; its own headings go deeper.
        first: number of the line of the file with which the text begins.
    """
    reading = _NoteReader(file, text.split("\n"), first)
    if reading.refuse_words():
        return Rendered("", "", ()), reading.faults
    environment: dict[str, Any] = {"anchor": name}
    tokens = MARKDOWN.parse(text, environment)
    reading.take_in(tokens, under)
    reading.refuse_unused_footnotes(environment)
    if reading.faults:
        return Rendered("", "", ()), reading.faults
    html, paper = (
        str(MARKDOWN.renderer.render(tokens, MARKDOWN.options, environment | {"printed": printed}))
        for printed in (False, True)
    )
    return Rendered(html, paper, tuple(reading.formulas)), []


@dataclass
class _NoteReader:
    """A note while its parts are looked at, one after another."""

    file: Path
    lines: list[str]
    first: int
    faults: list[Fault] = field(default_factory=list)
    formulas: list[PrintedFormula] = field(default_factory=list)
    weight: float = 0.0
    pictures: int = 0
    size: int = 0
    parts: int = 0
    code: int = 0
    rows: int = 0

    def refuse_words(self) -> bool:
        """Refuse words that would take too long; return whether there are faults."""
        for number, line in enumerate(self.lines):
            if found := _UNBROKEN.search(line):
                values = {"found": len(found[0]), "limit": LONGEST_WORD}
                self.fault("note-word", number, values, found.start())
        return bool(self.faults)

    def refuse_unused_footnotes(self, environment: dict[str, Any]) -> None:
        """Refuse footnotes that no place refers to, which would be left out without a word."""
        for label, number in environment.get("footnotes", {}).get("refs", {}).items():
            if number < 0:
                mark = f"[^{label[1:]}]:"
                line = next((k for k, text in enumerate(self.lines) if mark in text), 0)
                self.fault("note-footnote", line, {"found": mark[:-1]})

    def take_in(self, tokens: Sequence[Token], under: int) -> None:
        """Look at every part, and change those that are not to be rendered as they are."""
        line, level = 0, under
        for token in tokens:
            line = token.map[0] if token.map else line
            self._count(token, line)
            if token.type == "heading_open":
                # No level is skipped, also where the note begins with a lower one.
                level = min(int(token.tag[1:]) + under, level + 1, 6)
                token.tag = f"h{level}"
            elif token.type == "heading_close":
                token.tag = f"h{level}"
            elif token.type in ("th_open", "td_open"):
                _align(token)
            elif token.type == "math_block":
                self._formula(token, line + 1 if self._opens_alone(line) else line, 0)
            elif token.type == "inline":
                self._inline(token, line)

    def _opens_alone(self, line: int) -> bool:
        return self.lines[line].strip() in ("$$", r"\[")

    def _count(self, token: Token, line: int) -> None:
        self.parts += token.nesting >= 0
        if token.nesting >= 0 and self.parts == MOST_PARTS + 1:
            self.fault("note-parts", line, {"limit": MOST_PARTS})
        self.rows += token.type == "tr_open"
        if token.type == "tr_open" and self.rows == MOST_ROWS + 1:
            self.fault("note-rows", line, {"limit": MOST_ROWS})
        if token.type in ("fence", "code_block"):
            before, self.code = self.code, self.code + token.content.count("\n")
            if before <= MOST_LINES < self.code:
                self.fault("note-lines", line, {"limit": MOST_LINES})

    def _inline(self, token: Token, line: int) -> None:
        """The parts of a paragraph, which have no lines of their own: looked for in its text."""
        if len(token.content) > LONGEST_PARAGRAPH:
            values = {"found": len(token.content), "limit": LONGEST_PARAGRAPH}
            self.fault("note-paragraph", line, values)
        place = 0
        for part in token.children or ():
            self._count(part, line)
            sought = _sought(part)
            found = next((i for s in sought if (i := token.content.find(s, place)) >= 0), -1)
            place = max(place, found)
            at = line + token.content[:place].count("\n")
            column = self._column(token.content, place, at) if sought else 0
            if part.type in FORMULAS:
                self._formula(part, at, column)
            elif part.type == "image":
                self._picture(part, at, column)
            elif part.type == "link_open":
                self._link(part, at, column)
            elif part.type == "html_inline":
                _show_box(part)
            # A second one of the same comes after the first.
            place += 1 if found >= 0 else 0

    def _column(self, content: str, place: int, line: int) -> int:
        """The column of a place in the text of a paragraph, whose lines begin behind blanks."""
        start = content.rfind("\n", 0, place) + 1
        text = content[start:].split("\n")[0]
        return max(0, self.lines[line].find(text)) + place - start

    def _formula(self, token: Token, line: int, column: int) -> None:
        if len(self.formulas) == MOST_FORMULAS:
            self.fault("note-formulas", line, {"limit": MOST_FORMULAS}, column)
        if len(self.formulas) >= MOST_FORMULAS or self.weight > HEAVIEST_FORMULAS:
            self.formulas += self.formulas[:1]
            return
        display = token.type != "math_inline"
        try:
            formula = typeset(token.content.strip(), display)
        except NoteFormulaError as error:
            self.fault(error.code, line, error.values, column)
            return
        self.formulas.append(formula)
        self.weight += weight_of(formula)
        if self.weight > HEAVIEST_FORMULAS:
            values = {"limit": HEAVIEST_FORMULAS}
            self.fault("note-formulas-heavy", line, values, column)
        token.meta = {**token.meta, "formula": formula, "display": display}

    def _picture(self, token: Token, line: int, column: int) -> None:
        self.pictures += 1
        if self.pictures == MOST_PICTURES + 1:
            self.fault("note-pictures", line, {"limit": MOST_PICTURES}, column)
        if self.pictures > MOST_PICTURES:
            return
        words = words_of(token)
        address = str(token.attrs["src"])
        if not words.strip():
            self.fault("note-picture-words", line, {"found": unquote(address)[:80]}, column)
        try:
            uri = picture(self.file.parent, address)
        except PictureError as error:
            self.fault(error.code, line, error.values, column, error.allowed, error.nearest)
            return
        before, self.size = self.size, self.size + len(uri)
        if before <= LARGEST_PICTURES < self.size:
            self.fault("note-pictures-large", line, {"limit": LARGEST_PICTURES}, column)
        token.attrs = {"src": uri, "alt": words}

    def _link(self, token: Token, line: int, column: int) -> None:
        address = str(token.attrs["href"])
        found = next((s for s in SCHEMES if address.lower().startswith(s)), "")
        try:
            parts = urlsplit(address)
            whole = bool(parts.hostname) if "//" in found else bool(parts.path)
            whole = whole and len(address) <= LONGEST_LINK and (parts.port or 1) > 0
        except ValueError:
            whole = False
        if not found or not whole:
            self.fault("note-link", line, {"found": address[:80]}, column, SCHEMES)
        token.attrs = {"href": address, "rel": "noreferrer"}

    def fault(
        self,
        code: str,
        line: int,
        values: Mapping[str, object],
        column: int = -1,
        allowed: tuple[str, ...] = (),
        nearest: str = "",
    ) -> None:
        """Note a fault of a line, counted from 0 as its column is."""
        self.faults.append(
            Fault(
                code,
                values,
                file=self.file,
                line=line + self.first,
                column=max(0, column) + 1,
                excerpt=self.lines[line] if line < len(self.lines) else "",
                allowed=allowed,
                nearest=nearest,
            )
        )


def _sought(part: Token) -> tuple[str, ...]:
    """By what a part of a paragraph is found in its text."""
    if part.type in FORMULAS:
        return (part.markup + part.content, part.content)
    if part.type in ("image", "link_open"):
        address = str(part.attrs.get("src") or part.attrs.get("href") or "")
        # Where the address was written otherwise, the place where one begins.
        return (unquote(address), address, "](")
    return ()


def _align(token: Token) -> None:
    """A class for what Markdown says in a style attribute; a heading says what it heads."""
    side = str(token.attrs.pop("style", "")).rpartition(":")[2]
    if side in ("right", "center"):
        token.attrs["class"] = side
    if token.type == "th_open":
        token.attrs["scope"] = "col"


def _show_box(token: Token) -> None:
    """A box of a task list as a character: nothing can be ticked in a report."""
    token.type, token.content = "text", _DONE if "checked=" in token.content else _OPEN
