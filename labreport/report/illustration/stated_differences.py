"""What differs from the base in each variant of an experiment: a sentence, or of many a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labreport.analysis.results import ExperimentResults
from labreport.report.best_cells import NONE
from labreport.report.held_out.data_origin import with_origins
from labreport.report.phrases import Named, Phrase, Value, listed, text
from labreport.report.tables import differences_table, head
from labreport.report.tree import Block, Cell, Paragraph

MOST_STATED = 5
"""Variants whose differences a sentence tells; of more a table does."""


def stated_differences(results: ExperimentResults) -> list[Block]:
    """What differs from the base, as a sentence or a table; nothing where nothing does.

    What is swept stands in the table of the results, value by value.
    """
    table = differences_table(results)
    if table is None:
        return []
    table = with_origins(table, results)
    if len(table.rows) > MOST_STATED:
        return [table]
    swept = len(results.plan.axes)
    counted = table.header[-1] == head("seeds")
    last = len(table.header) - counted
    kept = [k for k in range(1, len(table.header)) if not last - swept <= k < last]
    items = [
        _item(row, [table.header[k] for k in kept], [row[k] for k in kept]) for row in table.rows
    ]
    return [Paragraph(text("report.differences", items=listed(items, "commas")))]


def _item(row: Sequence[Cell], heads: Sequence[Cell], cells: Sequence[Cell]) -> Phrase:
    """A variant, with what differs in brackets."""
    changes: list[Phrase] = [
        c.text if h == head("seeds") else text("report.change-item", key=h.text, value=c.text)
        for h, c in zip(heads, cells, strict=True)
        if c.text != NONE and not (isinstance(c.text, Value) and c.text.value is None)
    ]
    name = row[0].text
    assert isinstance(name, Named)
    told = listed(changes, "clauses") if changes else text("report.differences-none")
    return text("with", what=replace(name, quoted=True), detail=told)
