"""The data set of a lab as a table: where it comes from, its parts, its classes, its inputs."""

from __future__ import annotations

from labreport.analysis.observation import Names
from labreport.data.data_set import DataSet
from labreport.report.held_out.data_origin import (
    MOST_NAMED,
    names_or_count,
    origin_of,
    treatment_of,
)
from labreport.report.phrases import text
from labreport.report.tables import head, pairs_table
from labreport.report.tree import Cell, Table


def data_tables(data_set: DataSet | None) -> list[Table]:
    """The tables of the data set that a lab's base trains on; none if its rows stand in the lab."""
    return [] if data_set is None else [_data_table(data_set), _parts_table(data_set)]


def _data_table(data_set: DataSet) -> Table:
    """What a data set is and what was done with it, an item a row."""
    rows = [
        (text("report.data-origin"), origin_of(data_set)),
        (text("report.data-inputs"), names_or_count(data_set.features)),
        (text("report.data-target"), Names(data_set.targets)),
        *treatment_of(data_set),
    ]
    return pairs_table(text("report.data-table"), rows)


def _parts_table(data_set: DataSet) -> Table:
    """Rows of each part, in all and of each class."""
    classes = data_set.classes if len(data_set.classes) <= MOST_NAMED else ()
    header = [head("part"), head("rows", numeric=True)]
    header += [Cell(Names((name,)), numeric=True) for name in classes]
    rows = []
    for name, part in data_set.parts.items():
        counted = data_set.class_counts.get(name, ()) if classes else ()
        row = [Cell(text(f"report.part-{name}")), Cell(str(len(part)), numeric=True)]
        rows.append((*row, *(Cell(str(count), numeric=True) for count in counted)))
    key = "report.parts-table" + ("-classes" if classes else "")
    return Table(text(key), tuple(header), tuple(rows))
