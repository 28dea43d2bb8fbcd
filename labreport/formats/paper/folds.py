"""Long narrow tables on paper: their rows in several columns, one beside the other."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from labreport.render.printed import PrintedCell, PrintedTable

FEWEST_ROWS = 7
"""Rows that stand under one another in any case."""

MOST_FOLDS = 3
"""Columns of rows; of more a reader loses the line."""

ROOM = 108
"""Letters that a line of a table has room for, with what stands between columns."""

BETWEEN = 2
"""Letters that the space between two columns takes."""

MOST_LETTERS = 26
"""Letters of a column of words, which goes on in further lines; numbers do not."""

SENTENCE = 2 * MOST_LETTERS
"""Letters from which on half of the cells of a column are sentences, which take the whole line."""


def folds(table: PrintedTable) -> int:
    """Return how many columns of rows a table has on paper."""
    columns = zip(table.header, *table.rows, strict=True)
    width = sum(map(_width, columns)) if table.rows else ROOM
    most = min(MOST_FOLDS, ROOM // width, len(table.rows) // FEWEST_ROWS + 1)
    return max(1, most)


def folded(
    rows: Sequence[Sequence[PrintedCell]], folds: int
) -> list[list[Sequence[PrintedCell] | None]]:
    """Rows side by side: down the first column, then down the next; None where there is no more."""
    height = -(-len(rows) // folds)
    return [
        [rows[k] if k < len(rows) else None for k in range(line, height * folds, height)]
        for line in range(height)
    ]


def _width(column: Sequence[PrintedCell]) -> int:
    """Letters that a column takes."""
    letters = sorted(map(_letters, column))
    if letters[len(letters) // 2] > SENTENCE:
        return ROOM
    widest = letters[-1]
    is_numeric = all(cell.numeric for cell in column)
    return BETWEEN + (widest if is_numeric else min(widest, MOST_LETTERS))


def _letters(cell: PrintedCell) -> int:
    """Width of a cell in letters; a Chinese character is as wide as two, a star as three."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in cell.text)
    return len(cell.text) + wide + 3 * cell.best
