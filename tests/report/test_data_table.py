"""The tables of a data set: what it is, and how its rows are shared out where there is a choice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from labreport.data.data_set import DataPart, DataSet, Origin
from labreport.report.held_out.data_origin import MOST_NAMED
from labreport.report.held_out.data_table import data_tables


def data_set(*held_out: str, classes: Sequence[str] = ()) -> DataSet:
    names = ("train", *held_out)
    targets = [[0.0] * (len(classes) or 1)]
    parts = {name: DataPart(((1.0,),), (tuple(targets[0]),)) for name in names}
    places = {name: (place,) for place, name in enumerate(names)}
    return DataSet(Origin("inline", ""), ("x",), 1, ("x",), ("y",), tuple(classes), parts, places)


@pytest.mark.parametrize(
    ("made", "keys"),
    [
        (data_set(), []),
        (data_set(classes=("a", "b")), ["report.parts-table-classes-whole"]),
        (data_set(classes=[str(k) for k in range(MOST_NAMED + 1)]), []),
        (data_set("test"), ["report.parts-table"]),
        (data_set("test", classes=("a", "b")), ["report.parts-table-classes"]),
    ],
)
def test_rows_are_shared_out_in_a_table_of_their_own(made: DataSet, keys: list[str]) -> None:
    assert [table.caption.key for table in data_tables(made)[1:]] == keys  # type: ignore[union-attr]


@pytest.mark.parametrize("made", [data_set(), data_set("test")])
def test_rows_of_a_single_part_stand_in_the_table_of_the_data(made: DataSet) -> None:
    items = [row[0].text.key for row in data_tables(made)[0].rows]  # type: ignore[union-attr]
    assert ("report.data-rows" in items) == (not made.held_out)


def test_nothing_is_told_of_rows_of_a_lab_without_a_data_set() -> None:
    assert data_tables(None) == []
