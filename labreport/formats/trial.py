"""A theme tried out on a cover with nothing behind it, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

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
    page(reports)
    said = [text for report, words in reports for text in complaints(report, words)]
    if said:
        names = " ".join(name for name in SHEETS if name in theme.sheets)
        raise InputError(
            [
                Fault("theme-style", {"detail": text[:300], "names": names})
                for text in list(dict.fromkeys(said))[:20]
            ]
        )
