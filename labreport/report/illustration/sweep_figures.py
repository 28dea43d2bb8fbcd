"""The figure of a sweep: final loss against the value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.observation import Keys, Number
from labreport.analysis.points import is_number
from labreport.analysis.results import Result
from labreport.analysis.rules.sweeps import best
from labreport.report.illustration.curves import comparable_all
from labreport.report.illustration.drawings import (
    SweepDrawing,
    SweptSeries,
)
from labreport.report.illustration.figure_maker import FigureMaker
from labreport.report.phrases import Counted, Phrase
from labreport.report.tree import Block


class SweepFigures(FigureMaker):
    """The figure of a sweep: final loss against the value."""

    def sweep(self) -> list[Block]:
        """Final loss against the one swept key."""
        lines, found = self._sweep_lines()
        if not found:
            return []
        key = self.results.plan.axes[0][0]
        axes = (Keys((key,)), self._text("axis-loss"), self._text("floor"))
        floors = self._floors(self.results.everywhere)
        drawing = SweepDrawing(tuple(lines), tuple(floors), axes)
        facts = self._best_of_each(found)
        key = f"read-budget{self.readings.at_own_end}"
        after = self._text(key, budget=found[0][1]) if self._is_one_budget else ""
        caption = [after, self._text("read-lowest"), self.readings.floors(floors)]
        return [self._figure("sweep-title", caption, drawing, "alternative-sweep", facts)]

    def _sweep_lines(self) -> tuple[list[SweptSeries[Phrase]], list[tuple[Result, int]]]:
        """Lines of final loss: one a budget for one variant, one a variant for several."""
        swept, last = self.results.swept, self.results.last
        if len(self.results.plan.axes) != 1 or not swept:
            return [], []
        everywhere = self.results.everywhere
        if not all(is_number(r.point[0][1]) for r in everywhere) or not comparable_all(everywhere):
            return [], []
        series: list[tuple[Phrase, tuple[Result, ...], int, int]]
        if len(swept) == 1:
            ((_, members),) = swept.items()
            series = [
                (self._line(budget), members, budget, place)
                for place, budget in enumerate(self.results.budgets)
            ]
        else:
            series = [
                (self._named(name), members, last, self._place(name))
                for name, members in swept.items()
            ]
        lines, found = [], []
        for name, members, budget, place in series:
            ordered = sorted(members, key=lambda r: float(r.point[0][1]))
            losses = tuple(_known(r.loss(budget)) for r in ordered)
            values = tuple(float(r.point[0][1]) for r in ordered)
            lines.append(SweptSeries(name, values, losses, place))
            top = best(members, budget)
            found += [(top, budget)] if top else []
        return lines, found

    def _line(self, budget: int) -> Phrase:
        """The name of the line of losses after so many rounds, or after each run's own."""
        at_own_end = self.results.at_own_end
        return self._text("line-own") if at_own_end else Counted("rounds", budget)

    @property
    def _is_one_budget(self) -> bool:
        """True if all lines of a sweep are losses after the same number of rounds."""
        return len(self.results.swept) > 1 or len(self.results.budgets) == 1

    def _best_of_each(self, found: Sequence[tuple[Result, int]]) -> list[Phrase]:
        """The lowest point of each line; lines of one variant are told apart by their rounds."""
        best = [self._best(result, budget) for result, budget in found]
        if self._is_one_budget:
            return best
        return [
            self._text("best-of-line", line=Counted("rounds", budget), best=words)
            for (_, budget), words in zip(found, best, strict=True)
        ]

    def _best(self, result: Result, budget: int) -> Phrase:
        value = Number(result.loss(budget) or 0.0)
        return self._text("alternative-best", subject=self.readings.name(result), value=value)


def _known(loss: float | None) -> float | None:
    """A loss that can be drawn; None where a run had ended."""
    return None if loss is None or np.isnan(loss) else float(loss)
