"""The glossary of a printed report: no words that its sentences do not use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from labreport.language.catalogue import Language
from labreport.render.printed import PrintedSection, PrintedSentences, PrintedTable
from labreport.report.chapters.glossary import LINKED, TERMS


def forms(term: str, language: Language) -> list[str]:
    """The words of a term of the glossary as sentences have them."""
    return re.split("、|, ", language.text(f"glossary.{term}.words"))


def with_used_words(sections: Sequence[PrintedSection], language: Language) -> list[PrintedSection]:
    """Sections of which the glossary has the terms alone that a sentence of the report uses."""
    told = "\n".join(sentence for section in sections for sentence in _sentences(section))
    is_used = [
        term not in LINKED or any(form in told for form in forms(term, language)) for term in TERMS
    ]
    return [_with_terms(s, is_used) if s.anchor == "glossary" else s for s in sections]


def _sentences(section: PrintedSection) -> Iterator[str]:
    for block in (*section.blocks, *section.closing):
        if isinstance(block, PrintedSentences):
            yield from (item.text for item in block.items)
    for inner in section.sections:
        yield from _sentences(inner)


def _with_terms(glossary: PrintedSection, is_used: Sequence[bool]) -> PrintedSection:
    blocks = []
    for block in glossary.blocks:
        if isinstance(block, PrintedTable):
            kept = (row for row, used in zip(block.rows, is_used, strict=True) if used)
            block = replace(block, rows=tuple(kept))
        blocks.append(block)
    return replace(glossary, blocks=tuple(blocks))
