"""The glossary: words of a report that not every reader knows."""

from __future__ import annotations

from labreport.report import tables
from labreport.report.phrases import text
from labreport.report.tree import Section

TERMS = (
    "floor",
    "way",
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


def glossary() -> Section:
    """An appendix with each word and what it means."""
    pairs = [(text(f"glossary.{term}"), text(f"glossary.{term}.means")) for term in TERMS]
    table = tables.pairs_table(text("report.glossary-table"), pairs)
    title = text("report.appendix-title", title=text("report.glossary"))
    return Section("glossary", title, (table,))
