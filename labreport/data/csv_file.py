"""Examples out of a table of text: its encoding, its separator, and each cell that is no number."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labreport.data.examples import (
    MOST_ROWS,
    MOST_VALUES,
    DataError,
    Examples,
    Matrix,
    Problem,
    check_names,
    numbered,
)

ENCODINGS = ("utf-8-sig", "gb18030")
"""In this order: nearly any bytes are GB18030, but few of another encoding are UTF-8."""

SEPARATORS = ",;\t|"
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "缺失"})
"""Cells without a value, in lower case."""

FIRST = 100_000
"""Characters in which the separator is looked for."""

MOST_TOLD = 20
"""Cells at fault that are told; who has more looks at the file."""


@dataclass(frozen=True)
class Wanted:
    """The part of a table that is wanted.

    Attributes:
        target: names of the columns to be predicted; the last column if None.
        columns: names of the inputs; all other columns if None.
        missing: ``refuse`` a row in which a value is missing, ``drop`` it, or keep it, so that the
            ``mean`` takes the place of the value.
    """

    target: tuple[str, ...] | None
    columns: tuple[str, ...] | None
    missing: str


def read_csv(name: str, content: bytes, wanted: Wanted) -> Examples:
    """The examples in a CSV file.

    Args:
        name: of the file, for what is said of it.
        content: its bytes.
        wanted: which columns.

    Raises:
        DataError: with each cell, row or column that is at fault.
    """
    text = _decoded(name, content)
    header, rows = _rows(name, text)
    target, columns = _chosen(name, header, wanted)
    table = _Table(name, header, rows, wanted.missing)
    table.drop_missing([*columns, *target])
    targets, classes = table.targets(target)
    inputs = table.numbers(columns)
    if table.problems:
        raise DataError(table.problems)
    return Examples(columns, inputs, targets, target, classes, table.dropped)


def _decoded(name: str, content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataError(Problem(("file",), "data-encoding", {"file": name}))


Row = tuple[int, list[str]]
"""The line of a file, and its cells."""


def _rows(name: str, text: str) -> tuple[tuple[str, ...], list[Row]]:
    """The names in the first line, and all other rows with their line.

    Raises:
        DataError: if there is no table, or a row has more or fewer cells than the first line.
    """
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_separator(text), skipinitialspace=True, strict=True)
    rows: list[Row] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
            if len(rows) > MOST_ROWS + 1:
                values = {"file": name, "limit": MOST_ROWS}
                raise DataError(Problem(("file",), "data-too-many-rows", values))
    except csv.Error as error:
        values = {"file": name, "line": reader.line_num, "detail": str(error)}
        raise DataError(Problem(("file",), "data-not-csv", values)) from None
    if len(rows) < 2:
        raise DataError(Problem(("file",), "data-empty", {"file": name}))
    header = tuple(rows[0][1])
    _check_header(name, header)
    problems = [
        Problem(
            ("file",),
            "data-row-length",
            {"file": name, "line": line, "found": len(cells), "expected": len(header)},
        )
        for line, cells in rows[1:]
        if len(cells) != len(header)
    ]
    if problems:
        raise DataError(problems[:MOST_TOLD])
    if len(header) * len(rows) > MOST_VALUES:
        raise DataError(Problem(("file",), "data-too-many-values", {"limit": MOST_VALUES}))
    return header, rows[1:]


def _separator(text: str) -> str:
    """The separator that cuts the first lines into the same number of cells, the most if several.

    A comma in a number of another separator's file cuts its lines unevenly, or into fewer cells.
    """
    lines = [line for line in text[:FIRST].split("\n")[:20] if line.strip()]
    best, most = SEPARATORS[0], 1
    for separator in SEPARATORS:
        try:
            counts = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            continue
        ((cells, often),) = counts.most_common(1) or [(1, 0)]
        if cells > most and often == len(lines):
            best, most = separator, cells
    return best


def _check_header(name: str, header: Sequence[str]) -> None:
    """Raises DataError for a single column, and names that are there twice or empty."""
    check_names("file", header)
    problems = []
    if len(header) < 2:
        problems.append(Problem(("file",), "data-one-column", {"file": name}))
    doubled = [column for column, count in Counter(header).items() if count > 1 or not column]
    if doubled:
        values = {"file": name, "found": ", ".join(doubled[:MOST_TOLD]) or "''"}
        problems.append(Problem(("file",), "data-column-names", values))
    if problems:
        raise DataError(problems)


def _chosen(
    name: str, header: tuple[str, ...], wanted: Wanted
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the targets and of the inputs. Raises DataError for a name that is not there."""
    target = wanted.target or header[-1:]
    columns = wanted.columns or tuple(column for column in header if column not in target)
    problems = [
        Problem((key,), "data-no-such-column", {"file": name, "found": column}, header)
        for key, names in (("target", target), ("columns", columns))
        for column in names
        if column not in header
    ]
    problems += [
        Problem((key,), "data-column-twice", {"found": column})
        for key, names in (("target", target), ("columns", columns))
        for column in dict.fromkeys(c for k, c in enumerate(names) if c in names[:k])
    ]
    both = [column for column in columns if column in target]
    problems += [Problem(("columns",), "data-target-as-input", {"found": c}) for c in both]
    if not columns:
        problems.append(Problem(("target",), "data-no-inputs", {"file": name}))
    if problems:
        raise DataError(problems)
    return target, columns


