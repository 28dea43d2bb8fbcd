"""The data set of a lab as a table: where it comes from, its parts, its classes, its inputs."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis.observation import Names, Setting
from labreport.data.data_set import DataSet
from labreport.report.phrases import Counted, Phrase, configured, text
from labreport.report.tables import head, pairs_table
from labreport.report.tree import Cell, Table

MOST_NAMED = 8
"""Names of inputs or classes that a table lists; of more it tells how many there are."""


def data_tables(data_set: DataSet | None) -> list[Table]:
    """The tables of the data set that a lab's base trains on; none if its rows stand in the lab."""
    return [] if data_set is None else [_data_table(data_set), _parts_table(data_set)]


def _data_table(data_set: DataSet) -> Table:
    """What a data set is and what was done with it, an item a row."""
    rows = [
        (text("report.data-origin"), _origin(data_set)),
        (text("report.data-inputs"), _named(data_set.features)),
        (text("report.data-target"), Names(data_set.targets)),
        *_treatment(data_set),
    ]
    return pairs_table(text("report.data-table"), rows)


def _origin(data_set: DataSet) -> Phrase:
    origin = data_set.origin
    match origin.kind:
        case "file":
            return text("report.data-file", name=Names((origin.name,)), digest=origin.digest[:12])
        case "set":
            return text("report.data-set", name=configured("data.set", origin.name))
        case "rule":
            noise = origin.settings.get("noise", 0.0)
            seed = origin.settings.get("seed", 0)
            assert isinstance(noise, float | int)
            named = configured("data.rule.name", origin.name)
            given = Setting(float(noise))
            return text("report.data-rule", name=named, noise=given, seed=str(seed))
        case _:
            return text("report.data-inline")


def _named(names: tuple[str, ...]) -> Phrase:
    if len(names) > MOST_NAMED:
        return Counted("units", len(names))
    return Names(names)


def _treatment(data_set: DataSet) -> Iterator[tuple[Phrase, Phrase]]:
    """What was done with the rows before training saw them."""
    if data_set.dropped:
        yield text("report.data-dropped"), Counted("rows", data_set.dropped)
    if data_set.filled:
        yield text("report.data-filled"), str(data_set.filled)
    if data_set.means:
        yield text("report.data-scaling"), text("report.data-standardised")
    if data_set.constant:
        yield text("report.data-constant"), _named(data_set.constant)


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
