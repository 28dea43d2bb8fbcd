"""A gradient check in the report: its formulas, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.analysis.results import ExperimentResults
from labreport.analysis.rules.gradient_checks import wording
from labreport.lab.expression import parse
from labreport.lab.naming import display_order
from labreport.reference.gradient_check import CheckedFormula, GradientCheck, Way, falls
from labreport.report import formulas, numbers
from labreport.report.curves import Curve
from labreport.report.drawing_cache import DrawingCache
from labreport.report.language import Language
from labreport.report.numbering import Numbering
from labreport.report.tables import NONE, measured
from labreport.report.tree import Block, Cell, Figure, Paragraph, Plot, Table

MOST_WEIGHTS = 8
"""Derivatives of the first round that fit a table, side by side."""


def check_blocks(
    results: ExperimentResults, language: Language, numbering: Numbering, kept: DrawingCache
) -> list[Block]:
    """What a gradient check shows, in reading order; nothing for other experiments."""
    check = results.check
    if check is None:
        return []
    shown = _Shown(results, check, language, numbering, kept)
    return [
        *shown.formulas(),
        *shown.comparison(),
        *shown.first_round(),
        *shown.at_budgets(),
        *shown.figures(),
    ]


def check_tables(
    results: ExperimentResults, language: Language, numbering: Numbering
) -> list[Block]:
    """The tables of a gradient check alone, with the words before them."""
    check = results.check
    if check is None:
        return []
    shown = _Shown(results, check, language, numbering, DrawingCache())
    return [*shown.comparison(), *shown.first_round(), *shown.at_budgets()]


class _Shown:
    """The blocks of one gradient check in one language."""

    def __init__(
        self,
        results: ExperimentResults,
        check: GradientCheck,
        language: Language,
        numbering: Numbering,
        kept: DrawingCache,
    ) -> None:
        self.results, self.check, self.kept = results, check, kept
        self.language, self.numbering = language, numbering
        # The table that says what differences are measured in, once it has its number.
        self.units = ""

    def formulas(self) -> list[Block]:
        """Each formula of the lab, by the example of the first weight that it replaces."""
        if not self.check.formulas:
            return []
        weight = next(iter(self.check.formulas[0].formula.derivatives))
        blocks: list[Block] = [Paragraph(self._text("check-formulas", weight=weight))]
        for checked in self.check.formulas:
            formula = checked.formula
            words = self._label(checked)
            if formula.reason is not None:
                reason = formula.reason.within(self.language.code)
                words = self._text("check-reason", label=words, reason=reason)
            name, text = next(iter(formula.derivatives.items()))
            latex = f"{formulas.derivative(name)} = {formulas.expression(parse(text))}"
            blocks += [Paragraph(words), formulas.formula(latex, self.numbering, self.kept)]
        return blocks

    def comparison(self) -> list[Block]:
        """How far each way is from autograd, and what would have shown it."""
        rounds = len(self.check.truth.losses) - 1
        columns = ("absolute", "relative", "leaves", "shown-gradient", "shown-loss")
        header = [Cell(self._text("column-way"))]
        header += [
            Cell(self._text(f"column-{column}"), numeric=column in ("absolute", "relative"))
            for column in columns
        ]
        header.append(Cell(self._text("column-trained", budget=rounds), numeric=True))
        header.append(Cell(self._text("column-verdict")))
        right = measured(_last(self.check.truth.losses))
        rows = [
            self._row("way-hand", self.check.hand, right),
            self._row("way-differences", self.check.differences, Cell(NONE, numeric=True)),
        ]
        for checked in self.check.formulas:
            last = measured(_last(checked.training.losses))
            cells = (
                *self._measures(checked.way, checked),
                last,
                self._verdict(checked.way, checked),
            )
            rows.append((Cell(self._label(checked)), *cells))
        anchor, self.units = self.numbering.next("table")
        tolerance = numbers.setting(self.check.tolerance)
        table = Table(anchor, self.units, self._text("check-table"), tuple(header), tuple(rows))
        return [Paragraph(self._text("check-text", tolerance=tolerance)), table]

    def _row(self, name: str, way: Way, last: Cell) -> tuple[Cell, ...]:
        return (Cell(self._text(name)), *self._measures(way), last, self._verdict(way))

    def _measures(self, way: Way, checked: CheckedFormula | None = None) -> tuple[Cell, ...]:
        deviation = way.deviation
        leaves = NONE
        if deviation.round is not None:
            leaves = self._text("check-at", round=deviation.round, weight=deviation.weight)
        shown = (None, None) if checked is None else (checked.shown.gradient, checked.shown.loss)
        return (
            measured(deviation.absolute),
            measured(deviation.relative),
            Cell(leaves),
            *(Cell(NONE if r is None else self._text("check-round", round=r)) for r in shown),
        )

    def _verdict(self, way: Way, checked: CheckedFormula | None = None) -> Cell:
        if way.deviation.round is not None:
            return Cell(self._text("check-wrong"))
        is_open = checked is not None and not checked.is_right
        return Cell(self._text("check-open" if is_open else "check-right"))

    def first_round(self) -> list[Block]:
        """The derivatives by each weight before any update, as each way has them."""
        result = self.results.results[0]
        order = display_order(result.run.config.network)[:MOST_WEIGHTS]
        ways = [(self._text("way-autograd"), result.run.trace.gradients[0])]
        ways += [
            (self._text(f"way-{name}"), way.gradients[0])
            for name, way in (("hand", self.check.hand), ("differences", self.check.differences))
        ]
        ways += [
            (self._label(checked), checked.way.gradients[0]) for checked in self.check.formulas
        ]
        header = [Cell(self._text("column-way"))]
        header += [Cell(f"∂L/∂{result.names[k]}", numeric=True) for k in order]
        rows = tuple(
            (Cell(name), *(Cell(f"{values[k]:.5f}".replace("-", "−"), numeric=True) for k in order))
            for name, values in ways
        )
        anchor, label = self.numbering.next("table")
        some = "-some" if len(result.names) > len(order) else ""
        caption = self._text(f"check-first-table{some}", count=len(order))
        return [Table(anchor, label, caption, tuple(header), rows)]

    def at_budgets(self) -> list[Block]:
        """The loss that each way has trained to at the budgets that the lab names."""
        budgets = self.results.budgets
        if self.results.plan.experiment.budgets is None:
            return []
        header = [Cell(self._text("column-way"))]
        header += [Cell(self._text("column-loss", budget=b), numeric=True) for b in budgets]
        ways = [(self._text("way-autograd"), self.results.results[0].losses)]
        ways += [(self._text("way-hand"), self.check.truth.losses)]
        ways += [(self._label(c), c.training.losses) for c in self.check.formulas]
        rows = tuple(
            (Cell(name), *(measured(float(ls[b]) if b < len(ls) else None) for b in budgets))
            for name, ls in ways
        )
        anchor, label = self.numbering.next("table")
        return [Table(anchor, label, self._text("check-budgets-table"), tuple(header), rows)]

    def figures(self) -> list[Block]:
        """Differences round by round, and the losses that each formula trains to."""
        from labreport.report.figures.curve_figure import curve_figure
        from labreport.report.figures.gradient_differences import difference_figure
        from labreport.report.figures.page_plot import plot_of_curves

        ways = [
            (self._text(f"way-{name}"), way)
            for name, way in (("hand", self.check.hand), ("differences", self.check.differences))
        ]
        ways += [(self._label(checked), checked.way) for checked in self.check.formulas]
        axes = (self._text("axis-updates"), self._text("axis-difference"))
        apart = [(name, w.steps, w.apart) for name, w in ways]
        svg = self.kept.draw(difference_figure, apart, axes)
        facts = [f"{name} {numbers.measured(way.deviation.relative)}" for name, way in ways]
        caption = "check-caption" if self.check.formulas else "check-caption-plain"
        blocks: list[Block] = [self._figure(caption, "check-alternative", svg, facts)]
        rounds = len(self.check.hand.steps) - 1
        # A formula looks as it does among the ways above, after those by hand and by differences.
        losses = [Curve(self._text("way-hand"), self.check.truth.losses, 0)]
        losses += [
            Curve(self._label(c), c.training.losses, look)
            for look, c in enumerate(self.check.formulas, start=2)
            if not c.is_right and len(c.training.losses) > 1
        ]
        if len(losses) > 1 and all(falls(c.training, rounds) for c in self.check.formulas):
            labels = (self._text("axis-updates"), self._text("axis-loss"), "")
            budgets = self.results.budgets
            svg = self.kept.draw(curve_figure, losses, budgets, [], labels)
            plot = plot_of_curves(losses, budgets, [], labels)
            facts = [
                f"{name} {numbers.measured(_last(values) or 0.0)}" for name, values, _ in losses
            ]
            words = "check-losses-alternative"
            blocks.append(self._figure("check-losses-caption", words, svg, facts, plot))
        return blocks

    def _figure(
        self,
        caption: str,
        alternative: str,
        svg: bytes,
        facts: Sequence[str],
        plot: Plot | None = None,
    ) -> Figure:
        anchor, label = self.numbering.next("figure")
        words = self._text(alternative, facts=self.language.enumerate(list(facts)))
        said = self._text(caption, table=self.units)
        return Figure(anchor, label, said, svg, words, plot)

    def _label(self, checked: CheckedFormula) -> str:
        names = wording(checked.formula)
        return names.en if self.language.code == "en" else names.zh

    def _text(self, key: str, **values: object) -> str:
        return self.language.text(f"report.{key}", **values)


def _last(values: np.ndarray) -> float | None:
    return float(values[-1]) if len(values) else None
