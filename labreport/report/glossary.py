"""The glossary: words of a report that not every reader knows."""

from __future__ import annotations

from labreport.report import tables
from labreport.report.language import Language
from labreport.report.numbering import Numbering
from labreport.report.tree import Section

TERMS = (
    "floor",
    "control",
    "round",
    "dead",
    "stuck",
    "saturated",
    "overshoot",
    "curvature",
    "start",
    "pairs",
    "level",
)
"""Keys of the words, in the order in which most reports use them."""


LINKED = tuple(term for term in TERMS if term not in ("round", "level"))
"""Those whose words lead to the glossary where they are used; the others are in every sentence."""


def glossary(language: Language, numbering: Numbering) -> Section:
    """An appendix with each word and what it means."""
    pairs = [
        (language.text(f"glossary.{term}"), language.text(f"glossary.{term}.means"))
        for term in TERMS
    ]
    caption = language.text("report.glossary-table")
    table = tables.pairs_table(caption, pairs, language, numbering)
    title = language.text("report.appendix-title", title=language.text("report.glossary"))
    return Section("glossary", "", title, (table,))
