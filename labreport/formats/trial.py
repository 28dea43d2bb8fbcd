"""A theme tried out on a cover with nothing behind it, before anything is trained."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from jinja2 import TemplateError, TemplateSyntaxError

from labreport.errors import Fault, InputError
from labreport.formats.page import cover, page
from labreport.formats.pdf import complaints
from labreport.lab.plan import Lab
from labreport.report.front import front
from labreport.report.language import Language
from labreport.report.theme import SHEETS, Theme
from labreport.report.tree import Report

VOID = {
    "area",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
"""Elements of HTML that have no end."""


def try_theme(lab: Lab, theme: Theme, languages: Sequence[Language]) -> None:
    """Make the page and the PDF of a report that is nothing but its cover.

    Raises:
        InputError: if the cover's template or a style sheet is at fault.
        BuildError: if Pango is missing.
    """
    own = [words.saying(theme.texts.get(words.code, {})) for words in languages]
    reports = [(front(lab, theme, words), words) for words in own]
    try:
        page(reports)
        said = [text for report, words in reports for text in complaints(report, words)]
    except (TemplateError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(_fault(theme, error)) from None
    faults = [fault for report, words in reports for fault in _of_cover(theme, report, words)]
    if faults:
        # The same in every language.
        raise InputError(list({fault.code: fault for fault in faults}.values()))
    if said:
        names = " ".join(name for name in SHEETS if name in theme.sheets)
        raise InputError(
            [
                Fault("theme-style", {"detail": text[:300], "names": names})
                for text in list(dict.fromkeys(said))[:20]
            ]
        )


def _fault(theme: Theme, error: Exception) -> Fault:
    """A fault of the cover's template, at its line."""
    line = 0
    if isinstance(error, TemplateSyntaxError):
        line = error.lineno
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == str(theme.cover_file):
                line = frame.lineno or 0
    lines = theme.cover.split("\n")
    excerpt = lines[line - 1] if 0 < line <= len(lines) else ""
    detail = str(error) or type(error).__name__
    return Fault(
        "theme-template",
        {"detail": detail[:300]},
        file=theme.cover_file,
        line=line,
        excerpt=excerpt[:200],
    )


class _Tags(HTMLParser):
    """Whether the tags of a cover match, and what it has of some."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong = ""
        self.headings = self.scripts = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.headings += tag == "h1"
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong = self.wrong or tag


def _of_cover(theme: Theme, report: Report, words: Language) -> Iterator[Fault]:
    """What would put the page out of order, or leave it without a heading."""
    tags = _Tags()
    tags.feed(cover(report, words))
    if tags.wrong or tags.open:
        yield Fault("theme-unclosed", {"tag": tags.wrong or tags.open[-1]}, file=theme.cover_file)
    if tags.headings != 1:
        yield Fault("theme-heading", {"found": tags.headings}, file=theme.cover_file)
    if tags.scripts:
        yield Fault("theme-script", file=theme.cover_file)
