"""Columns of numbers with the best of them marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from labreport.analysis.comparing import Measure, is_lower
from labreport.analysis.observation import Number
from labreport.analysis.results import Result
from labreport.report.numbers import ALIKE, digits_for
from labreport.report.numbers import measured as as_printed
from labreport.report.tree import Cell

NONE = "—"

Best = frozenset[int]
"""Places in a column of numbers that are marked; none where all are equally good."""


def cells(values: Sequence[Number | None], best: Best) -> list[Cell]:
    """A column of numbers, with as many digits as tell the best from those next to it."""
    given = [None if v is None else v.value for v in values]
    marked = {as_printed(value) for k in best if (value := given[k]) is not None}
    near = [v for v in given if v is not None and as_printed(v) in marked]
    digits = digits_for(near)
    return [
        Cell(NONE if value is None else _told(value, digits), numeric=True, best=place in best)
        for place, value in enumerate(values)
    ]


def _told(value: Number, digits: Mapping[float, int]) -> Number:
    """A number with no more digits than rounding leaves, and else as many as are given."""
    return replace(value, digits=value.digits or digits.get(value.value))


def lowest(members: Sequence[Result | None], budget: int) -> Best:
    """Those with the lowest loss at a budget, and what is level with it, as sentences have them."""
    there = [r for r in members if r is not None and r.loss(budget) is not None]
    if not there:
        return frozenset()
    measure = Measure(is_loss=True, budget=budget)
    best = min(there, key=lambda r: r.loss(budget) or 0.0)
    return _unless_all(there, [r for r in there if not is_lower(best, r, measure)], members)


def nearest(values: Sequence[Number | None]) -> Best:
    """Those with the lowest number, or one that may be printed like it."""
    there = [v for v in values if v is not None]
    least = min((v.value for v in there), default=0.0)
    tied = [v for v in there if v.value - least <= ALIKE * abs(v.value)]
    return _unless_all(there, tied, values)


def _unless_all(there: Sequence[object], tied: Sequence[object], column: Sequence[object]) -> Best:
    """Places of the tied ones; where all are tied there is no best one."""
    if len(tied) == len(there):
        return frozenset()
    return frozenset(k for k, one in enumerate(column) if one is not None and one in tied)
