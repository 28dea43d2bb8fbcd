"""The arrays of runs as one long table: a row a run and round."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from labreport.export.arrays import ABOUT, SERIES, Parts, about, columns, filled, members
from labreport.export.runs_csv import BYTE_ORDER_MARK, harmless


def render(parts: Parts) -> Iterator[bytes]:
    """The table, run by run; what was not recorded in a round is left empty."""
    names = columns(parts)
    yield (BYTE_ORDER_MARK + _lines([[*ABOUT, *SERIES, *names]])).encode()
    for part, experiment, result in members(parts):
        first = list(map(harmless, about(part, experiment, result)))
        values = zip(*filled(result, ("loss", *names)), strict=True)
        yield _lines([[*first, step, *row] for step, row in enumerate(values)]).encode()


def _lines(rows: list[list[object]]) -> str:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue()
