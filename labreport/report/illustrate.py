"""Figures and tables of an experiment: chosen by its structure, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan

import numpy as np

from labreport.analysis.observation import Subject
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rules.initialisation import final_losses
from labreport.analysis.rules.points import is_number
from labreport.analysis.rules.sweep import best
from labreport.report import numbers, tables
from labreport.report.curves import comparable_all, single_curves, starts_curves, swept_curves
from labreport.report.gradient_check import check_blocks, check_tables
from labreport.report.language import Language
from labreport.report.numbering import Numbering
from labreport.report.tree import Block, Figure, Plot, Table

TableMaker = Callable[[ExperimentResults, Language, Numbering], Table | None]

MOST_PANELS = 12
"""Weight panels that fit a page."""

FEWEST_ROWS = 4
"""Values from which on a map shows more than a table."""


def illustrate(
    results: ExperimentResults, title: str, language: Language, numbering: Numbering
) -> list[Block]:
    """The figures and tables of an experiment, in reading order."""
    checked = check_blocks(results, language, numbering)
    if checked:
        return checked
    drawing = _Illustration(results, title, language, numbering)
    return [
        *drawing.sweep(),
        *drawing.map(),
        *drawing.table(tables.sweep_table),
        *drawing.sweep_curves(),
        *drawing.starts(),
        *drawing.table(tables.starts_table),
        *drawing.curves(),
        *drawing.table(tables.comparison_table),
        *drawing.weights(),
    ]


def tables_of(results: ExperimentResults, language: Language, numbering: Numbering) -> list[Table]:
    """The tables of an experiment alone, in reading order."""
    drawing = _Illustration(results, "", language, numbering)
    blocks = check_tables(results, language, numbering) or [
        *drawing.table(tables.sweep_table),
        *drawing.table(tables.starts_table),
        *drawing.table(tables.comparison_table),
    ]
    return [block for block in blocks if isinstance(block, Table)]


class _Illustration:
    """The figures of one experiment in one language."""

    def __init__(
        self, results: ExperimentResults, title: str, language: Language, numbering: Numbering
    ) -> None:
        self.results = results
        self.title = title
        self.language = language
        self.numbering = numbering

    def table(self, make: TableMaker) -> list[Block]:
        """A table, where the experiment has something to put in it."""
        made = make(self.results, self.language, self.numbering)
        return [made] if made else []

    def curves(self) -> list[Block]:
        """Losses of single runs, or their squared errors where losses differ in kind."""
        from labreport.report.figures.curves import curve_figure
        from labreport.report.figures.plot import plot_of_curves

        chosen = single_curves(self.results, self.language)
        if chosen is None:
            return []
        same = chosen.kind == "losses"
        floors = self._floors(chosen.results) if same and comparable_all(chosen.results) else []
        axis = "axis-loss" if same else "axis-error"
        drawn = (chosen.curves, self.results.budgets, floors, self._axes(axis))
        svg, plot = curve_figure(*drawn), plot_of_curves(*drawn)
        facts = [
            self._fact(name, float(v[0]), float(v[min(self.results.last, len(v) - 1)]))
            for name, v in chosen.curves
        ]
        caption = f"report.{chosen.kind}-caption" + ("" if floors or not same else "-plain")
        return [self._figure(caption, svg, f"report.alternative-{chosen.kind}", facts, plot)]

    def weights(self) -> list[Block]:
        """Weight trajectories of single runs."""
        from labreport.report.figures import weights

        whole = [r for r in self.results.singles if r.run.trace.is_whole]
        singles = [r for r in whole if len(r.losses) > 1][:MOST_PANELS]
        if not singles:
            return []
        names = [self._label(r) for r in singles]
        axes = (self._text("axis-updates"), self._text("axis-weight"))
        svg = weights.weights_figure(singles, names, self.results.last, axes)
        shown = len(weights.most_moved(singles))
        some = any(len(r.names) > shown for r in singles)
        caption = "report.weights-caption" + ("-some" if some else "")
        return [self._figure(caption, svg, "report.alternative-weights", [], count=shown)]

    def sweep(self) -> list[Block]:
        """Final loss against the one swept key."""
        from labreport.report.figures.plot import plot_of_sweep
        from labreport.report.figures.sweep import sweep_figure

        lines, found = self._sweep_lines()
        if not found:
            return []
        swept = [r for members in self.results.swept.values() for r in members]
        key = self.results.plan.axes[0][0]
        axes = (self.language.key(key), self._text("axis-loss"), self._text("floor"))
        floors = self._floors(swept)
        svg, plot = sweep_figure(lines, floors, axes), plot_of_sweep(lines, floors, axes)
        facts = [self._best(result, budget) for result, budget in found]
        return [self._figure("report.sweep-caption", svg, "report.alternative-sweep", facts, plot)]

    def _sweep_lines(
        self,
    ) -> tuple[list[tuple[str, list[float], list[float]]], list[tuple[Result, int]]]:
        """Lines of final loss: one a budget for one variant, one a variant for several."""
        swept, last = self.results.swept, self.results.last
        if len(self.results.plan.axes) != 1 or not swept:
            return [], []
        everywhere = [r for members in swept.values() for r in members]
        if not all(is_number(r.point[0][1]) for r in everywhere) or not comparable_all(everywhere):
            return [], []
        if len(swept) == 1:
            ((_, members),) = swept.items()
            series = [
                (self.language.text("rounds", count=budget), members, budget)
                for budget in self.results.budgets
            ]
        else:
            series = [
                (self.language.label(self.results.plan, name), members, last)
                for name, members in swept.items()
            ]
        lines, found = [], []
        for name, members, budget in series:
            ordered = sorted(members, key=lambda r: float(r.point[0][1]))
            losses = [loss if (loss := r.loss(budget)) is not None else nan for r in ordered]
            lines.append((name, [float(r.point[0][1]) for r in ordered], losses))
            top = best(members, budget)
            found += [(top, budget)] if top else []
        return lines, found

    def map(self) -> list[Block]:
        """Loss over the swept key and the rounds, for a single variant."""
        from labreport.report.figures.map import map_figure

        _, found = self._sweep_lines()
        if not found or len(self.results.swept) != 1:
            return []
        ((_, members),) = self.results.swept.items()
        ordered = sorted(members, key=lambda r: float(r.point[0][1]))
        if len(ordered) < FEWEST_ROWS or not any((r.losses[1:] > 0).any() for r in ordered):
            return []
        svg = map_figure(
            [float(r.point[0][1]) for r in ordered],
            [r.losses.astype(np.float64) for r in ordered],
            self.results.last,
            self.results.budgets,
            (
                self._text("axis-updates"),
                self.language.key(members[0].point[0][0]),
                self._text("axis-loss"),
            ),
        )
        facts = [self._best(result, budget) for result, budget in found]
        return [self._figure("report.map-caption", svg, "report.alternative-map", facts)]

    def _best(self, result: Result, budget: int) -> str:
        return self.language.text(
            "report.alternative-best",
            subject=self.language.subject(_subject(result), self.results.plan),
            value=numbers.measured(result.loss(budget) or 0.0),
        )

    def sweep_curves(self) -> list[Block]:
        """Loss curves at some points of a sweep: each variant's best, or points along one axis."""
        from labreport.report.figures.curves import curve_figure
        from labreport.report.figures.plot import plot_of_curves

        chosen = swept_curves(self.results, self.language)
        if chosen is None:
            return []
        axes, floors = self._axes("axis-loss"), self._floors(chosen.results)
        drawn = (chosen.curves, self.results.budgets, floors, axes)
        svg, plot = curve_figure(*drawn), plot_of_curves(*drawn)
        facts = [self._fact(name, float(v[0]), float(v[-1])) for name, v in chosen.curves]
        caption = "report.sweep-curves-caption" + ("-best" if len(self.results.swept) > 1 else "")
        return [self._figure(caption, svg, "report.alternative-losses", facts, plot)]

    def starts(self) -> list[Block]:
        """Distribution of the final loss over random starts, and the spread of the curves."""
        from labreport.report.figures import starts

        groups = [
            (self.language.label(self.results.plan, name), members)
            for name, members in self.results.replicated.items()
            if len(final_losses(members, self.results.last)) > 1
        ]
        if not groups:
            return []
        last = self.results.last
        singles = [r for r in self.results.singles if r.loss(last) is not None]
        losses = [(name, final_losses(members, last)) for name, members in groups]
        marks = [(self._label(r), r.loss(last) or 0.0) for r in singles]
        axes = (self._text("axis-loss"), self._text("axis-starts"))
        facts = [
            self.language.text(
                "report.alternative-median",
                subject=name,
                value=numbers.measured(float(np.median(values))),
            )
            for name, values in losses
        ]
        histogram = self._figure(
            "report.starts-caption",
            starts.starts_figure(losses, marks, axes),
            "report.alternative-starts",
            facts,
            budget=last,
        )
        curves = [(name, starts_curves(members, last)) for name, members in groups]
        lines = [(self._label(r), r.losses[: last + 1].astype(np.float64)) for r in singles]
        svg = starts.starts_curves_figure(
            curves,
            lines,
            self._floors([m for _, members in groups for m in members[:1]]),
            self._axes("axis-loss"),
        )
        facts = [
            self._fact(name, float(np.median(v[:, 0])), float(np.median(v[:, -1])))
            for name, v in curves
        ]
        spread = self._figure(
            "report.starts-curves-caption", svg, "report.alternative-losses", facts
        )
        return [histogram, spread]

    def _figure(
        self,
        caption: str,
        svg: bytes,
        alternative: str,
        facts: Sequence[str],
        plot: Plot | None = None,
        **values: object,
    ) -> Figure:
        anchor, label = self.numbering.next("figure")
        words = self.language.text(
            alternative, what=self.title, facts=self.language.enumerate(list(facts))
        )
        text = self.language.text(caption, **values)
        return Figure(anchor, label, text, svg, words, plot)

    def _fact(self, name: str, first: float, last: float) -> str:
        return self.language.text(
            "report.alternative-fact",
            subject=name,
            first=numbers.measured(first),
            last=numbers.measured(last),
        )

    def _axes(self, vertical: str) -> tuple[str, str, str]:
        return self._text("axis-updates"), self._text(vertical), self._text("floor")

    def _text(self, key: str) -> str:
        return self.language.text(f"report.{key}")

    def _label(self, result: Result) -> str:
        return self.language.label(self.results.plan, result.variant)

    def _floors(self, members: Sequence[Result]) -> list[float]:
        values = {r.floor.value for r in members}
        return sorted(v for v in values if v is not None and np.isfinite(v) and v > 0)


def _subject(result: Result) -> Subject:
    return Subject(result.variant, result.point)
