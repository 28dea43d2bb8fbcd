"""Figures of losses by round: of single runs, and of some points of a sweep."""

from __future__ import annotations

from labreport.analysis.observation import Number
from labreport.analysis.results import Result
from labreport.report.illustration.curves import (
    Curves,
    comparable_all,
    single_curves,
    swept_curves,
)
from labreport.report.illustration.drawings import (
    CurveDrawing,
    kept,
)
from labreport.report.illustration.figure_maker import FigureMaker
from labreport.report.tree import Block, Figure


class CurveFigures(FigureMaker):
    """Figures of losses by round: of single runs, and of some points of a sweep."""

    def curves(self) -> list[Block]:
        """Losses of single runs, or their squared errors where losses differ in kind."""
        chosen = single_curves(self.every_name)
        if chosen is None:
            return []
        same = chosen.kind == "losses"
        floors = self._floors(chosen.results) if same and comparable_all(chosen.results) else []
        return [self._curves(chosen, floors, chosen.kind, f"{chosen.kind}-title")]

    def sweep_curves(self) -> list[Block]:
        """Loss curves at some points of a sweep: each variant's best, or points along one axis."""
        chosen = swept_curves(self.results)
        if chosen is None:
            return []
        which = ""
        if len(self.results.swept) > 1:
            which = "-best"
        elif len(chosen.results) == len(self.results.everywhere):
            which = "-all"
        title = f"sweep-curves-title{which}"
        return [self._curves(chosen, self._floors(chosen.results), "losses", title)]

    def _curves(self, chosen: Curves, floors: list[float], kind: str, title: str) -> Figure:
        axes = self._axes("axis-loss" if kind == "losses" else "axis-error")
        drawing = CurveDrawing(kept(chosen.curves), self.results.budgets, tuple(floors), axes)
        read, last = self.readings, self.results.last
        names = [read.name(r) for r in chosen.results]
        lasts = [_last(r, last, kind) for r in chosen.results]
        same = comparable_all(chosen.results)
        lines = [
            read.floors(floors, chosen.results),
            read.budgets() if chosen.by_ratio else "",
        ]
        is_level = same or kind == "errors"
        ends = read.ends(list(zip(names, lasts, strict=True))) if is_level else ""
        caption = [
            "" if is_level else self._text("read-incomparable"),
            self._text("read-errors") if kind == "errors" else "",
            read.ended([name for name, value in zip(names, lasts, strict=True) if value is None]),
            self._missing(chosen.results),
            *lines,
        ]
        facts = [self._course(curve.name, curve.values) for curve in chosen.curves]
        return self._figure(title, caption, drawing, f"alternative-{kind}", facts, [ends, *lines])


def _last(result: Result, budget: int, kind: str) -> Number | None:
    """Where a curve ends, with the digits that rounding does not touch; None if it ended before."""

    def read(one: Result) -> float | None:
        return one.loss(budget) if kind == "losses" else one.error(budget)

    return None if read(result) is None else result.told(read)
