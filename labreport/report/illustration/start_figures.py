"""Figures of random starts: where they end, and how their curves spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.observation import Number
from labreport.analysis.results import Result
from labreport.analysis.rules.initialisation import final_losses
from labreport.report.illustration.captions import with_number
from labreport.report.illustration.curves import (
    drawn_losses,
    starts_curves,
)
from labreport.report.illustration.drawings import (
    Curve,
    Level,
    SpreadDrawing,
    StartsDrawing,
    kept,
)
from labreport.report.illustration.figure_maker import FigureMaker
from labreport.report.phrases import Phrase, listed
from labreport.report.tree import Block, Figure


class StartFigures(FigureMaker):
    """Figures of random starts: where they end, and how their curves spread."""

    def starts(self) -> list[Block]:
        """Distribution of the final loss over random starts, and the spread of the curves."""
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
                subject=group.name,
                value=Number(float(np.median(group.values))),
            )
            for group in losses
        ]
        medians = self.readings.medians([(group.name, group.values) for group in losses])
        lines = self._single_starts([(name, value) for name, value, _ in marks])
        drawing = StartsDrawing(kept(losses), tuple(marks), axes)
        histogram = self._figure(
            "starts-title",
            [self._text(f"read-starts{self.readings.at_own_end}", budget=last), lines, medians],
            drawing,
            "alternative-starts",
            facts,
            [lines],
        )
        return [histogram, self._spread(groups, singles)]

    def _single_starts(self, named: Sequence[tuple[Phrase, float]]) -> Phrase:
        """Explain the lines beside a distribution."""
        if not named:
            return ""
        facts = listed((with_number(name, value) for name, value in named), "clauses")
        return self._text("read-starts-singles", facts=facts)

    def _spread(
        self, groups: Sequence[tuple[str, tuple[Result, ...]]], singles: Sequence[Result]
    ) -> Figure:
        """Medians and ranges of the curves over random starts."""
        last = self.results.last
        curves = [self._group(name, starts_curves(members, last)) for name, members in groups]
        lines: list[Curve[Phrase, np.ndarray]] = [
            Curve(self._label(r), drawn_losses(r)[: last + 1], self._look(r)) for r in singles
        ]
        floors = self._floors([m for _, members in groups for m in members[:1]])
        axes = self._axes("axis-loss")
        drawing = SpreadDrawing(kept(curves), kept(lines), tuple(floors), axes)
        facts = [self._course(c.name, np.median(c.values, axis=0)) for c in curves]
        caption = [
            self._text("read-spread"),
            self._text("read-medians", facts=listed(facts, "clauses")),
            self.readings.floors(floors),
        ]
        facts += [self._course(line.name, line.values) for line in lines]
        described = [self._text("read-spread"), caption[-1]]
        return self._figure(
            "starts-curves-title", caption, drawing, "alternative-losses", facts, described
        )

    def _group(self, name: str, values: np.ndarray) -> Curve[Phrase, np.ndarray]:
        return Curve(self._named(name), values, self._place(name))
