"""A theme tried out on a cover with nothing behind it, before anything is trained."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from jinja2 import TemplateError, TemplateSyntaxError

from labreport.errors import Fault, InputError
from labreport.formats.page import page
from labreport.formats.pdf import complaints
from labreport.lab.plan import Lab
from labreport.report.front import front
from labreport.report.language import Language
from labreport.report.theme import SHEETS, Theme


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
