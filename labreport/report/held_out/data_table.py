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
    if data_set is None:
        return []
    # The rows of one part without classes are one number, which the first table has.
    shared = bool(data_set.held_out or _named_classes(data_set))
    return [_data_table(data_set), *([_parts_table(data_set)] if shared else [])]


def _data_table(data_set: DataSet) -> Table:
    """What a data set is and what was done with it, an item a row."""
    rows = [
        (text("report.data-origin"), origin_of(data_set)),
        (text("report.data-inputs"), names_or_count(data_set.features)),
        (text("report.data-target"), Names(data_set.targets)),
        *([] if data_set.held_out else [(text("report.data-rows"), str(len(data_set.train)))]),
        *treatment_of(data_set),
    ]
    return pairs_table(text("report.data-table"), rows)


def _parts_table(data_set: DataSet) -> Table:
    """Rows of each part, in all and of each class."""
    classes = _named_classes(data_set)
    header = [head("part"), head("rows", numeric=True)]
    header += [Cell(Names((name,)), numeric=True) for name in classes]
    rows = []
    for name, part in data_set.parts.items():
        counted = data_set.class_counts.get(name, ()) if classes else ()
        row = [Cell(text(f"report.part-{name}")), Cell(str(len(part)), numeric=True)]
        rows.append((*row, *(Cell(str(count), numeric=True) for count in counted)))
    ending = ("-classes" if classes else "") + ("" if data_set.held_out else "-whole")
    key = f"report.parts-table{ending}"
    return Table(text(key), tuple(header), tuple(rows))


def _named_classes(data_set: DataSet) -> tuple[str, ...]:
    """The names of the classes, unless they are more than a table holds."""
    return data_set.classes if len(data_set.classes) <= MOST_NAMED else ()