class _Table:
    """The rows of a file, and what is wrong with their cells."""

    def __init__(self, name: str, header: tuple[str, ...], rows: list[Row], missing: str) -> None:
        self._name, self._rows, self._missing = name, rows, missing
        self._places = {column: place for place, column in enumerate(header)}
        self.problems: list[Problem] = []
        self.dropped = 0

    def drop_missing(self, columns: Sequence[str]) -> None:
        """Leave out rows without a value in one of these columns, if that is wanted."""
        if self._missing != "drop":
            return
        places = [self._places[column] for column in columns]
        kept = [row for row in self._rows if not any(_is_missing(row[1][p]) for p in places)]
        self.dropped = len(self._rows) - len(kept)
        self._rows = kept
        if not kept:
            self.problems.append(Problem(("missing",), "data-all-missing", {"file": self._name}))

    def numbers(self, columns: Sequence[str], *, may_miss: bool = True) -> Matrix:
        """The values [rows][columns] of some columns, NaN where one is missing."""
        places = [(column, self._places[column]) for column in columns]
        return tuple(
            tuple(self._number(line, column, cells[place], may_miss) for column, place in places)
            for line, cells in self._rows
        )

    def targets(self, columns: tuple[str, ...]) -> tuple[Matrix | tuple[int, ...], tuple[str, ...]]:
        """The targets, and names of their classes if one column of them is text."""
        if len(columns) == 1 and self._is_text(columns[0]):
            for line, cells in self._rows:
                if _is_missing(cells[self._places[columns[0]]]):
                    self._note("data-missing", line, columns[0])
            labels = list(self._cells(columns[0]))
            check_names("file", labels)
            return numbered(labels)
        return self.numbers(columns, may_miss=False), ()

    def _is_text(self, column: str) -> bool:
        """Return whether most cells of a column are no numbers: the others are classes, too."""
        there = [cell for cell in self._cells(column) if not _is_missing(cell)]
        return 2 * sum(map(_is_number, there)) < len(there)

    def _cells(self, column: str) -> Iterator[str]:
        return (cells[self._places[column]] for _, cells in self._rows)

    def _number(self, line: int, column: str, cell: str, may_miss: bool) -> float:
        if _is_missing(cell):
            if self._missing != "mean" or not may_miss:
                self._note("data-missing", line, column)
            return math.nan
        if not _is_number(cell):
            self._note("data-not-a-number", line, column, found=cell[:40])
            return math.nan
        return float(cell)

    def _note(self, code: str, line: int, column: str, **values: str) -> None:
        if len(self.problems) < MOST_TOLD:
            said = {"file": self._name, "line": line, "column": column, **values}
            self.problems.append(Problem(("file",), code, said))


def _is_missing(cell: str) -> bool:
    return cell.lower() in MISSING


def _is_number(cell: str) -> bool:
    """Return whether a cell is a finite number as TOML, too, would write it."""
    if "_" in cell:
        return False
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
