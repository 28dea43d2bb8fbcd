"""Lists of figures and of tables, for paper: on a screen one scrolls or searches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from labreport.language.catalogue import Language
from labreport.render.printed import (
    PrintedBlock,
    PrintedFigure,
    PrintedReport,
    PrintedSection,
    PrintedTable,
)

MOST_UNLISTED = 25
"""Figures, or tables, that a reader finds without a list of them."""

_END_OF_SENTENCE = re.compile(r"。|[.](?=\s+[“\"A-Z]|$)")
_REMARK = re.compile(r"\s*(?:（[^（）]*）|\([^()]*\)|[,，;；] ?★.*)$")


@dataclass(frozen=True)
class Entry:
    """A figure or table: where it is, its number, the first sentence under it, and its section."""

    anchor: str
    label: str
    words: str
    where: str


@dataclass(frozen=True)
class Listing:
    """All figures, or all tables, in reading order."""

    title: str
    entries: tuple[Entry, ...]


def listings(report: PrintedReport, language: Language) -> tuple[Listing, ...]:
    """The lists that are long enough to be of use: of figures, of tables, of both or of none."""
    blocks = [pair for section in report.sections for pair in _blocks(section)]
    kinds = (
        (language.text("report.list-of-figures"), PrintedFigure),
        (language.text("report.list-of-tables"), PrintedTable),
    )
    made = [
        Listing(title, tuple(_entry(b, s, language) for s, b in blocks if isinstance(b, kind)))
        for title, kind in kinds
    ]
    return tuple(listing for listing in made if len(listing.entries) > MOST_UNLISTED)


def first_sentence(caption: str) -> str:
    """The first sentence of a caption, without its full stop or a remark at its end."""
    return _REMARK.sub("", _END_OF_SENTENCE.split(caption, maxsplit=1)[0].strip())


def _blocks(section: PrintedSection) -> Iterator[tuple[PrintedSection, PrintedBlock]]:
    for block in section.blocks:
        yield section, block
    for inner in section.sections:
        yield from _blocks(inner)


def _entry(
    block: PrintedFigure | PrintedTable, section: PrintedSection, language: Language
) -> Entry:
    # Many experiments have a table of the same name: the section tells them apart.
    words = first_sentence(block.caption)
    where = language.text("report.listed", section=section.number)
    return Entry(block.anchor, block.label, words, where)
