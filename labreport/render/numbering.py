"""Numbers of figures, tables and formulas, given out in reading order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labreport.language.catalogue import Language
from labreport.report.tree import Block, Figure, Formula, Section, Table

Place = tuple[str, str]
"""An anchor, and the number as it is printed."""


KINDS: dict[type[Block], str] = {Figure: "figure", Table: "table", Formula: "formula"}
"""The numbered blocks, by their word in anchors and in keys of the catalogues."""


class Numbering:
    """The places of all that is numbered in some sections of a report in one language."""

    def __init__(self, blocks: Sequence[Block], language: Language) -> None:
        counts: dict[str, int] = {}
        self._places: dict[int, Place] = {}
        self.by_key: dict[str, str] = {}
        for block in blocks:
            if not isinstance(block, Figure | Table | Formula):
                continue
            kind = KINDS[type(block)]
            number = counts[kind] = counts.get(kind, 0) + 1
            label = language.text(f"report.{kind}", number=number)
            # By identity: two tables may well be equal.
            self._places[id(block)] = f"{kind}-{number}", label
            if not isinstance(block, Formula) and block.key:
                self.by_key[block.key] = label

    def place(self, block: Figure | Table | Formula) -> Place:
        """Return the place of a block."""
        return self._places[id(block)]


def blocks_of(sections: Sequence[Section]) -> Iterator[Block]:
    """All blocks of sections, in reading order."""
    for section in sections:
        yield from section.blocks
        yield from blocks_of(section.sections)
        yield from section.closing
