"""The formats of a report, by name: a row each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labreport.shipped import LAB_FILE

if TYPE_CHECKING:
    from labreport.language.catalogue import Language
    from labreport.render.printed import PrintedReport
    from labreport.report.tree import Report


@dataclass(frozen=True)
class AttachedFile:
    """A file that a PDF carries.

    Attributes:
        name: of the file; what it holds is said under it in the catalogues.
        kind: its media type.
        relationship: to the report, as /AFRelationship of ISO 32000-2, 7.11.3 calls it.
        content: its bytes.
    """

    name: str
    kind: str
    relationship: str
    content: bytes


@dataclass(frozen=True)
class Editions:
    """A report in no language, and printed in several, a file's own in front.

    Attributes:
        tree: in no language.
        printed: in each language.
        attached: files for the formats that can carry some.
    """

    tree: Report
    printed: Sequence[tuple[PrintedReport, Language]]
    attached: Sequence[AttachedFile] = ()


@dataclass(frozen=True)
class Format:
    """A format of a report.

    Attributes:
        ending: of its files.
        render: their bytes.
        has_language: whether there is a file for each language, or one for all.
        has_pictures: whether it shows what is drawn.
        has_files: whether it carries the files that the report can be computed from.
    """

    ending: str
    render: Callable[[Editions], bytes]
    has_language: bool = True
    has_pictures: bool = True
    has_files: bool = False


# What renders is imported when it is used: the command line reads this table, too.


def _html(editions: Editions) -> bytes:
    from labreport.formats import html

    return html.render(editions.printed)


def _pdf(editions: Editions) -> bytes:
    from labreport.formats import pdf

    report, language = editions.printed[0]
    return pdf.render(report, language, editions.attached)


def _text(editions: Editions) -> bytes:
    from labreport.formats import text

    return text.render(*editions.printed[0])


def _json(editions: Editions) -> bytes:
    return tree_bytes(editions.tree)


def tree_bytes(report: Report) -> bytes:
    """The report in no language, as JSON."""
    from labreport.report.json_form import to_json

    return f"{to_json(report)}\n".encode()


FORMATS = {
    "html": Format(".html", _html),
    "pdf": Format(".pdf", _pdf, has_files=True),
    "text": Format(".txt", _text, has_pictures=False),
    "json": Format(".tree.json", _json, has_language=False, has_pictures=False),
}

TREE = f"report{FORMATS['json'].ending}"

ATTACHED = (
    (LAB_FILE, "application/toml", "Source"),
    ("observations.json", "application/json", "Data"),
    (TREE, "application/json", "Alternative"),
    ("runs.csv", "text/csv", "Data"),
)
"""The files that a PDF carries: name, media type and relationship."""

USUAL = ("html", "pdf")
"""Formats that a build writes if it is not asked for others."""


def file_names(formats: Sequence[str], languages: Sequence[str]) -> list[tuple[str, str, int]]:
    """Files of a report: each a name, its format, and the place of its language."""
    return [
        (f"report{'' if place == 0 else f'.{code}'}{FORMATS[name].ending}", name, place)
        for place, code in enumerate(languages)
        for name in formats
        if place == 0 or FORMATS[name].has_language
    ]
