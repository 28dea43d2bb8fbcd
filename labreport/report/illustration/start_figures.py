"""The figure of random starts: where they end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labreport.analysis.measures.over_starts import loss_over, median
from labreport.analysis.rules.initialisation import arrived, final_losses
from labreport.report.illustration.captions import with_number
from labreport.report.illustration.drawings import (
    Curve,
    Level,
    StartsDrawing,
    kept,
)
from labreport.report.illustration.figure_maker import FigureMaker
from labreport.report.phrases import Phrase
from labreport.report.tree import Block


class StartFigures(FigureMaker):
    """The figure of random starts: where they end."""

    def starts(self) -> list[Block]:
        """Distribution of the final loss over random starts."""
        last = self.results.last
        groups = [
            (name, members)
            for name, members in self.results.replicated.items()
            if len(final_losses(members, last)) > 1
        ]
        if not groups:
            return []
        singles = [r for r in self.results.singles if r.loss(last) is not None]
        losses = [self._group(name, final_losses(members, last)) for name, members in groups]
        marks: list[Level[Phrase]] = [
            Level(self._label(r), r.loss(last) or 0.0, self._look(r)) for r in singles
        ]
        axes = (self._text("axis-loss"), self._text("axis-starts"))
        facts = [
            self._text(
                "alternative-median",
                subject=self._named(name),
                value=replace(loss_over(arrived(members, last), last, median, ""), source=None),
            )
            for name, members in groups
        ]
        lines = self._text("read-starts-singles") if marks else ""
        drawing = StartsDrawing(kept(losses), tuple(marks), axes)
        caption = [
            self._text(f"read-starts{self.readings.at_own_end}", budget=last),
            lines,
        ]
        facts += [with_number(name, value) for name, value, _ in marks]
        return [self._figure("starts-title", caption, drawing, "alternative-starts", facts)]

    def _group(self, name: str, values: np.ndarray) -> Curve[Phrase, np.ndarray]:
        return Curve(self._named(name), values, self._place(name))
