"""The formats of a report, by name: a row each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labreport.language.catalogue import Language
    from labreport.render.printed import PrintedReport

    Editions = Sequence[tuple[PrintedReport, Language]]


@dataclass(frozen=True)
class Format:
    """A format of a report.

    Attributes:
        ending: of its files.
        render: their bytes, of a report in all languages with the file's own in front.
    """

    ending: str
    render: Callable[[Editions], bytes]


# What renders is imported when it is used: the command line reads this table, too.


def _html(editions: Editions) -> bytes:
    from labreport.formats import html

    return html.render(editions)


def _pdf(editions: Editions) -> bytes:
    from labreport.formats import pdf

    return pdf.render(*editions[0])


def _text(editions: Editions) -> bytes:
    from labreport.formats import text

    return text.render(*editions[0])


FORMATS = {
    "html": Format(".html", _html),
    "pdf": Format(".pdf", _pdf),
    "text": Format(".txt", _text),
}

USUAL = ("html", "pdf")
"""Formats that a build writes if it is not asked for others."""
